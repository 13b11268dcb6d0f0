"""Sessions as `improv record` leaves them, made in virtual time with the model that ships with improv."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import run_virtual
from playing import packaged_model

from improv_daemon import wire
from improv_daemon.building import prime_partner, sitting_partner
from improv_daemon.conversation import Conversation
from improv_daemon.journal import JournalWriter
from improv_daemon.sessions import SessionFolder
from improv_daemon.settings import Settings
from improv_daemon.stage.virtual import VirtualStage

SEED = 7
STARTED_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MELODY = (60, 64, 67, 72, 71, 67)
ANSWERED_WITHIN_S = 12.0


def session_folder(root: Path, name: str = "2026-01-02_03-04-05") -> SessionFolder:
    """An empty one."""
    folder = SessionFolder(root / name)
    folder.path.mkdir(parents=True)
    return folder


def written_session(folder: SessionFolder, *, now_s: float = 10.0, **header: Any) -> SessionFolder:
    """A player's note and improv's answer, of a model that nobody has."""
    told = {"model": "m", "seed": 1, "settings": {"mode": "answer"}, "started_at": STARTED_AT} | header
    with JournalWriter(folder.journal, now_s=now_s, on_trouble=pytest.fail, **told) as journal:
        journal.write(wire.Played((0x90, 60, 80), now_s + 1, "keys"), now_s + 1)
        journal.write(wire.Played((0x80, 60, 0), now_s + 2, "keys"), now_s + 2)
        journal.write(wire.PlayNote(1, 0, 64, 70, now_s + 3, now_s + 4), now_s + 2.5)
        journal.write(wire.Sounded(1, 0, 64, 70, now_s + 3, 0.0), now_s + 3)
        journal.write(wire.Released(1, 0, 64, now_s + 4), now_s + 4)
    return folder


def recorded_session(
    folder: SessionFolder, *, calls: int = 2, within_s: float = ANSWERED_WITHIN_S
) -> SessionFolder:
    """A player calls, improv answers: all that it does can be replayed."""
    run_virtual(_record(folder.journal, quick_settings(), calls, within_s))
    return folder


def quick_settings() -> Settings:
    """As they come, but improv makes up its mind at once."""
    settings = Settings()
    return replace(settings, answer=replace(settings.answer, candidates=1))


async def _record(path: Path, settings: Settings, calls: int, within_s: float) -> None:
    now_s = asyncio.get_running_loop().time
    partner = sitting_partner(settings, packaged_model(), SEED)
    prime_partner(partner, now_s())
    journal = JournalWriter(
        path,
        model=packaged_model().name,
        seed=SEED,
        settings=asdict(settings),
        started_at=STARTED_AT,
        now_s=now_s(),
        on_trouble=pytest.fail,
    )
    with journal:
        async with VirtualStage() as stage:
            running = asyncio.create_task(Conversation(stage, partner, journal).run())
            await asyncio.sleep(0.3)
            for _ in range(calls):
                await _call(stage.play)
                await asyncio.sleep(within_s)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def _call(play: Callable[..., None]) -> None:
    play(0xB0, 64, 127)
    for pitch, velocity in zip(MELODY, itertools.count(60, 5), strict=False):
        play(0x90, pitch, velocity)
        await asyncio.sleep(0.2)
        play(0x80, pitch, 0)
    play(0xB0, 64, 0)
