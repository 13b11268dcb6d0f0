"""What a synthesiser is told of a session, entry by entry."""

from __future__ import annotations

from improv_core.midi_files import BEND, PROGRAM
from improv_daemon import wire
from improv_daemon.journal import Entry, Gap
from improv_daemon.keeper.sounding import Sounding, Told

START_S = 500.0
OFF, ON, CONTROL = 0x80, 0x90, 0xB0
PLAYER_STANDS = (CONTROL, 10, 52)


def entry(message: wire.Message | Gap, now_s: float = 9.0) -> Entry:
    return Entry(message, START_S + now_s)


def played(*data: int, at_s: float, source: str = "keys") -> Entry:
    return entry(wire.Played(data, START_S + at_s, source))


def sounded(turn: int, index: int, pitch: int, at_s: float) -> Entry:
    return entry(wire.Sounded(turn, index, pitch, 70, START_S + at_s, 0.0))


def released(turn: int, index: int, pitch: int, at_s: float) -> Entry:
    return entry(wire.Released(turn, index, pitch, START_S + at_s))


def heard(*entries: Entry) -> list[tuple[float, int, tuple[int, ...]]]:
    """Time, channel and message of all that they come to."""
    sounding = Sounding(START_S)
    return [(told.at_s, told.channel, told.data) for one in entries for told in sounding.take(one)]


def test_the_two_players_stand_apart_on_channels_of_their_own() -> None:
    sounding = Sounding(START_S)
    assert sounding.begin() == [Told(0.0, 1, (CONTROL, 10, 76))]
    assert sounding.take(played(0x90, 60, 64, at_s=1.0)) == [
        Told(1.0, 0, PLAYER_STANDS),
        Told(1.0, 0, (ON, 60, 64)),
    ]
    assert sounding.take(played(0x80, 60, 0, at_s=1.5)) == [Told(1.5, 0, (OFF, 60, 0))]
    assert sounding.take(sounded(1, 0, 67, 2.0)) == [Told(2.0, 1, (ON, 67, 70))]
    assert sounding.take(released(1, 0, 67, 2.5)) == [Told(2.5, 1, (OFF, 67, 0))]
    assert sounding.notes == 2


def test_what_was_played_before_the_start_sounds_at_the_start() -> None:
    assert heard(played(0x90, 60, 64, at_s=-0.2))[-1] == (0.0, 0, (ON, 60, 64))


def test_a_note_on_without_velocity_is_a_note_off() -> None:
    told = heard(played(0x90, 60, 64, at_s=1.0), played(0x90, 60, 0, at_s=1.25))
    assert told[-1] == (1.25, 0, (OFF, 60, 0))


def test_an_off_without_its_on_says_nothing() -> None:
    assert heard(played(0x80, 60, 0, at_s=1.0), released(1, 0, 60, 1.0)) == []


def test_a_note_of_improvs_that_is_struck_again_ends_where_the_next_begins() -> None:
    told = heard(
        sounded(1, 0, 67, 1.0), sounded(1, 4, 67, 2.0), released(1, 0, 67, 2.25), released(1, 4, 67, 3.0)
    )
    assert told == [
        (1.0, 1, (ON, 67, 70)),
        (2.0, 1, (OFF, 67, 0)),
        (2.0, 1, (ON, 67, 70)),
        (3.0, 1, (OFF, 67, 0)),
    ]


def test_a_key_that_two_keyboards_hold_ends_with_the_last() -> None:
    told = heard(
        played(0x90, 60, 64, at_s=1.0, source="upper"),
        played(0x90, 60, 80, at_s=2.0, source="lower"),
        played(0x80, 60, 0, at_s=3.0, source="upper"),
        played(0x80, 60, 0, at_s=4.0, source="lower"),
    )
    assert told[1:] == [(1.0, 0, (ON, 60, 64)), (2.0, 0, (ON, 60, 80)), (4.0, 0, (OFF, 60, 0))]


def test_channels_of_the_players_find_room_beside_improvs() -> None:
    told = heard(*(played(0x90 | channel, 60, 64, at_s=channel + 1.0) for channel in (3, 0, 1, 9, 5)))
    assert [channel for _, channel, data in told if data[0] == ON] == [0, 2, 3, 9, 5]


def test_more_channels_than_there_are_share_the_first() -> None:
    told = heard(*(played(0x90 | channel, 60, 64, at_s=channel + 1.0) for channel in range(16)))
    assert [channel for _, channel, data in told if data[0] == ON] == [
        *(0, 2, 3, 4, 5, 6, 7, 8, 10, 9, 11, 12, 13, 14, 15, 0)
    ]


def test_what_a_channel_was_told_before_its_first_note_counts_and_a_pedal_board_counts_for_all() -> None:
    told = heard(
        played(0xC0, 4, at_s=0.25),
        played(0xB0, 0, 8, at_s=0.5),
        played(0xC0, 5, at_s=0.5),
        played(0xB1, 64, 127, at_s=0.75, source="board"),
        played(0x90, 60, 64, at_s=1.0),
        played(0xB1, 64, 0, at_s=1.5, source="board"),
        played(0xB0, 64, 127, at_s=1.75),
        played(0xE0, 0, 96, at_s=2.0),
    )
    assert told == [
        (1.0, 0, PLAYER_STANDS),
        (1.0, 0, (CONTROL, 0, 8)),
        (1.0, 0, (PROGRAM, 5)),
        (1.0, 0, (CONTROL, 64, 127)),
        (1.0, 0, (ON, 60, 64)),
        (1.5, 0, (CONTROL, 64, 0)),
        (1.75, 0, (CONTROL, 64, 127)),
        (2.0, 0, (BEND, 0, 96)),
    ]


def test_what_tells_improv_something_is_not_heard_nor_is_what_is_no_message() -> None:
    assert (
        heard(
            entry(wire.Withhold((67,), (21,), programs=True)),
            played(0xB0, 67, 127, at_s=1.0),
            played(0x90, 21, 64, at_s=1.0),
            played(0xC0, 3, at_s=1.0),
            played(0xF8, at_s=1.0),
            played(0x90, 60, at_s=1.0),
            played(0x90, 60, 200, at_s=1.0),
            played(at_s=1.0),
            played(0xB0, 123, 0, at_s=1.0),
            entry(wire.PlayNote(1, 0, 60, 64, START_S + 1.0, START_S + 2.0)),
        )
        == []
    )


def test_voices_are_told_when_they_change_and_to_channels_that_come_later() -> None:
    told = heard(
        entry(wire.SetVoice("improv", 12, 0.5, 90), 0.0),
        entry(wire.SetVoice("improv", 12, 0.0, 90), 1.0),
        entry(wire.SetVoice("player", 5, -1.0, 0), 1.0),
        played(0x90, 60, 64, at_s=2.0),
        entry(wire.SetVoice("player", 6, -1.0, 80), 3.0),
    )
    assert told == [
        (0.0, 1, (PROGRAM, 11)),
        (0.0, 1, (CONTROL, 7, 90)),
        (0.0, 1, (CONTROL, 10, 96)),
        (1.0, 1, (CONTROL, 10, 76)),
        (2.0, 0, PLAYER_STANDS),
        (2.0, 0, (PROGRAM, 4)),
        (2.0, 0, (CONTROL, 10, 0)),
        (2.0, 0, (ON, 60, 64)),
        (3.0, 0, (PROGRAM, 5)),
        (3.0, 0, (CONTROL, 7, 80)),
    ]


def test_where_lines_were_lost_and_at_the_end_everything_is_let_go_of() -> None:
    sounding = Sounding(START_S)
    for one in (played(0x90, 60, 64, at_s=1.0), sounded(1, 0, 67, 1.0)):
        sounding.take(one)
    ups = [Told(3.0, 0, (OFF, 60, 0)), Told(3.0, 1, (OFF, 67, 0))]
    assert sounding.take(entry(Gap(7), 3.0)) == ups
    for one in (
        played(0x90, 62, 64, at_s=4.0),
        played(0xB0, 64, 127, at_s=4.0),
        played(0xB0, 66, 127, at_s=4.0),
        played(0xB0, 66, 0, at_s=4.5),
        played(0xB3, 67, 90, at_s=4.5, source="board"),
        entry(wire.PedalMoved(1, 127, START_S + 4.5)),
    ):
        sounding.take(one)
    assert sounding.end(START_S + 5.0) == [
        Told(5.0, 0, (OFF, 62, 0)),
        Told(5.0, 0, (CONTROL, 64, 0)),
        Told(5.0, 0, (CONTROL, 67, 0)),
        Told(5.0, 1, (CONTROL, 64, 0)),
    ]


def test_at_the_end_nothing_is_told_where_nothing_is_down() -> None:
    sounding = Sounding(START_S)
    for one in (played(0x90, 60, 64, at_s=1.0), played(0x80, 60, 0, at_s=1.5), sounded(1, 0, 67, 2.0)):
        sounding.take(one)
    sounding.take(released(1, 0, 67, 2.5))
    assert sounding.end(START_S + 60.0) == []
