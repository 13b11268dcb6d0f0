"""Hours of playing, in virtual time: the last is like the first, and nothing has piled up."""

from __future__ import annotations

import asyncio
import collections
import gc
import random
import statistics
import types
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from playing import Room, packaged_model, partner_of

from improv_daemon.building import improviser_of
from improv_daemon.conversation import Conversation
from improv_daemon.journal import JournalWriter
from improv_daemon.partner import AnswerEnded, CallHeard, Notice, Partner, Phase
from improv_daemon.partner.partner import MODES
from improv_daemon.settings import Answer, Memory, Settings, Trade
from improv_daemon.stage.virtual import VirtualStage
from improv_daemon.wire import Change, Command, Event, PedalMoved, Released, Sounded, TurnCancelled

HOURS = 8
HOUR_S = 3600.0
CALLS = 30
"""Calls of an hour in mode answer; between them the player rests for a minute and more."""

OTHERS_S = 30.0
"""So long of each hour in each of the other modes."""

SETTINGS = replace(
    Settings(),
    answer=replace(Answer(), candidates=2),
    memory=replace(Memory(), window_notes=128, recall=0.3, initiative=True),
    trade=replace(Trade(), seconds=3.0),
)


@dataclass
class Hour:
    """What was seen of one hour.

    Attributes:
        answered: How many notes the answer to each call had.
        lengths_s: How long the answers were.
        waits_s: From the last onset of each call to the first of its answer.
        notes: How many notes improv played, by mode.
        wakes: How often the partner was woken, by mode.
        kept: How much is kept at its end, by kind of what keeps it.
    """

    answered: list[int] = field(default_factory=list)
    lengths_s: list[float] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    notes: collections.Counter[str] = field(default_factory=collections.Counter)
    wakes: collections.Counter[str] = field(default_factory=collections.Counter)
    kept: dict[str, int] = field(default_factory=dict)


class CountedPartner(Partner):
    """Counts how often it is woken."""

    wakes = 0

    def wake(self, now_s: float) -> list[Command]:
        self.wakes += 1
        return super().wake(now_s)


class NoDisk:
    """Leaves to the operating system what is soon removed."""

    def request(self, fd: int) -> None:
        return

    def finish(self, fd: int) -> None:
        return


class Sitting:
    """A player and improv for hours, with all that a sitting consists of but ports.

    Args:
        path: Of the journal.
    """

    def __init__(self, path: Path) -> None:
        model = packaged_model()
        self._partner = CountedPartner(
            improviser_of(SETTINGS, model, 1),
            SETTINGS,
            seed=1,
            styles=model.styles,
            beats=model.beats,
            notify=self._notify,
        )
        self._journal = JournalWriter(
            path,
            model=model.name,
            seed=1,
            settings={},
            started_at=datetime(2026, 11, 20, tzinfo=UTC),
            now_s=0.0,
            on_trouble=pytest.fail,
            syncer=NoDisk(),
        )
        self._stage = VirtualStage()
        self._conversation = Conversation(self._stage, self._partner, self._journal, self._show)
        self._hour = Hour()
        self._calls: dict[int, float] = {}
        self._answered: set[int] = set()

    async def hours(self, count: int) -> list[Hour]:
        """The player does the same in each: what differs is improv's."""
        hours = []
        with self._journal:
            async with self._stage:
                running = asyncio.create_task(self._conversation.run())
                for number in range(count):
                    self._hour = Hour()
                    await self._play_an_hour(random.Random(7))
                    assert asyncio.get_running_loop().time() == pytest.approx((number + 1) * HOUR_S)
                    assert self._stage.silent
                    assert len(self._stage._performer._plan) == 0
                    self._stage.sent.clear()
                    self._hour.kept = kept_by(self._partner, self._stage, self._journal, self._conversation)
                    hours.append(self._hour)
                running.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await running
        return hours

    async def _play_an_hour(self, chance: random.Random) -> None:
        loop = asyncio.get_running_loop()
        end_s = round(loop.time() / HOUR_S + 1) * HOUR_S
        await self._in_mode("answer", self._call_and_response(chance))
        for mode in MODES:
            if mode != "answer":
                await self._in_mode(mode, self._play_on(chance))
        await self._in_mode("listen", asyncio.sleep(end_s - loop.time() - 1.0))
        await asyncio.sleep(end_s - loop.time())

    async def _in_mode(self, mode: str, playing: Coroutine[None, None, None]) -> None:
        self._conversation.wish(Change("mode", mode))
        assert self._partner.mode == mode
        wakes = self._partner.wakes
        await playing
        self._hour.wakes[mode] += self._partner.wakes - wakes

    async def _call_and_response(self, chance: random.Random) -> None:
        for _ in range(CALLS):
            await self._phrase(chance, chance.randrange(1, 16))
            await asyncio.sleep(chance.uniform(60.0, 100.0))

    async def _play_on(self, chance: random.Random) -> None:
        until_s = asyncio.get_running_loop().time() + OTHERS_S
        while asyncio.get_running_loop().time() < until_s:
            await self._phrase(chance, chance.randrange(4, 12))
            await asyncio.sleep(chance.uniform(0.5, 3.0))

    async def _phrase(self, chance: random.Random, notes: int) -> None:
        self._stage.play(0xB0, 64, chance.choice((0, 127)))
        lowest, pace_s = chance.randrange(40, 72), chance.uniform(0.12, 0.5)
        for _ in range(notes):
            pitch = lowest + chance.randrange(16)
            self._stage.play(0x90, pitch, chance.randrange(30, 100))
            await asyncio.sleep(pace_s * chance.uniform(0.4, 0.6))
            self._stage.play(0x80, pitch, 0)
            await asyncio.sleep(pace_s * chance.uniform(0.4, 0.6))
        self._stage.play(0xB0, 64, 0)

    def _notify(self, notice: Notice) -> None:
        if self._partner.mode != "answer":
            return
        match notice:
            case CallHeard(turn, call):
                self._calls[turn] = call.last_onset_s
            case AnswerEnded(turn, pitches, length_s, yielded=False) if turn in self._answered:
                self._hour.answered.append(len(pitches))
                self._hour.lengths_s.append(length_s)

    def _show(self, event: Event) -> None:
        if isinstance(event, Sounded):
            self._hour.notes[self._partner.mode] += 1
            if event.turn in self._calls:
                self._hour.waits_s.append(event.at_s - self._calls.pop(event.turn))
                self._answered.add(event.turn)


def kept_by(*roots: object) -> dict[str, int]:
    """How much can be reached from somewhere: entries of containers by their kind, and bytes of arrays."""
    left_out = (type, types.ModuleType, types.FunctionType, types.FrameType, asyncio.AbstractEventLoop, Sitting)
    counts: collections.Counter[str] = collections.Counter()
    seen: set[int] = set()
    ahead: list[object] = list(roots)
    while ahead:
        one = ahead.pop()
        if id(one) in seen or isinstance(one, left_out):
            continue
        seen.add(id(one))
        if isinstance(one, np.ndarray):
            counts["bytes of arrays"] += one.nbytes
        elif isinstance(one, list | dict | set | collections.deque):
            counts[type(one).__name__] += len(one)
        ahead += gc.get_referents(one)
    return dict(counts)


@pytest.mark.virtual_time
async def test_after_eight_hours_everything_is_as_in_the_first(tmp_path: Path) -> None:
    import time; t=time.process_time()
    hours = await Sitting(tmp_path / "sitting.jsonl").hours(HOURS)
    print(time.process_time()-t)
    for h in hours:
        print(len(h.answered), statistics.mean(h.answered), statistics.mean(h.lengths_s), len(h.waits_s), statistics.median(h.waits_s), max(h.waits_s), dict(h.notes), dict(h.wakes), h.kept)
    print((tmp_path / "sitting.jsonl").stat().st_size)
