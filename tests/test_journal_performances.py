"""What was played, out of a journal."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import START_S, WITHIN_S, kept, make_writer, played, sounded

from improv_core.midi_files import ChannelMessage
from improv_core.notes import ControlChange, Note, Performance
from improv_daemon import wire
from improv_daemon.journal import Pace, performances, read_journal, voices


def test_player_notes_count_from_the_session_start(tmp_path: Path) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        played(0x90, 60, 64, at_s=1001.0),
        played(0x90, 64, 80, at_s=1001.5),
        played(0x80, 60, 40, at_s=1002.0),
        played(0x90, 64, 0, at_s=1003.0),
        played(0xB0, 64, 127, at_s=1001.2),
        played(0xB0, 64, 0, at_s=1003.5),
        played(0xB0, 1, 33, at_s=1003.6),
    )
    player, improv = performances(read_journal(path))
    assert player.notes == (Note(60, 64, 1.0, 1.0), Note(64, 80, 1.5, 1.5))
    assert [(c.controller, c.value, round(c.at_s, 6)) for c in player.controls] == [
        (64, 127, 1.2),
        (64, 0, 3.5),
        (1, 33, 3.6),
    ]
    assert improv.notes == ()


def test_what_is_still_held_ends_with_the_session(tmp_path: Path) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        played(0x90, 60, 64, at_s=1001.0),
        played(0xB0, 64, 127, at_s=1001.0),
        sounded(0, 0, 67, 1002.0),
        wire.PedalMoved(0, 90, 1002.0),
        end_s=1008.0,
    )
    player, improv = performances(read_journal(path))
    assert player.notes == (Note(60, 64, 1.0, 7.0),)
    assert player.controls[-1] == ControlChange(64, 0, 8.0)
    assert improv.notes == (Note(67, 70, 2.0, 6.0),)
    assert improv.controls == (ControlChange(64, 90, 2.0), ControlChange(64, 0, 8.0))


def test_a_pedal_that_rests_near_its_top_does_not_lengthen_the_session(tmp_path: Path) -> None:
    path = kept(tmp_path / "a.jsonl", played(0xB0, 64, 90, at_s=1001.0), played(0xB0, 64, 3, at_s=1002.0))
    assert performances(read_journal(path))[0].end_s == 2.0


def test_a_key_struck_again_without_its_release_ends_there(tmp_path: Path) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        played(0x90, 60, 64, at_s=1001.0),
        played(0x90, 60, 70, at_s=1002.0),
        played(0x80, 60, 0, at_s=1003.0),
    )
    assert performances(read_journal(path))[0].notes == (Note(60, 64, 1.0, 1.0), Note(60, 70, 2.0, 1.0))


def test_one_pitch_on_two_channels_is_two_keys(tmp_path: Path) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        played(0x90, 60, 64, at_s=1001.0),
        played(0x91, 60, 70, at_s=1002.0),
        played(0x80, 60, 0, at_s=1003.0),
        played(0x81, 60, 0, at_s=1004.0),
    )
    assert performances(read_journal(path))[0].notes == (Note(60, 64, 1.0, 2.0), Note(60, 70, 2.0, 2.0))


def test_improv_is_what_sounded_not_what_was_planned(tmp_path: Path) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        wire.PlayNote(1, 0, 60, 70, 1001.0, 1005.0),
        wire.PlayNote(1, 1, 64, 70, 1004.0, 1005.0),
        sounded(1, 0, 60, 1001.0),
        wire.Released(1, 0, 60, 1002.0),
        wire.TurnCancelled(1, 1002.0, 1),
    )
    assert performances(read_journal(path))[1].notes == (Note(60, 70, 1.0, 1.0),)


def test_a_pitch_of_improvs_struck_again_ends_where_the_next_begins(tmp_path: Path) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        sounded(1, 0, 60, 1001.0),
        sounded(1, 1, 60, 1002.0, velocity=90),
        wire.Released(1, 0, 60, 1002.5),
        wire.Released(1, 1, 60, 1003.0),
    )
    assert performances(read_journal(path))[1].notes == (Note(60, 70, 1.0, 1.0), Note(60, 90, 2.0, 1.0))


def test_notes_end_where_lines_were_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path, pace=Pace(gather_s=0.0, most_waiting=1)) as journal:
        journal.write(played(0x90, 60, 64, at_s=1001.0), 1001.0)
        assert journal.flush(WITHIN_S)
        journal.write_batch([played(0x80, 60, 0, at_s=1002.0), wire.Woken()], 1002.0)  # no room for two
        journal.write(wire.Quit(), 1003.0)
    assert performances(read_journal(path))[0].notes == (Note(60, 64, 1.0, 1.0),)


def test_what_is_held_across_damaged_lines_ends_there_if_no_more_is_heard_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path) as journal:
        for pitch in (60, 62, 64):  # of 60 the release is lost, of 62 not, and 64 is struck again
            journal.write(played(0x90, pitch, 64, at_s=1001.0), 1001.0)
        journal.write(played(0xB0, 64, 127, at_s=1001.0), 1001.0)
        journal.write(played(0xE0, 0, 96, at_s=1001.0), 1001.0)
        assert journal.flush(WITHIN_S)
        journal.write(played(0x80, 60, 0, at_s=1002.0), 1002.0)
        assert journal.flush(WITHIN_S)
        journal.write(wire.Woken(), 1003.0)
        journal.write(played(0x80, 62, 0, at_s=1004.0), 1004.0)
        journal.write(played(0x90, 64, 70, at_s=1005.0), 1005.0)
        journal.write(played(0x80, 64, 0, at_s=1006.0), 1006.0)
        journal.write(wire.Quit(), 1010.0)
    path.write_bytes(path.read_bytes().replace(b"[128,60,0]", b"[128,60,\xff]"))
    journal = read_journal(path)
    assert journal.damaged == 1
    ((player,), _) = voices(journal)
    assert player.performance.notes == (
        *(Note(60, 64, 1.0, 2.0), Note(62, 64, 1.0, 3.0), Note(64, 64, 1.0, 2.0), Note(64, 70, 5.0, 1.0)),
    )
    assert player.performance.controls == (ControlChange(64, 127, 1.0), ControlChange(64, 0, 3.0))
    assert player.messages == (ChannelMessage((0xE0, 0, 96), 1.0), ChannelMessage((0xE0, 0, 64), 3.0))


def test_nothing_played_is_two_empty_performances(tmp_path: Path) -> None:
    player, improv = performances(read_journal(kept(tmp_path / "a.jsonl")))
    assert (player.notes, player.controls, improv.notes, improv.controls) == ((), (), (), ())


@pytest.mark.parametrize(
    "data", [(0xF8,), (0xC0, 5, 6), (0xE0, 0), (0xF0, 1, 2), (0x90, 200, 3), (0xC0, 200), ()]
)
def test_messages_that_are_none_of_a_channel_leave_no_trace(tmp_path: Path, data: tuple[int, ...]) -> None:
    ((player,), _) = voices(read_journal(kept(tmp_path / "a.jsonl", wire.Played(data, 1001.0, "keys"))))
    assert (player.performance, player.messages) == (Performance(), ())


# --- voices -----------------------------------------------------------------------------------------


def test_bends_pressures_and_programs_are_kept_with_their_times_and_a_bend_ends_with_the_session(
    tmp_path: Path,
) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        played(0xC0, 4, at_s=1000.5),
        played(0x90, 60, 64, at_s=1001.0),
        played(0xE0, 0, 96, at_s=1001.25),
        played(0xA0, 60, 33, at_s=1001.5),
        played(0xD0, 90, at_s=1001.75),
        played(0xB0, 67, 127, at_s=1002.0),
        played(0xB0, 66, 127, at_s=1002.0),
        played(0x80, 60, 0, at_s=1003.0),
    )
    (player,), improv = voices(read_journal(path))
    assert player.messages == (
        ChannelMessage((0xC0, 4), 0.5),
        ChannelMessage((0xE0, 0, 96), 1.25),
        ChannelMessage((0xA0, 60, 33), 1.5),
        ChannelMessage((0xD0, 90), 1.75),
        ChannelMessage((0xE0, 0, 64), 10.0),
    )
    assert player.performance.controls == (
        *(ControlChange(67, 127, 2.0), ControlChange(66, 127, 2.0)),
        *(ControlChange(66, 0, 10.0), ControlChange(67, 0, 10.0)),
    )
    assert improv.messages == ()


def test_each_keyboard_and_channel_is_a_voice_and_a_pedal_board_is_heard_by_those_on_its_channel(
    tmp_path: Path,
) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        played(0x92, 72, 64, at_s=1001.0, source="upper"),
        played(0x82, 72, 64, at_s=1001.5, source="upper"),
        played(0x90, 48, 64, at_s=1002.0, source="lower"),
        played(0x80, 48, 64, at_s=1002.5, source="lower"),
        played(0xB0, 64, 127, at_s=1002.0, source="pedals"),
        played(0xB0, 64, 0, at_s=1003.0, source="pedals"),
        played(0xB5, 11, 99, at_s=1003.0, source="swell"),
        played(0xB2, 1, 5, at_s=1003.5, source="upper"),
    )
    journal = read_journal(path)
    (upper, lower), _ = voices(journal)
    swell = ControlChange(11, 99, 3.0)
    assert (upper.source, upper.channel, upper.performance) == (
        *("upper", 2),
        Performance((Note(72, 64, 1.0, 0.5),), (swell, ControlChange(1, 5, 3.5))),
    )
    assert (lower.source, lower.channel, lower.performance) == (
        *("lower", 0),
        Performance(
            (Note(48, 64, 2.0, 0.5),), (ControlChange(64, 127, 2.0), ControlChange(64, 0, 3.0), swell)
        ),
    )
    assert len(performances(journal)[0].controls) == 4


def test_where_ways_were_merged_the_player_is_one_voice(tmp_path: Path) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        played(0x90, 60, 64, at_s=1001.0, source="keys"),
        played(0x80, 60, 64, at_s=1001.5, source="keys"),
        played(0x92, 62, 64, at_s=1002.0, source="daw"),
        played(0x82, 62, 64, at_s=1002.5, source="daw"),
        wire.Counts(0, 0, 0, merged=2),
    )
    ((player,), _) = voices(read_journal(path))
    assert (player.source, player.channel) == ("", 0)
    assert player.performance.notes == (Note(60, 64, 1.0, 0.5), Note(62, 64, 2.0, 0.5))


def test_how_the_parts_are_set_to_sound_is_told_where_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path) as journal:
        journal.write(wire.SetVoice("improv", 12, 0.5, 0), START_S)
        journal.write(wire.SetVoice("player", 0, -1.0, 100), START_S)
        journal.write(wire.SetVoice("improv", 12, 0.0, 90), START_S + 2)
        journal.write(played(0x93, 60, 64, at_s=1003.0), 1003.0)
    (player,), improv = voices(read_journal(path))
    assert improv.messages == (ChannelMessage((0xC0, 11), 0.0),)
    assert improv.performance.controls == (
        *(ControlChange(10, 96, 0.0), ControlChange(7, 90, 2.0), ControlChange(10, 64, 2.0)),
    )
    assert player.performance.controls == (ControlChange(7, 100, 0.0), ControlChange(10, 0, 0.0))
    assert player.messages == ()


def test_knobs_gestures_and_programs_that_choose_presets_are_no_music(tmp_path: Path) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        wire.Withhold((74,), (21,), programs=True),
        played(0xB0, 74, 5, at_s=1001.0),
        played(0xB0, 1, 6, at_s=1001.0),
        played(0x90, 21, 64, at_s=1001.0),
        played(0xC0, 3, at_s=1001.0),
        wire.Withhold((), (), programs=False),
        played(0xB0, 74, 7, at_s=1002.0),
        played(0xC0, 4, at_s=1002.0),
    )
    (player,), _ = voices(read_journal(path))
    assert player.performance == Performance((), (ControlChange(1, 6, 1.0), ControlChange(74, 7, 2.0)))
    assert player.messages == (ChannelMessage((0xC0, 4), 2.0),)


_keys = st.lists(st.tuples(st.integers(21, 108), st.integers(0, 127), st.floats(0.0, 60.0)), max_size=40)


@settings(max_examples=60, deadline=None)
@given(events=_keys)
def test_any_stream_of_keys_gives_notes_within_the_session(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[int, int, float]]
) -> None:
    messages = [
        played(0x90, pitch, velocity, at_s=START_S + at)
        for pitch, velocity, at in sorted(events, key=lambda e: e[2])
    ]
    path = kept(tmp_path_factory.mktemp("journal") / "a.jsonl", *messages, end_s=START_S + 60)
    notes = performances(read_journal(path))[0].notes
    assert len(notes) == sum(velocity > 0 for _, velocity, _ in events)
    by_pitch: Callable[[Note], int] = lambda note: note.pitch  # noqa: E731
    for _, same in itertools.groupby(sorted(notes, key=lambda n: (n.pitch, n.onset_s)), by_pitch):
        for earlier, later in itertools.pairwise(same):
            assert earlier.release_s <= later.onset_s + 1e-9
    assert all(note.release_s <= 60.0 + 1e-9 for note in notes)
