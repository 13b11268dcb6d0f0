"""``improv play``, ``record`` and ``demo``: the parts put together, and every way out of them."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime
import os
import signal
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

import platformdirs

from improv_core.errors import ImprovError, SoundError
from improv_core.model import Model
from improv_daemon.building import prime_partner, sitting_partner, stage_config_of
from improv_daemon.cli_progress import progress_bar
from improv_daemon.conversation import Conversation
from improv_daemon.demo import play_demo
from improv_daemon.directions import in_words, unheeded, unheeded_change
from improv_daemon.interrupts import INTERRUPTED
from improv_daemon.journal import JournalWriter
from improv_daemon.models import borrowing, load_model
from improv_daemon.osc import osc_messages
from improv_daemon.partner import AnswerEnded, Notice, Partner, Said, new_seed
from improv_daemon.recorder import Kept, forget_unplayed, keep_session, new_session_path, recover
from improv_daemon.settings import Settings
from improv_daemon.showing import Showing
from improv_daemon.soundfonts import find_soundfont
from improv_daemon.stage_link import StageLink, StageLost
from improv_daemon.view import View
from improv_daemon.wire import Change, Panic, Ready, Wish

FAILED = 1


def run_play(settings: Settings, showing: Showing) -> int:
    """Play until stopped; returns the exit status."""
    return _run(settings, View(), None, demo=False)


def run_record(settings: Settings, folder: Path, showing: Showing) -> int:
    """Play until stopped, and keep the sitting in ``folder``; returns the exit status."""
    return _recorded(settings, folder, demo=False)


def run_demo(settings: Settings, folder: Path, showing: Showing) -> int:
    """Play the demo's calls, hear the answers, keep them in ``folder``; returns the exit status."""
    return _recorded(settings, folder, demo=True)


def _recorded(settings: Settings, folder: Path, *, demo: bool) -> int:
    view = View()
    path = new_session_path(folder, datetime.datetime.now().astimezone())
    try:
        status = _run(settings, view, path, demo=demo)
    except ImprovError:
        forget_unplayed(path)  # what was refused at the start is no sitting
        raise
    _keep(settings, path, view, others=not demo)
    return status


def _run(settings: Settings, view: View, journal_path: Path | None, *, demo: bool) -> int:
    """One sitting, whatever ends it. The stage lets go of every note by itself."""
    status = 0
    if demo and settings.mode != "answer":
        view.line("The demo is in mode answer; improv play has the others.")
        settings = dataclasses.replace(settings, mode="answer")
    try:
        asyncio.run(_sitting(settings, view, journal_path, demo=demo))
    except* StageLost as lost:
        view.line(str(_first(lost)))
        status = FAILED
    except* ImprovError as errors:
        raise _first(errors) from None
    except* Exception as errors:  # noqa: BLE001 - the one boundary: it is logged, and said
        view.line(f"improv has met an error of its own and stops; {_logged(errors)}.")
        status = FAILED
    view.end()
    return status


async def _sitting(settings: Settings, view: View, journal_path: Path | None, *, demo: bool) -> None:
    stop = _stop_on_signals()
    model = load_model(settings.model)
    seed = settings.seed or new_seed()
    answered = asyncio.Event()

    def notify(notice: Notice) -> None:
        view.notice(notice)
        if isinstance(notice, AnswerEnded) and not notice.yielded:
            answered.set()

    async def play() -> None:
        partner = sitting_partner(settings, model, seed, notify)
        async with (
            StageLink(stage_config_of(settings)) as stage,
            _journal(journal_path, settings, model, seed, view) as (journal, begun_s),
        ):
            prime_partner(partner, begun_s)
            _release_when_suspended(stage)
            _open(view, settings, model, stage.ready, hint=not demo)
            conversation = Conversation(stage, partner, journal, view.event)
            wish = _wishing(conversation, partner, model, notify)
            try:
                async with (
                    osc_messages(settings.controls.osc_port, wish, notify) as osc,
                    asyncio.TaskGroup() as group,
                ):
                    if osc is not None:
                        view.line(f"OSC messages are taken at UDP port {settings.controls.osc_port}.")
                    conversing = group.create_task(conversation.run())
                    if demo:
                        await play_demo(stage, answered, view)
                        conversing.cancel()
            finally:
                conversation.keep_last(await stage.end())

    await _until(stop, play)


def _open(view: View, settings: Settings, model: Model, ready: Ready, *, hint: bool) -> None:
    view.opening(
        model.name,
        settings.mode,
        ready,
        asked=in_words(settings),
        remarks=[said for said in (borrowing(model), unheeded(model, settings.answer)) if said],
        hint=hint,
    )


def _wishing(
    conversation: Conversation, partner: Partner, model: Model, notify: Callable[[Notice], None]
) -> Callable[[Wish], None]:
    """Hands a wish on, and says so when it was granted and means nothing to the model."""

    def wish(wished: Wish) -> None:
        before = partner.settings
        conversation.wish(wished)
        if isinstance(wished, Change) and partner.settings is not before:
            in_vain = unheeded_change(model, wished, partner.settings.answer)
            if in_vain is not None:
                notify(Said(in_vain))

    return wish


async def _until(stop: asyncio.Event, play: Callable[[], Coroutine[None, None, None]]) -> None:
    """Play until it is over or ``stop`` is set, be it in the middle of starting."""

    async def to_the_end() -> None:
        await play()
        stop.set()

    async with asyncio.TaskGroup() as group:
        playing = group.create_task(to_the_end())
        await stop.wait()
        playing.cancel()


def _stop_on_signals() -> asyncio.Event:
    """Set by Ctrl-C, a termination or a closed terminal; a second Ctrl-C ends the process at once.

    Ending at once is safe: the stage sees the end of its socket and lets go of everything.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def interrupted() -> None:
        if stop.is_set():
            os._exit(INTERRUPTED)
        stop.set()

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with contextlib.suppress(AttributeError, NotImplementedError):  # Windows has neither all nor handlers
            if name == "SIGHUP" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
                continue  # started with nohup, to go on when the terminal closes
            loop.add_signal_handler(getattr(signal, name), interrupted if name == "SIGINT" else stop.set)
    return stop


def _release_when_suspended(stage: StageLink) -> None:
    """Ctrl-Z stops the mind but not the stage: nothing may sound on, nor a pedal stay down, meanwhile."""

    def suspend() -> None:
        with contextlib.suppress(StageLost):
            stage.send(Panic())
        _suspend_this_process()

    with contextlib.suppress(AttributeError, NotImplementedError):  # Windows knows no such thing
        asyncio.get_running_loop().add_signal_handler(signal.SIGTSTP, suspend)


def _suspend_this_process() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


@contextlib.asynccontextmanager
async def _journal(
    path: Path | None, settings: Settings, model: Model, seed: int, view: View
) -> AsyncIterator[tuple[JournalWriter | None, float]]:
    """The journal, if there is one, and when it begins."""
    now_s = asyncio.get_running_loop().time()
    if path is None:
        yield None, now_s
        return
    with JournalWriter(
        path,
        model=model.name,
        seed=seed,
        settings=dataclasses.asdict(settings),
        started_at=datetime.datetime.now().astimezone(),
        now_s=now_s,
        on_trouble=lambda sentence: view.line(f"Note: {sentence}"),
    ) as journal:
        yield journal, now_s


def _keep(settings: Settings, path: Path, view: View, *, others: bool) -> None:
    """Make the files of a sitting, and of earlier ones that a crash cut short."""
    if not path.exists():
        return
    record = settings.record
    font = None
    try:
        try:
            font = find_soundfont(settings.sound.soundfont) if record.mp3 else None
        except SoundError as missing:
            view.line(f"Note: {missing}")
        with progress_bar("Making the MP3") as progress:
            kept = keep_session(
                path, soundfont=font, bitrate_kbps=record.bitrate_kbps, mp3=record.mp3, progress=progress
            )
        _report(view, "Kept", kept)
        if others:
            with progress_bar("Finishing earlier sittings") as progress:
                found = recover(
                    path.parent,
                    soundfont=font,
                    bitrate_kbps=record.bitrate_kbps,
                    mp3=record.mp3,
                    progress=progress,
                )
            for old in found.kept:
                _report(view, "Recovered an earlier sitting:", old)
            for sentence in found.notes:
                view.line(f"Note: {sentence}")
    except KeyboardInterrupt:
        view.line(f'Stopped; the sitting is safe in {path}, and "improv render {path}" makes the rest.')


def _report(view: View, verb: str, kept: Kept) -> None:
    view.line(f"{verb} {' and '.join(str(file) for file in (kept.midi, kept.mp3) if file is not None)}.")
    for sentence in kept.notes:
        view.line(f"Note: {sentence}")


def _first(group: BaseExceptionGroup[ImprovError]) -> ImprovError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


def _logged(errors: BaseExceptionGroup[Exception]) -> str:
    """Write the traceback where it can be found; returns where."""
    text = "".join(traceback.format_exception(errors))
    try:
        folder = platformdirs.user_log_path("improv", ensure_exists=True)
        path = folder / f"error-{datetime.datetime.now():%Y-%m-%d_%H-%M-%S}.txt"
        path.write_text(text, encoding="utf-8")
    except OSError:
        return f"what happened: {text.strip().splitlines()[-1]}"
    return f"{path} says what happened"
