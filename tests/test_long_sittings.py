"""Hours of playing, in virtual time: the last is like the first, and nothing has piled up."""

from __future__ import annotations

import asyncio
import collections
import gc
import os
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
from scripted_improviser import ScriptedImproviser

from improv_core.closing import CLOSE_S
from improv_daemon.building import improviser_of
from improv_daemon.conversation import Conversation
from improv_daemon.journal import DiskFile, JournalWriter
from improv_daemon.partner import AnswerEnded, CallHeard, Notice, Partner, Phase
from improv_daemon.partner.open_turn import LAST_RELEASE_S
from improv_daemon.partner.partner import MODES
from improv_daemon.settings import Answer, Memory, Settings, Trade
from improv_daemon.stage.virtual import VirtualStage
from improv_daemon.wire import Change, Command, Cue, Event, PedalMoved, Released, Sounded, TurnCancelled

HOURS = 8
HOUR_S = 3600.0
CALLS = 16
"""Calls of an hour in mode answer; between them the player rests for a minute and more."""

CUES = ("again", "another", "loop", "undo", "mute", "panic")
OTHERS_S = 15.0
"""So long of each hour in each of the other modes."""

SETTINGS = replace(
    Settings(),
    answer=replace(Answer(), candidates=2, length_max_s=5.0),
    memory=replace(Memory(), window_notes=128, recall=0.3, initiative=True),
    trade=replace(Trade(), seconds=3.0),
)

LONGEST_WAIT_S = 2.5
"""From the last onset of a call of which all keys come up to the answer."""

SAME_LENGTH_S = CLOSE_S + LAST_RELEASE_S
"""What the same call is answered with differs by no more than this."""

DROPPED_TURNS_KEPT = 256
"""The stage knows of so many turns that nothing of them may sound any more."""

A_FEW = 40
MOST_GROWTH = 16 << 20
"""Entries and bytes by which the last hour may differ from the first."""

MOST_UNDONE = 1 << 16
"""Bytes of notes that the window holds no more, but would again if the last turns were undone."""

MANY = 2000


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
        resident: Bytes of this process at its end.
    """

    answered: list[int] = field(default_factory=list)
    lengths_s: list[float] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    notes: collections.Counter[str] = field(default_factory=collections.Counter)
    wakes: collections.Counter[str] = field(default_factory=collections.Counter)
    kept: dict[str, int] = field(default_factory=dict)
    resident: int = 0


class CountedPartner(Partner):
    """Counts how often it is woken."""

    wakes = 0

    def wake(self, now_s: float) -> list[Command]:
        self.wakes += 1
        return super().wake(now_s)


class NoSyncing(DiskFile):
    """Leaves to the operating system what is soon removed."""

    def sync(self) -> None:
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
            open_file=NoSyncing,
        )
        self._stage = VirtualStage()
        self._conversation = Conversation(self._stage, self._partner, self._journal, self._show)
        self._hour = Hour()
        self._waits_s: dict[int, float] = {}
        self._answer: AnswerEnded | None = None

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
                    self._hour.resident = resident_bytes()
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
            self._answer = None
            await asyncio.sleep(chance.uniform(60.0, 100.0))
            assert self._answer is not None, "a call that was not answered"
            self._hour.answered.append(len(self._answer.pitches))
            self._hour.lengths_s.append(self._answer.length_s)
            self._hour.waits_s.append(self._waits_s[self._answer.turn])

    async def _play_on(self, chance: random.Random) -> None:
        until_s = asyncio.get_running_loop().time() + OTHERS_S
        while asyncio.get_running_loop().time() < until_s:
            await self._phrase(chance, chance.randrange(4, 12))
            await asyncio.sleep(chance.uniform(0.5, 3.0))
            self._conversation.wish(Cue(chance.choice(CUES)))
            await asyncio.sleep(chance.uniform(0.5, 3.0))
            if self._partner.muted:
                self._conversation.wish(Cue("mute"))

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
                self._waits_s = {turn: -call.last_onset_s}
            case AnswerEnded(turn, yielded=False) if turn in self._waits_s:
                self._answer = notice

    def _show(self, event: Event) -> None:
        if isinstance(event, Sounded):
            self._hour.notes[self._partner.mode] += 1
            if event.index == 0 and event.turn in self._waits_s:
                self._waits_s[event.turn] += event.at_s


def kept_by(*roots: object) -> dict[str, int]:
    """How much can be reached from somewhere: entries of containers by their kind, and bytes of arrays."""
    left_out = (
        type,
        types.ModuleType,
        types.FunctionType,
        types.FrameType,
        asyncio.AbstractEventLoop,
        Sitting,
    )
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


def resident_bytes() -> int:
    """Memory of this process; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGESIZE")


def mean_length_s(hour: Hour) -> float:
    return statistics.mean(hour.lengths_s)


def mean_notes(hour: Hour) -> float:
    return statistics.mean(hour.answered)


def wakes_a_call(hour: Hour) -> float:
    return hour.wakes["answer"] / CALLS


@pytest.mark.virtual_time
async def test_the_last_of_eight_hours_is_like_the_first(tmp_path: Path) -> None:
    hours = await Sitting(tmp_path / "sitting.jsonl").hours(HOURS)
    for hour in hours:
        assert len(hour.answered) == CALLS
        assert min(hour.answered) > 0
        assert max(hour.waits_s) < LONGEST_WAIT_S
        assert all(hour.notes[mode] > 0 for mode in MODES if mode != "listen")
    first, last = hours[0], hours[-1]
    assert all(abs(a - b) <= SAME_LENGTH_S for a, b in zip(first.lengths_s, last.lengths_s, strict=True))
    assert statistics.mean(last.waits_s) == pytest.approx(statistics.mean(first.waits_s), rel=0.2)
    for seen in (mean_length_s, mean_notes, wakes_a_call):
        halves = [statistics.mean(map(seen, half)) for half in (hours[: HOURS // 2], hours[HOURS // 2 :])]
        assert halves[1] == pytest.approx(halves[0], rel=0.35), seen.__name__
    assert last.kept["bytes of arrays"] - first.kept["bytes of arrays"] < MOST_UNDONE
    for kind in ("list", "deque", "set", "dict"):
        most = first.kept[kind] + (DROPPED_TURNS_KEPT if kind == "dict" else 0)
        assert last.kept[kind] <= most + A_FEW, kind
    assert last.resident - first.resident < MOST_GROWTH


# --- what goes on and on ----------------------------------------------------------------------------


def kept_while_playing_into(room: Room, for_s: float) -> list[int]:
    """How much is kept, again and again, while the player plays and nothing comes to its end."""
    chance, until_s, kept = random.Random(3), room.now_s + for_s, []
    while room.now_s < until_s:
        for _ in range(40):
            room.call(chance.randrange(60, 84), gap_s=0.15, duration_s=0.12)
        room.forget()
        counts = kept_by(room.partner, room.performer)
        kept.append(sum(count for kind, count in counts.items() if kind != "bytes of arrays"))
    return kept


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("deaf", [(), (Sounded, Released, PedalMoved, TurnCancelled)], ids=["", "deaf"])
def test_playing_on_without_a_rest_piles_up_nothing(mode: str, deaf: tuple[type[Event], ...]) -> None:
    room = Room(partner_of(settings=replace(SETTINGS, mode=mode), length_max_s=2.0), deaf=deaf)
    kept = kept_while_playing_into(room, for_s=150.0)
    assert len(kept) == 25
    assert statistics.median(kept[19:]) <= 1.15 * statistics.median(kept[13:19])


def test_playing_over_what_goes_round_piles_up_nothing() -> None:
    room = Room(partner_of(settings=SETTINGS, length_max_s=2.0))
    room.call(60, 64, 67)
    room.run_for(10.0)
    room.wish(Cue("loop"))
    kept = kept_while_playing_into(room, for_s=150.0)
    assert room.partner.looping
    assert statistics.median(kept[19:]) <= 1.15 * statistics.median(kept[13:19])


def test_thousands_of_calls_are_all_answered() -> None:
    notices: list[Notice] = []
    room = Room(partner_of(notices=notices, improviser=ScriptedImproviser(0.2, 0.2, 0.4)))
    chance = random.Random(1)
    for _ in range(MANY):
        room.call(*(chance.randrange(48, 84) for _ in range(chance.randrange(1, 4))))
        room.run_for(6.0)
        room.forget()
        assert room.partner.phase is Phase.LISTENING
        assert room.performer.silent
    answers = [notice for notice in notices if isinstance(notice, AnswerEnded)]
    assert len(answers) == MANY
    assert all(answer.pitches and not answer.yielded for answer in answers)
