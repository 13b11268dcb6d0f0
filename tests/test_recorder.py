"""A session's files: made from its journal, whole or cut short, and never over others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
from clock_signals import START, Sequencer, steady
from conftest import require
from midi_checks import balance, match_notes, pedals_down
from performance_fixture import human_performance
from sound_checks import Sound, decoded_mp3, installed_soundfont, sound_of

from improv_core.errors import StorageError
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
from improv_daemon.journal import JournalWriter, read_journal
from improv_daemon.phrases import demo_phrases, key_messages
from improv_daemon.recorder import (
    SAMPLE_RATE,
    TAIL_S,
    Kept,
    keep_session,
    new_session_path,
    recover,
    render_audio,
)
from improv_daemon.recorder.bars import conductor_of
from improv_daemon.recorder.tracks import tracks_of

STARTED_AT = datetime(2026, 11, 20, 19, 30, 5).astimezone()
START_S = 500.0


def player_messages(performance: Performance, delay_s: float = 0.0) -> list[wire.Message]:
    return [wire.Played(data, START_S + delay_s + at_s, "keys") for at_s, data in key_messages(performance)]


def improv_messages(performance: Performance, turn: int, delay_s: float) -> list[wire.Message]:
    at = START_S + delay_s
    messages: list[tuple[float, wire.Message]] = []
    for index, note in enumerate(performance.notes):
        sounded = wire.Sounded(turn, index, note.pitch, note.velocity, at + note.onset_s, 0.0001)
        released = wire.Released(turn, index, note.pitch, at + note.release_s)
        messages += [(sounded.at_s, sounded), (released.at_s, released)]
    messages += [(at + c.at_s, wire.PedalMoved(turn, c.value, at + c.at_s)) for c in performance.controls]
    return [message for _, message in sorted(messages, key=lambda timed: timed[0])]


def make_journal(path: Path, messages: Sequence[wire.Message] = (), end_s: float = 12.0) -> Path:
    values: dict[str, Any] = {"model": "default", "seed": 1, "settings": {}}
    with JournalWriter(path, started_at=STARTED_AT, now_s=START_S, **values) as journal:
        journal.write_batch(messages, START_S + end_s)
    return path


def conversation(path: Path) -> Path:
    """Two demo phrases, the second as improv's answer from 4.5 s on."""
    asking, pressing, _ = demo_phrases()
    return make_journal(path, player_messages(asking) + improv_messages(pressing, 0, 4.5))


def kept_quietly(path: Path) -> Kept:
    return keep_session(path, soundfont=None, mp3=False)


# --- names and folders ----------------------------------------------------------------------------


def test_session_is_named_by_local_date_and_time(tmp_path: Path) -> None:
    path = new_session_path(tmp_path / "my" / "sessions", STARTED_AT)
    assert path == tmp_path / "my" / "sessions" / "2026-11-20_19-30-05.jsonl"
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("suffix", [".jsonl", ".mid", ".mp3"])
def test_session_name_that_is_taken_gets_a_number(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"2026-11-20_19-30-05{suffix}").touch()
    assert new_session_path(tmp_path, STARTED_AT).name == "2026-11-20_19-30-05-2.jsonl"
    (tmp_path / f"2026-11-20_19-30-05-2{suffix}").touch()
    assert new_session_path(tmp_path, STARTED_AT).name == "2026-11-20_19-30-05-3.jsonl"
    assert new_session_path(tmp_path, STARTED_AT + timedelta(seconds=1)).name == "2026-11-20_19-30-06.jsonl"


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StorageError, match="is not a folder; name a folder to keep sessions in"):
            new_session_path(folder, STARTED_AT)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    require(Path("/proc/self").exists(), "no /proc, the one folder that not even root can write")
    with pytest.raises(StorageError, match=r"The folder /proc/self/sessions cannot be written"):
        new_session_path(Path("/proc/self/sessions"), STARTED_AT)


# --- MIDI -----------------------------------------------------------------------------------------


def test_midi_holds_player_and_improv_on_tracks_of_their_own(tmp_path: Path) -> None:
    kept = kept_quietly(conversation(tmp_path / "a.jsonl"))
    assert kept == Kept(tmp_path / "a.mid", None, ())
    player, improv = read_midi(kept.midi)
    assert [(track.name, track.channel) for track in (player, improv)] == [("player", 0), ("improv", 1)]
    assert mido.MidiFile(kept.midi).type == 1
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
    kept = kept_quietly(make_journal(tmp_path / "a.jsonl", player_messages(human), end_s=60.0))
    same = match_notes(human.notes, read_midi(kept.midi)[0].performance.notes, tolerance_s=0.005)
    assert (same.missing, same.extra) == ((), ())
    assert same.max_onset_error_s < 0.001


def test_midi_of_a_session_cut_short_leaves_no_note_hanging(tmp_path: Path) -> None:
    path = conversation(tmp_path / "a.jsonl")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 - 7])
    kept = kept_quietly(path)
    messages = []
    for track in mido.MidiFile(kept.midi).tracks:
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
    kept = kept_quietly(make_journal(tmp_path / "a.jsonl", messages))
    lengths = {note.pitch: note.duration_s for note in read_midi(kept.midi)[0].performance.notes}
    assert lengths[60] < 0.005
    assert lengths[62] == pytest.approx(0.5, abs=0.001)


def test_a_midi_file_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    path = conversation(tmp_path / "a.jsonl")
    (tmp_path / "a.mid").write_text("mine")
    assert kept_quietly(path).midi == tmp_path / "a-2.mid"
    assert (tmp_path / "a.mid").read_text() == "mine"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a-2.mid", "a.jsonl", "a.mid"]


def test_nothing_but_the_files_is_left(tmp_path: Path) -> None:
    kept_quietly(conversation(tmp_path / "a.jsonl"))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.jsonl", "a.mid"]


def test_damaged_lines_are_told(tmp_path: Path) -> None:
    path = conversation(tmp_path / "a.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"kind":"Sounded"', b'"kind":"Sounde\x00"', 1))
    assert kept_quietly(path).notes == (f"One line of {path} could not be read and is left out.",)


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("hello\n")
    with pytest.raises(StorageError, match=r"a\.jsonl is not a session journal of improv"):
        kept_quietly(tmp_path / "a.jsonl")
    assert [file.name for file in tmp_path.iterdir()] == ["a.jsonl"]


def test_a_midi_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = conversation(tmp_path / f"{'x' * 246}.jsonl")  # its name fits the file system, the next does not
    with pytest.raises(StorageError, match=r"/x{246}\.mid cannot be written"):
        kept_quietly(path)
    assert list(tmp_path.iterdir()) == [path]


def told(*data: int, at_s: float, source: str = "keys") -> wire.Played:
    return wire.Played(data, START_S + at_s, source)


def struck(channel: int, pitch: int, at_s: float, source: str = "keys") -> list[wire.Message]:
    return [
        told(0x90 | channel, pitch, 64, at_s=at_s, source=source),
        told(0x80 | channel, pitch, 0, at_s=at_s + 0.5, source=source),
    ]


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
    assert read_midi(kept_quietly(tmp_path / "a.jsonl").midi) == (player,)


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
    assert [t.channel for t in read_midi(kept_quietly(tmp_path / "a.jsonl").midi)] == [0, 2, 3, 9, 9]


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
    assert tempos_of(kept_quietly(path).midi) == [(0, 90.0), (14 * 960, 150.0)]
    found = conductor_of(read_journal(path))
    assert found is not None
    assert (found.signatures, found.markers) == (((0, 3, 4),), ((6 * 960, "song start"),))


def test_a_clock_that_is_not_followed_moves_no_bar_line(tmp_path: Path) -> None:
    daw = Sequencer(at_s=4.0)
    daw.say(START)
    daw.play(0.0, 16.0, steady(90))
    path = clocked(tmp_path / "a.jsonl", daw, follow_clock=False)
    assert conductor_of(read_journal(path)) is None
    assert tempos_of(kept_quietly(path).midi) == [(0, 120.0)]


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
    found = conductor_of(read_journal(path))
    assert found is not None
    tempo_map = TempoMap(960, found.tempos)
    ((first, _, _), (bar, *_)) = found.signatures
    assert (first, tempo_map.seconds(bar)) == (0, pytest.approx(1.0 + 4 * 0.6, abs=1e-3))
    assert [round(60e6 / us, 1) for _, us in found.tempos][-1] == 100.0


def test_bars_of_a_tempo_that_is_set_begin_with_the_players_first_note(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    values: dict[str, Any] = {"model": "default", "seed": 1, "settings": {"time": {"tempo_bpm": 150}}}
    with JournalWriter(path, started_at=STARTED_AT, now_s=START_S, **values) as journal:
        journal.write_batch(struck(0, 60, 3.2), START_S + 4.0)
        journal.write(wire.Change("time.tempo_bpm", 90), START_S + 10.0)
        journal.write(wire.Counts(0, 0, 0), START_S + 40.0)
    assert conductor_of(read_journal(path)) == Conductor(
        ((0, 400_000),), ((0, 4, 4),), ((8 * 960, "song start"),)
    )


# --- MP3 ------------------------------------------------------------------------------------------


def rendered(path: Path, messages: Sequence[wire.Message], soundfont: Path, *, end_s: float = 12.0) -> Sound:
    tracks = tracks_of(read_journal(make_journal(path, messages, end_s)))
    return sound_of(np.concatenate(list(render_audio(tracks, soundfont, gain=0.5))), SAMPLE_RATE)


def hz_of(sound: Sound) -> float:
    """Where the spectrum is loudest."""
    spectrum = np.abs(np.fft.rfft(sound.samples.sum(axis=1) * np.hanning(len(sound.samples))))
    return float(np.argmax(spectrum)) * sound.sample_rate / len(sound.samples)


def test_bends_programs_pressure_and_place_are_heard(tmp_path: Path) -> None:
    soundfont = installed_soundfont()
    long = [told(0x90, 69, 90, at_s=0.0), told(0x80, 69, 0, at_s=3.0)]
    plain = rendered(tmp_path / "plain.jsonl", long, soundfont)
    bent = rendered(tmp_path / "bent.jsonl", [told(0xE0, 0, 127, at_s=0.0), *long], soundfont)
    assert hz_of(plain.between(0.5, 2.5)) == pytest.approx(440.0, rel=0.005)
    assert hz_of(bent.between(0.5, 2.5)) == pytest.approx(440.0 * 2 ** (2 / 12 * 63.5 / 64), rel=0.01)

    organ = rendered(tmp_path / "organ.jsonl", [told(0xC0, 19, at_s=0.0), *long], soundfont)
    pressed = [told(0xC0, 19, at_s=0.0), told(0xD0, 127, at_s=0.0), *long]
    vibrato = rendered(tmp_path / "pressed.jsonl", pressed, soundfont)
    assert organ.between(2.0, 2.9).rms > 2 * plain.between(2.0, 2.9).rms  # it does not die away
    assert np.abs(vibrato.samples - organ.samples).max() > 0.01

    to_the_left = [wire.SetVoice("player", 0, -1.0, 0), *long]
    left = rendered(tmp_path / "left.jsonl", to_the_left, soundfont, end_s=0.0)  # told at the start
    levels = np.sqrt(np.mean(left.between(0.05, 0.3).samples ** 2, axis=0))
    assert levels[0] > 5 * levels[1]


def test_mp3_of_a_session_is_as_long_as_it_neither_silent_nor_clipped(tmp_path: Path) -> None:
    soundfont = installed_soundfont()
    seen: list[float] = []
    kept = keep_session(conversation(tmp_path / "a.jsonl"), soundfont=soundfont, progress=seen.append)
    assert kept == Kept(tmp_path / "a.mid", tmp_path / "a.mp3", ())
    assert kept.mp3 is not None
    sound = decoded_mp3(kept.mp3)
    pressing = demo_phrases()[1]
    assert sound.duration_s == pytest.approx(4.5 + pressing.end_s + TAIL_S, abs=0.1)
    assert 0.3 < sound.peak < 0.98
    assert sound.between(0.0, 4.0).rms > 0.02
    assert sound.between(4.6, 8.5).rms > 0.02
    assert seen[-1] == 1.0
    assert b"Session of 2026-11-20 19:30" in kept.mp3.read_bytes()[:200]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.jsonl", "a.mid", "a.mp3"]


def test_without_a_soundfont_there_is_midi_and_one_sentence(tmp_path: Path) -> None:
    kept = keep_session(conversation(tmp_path / "a.jsonl"), soundfont=None)
    assert kept.mp3 is None
    assert kept.midi.exists()
    (sentence,) = kept.notes
    assert sentence.startswith("No MP3 was made: no soundfont was found: ")
    assert "install" in sentence
    assert sentence.endswith(".")
    assert not sentence.endswith("..")


def test_without_fluidsynth_there_is_midi_and_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "fluidsynth", None)
    kept = keep_session(conversation(tmp_path / "a.jsonl"), soundfont=tmp_path / "any.sf2")
    assert (kept.midi.exists(), kept.mp3) == (True, None)
    assert kept.notes[0].startswith("No MP3 was made: FluidSynth's library is missing: ")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.jsonl", "a.mid"]


def test_a_session_without_a_note_has_midi_but_no_mp3(tmp_path: Path) -> None:
    kept = keep_session(make_journal(tmp_path / "a.jsonl"), soundfont=tmp_path / "any.sf2")
    assert kept == Kept(tmp_path / "a.mid", None, ("No MP3 was made: nothing was played.",))
    assert [track.name for track in mido.MidiFile(kept.midi).tracks if track.name] == ["player", "improv"]


# --- recovery -------------------------------------------------------------------------------------


def test_recovery_keeps_what_a_crash_left_and_nothing_else(tmp_path: Path) -> None:
    conversation(tmp_path / "crashed.jsonl")
    done = conversation(tmp_path / "done.jsonl")
    kept_quietly(done)
    before = (tmp_path / "done.mid").stat().st_mtime_ns
    recovery = recover(tmp_path, soundfont=None, mp3=False)
    assert recovery.kept == (Kept(tmp_path / "crashed.mid", None, ()),)
    assert recovery.notes == ()
    assert (tmp_path / "done.mid").stat().st_mtime_ns == before
    assert recover(tmp_path, soundfont=None, mp3=False).kept == ()


def test_recovery_leaves_a_session_alone_that_is_being_played(tmp_path: Path) -> None:
    values: dict[str, Any] = {"model": "default", "seed": 1, "settings": {}}
    with JournalWriter(tmp_path / "now.jsonl", started_at=STARTED_AT, now_s=START_S, **values):
        assert recover(tmp_path, soundfont=None, mp3=False).kept == ()
    assert len(recover(tmp_path, soundfont=None, mp3=False).kept) == 1


def test_recovery_tells_of_what_it_cannot_read_and_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("not ours\n")
    conversation(tmp_path / "b.jsonl")
    recovery = recover(tmp_path, soundfont=None, mp3=False)
    assert [kept.midi.name for kept in recovery.kept] == ["b.mid"]
    assert recovery.notes == (f"{tmp_path / 'a.jsonl'} is not a session journal of improv.",)


def test_recovery_of_a_folder_that_is_not_there_finds_nothing(tmp_path: Path) -> None:
    assert recover(tmp_path / "none", soundfont=None).kept == ()
