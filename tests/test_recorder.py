"""A session's files: made from its journal, whole or cut short, and never over others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import mido
import pytest
from conftest import require
from midi_checks import balance, match_notes, pedals_down
from performance_fixture import human_performance
from sound_checks import decoded_mp3, installed_soundfont

from improv_core.errors import StorageError
from improv_core.midi_files import read_midi
from improv_core.notes import Performance
from improv_daemon import wire
from improv_daemon.journal import JournalWriter
from improv_daemon.phrases import demo_phrases, key_messages
from improv_daemon.recorder import TAIL_S, Kept, keep_session, new_session_path, recover

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
    with pytest.raises(StorageError, match=r"x\.mid.* cannot be written"):
        kept_quietly(path)
    assert list(tmp_path.iterdir()) == [path]


# --- MP3 ------------------------------------------------------------------------------------------


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
