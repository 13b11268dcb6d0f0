"""Whole conversations on a loop whose time jumps: nothing is missed, nothing is left sounding."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playing import improviser_of, model_that_plays, partner_of

from improv_core.model import Model
from improv_daemon.conversation import Conversation
from improv_daemon.journal import JournalWriter, read_journal
from improv_daemon.partner import AnswerEnded, CallHeard, Notice, Partner
from improv_daemon.stage.virtual import VirtualStage
from improv_daemon.stage_link import StageLost
from improv_daemon.wire import Command, Event, Played, Ready, TurnCancelled

STEADY = model_that_plays(dt=150, duration=400)


def partner_for(notices: list[Notice], model: Model | None = None) -> Partner:
    return partner_of(notices=notices, improviser=improviser_of(model, window_notes=64))


@contextlib.asynccontextmanager
async def conversing(
    notices: list[Notice], model: Model | None = None, journal: JournalWriter | None = None
) -> AsyncIterator[VirtualStage]:
    """A conversation at a stage in memory, ended in good order."""
    async with VirtualStage() as stage:
        conversation = asyncio.create_task(Conversation(stage, partner_for(notices, model), journal).run())
        yield stage
        conversation.cancel()
        with pytest.raises(asyncio.CancelledError):
            await conversation


async def play_call(stage: VirtualStage, pitches: tuple[int, ...], gap_s: float = 0.25) -> None:
    for pitch in pitches:
        stage.play(0x90, pitch, 70)
        await asyncio.sleep(gap_s * 0.8)
        stage.play(0x80, pitch, 0)
        await asyncio.sleep(gap_s * 0.2)


def onsets(stage: VirtualStage) -> list[float]:
    return [at_s for at_s, data in stage.sent if data[0] & 0xF0 == 0x90]


def assert_whole(sent: list[tuple[float, tuple[int, ...]]]) -> None:
    """Every note-on has its note-off before the pitch is struck again, and the pedal is up at the end."""
    down: set[int] = set()
    pedal = 0
    for _, data in sent:
        if data[0] & 0xF0 == 0x90:
            assert data[1] not in down
            down.add(data[1])
        elif data[0] & 0xF0 == 0x80:
            down.remove(data[1])
        elif data[:2] == (0xB1, 64):
            pedal = data[2]
    assert (down, pedal) == (set(), 0)


@pytest.mark.virtual_time
async def test_an_hour_of_call_and_response() -> None:
    notices: list[Notice] = []
    chance = random.Random(5)
    async with conversing(notices) as stage:
        for i in range(120):
            await play_call(stage, tuple(chance.randrange(48, 84) for _ in range(1 + i % 7)))
            await asyncio.sleep(30.0 - 0.25 * (1 + i % 7))
        assert asyncio.get_running_loop().time() == pytest.approx(3600.0)
        assert stage.silent
    calls = [n for n in notices if isinstance(n, CallHeard)]
    answers = [n for n in notices if isinstance(n, AnswerEnded)]
    assert [len(call.pitches) for call in calls] == [1 + i % 7 for i in range(120)]
    assert [answer.turn for answer in answers] == list(range(1, 121))
    assert not any(answer.yielded for answer in answers)
    assert all(answer.pitches for answer in answers)
    assert_whole(stage.sent)


@pytest.mark.virtual_time
async def test_a_player_who_never_lets_improv_finish_is_never_left_with_a_hanging_note() -> None:
    notices: list[Notice] = []
    chance = random.Random(9)
    async with conversing(notices) as stage:
        for _ in range(60):
            stage.play(0xB0, 64, chance.choice((0, 127)))
            await play_call(stage, tuple(chance.randrange(48, 84) for _ in range(chance.randrange(1, 4))))
            await asyncio.sleep(chance.uniform(0.2, 2.5))
        await asyncio.sleep(10.0)
        assert stage.silent
    ends = [n.yielded for n in notices if isinstance(n, AnswerEnded)]
    assert len(ends) == sum(isinstance(n, CallHeard) for n in notices)
    assert any(ends)  # some answers were cut short, or this would show nothing
    assert ends[-1] is False
    assert_whole(stage.sent)


@pytest.mark.virtual_time
async def test_improv_is_silent_within_three_milliseconds_of_the_players_return() -> None:
    notices: list[Notice] = []
    async with conversing(notices, STEADY) as stage:
        for wait_s in (0.8, 1.0, 1.3, 1.55):
            await play_call(stage, (60, 64, 67, 72))
            await asyncio.sleep(wait_s)
            assert not stage.silent
            returned_s = asyncio.get_running_loop().time()
            stage.play(0x90, 48, 70)
            await asyncio.sleep(0.003)
            assert stage.silent
            assert max(onsets(stage)) <= returned_s
            await asyncio.sleep(0.1)
            stage.play(0x80, 48, 0)
            await asyncio.sleep(10.0)


@pytest.mark.virtual_time
async def test_while_nobody_plays_the_loop_has_nothing_to_do() -> None:
    notices: list[Notice] = []
    async with conversing(notices) as stage:
        await play_call(stage, (60, 64))
        await asyncio.sleep(30.0)
        loop = asyncio.get_running_loop()
        wakes = 0
        call_soon = loop.call_soon

        def counted(*args: object, **kwargs: object) -> object:
            nonlocal wakes
            wakes += 1
            return call_soon(*args, **kwargs)

        loop.call_soon = counted  # type: ignore[method-assign]
        await asyncio.sleep(3600.0)
        del loop.call_soon
        assert wakes < 10


@pytest.mark.virtual_time
async def test_the_journal_has_every_event_and_command_in_order(tmp_path: Path) -> None:
    notices: list[Notice] = []
    path = tmp_path / "sitting.jsonl"
    with JournalWriter(
        path,
        model="default",
        seed=1,
        settings={},
        started_at=datetime(2026, 11, 20, tzinfo=UTC),
        now_s=0.0,
        on_trouble=pytest.fail,
    ) as journal:
        async with conversing(notices, STEADY, journal) as stage:
            await play_call(stage, (60, 64, 67))
            await asyncio.sleep(1.5)
            stage.play(0x90, 48, 70)
            await asyncio.sleep(0.1)
            stage.play(0x80, 48, 0)
            await asyncio.sleep(8.0)
    entries = read_journal(path).entries
    kinds = [type(entry.message).__name__ for entry in entries]
    assert kinds.count("Played") == 8
    assert kinds.count("CancelTurn") == kinds.count("TurnCancelled") == 1
    assert kinds.index("CancelTurn") < kinds.index("TurnCancelled")
    assert kinds.count("Sounded") == kinds.count("Released") == len(onsets(stage))
    assert kinds.count("PlayNote") >= kinds.count("Sounded")
    assert all(before.now_s <= entry.now_s for before, entry in itertools.pairwise(entries))


@pytest.mark.virtual_time
async def test_every_event_is_shown_once() -> None:
    shown: list[Event] = []
    async with VirtualStage() as stage:
        conversation = Conversation(stage, partner_for([], STEADY), show=shown.append)
        task = asyncio.create_task(conversation.run())
        await play_call(stage, (60, 64))
        await asyncio.sleep(1.0)
        await play_call(stage, (48,))
        await asyncio.sleep(8.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert sum(isinstance(event, Played) for event in shown) == 6
    assert sum(isinstance(event, TurnCancelled) for event in shown) == 1


class VanishingStage:
    """A stage that says what it is told to, and is gone."""

    ready = Ready((), (), None, ())

    def __init__(self, events: tuple[Event, ...] = (), *, deaf: bool = False) -> None:
        self._events = events
        self._deaf = deaf

    def send(self, command: Command) -> None:
        if self._deaf:
            raise StageLost("The stage process does not listen any more; start improv again.")

    async def events(self) -> AsyncIterator[Event]:
        for event in self._events:
            yield event
        if self._deaf:
            await asyncio.sleep(3600.0)
        raise StageLost("The stage process has ended.")


@pytest.mark.virtual_time
async def test_a_stage_that_is_gone_ends_the_conversation_with_its_sentence() -> None:
    notices: list[Notice] = []
    stage = VanishingStage((Played((0x90, 60, 64), 0.0, "keyboard"),))
    with pytest.raises(ExceptionGroup) as caught:
        await Conversation(stage, partner_for(notices)).run()
    (lost,) = caught.value.exceptions
    assert isinstance(lost, StageLost)
    assert str(lost) == "The stage process has ended."


@pytest.mark.virtual_time
async def test_a_stage_that_does_not_listen_ends_the_conversation_too() -> None:
    events = (Played((0x90, 60, 64), 0.0, "keyboard"), Played((0x80, 60, 0), 0.1, "keyboard"))
    with pytest.raises(ExceptionGroup) as caught:
        await Conversation(VanishingStage(events, deaf=True), partner_for([])).run()
    assert [type(error) for error in caught.value.exceptions] == [StageLost]
    assert asyncio.get_running_loop().time() < 2.0
