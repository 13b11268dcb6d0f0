"""``improv sessions replay``; imported when it is needed."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine
from pathlib import Path

import typer

from improv_core.errors import PortError
from improv_daemon.building import stage_config_of
from improv_daemon.cli_paths import check_free
from improv_daemon.cli_progress import progress_bar
from improv_daemon.interrupts import INTERRUPTED
from improv_daemon.journal import Journal, read_journal, what_is_missing
from improv_daemon.recorder import write_session_midi
from improv_daemon.replaying import Given, check_replayable
from improv_daemon.sessions.again import Comparison, compare, partner_again, told_again
from improv_daemon.sessions.fast import played_again
from improv_daemon.sessions.live import play_again
from improv_daemon.sessions.telling import length_text
from improv_daemon.settings import Settings
from improv_daemon.signalling import stop_on_signals
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage_link import Stage, StageLink
from improv_daemon.whole_files import whole_file
from improv_daemon.wire import Ready, Trouble

DIFFERENT = 1


def replay_check(path: Path, model: str | None) -> int:
    """Say whether improv does the same as then; returns the exit status, 1 if not.

    Raises:
        ImprovError: It cannot be replayed.
    """
    journal = _read(path)
    with progress_bar("Replaying") as progress:
        again = list(told_again(journal, partner_again(journal, model), progress))
    return _told(compare(journal, again))


def replay_fast(
    path: Path, output: Path | None, model: str | None, settings: Settings, *, force: bool = False
) -> int:
    """Write what improv would have played, were nothing ever late; returns the exit status.

    Args:
        path: Of the journal.
        output: The MIDI file; None: one in this folder called after the session.
        model: Where the model that played is now.
        settings: For the bar lines.
        force: Whether what is there may be replaced.

    Raises:
        ImprovError: It cannot be replayed, or the file is there already.
    """
    named = path.parent.resolve().name if path.name == "journal.jsonl" else path.stem
    output = output or Path(f"{named}-again.mid")
    check_free(output, force=force)
    journal = _read(path)
    with progress_bar("Replaying") as progress:
        again = list(told_again(journal, partner_again(journal, model), progress))
        with whole_file(output, over=force) as part:
            write_session_midi(played_again(journal, again), part, tempo=settings.record.bar_lines)
    typer.echo(f"Wrote {output}.")
    _told(compare(journal, again))
    return 0


def replay_live(path: Path, model: str | None, settings: Settings, after_s: float) -> int:
    """Play a session to the ports, at its pace; returns the exit status.

    Raises:
        ImprovError: It cannot be replayed, or the ports cannot be had.
    """
    journal = _read(path)
    again = told_again(journal, partner_again(journal, model))
    length = length_text(journal.end_s - journal.header.now_s)

    async def play(stage: Stage) -> list[Given]:
        typer.echo(f"Playing {length} to {', '.join(_places(stage.ready))}; Ctrl-C stops.")
        with progress_bar("Playing") as progress:
            return await play_again(stage, journal, again, progress, after_s)

    done = asyncio.run(_live(stage_config_for(settings), play))
    if done is None:
        typer.echo("Stopped.")
        return INTERRUPTED
    typer.echo("Played to its end.")
    _told(compare(journal, done))
    return 0


def _places(ready: Ready) -> list[str]:
    """Where it sounds.

    Raises:
        PortError: Nowhere.
    """
    for problem in ready.problems:
        typer.echo(problem, err=True)
    places = [*ready.outputs, *([f"the synthesiser ({ready.sound})"] if ready.sound else [])]
    if not places:
        raise PortError(
            "There is neither a MIDI output nor sound, so nothing would be heard; improv ports lists "
            "outputs, and --fast writes a MIDI file."
        )
    return places


def _read(path: Path) -> Journal:
    with progress_bar("Reading") as progress:
        journal = read_journal(path, progress)
    check_replayable(journal)
    for sentence in what_is_missing(journal):
        typer.echo(sentence, err=True)
    return journal


def stage_config_for(settings: Settings) -> StageConfig:
    """A stage that sounds the player's part wherever it sounds improv's, and listens to no keyboard."""
    thru = "on" if settings.ports.thru == "auto" else settings.ports.thru
    return dataclasses.replace(
        stage_config_of(settings), input="", thru=thru, thru_routes="", sound_player=True
    )


async def _live(
    config: StageConfig,
    play: Callable[[Stage], Coroutine[None, None, list[Given]]],
) -> list[Given] | None:
    """What improv did; None if it was stopped."""
    stop = stop_on_signals()
    async with StageLink(config) as stage:
        playing = asyncio.create_task(play(stage))
        others = [asyncio.create_task(_heed(stage)), asyncio.create_task(stop.wait())]
        try:
            await asyncio.wait([playing, *others], return_when=asyncio.FIRST_COMPLETED)
            if others[0].done():
                others[0].result()
            return await playing if playing.done() else None
        finally:
            for task in (playing, *others):
                task.cancel()
            await asyncio.gather(playing, *others, return_exceptions=True)


async def _heed(stage: Stage) -> None:
    """Say what the stage cannot do.

    Raises:
        StageLost: The stage is gone.
    """
    async for event in stage.events():
        if isinstance(event, Trouble):
            typer.echo(event.text, err=True)


def _told(comparison: Comparison) -> int:
    typer.echo(comparison.in_words())
    return 0 if comparison.is_same else DIFFERENT
