"""The MIDI file of a session, whole or cut short."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mido
import pytest
from clock_signals import START, Sequencer, steady
from made_sessions import START_S, STARTED_AT, conversation, make_journal, player_messages, struck, told
from midi_checks import balance, match_notes, pedals_down
from performance_fixture import human_performance

from improv_core.bar_lines import conductor
from improv_core.midi_files import (
    BEND,
    KEY_PRESSURE,
    PRESSURE,
    PROGRAM,
    ChannelMessage,
    Track,
    read_midi,
)
from improv_core.notes import ControlChange, Note, Performance
from improv_core.tempo_map import Conductor, TempoMap
from improv_daemon import wire
from improv_daemon.journal import JournalWriter, performances, read_journal
from improv_daemon.phrases import demo_phrases
from improv_daemon.recorder import write_session_midi
from improv_daemon.recorder.bars import songs_of
from improv_daemon.recorder.tracks import tracks_of


def midi_of(journal: Path) -> Path:
    """The MIDI file of a journal, beside it."""
    path = journal.with_suffix(".mid")
    write_session_midi(read_journal(journal), path)
    return path


def conductor_of(path: Path) -> Conductor | None:
    """Tempos and bars of a journal's MIDI file."""
    journal = read_journal(path)
    return conductor(songs_of(journal, "auto", performances(journal)), 960)


# --- MIDI -----------------------------------------------------------------------------------------


def test_midi_holds_player_and_improv_on_tracks_of_their_own(tmp_path: Path) -> None:
    midi = midi_of(conversation(tmp_path / "a.jsonl"))
    player, improv = read_midi(midi)
    assert [(track.name, track.channel) for track in (player, improv)] == [("player", 0), ("improv", 1)]
    assert mido.MidiFile(midi).type == 1
    asking, pressing, _ = demo_phrases()
    same = match_notes(asking.notes, player.performance.notes, tolerance_s=0.005)
    assert (same.missing, same.extra) == ((), ())
    assert max(same.max_onset_error_s, same.max_release_error_s) < 0.001
    answered = [(n.pitch, n.velocity, round(n.onset_s + 4.5, 2)) for n in pressing.notes]
    assert sorted((n.pitch, n.velocity) for n in improv.performance.notes) == sorted(
        (pitch, velocity) for pitch, velocity, _ in answered
    )
    assert min(n.onset_s for n in improv.performance.notes) == pytest.approx(4.5, abs=0.001)
    assert len(improv.performance.pedal) == len(pressing.pedal)


def test_midi_of_a_long_human_performance_is_exact(tmp_path: Path) -> None:
    human = human_performance().performance
    midi = midi_of(make_journal(tmp_path / "a.jsonl", player_messages(human), end_s=60.0))
    same = match_notes(human.notes, read_midi(midi)[0].performance.notes, tolerance_s=0.005)
    assert (same.missing, same.extra) == ((), ())
    assert same.max_onset_error_s < 0.001


def test_midi_of_a_session_cut_short_leaves_no_note_hanging(tmp_path: Path) -> None:
    path = conversation(tmp_path / "a.jsonl")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 - 7])
    midi = midi_of(path)
    messages = []
    for track in mido.MidiFile(midi).tracks:
        at = 0
        for message in track:
            at += message.time
            if not message.is_meta:
                messages.append((float(at), tuple(message.bytes())))
    assert len(messages) > 10
    assert balance(messages).hanging == ()
    assert pedals_down(messages) == ()


def test_a_touch_too_short_for_midi_does_not_hang(tmp_path: Path) -> None:
    messages = [
        wire.Played((0x90, 60, 64), START_S + 1, "keys"),
        wire.Played((0x80, 60, 0), START_S + 1, "keys"),
        wire.Played((0x90, 62, 64), START_S + 2, "keys"),
        wire.Played((0x80, 62, 0), START_S + 2.5, "keys"),
    ]
    midi = midi_of(make_journal(tmp_path / "a.jsonl", messages))
    lengths = {note.pitch: note.duration_s for note in read_midi(midi)[0].performance.notes}
    assert lengths[60] < 0.005
    assert lengths[62] == pytest.approx(0.5, abs=0.001)


def test_what_the_player_bends_and_presses_is_in_the_midi_file_at_its_time(tmp_path: Path) -> None:
    messages = [
        told(0xC0, 4, at_s=0.25),
        *struck(0, 60, 1.0),
        told(0xE0, 0, 96, at_s=1.125),
        told(0xE0, 0, 64, at_s=1.25),
        told(0xD0, 90, at_s=1.5),
        told(0xA0, 60, 33, at_s=1.5),
        told(0xB0, 67, 127, at_s=1.5),
        told(0xB0, 67, 0, at_s=1.75),
        told(0xC0, 48, at_s=2.0),
    ]
    player, _ = tracks_of(read_journal(make_journal(tmp_path / "a.jsonl", messages)))
    assert player == Track(
        "player",
        Performance((Note(60, 64, 1.0, 0.5),), (ControlChange(67, 127, 1.5), ControlChange(67, 0, 1.75))),
        program=4,
        messages=(
            ChannelMessage((BEND, 0, 96), 1.125),
            ChannelMessage((BEND, 0, 64), 1.25),
            ChannelMessage((PRESSURE, 90), 1.5),
            ChannelMessage((KEY_PRESSURE, 60, 33), 1.5),
            ChannelMessage((PROGRAM, 48), 2.0),
        ),
    )
    assert read_midi(midi_of(tmp_path / "a.jsonl")) == (player,)


def test_keyboards_and_channels_have_tracks_and_channels_of_their_own(tmp_path: Path) -> None:
    played = [
        *struck(0, 60, 1.0, "upper"),
        *struck(0, 48, 2.0, "lower"),
        *struck(1, 50, 3.0, "lower"),
        *struck(9, 36, 4.0, "pads"),
        *struck(9, 38, 5.0, "more pads"),
    ]
    tracks = tracks_of(read_journal(make_journal(tmp_path / "a.jsonl", played)))
    assert [(track.name, track.channel, track.performance.notes[0].pitch) for track in tracks[:-1]] == [
        ("player, upper", 0, 60),
        ("player, lower, channel 1", 2, 48),
        ("player, lower, channel 2", 3, 50),
        ("player, pads", 9, 36),
        ("player, more pads", 9, 38),
    ]
    assert (tracks[-1].name, tracks[-1].channel) == ("improv", 1)
    assert [t.channel for t in read_midi(midi_of(tmp_path / "a.jsonl"))] == [0, 2, 3, 9, 9]


def test_more_channels_than_a_file_has_share_the_first(tmp_path: Path) -> None:
    played = [message for place in range(16) for message in struck(0, 60, place + 1.0, f"keys {place}")]
    tracks = tracks_of(read_journal(make_journal(tmp_path / "a.jsonl", played, end_s=30.0)))
    assert [track.channel for track in tracks] == [0, *range(2, 9), *range(10, 16), 0, 0, 1]


def test_a_bank_and_a_program_of_it_stay_where_they_were_chosen(tmp_path: Path) -> None:
    played = [told(0xB0, 0, 8, at_s=0.5), told(0xC0, 4, at_s=0.5), *struck(0, 60, 1.0)]
    player, _ = tracks_of(read_journal(make_journal(tmp_path / "a.jsonl", played)))
    assert (player.program, player.messages) == (0, (ChannelMessage((PROGRAM, 4), 0.5),))


def test_voices_shape_the_file(tmp_path: Path) -> None:
    messages = [
        wire.SetVoice("improv", 12, 0.5, 90),
        *struck(0, 60, 1.0),
        wire.Sounded(1, 0, 64, 80, START_S + 2.0, 0.0),
        wire.Released(1, 0, 64, START_S + 3.0),
    ]
    path = tmp_path / "a.jsonl"
    values: dict[str, Any] = {"model": "default", "seed": 1, "settings": {}}
    with JournalWriter(path, started_at=STARTED_AT, now_s=START_S, **values) as journal:
        journal.write_batch(messages, START_S)
        journal.write(wire.Counts(0, 0, 0), START_S + 4.0)
    player, improv = tracks_of(read_journal(path))
    assert (player.program, player.performance.controls) == (0, ())
    assert improv.program == 11
    assert improv.performance.controls == (ControlChange(7, 90, 0.0), ControlChange(10, 96, 0.0))


# --- bar lines --------------------------------------------------------------------------------------


def clocked(path: Path, daw: Sequencer, **time: object) -> Path:
    values: dict[str, Any] = {"model": "default", "seed": 1, "settings": {"time": time}}
    with JournalWriter(path, started_at=STARTED_AT, now_s=START_S, **values) as journal:
        for data, at_s, source in daw.messages:
            journal.write(wire.Played(data, START_S + at_s, source), START_S + at_s)
    return path


def tempos_of(midi: Path) -> list[tuple[int, float]]:
    """(tick, beats per minute) of a file."""
    found, tick = [], 0
    for message in mido.MidiFile(midi).tracks[0]:
        tick += message.time
        if message.type == "set_tempo":
            found.append((tick, round(mido.tempo2bpm(message.tempo), 2)))
    return found


def test_the_bar_lines_of_the_file_are_those_of_the_midi_clock(tmp_path: Path) -> None:
    daw = Sequencer(at_s=4.0)
    daw.say(START)
    daw.play(0.0, 16.0, lambda beat: 90 if beat < 8 else 150)
    path = clocked(tmp_path / "a.jsonl", daw, beats_per_bar=3)
    assert tempos_of(midi_of(path)) == [(0, 90.0), (14 * 960, 150.0)]
    found = conductor_of(path)
    assert found is not None
    assert (found.signatures, found.markers) == (((0, 3, 4),), ((6 * 960, "song start"),))


def test_a_clock_that_is_not_followed_moves_no_bar_line(tmp_path: Path) -> None:
    daw = Sequencer(at_s=4.0)
    daw.say(START)
    daw.play(0.0, 16.0, steady(90))
    path = clocked(tmp_path / "a.jsonl", daw, follow_clock=False)
    assert conductor_of(path) is None
    assert tempos_of(midi_of(path)) == [(0, 120.0)]


def test_a_tempo_that_was_tapped_holds_from_its_next_beat_on_until_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    values: dict[str, Any] = {"model": "default", "seed": 1, "settings": {}}
    with JournalWriter(path, started_at=STARTED_AT, now_s=START_S, **values) as journal:
        for now_s, origin_s, beat_s in (
            (2.0, 1.0, 0.6),
            (3.0, 1.0, 0.6),
            (20.0, 18.0, 0.5),
            (21.0, 0.0, 0.0),
        ):
            told_now = wire.KeepTime(START_S + origin_s, beat_s, 4, 0.0, 0.0, "")
            journal.write(told_now, START_S + now_s)
        journal.write(wire.Counts(0, 0, 0), START_S + 40.0)
    found = conductor_of(path)
    assert found is not None
    tempo_map = TempoMap(960, found.tempos)
    assert found.signatures == ((0, 4, 4),)
    assert tempo_map.seconds(4 * 960) == pytest.approx(1.0 + 4 * 0.6, abs=1e-3)
    assert [round(60e6 / us, 1) for _, us in found.tempos][-1] == 100.0


def test_bars_of_a_tempo_that_is_set_begin_with_the_players_first_note(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    values: dict[str, Any] = {"model": "default", "seed": 1, "settings": {"time": {"tempo_bpm": 150}}}
    with JournalWriter(path, started_at=STARTED_AT, now_s=START_S, **values) as journal:
        journal.write_batch(struck(0, 60, 3.2), START_S + 4.0)
        journal.write(wire.Change("time.tempo_bpm", 90), START_S + 10.0)
        journal.write(wire.Counts(0, 0, 0), START_S + 40.0)
    assert conductor_of(path) == Conductor(((0, 400_000),), ((0, 4, 4),), ((8 * 960, "song start"),))
