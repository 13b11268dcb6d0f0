from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from kept_sessions import STARTED_AT

from improv_core.errors import ModelFileError
from improv_daemon import wire
from improv_daemon.journal import Entry, Header, Journal
from improv_daemon.replaying import Given
from improv_daemon.sessions.live import AHEAD_S, BEGIN_AFTER_S, play_again, presses_of, shifted
from improv_daemon.stage.virtual import VirtualStage

BEGUN_S = 1000.0
NOTE = wire.PlayNote(1, 0, 64, 70, BEGUN_S + 3.0, BEGUN_S + 4.0)


def journal_of(*messages: wire.Message, end_s: float = BEGUN_S + 6.0) -> Journal:
    entries = [Entry(message, at_s) for message in messages if (at_s := getattr(message, "at_s", end_s))]
    entries.append(Entry(wire.Woken(), end_s))
    return Journal(Path("j.jsonl"), Header(STARTED_AT, BEGUN_S, "m", 1, {}), tuple(entries), 0, torn=False)


def press(at_s: float, *data: int) -> wire.Played:
    return wire.Played(data, BEGUN_S + at_s, "keys")


KEYS = (press(1.0, 0x90, 60, 80), press(2.0, 0x80, 60, 0))


class Listening(VirtualStage):
    """Remembers what came when, from when the session is to begin."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[tuple[float, wire.Command]] = []

    def send(self, command: wire.Command) -> None:
        self.commands.append((round(asyncio.get_running_loop().time() - BEGIN_AFTER_S, 6), command))
        super().send(command)


@pytest.mark.virtual_time
async def test_both_play_at_the_times_at_which_they_played() -> None:
    stage = Listening()
    again: list[Given] = [(BEGUN_S + 2.5, NOTE), (BEGUN_S + 3.5, wire.CancelTurn(1))]
    assert await play_again(stage, journal_of(*KEYS), again) == again
    assert [(at_s, type(command).__name__) for at_s, command in stage.commands] == [
        (1.0 - AHEAD_S, "PressKey"),
        (2.0 - AHEAD_S, "PressKey"),
        (2.5, "PlayNote"),
        (3.5, "CancelTurn"),
    ]
    sent = [(round(at_s - BEGIN_AFTER_S, 3), data) for at_s, data in stage.sent]
    assert sent == [(3.0, (0x91, 64, 70)), (3.5, (0x81, 64, 64))]
    assert asyncio.get_running_loop().time() == pytest.approx(BEGIN_AFTER_S + 6.0)


@pytest.mark.virtual_time
async def test_it_begins_later_when_that_is_wanted() -> None:
    stage = Listening()
    await play_again(stage, journal_of(*KEYS), [], begin_after_s=30.0)
    assert stage.commands[0][0] == 1.0 - AHEAD_S + 30.0 - BEGIN_AFTER_S


@pytest.mark.virtual_time
async def test_how_far_it_is_is_told_now_and_then() -> None:
    told: list[float] = []
    await play_again(Listening(), journal_of(*KEYS), [(BEGUN_S + 2.5, NOTE)], told.append)
    assert told == sorted(told)
    assert 20 < len(told) < 40
    assert 0.95 < told[-1] <= 1.0


@pytest.mark.virtual_time
async def test_an_empty_session_ends_when_it_ended() -> None:
    assert await play_again(Listening(), journal_of(), []) == []
    assert asyncio.get_running_loop().time() == pytest.approx(BEGIN_AFTER_S + 6.0)


@pytest.mark.virtual_time
async def test_many_more_commands_than_are_thought_ahead_come_in_order() -> None:
    again: list[Given] = [(BEGUN_S + 0.005 * i, wire.SendControl(20, i % 128)) for i in range(1000)]
    stage = Listening()
    assert await play_again(stage, journal_of(), again) == again
    assert [command for _, command in stage.commands] == [command for _, command in again]


@pytest.mark.virtual_time
async def test_what_goes_wrong_in_the_thread_is_raised_here() -> None:
    def again() -> Iterator[Given]:
        yield BEGUN_S + 0.1, NOTE
        raise ModelFileError("The model is gone.")

    with pytest.raises(ModelFileError, match=r"The model is gone\."):
        await play_again(Listening(), journal_of(), again())


@pytest.mark.virtual_time
async def test_who_stops_it_stops_the_thread_too() -> None:
    asked = 0

    def again() -> Iterator[Given]:
        nonlocal asked
        while True:
            asked += 1
            yield BEGUN_S + asked, wire.SendControl(20, 1)

    playing = asyncio.create_task(play_again(Listening(), journal_of(), again()))
    await asyncio.sleep(10.0)
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
    before = asked
    await asyncio.sleep(10.0)
    assert asked == before < 300


def test_only_messages_of_a_channel_are_pressed_in_order_and_ahead_of_time() -> None:
    journal = journal_of(
        press(1.0, 0xF8),
        press(2.0, 0x80, 60, 0),
        press(0.1, 0x90, 60, 80),
        press(0.0),
        press(-1.0, 0xB0, 64, 127),
    )
    assert list(presses_of(journal)) == [
        (BEGUN_S, wire.PressKey((0xB0, 64, 127), BEGUN_S)),
        (BEGUN_S, wire.PressKey((0x90, 60, 80), BEGUN_S + 0.1)),
        (BEGUN_S + 2.0 - AHEAD_S, wire.PressKey((0x80, 60, 0), BEGUN_S + 2.0)),
    ]


@pytest.mark.parametrize(
    ("command", "later"),
    [
        (wire.PlayNote(1, 0, 64, 70, 3.0, 4.0), wire.PlayNote(1, 0, 64, 70, 8.0, 9.0)),
        (wire.MovePedal(1, 127, 3.0), wire.MovePedal(1, 127, 8.0)),
        (wire.PressKey((0x90, 60, 1), 3.0), wire.PressKey((0x90, 60, 1), 8.0)),
        (wire.KeepTime(3.0, 0.5, 4, 1.0, 2.0, "drums"), wire.KeepTime(8.0, 0.5, 4, 6.0, 7.0, "")),
        (wire.NO_BEATS, wire.NO_BEATS),
        (wire.CancelTurn(1), wire.CancelTurn(1)),
        (wire.SetVoice("improv", 5, 0.0, 0), wire.SetVoice("improv", 5, 0.0, 0)),
    ],
)
def test_every_time_in_a_command_is_shifted(command: wire.Command, later: wire.Command) -> None:
    assert shifted(command, 5.0) == later
