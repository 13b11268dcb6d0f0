"""Notes against their own deadline: with real-time priority and without, the mind idle and busy."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence

from jack_player import JackPlayer, Timed

from bench.rig_rows import Effort, Row, timed
from improv_core.improvising import Improvising
from improv_daemon.building import improviser_of
from improv_daemon.models import DEFAULT, load_model
from improv_daemon.settings import Settings
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage_link import StageLink
from improv_daemon.wire import PlayNote, Sounded

AHEAD_S = 0.25
"""So long before its onset the mind sends a note."""

_TURN = 1
_LENGTH_S = 0.05
_GAPS_S = (0.005, 0.02)
_PITCHES, _VELOCITIES = 88, 127
_NO_REALTIME = "IMPROV_NO_REALTIME"


def deadlines(effort: Effort) -> Iterator[Row]:
    """As the stage tells and as the second process hears, in each of four conditions."""
    for realtime, must in ((True, "0.1 / 0.5"), (False, "0.2 / 4")):
        for drawing in (False, True):
            with _priority(realtime):
                sent_s, heard_s = asyncio.run(_played(effort.planned, drawing=drawing))
            priority = "with real-time priority" if realtime else "without"
            of = f"{priority}, the mind {'draws as fast as it can' if drawing else 'is idle'}"
            lost = effort.planned - len(heard_s)
            yield timed(f"sent against the deadline, {of}", must, sent_s)
            yield timed(f"the same at the second process ({lost} lost)", "row", heard_s)


@contextlib.contextmanager
def _priority(realtime: bool) -> Iterator[None]:
    os.environ.pop(_NO_REALTIME, None)
    if not realtime:
        os.environ[_NO_REALTIME] = "1"
    try:
        yield
    finally:
        os.environ.pop(_NO_REALTIME, None)


async def _played(notes: int, *, drawing: bool) -> tuple[list[float], list[float]]:
    """How late notes were sent, and heard."""
    async with _stage() as (stage, player), _mind(drawing):
        onsets_s = onsets(notes)
        planning = asyncio.create_task(_plan(stage, onsets_s))
        sent_s = await _sounded(stage, notes)
        await planning
        await asyncio.sleep(0.2)
        return sent_s, late_s(onsets_s, list(player.heard))


@contextlib.asynccontextmanager
async def _stage() -> AsyncIterator[tuple[StageLink, JackPlayer]]:
    config = StageConfig(api="jack", input="", sound="off")
    async with StageLink(config) as stage:
        if stage.ready.problems:
            raise RuntimeError(stage.ready.problems[0])
        with JackPlayer() as player:
            player.connect()
            yield stage, player


@contextlib.asynccontextmanager
async def _mind(drawing: bool) -> AsyncIterator[None]:
    """improv's own model in this process's event loop, which draws note after note, or does nothing."""
    task = asyncio.create_task(_draw()) if drawing else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _draw() -> None:
    improviser = improviser_of(Settings(), load_model(DEFAULT), seed=1)
    at_s = 0.0
    for turn in range(1, 1_000_000):
        at_s = _hear(improviser, at_s)
        improviser.begin_turn(turn, at_s)
        for _ in range(200):
            if improviser.prepare():
                at_s = improviser.draw(at_s, at_s + 1.0).onset_s
            await asyncio.sleep(0)  # as the conversation does: what is due is done in between
        improviser.close_turn({})


def _hear(improviser: Improvising, at_s: float) -> float:
    for pitch in (60, 64, 67, 72):
        improviser.press(pitch, 70, at_s)
        improviser.release(pitch, at_s + 0.2)
        at_s += 0.25
    return at_s


def onsets(notes: int) -> list[float]:
    """So many, irregular, from half a second on."""
    dice, onset_s, found = random.Random(0), time.monotonic() + 0.5, []
    for _ in range(notes):
        onset_s += dice.uniform(*_GAPS_S)
        found.append(onset_s)
    return found


def key_of(index: int) -> tuple[int, int]:
    """Pitch and velocity, by which a note is known again at the listener."""
    return 21 + index % _PITCHES, 1 + index // _PITCHES % _VELOCITIES


async def _plan(stage: StageLink, onsets_s: Sequence[float]) -> None:
    for index, onset_s in enumerate(onsets_s):
        await asyncio.sleep(max(0.0, onset_s - AHEAD_S - time.monotonic()))
        stage.send(PlayNote(_TURN, index, *key_of(index), onset_s, onset_s + _LENGTH_S))


async def _sounded(stage: StageLink, notes: int) -> list[float]:
    late: list[float] = []
    async with asyncio.timeout(30 + notes * _GAPS_S[1]):
        async for event in stage.events():
            if isinstance(event, Sounded):
                late.append(event.late_s)
                if len(late) == notes:
                    break
    return late


def late_s(onsets_s: Sequence[float], heard: Sequence[Timed]) -> list[float]:
    """Arrival less deadline of each planned note that came."""
    due_s = {key_of(index): onset_s for index, onset_s in enumerate(onsets_s)}
    came = [(at_s, (data[1], data[2])) for at_s, data in heard if data[0] & 0xF0 == 0x90 and data[2]]
    return [at_s - due_s[key] for at_s, key in came if key in due_s]
