"""The files of a session: made from its journal, whole or cut short, and never over others."""

from __future__ import annotations

import fcntl
import sys
from pathlib import Path

import pytest
from made_sessions import START_S, conversation, make_journal, session, told, writer
from sound_checks import decoded_mp3, installed_soundfont

from improv_core.errors import StorageError
from improv_core.midi_files import read_midi
from improv_daemon.journal import Journal, JournalFollower
from improv_daemon.keeper import KeepOptions, Kept, finishing
from improv_daemon.keeper.finishing import finish_journal, finish_session, is_finished, unfinished
from improv_daemon.keeper.growing import GrowingSound
from improv_daemon.phrases import demo_phrases
from improv_daemon.recorder import write_session_midi
from improv_daemon.sessions import SessionFolder
from improv_daemon.sessions.summary import read_summary

SILENT = KeepOptions(audio="off")
WAV = KeepOptions(audio="wav")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_session_gets_its_midi_file_and_a_summary(tmp_path: Path) -> None:
    folder = session(tmp_path)
    assert not is_finished(folder)
    assert finish_session(folder, SILENT) == Kept(folder.midi)
    assert is_finished(folder)
    assert names(folder.path) == ["journal.jsonl", "session.mid", "summary.json"]
    asking, pressing, _ = demo_phrases()
    counts = [len(track.performance.notes) for track in read_midi(folder.midi)]
    assert counts == [len(asking.notes), len(pressing.notes)]
    summary = read_summary(folder.summary)
    assert (summary.notes.player, summary.notes.improv) == tuple(counts)
    assert summary.files == ("session.mid",)


def test_a_finished_session_stays_as_it_is_and_what_was_taken_away_is_made_again(tmp_path: Path) -> None:
    folder = session(tmp_path)
    finish_session(folder, SILENT)
    folder.midi.write_text("mine")
    before = folder.summary.read_bytes()
    assert finish_session(folder, SILENT) == Kept(folder.midi)
    assert folder.midi.read_text() == "mine"
    folder.midi.unlink()
    finish_session(folder, SILENT)
    assert len(read_midi(folder.midi)) == 2
    assert folder.summary.read_bytes() == before


def test_sound_that_is_there_stays(tmp_path: Path) -> None:
    folder = session(tmp_path)
    folder.audio(".flac").write_text("mine")
    assert finish_session(folder, WAV) == Kept(folder.midi, folder.audio(".flac"))
    assert folder.audio(".flac").read_text() == "mine"
    assert names(folder.path) == ["journal.jsonl", "session.flac", "session.mid", "summary.json"]


def test_sound_is_made_from_the_journal_with_progress_and_measured(tmp_path: Path) -> None:
    installed_soundfont()
    folder, seen = session(tmp_path), list[float]()
    end_s = 4.5 + demo_phrases()[1].end_s
    kept = finish_session(folder, KeepOptions(), progress=seen.append)
    assert (kept.sound, kept.notes) == (folder.audio(".mp3"), ())
    sound = decoded_mp3(folder.audio(".mp3"))
    assert sound.duration_s == pytest.approx(end_s + 3.0, abs=0.1)
    assert 0.1 < sound.peak < 0.98
    assert sound.between(0.0, 4.0).rms > 0.01
    assert sound.between(4.6, 8.5).rms > 0.01
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert kept.levels is not None
    assert kept.levels.length_s == pytest.approx(end_s + 3.0, abs=0.05)
    assert read_summary(folder.summary).level == kept.levels
    assert b"Session of 2026-11-20 19:30" in folder.audio(".mp3").read_bytes()[:400]
    assert names(folder.path) == ["journal.jsonl", "session.mid", "session.mp3", "summary.json"]
    assert kept.in_words() == f"{folder.path}: session.mid and session.mp3 ({kept.levels.in_words()})"


def test_without_an_instrument_there_is_midi_and_one_sentence(tmp_path: Path) -> None:
    folder = session(tmp_path)
    options = KeepOptions(voice="soundfont", soundfont=str(tmp_path / "grand.sf2"))
    kept = finish_session(folder, options)
    assert (kept.midi.exists(), kept.sound) == (True, None)
    (sentence,) = kept.notes
    assert sentence.startswith(f"No sound was made: {tmp_path / 'grand.sf2'}: there is no such soundfont")
    assert sentence.endswith(".")
    assert read_summary(folder.summary).problems == kept.notes
    assert names(folder.path) == ["journal.jsonl", "session.mid", "summary.json"]


def test_a_sound_that_is_made_later_is_in_the_summary(tmp_path: Path) -> None:
    folder = session(tmp_path)
    finish_session(folder, SILENT)
    assert read_summary(folder.summary).level is None
    kept = finish_session(folder, WAV)
    summary = read_summary(folder.summary)
    assert summary.level == kept.levels is not None
    assert summary.files == ("session.mid", "session.wav")


def test_a_session_without_a_note_has_midi_but_no_sound(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path)
    make_journal(folder.journal)
    assert finish_session(folder, WAV) == Kept(folder.midi, notes=("No sound was made: nothing was played.",))
    assert names(tmp_path) == ["journal.jsonl", "session.mid", "summary.json"]


def test_the_sound_that_grew_is_finished_where_it_is_true(tmp_path: Path) -> None:
    folder = session(tmp_path)
    with JournalFollower(folder.journal) as follower:
        grown = GrowingSound(folder.audio(".wav"), follower.header(), WAV)
        grown.take(follower.more())
    grown.advance(START_S + 10.0)
    part = folder.audio(".part.wav")
    size = part.stat().st_size
    assert size > 7.0 * 44_100 * 4
    kept = finish_session(folder, WAV, grown=grown, progress=lambda done: pytest.fail("it was made anew"))
    assert kept.sound == folder.audio(".wav")
    assert names(folder.path) == ["journal.jsonl", "session.mid", "session.wav", "summary.json"]


def test_the_sound_that_grew_is_made_anew_where_something_came_too_late_for_it(tmp_path: Path) -> None:
    folder = session(tmp_path)
    with JournalFollower(folder.journal) as follower:
        grown = GrowingSound(folder.audio(".wav"), follower.header(), WAV)
        late, *entries = follower.more()
        grown.take(entries)
        grown.advance(START_S + 10.0)
        grown.take([late])
    assert not grown.is_true
    seen = list[float]()
    kept = finish_session(folder, WAV, grown=grown, progress=seen.append)
    assert seen[-1] == 1.0
    assert kept.sound == folder.audio(".wav")
    assert names(folder.path) == ["journal.jsonl", "session.mid", "session.wav", "summary.json"]


def test_what_a_killed_process_left_half_made_is_made_whole(tmp_path: Path) -> None:
    folder = session(tmp_path)
    for suffix in (".part.wav", ".part.mp3"):
        folder.audio(suffix).write_bytes(b"RIFF half")
    kept = finish_session(folder, WAV)
    assert kept.sound == folder.audio(".wav")
    assert names(folder.path) == ["journal.jsonl", "session.mid", "session.wav", "summary.json"]


def test_a_midi_file_that_cannot_be_written_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    folder = session(tmp_path)
    (folder.path / ".session.mid.part").mkdir()
    with pytest.raises(StorageError, match=r"session\.mid cannot be written \(Is a directory\)\.$"):
        finish_session(folder, SILENT)
    assert names(folder.path) == [".session.mid.part", "journal.jsonl"]


def test_where_the_beats_cannot_be_found_the_notes_are_kept_without_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_fixed(journal: Journal, path: Path, *, tempo: str) -> None:
        if tempo != "fixed":
            raise OverflowError("math range error")
        write_session_midi(journal, path, tempo=tempo)

    monkeypatch.setattr(finishing, "write_session_midi", only_fixed)
    folder = session(tmp_path)
    kept = finish_session(folder, SILENT)
    assert kept.notes == (
        "The MIDI file has no bar lines, which is improv's own fault: OverflowError('math range error').",
    )
    assert len(read_midi(folder.midi)) == 2


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text("hello\n")
    with pytest.raises(StorageError, match=r"journal\.jsonl is not a session journal of improv"):
        finish_session(SessionFolder(tmp_path), SILENT)
    assert names(tmp_path) == ["journal.jsonl"]


def test_a_journal_beside_nothing_gets_its_files_under_names_that_are_free(tmp_path: Path) -> None:
    path = conversation(tmp_path / "a.jsonl")
    assert finish_journal(path, SILENT) == Kept(tmp_path / "a.mid")
    assert finish_journal(path, SILENT) == Kept(tmp_path / "a-2.mid")
    assert names(tmp_path) == ["a-2.mid", "a.jsonl", "a.mid"]
    folder = session(tmp_path)
    assert finish_journal(folder.journal, SILENT) == Kept(folder.midi)
    with pytest.raises(StorageError, match=r"There is no file .*none\.jsonl"):
        finish_journal(tmp_path / "none.jsonl", SILENT)


def test_unfinished_sessions_are_those_a_crash_cut_short(tmp_path: Path) -> None:
    done, crashed = session(tmp_path, "1-done"), session(tmp_path, "2-crashed")
    finish_session(done, SILENT)
    being_played = SessionFolder(tmp_path / "3-now")
    being_played.path.mkdir()
    with writer(being_played.journal):
        assert unfinished(tmp_path) == (crashed,)
        with pytest.raises(StorageError, match="is being written by an improv that runs"):
            finish_session(being_played, SILENT)
    assert unfinished(tmp_path) == (crashed, being_played)
    assert unfinished(tmp_path / "none") == ()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_while_a_session_is_finished_it_counts_as_being_written(tmp_path: Path) -> None:
    folder, seen = session(tmp_path), list[tuple[SessionFolder, ...]]()
    finish_session(folder, WAV, progress=lambda done: seen.append(unfinished(tmp_path)))
    assert set(seen) == {()}


def test_one_who_was_told_to_begin_does_so_though_the_journal_is_still_held(tmp_path: Path) -> None:
    folder = session(tmp_path)
    with folder.journal.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert finish_session(folder, SILENT, told=True) == Kept(folder.midi)


def test_what_was_kept_travels_as_a_line(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path)
    make_journal(folder.journal, [told(0x90, 60, 64, at_s=1.0)], end_s=2.0)
    kept = finish_session(folder, WAV)
    assert kept.levels is not None
    assert Kept.from_json(kept.to_json()) == kept
    assert Kept.from_json(Kept(folder.midi).to_json()) == Kept(folder.midi)


def test_what_is_missing_of_a_journal_is_said_and_where_it_ends(tmp_path: Path) -> None:
    folder = session(tmp_path)
    lines = folder.journal.read_bytes().splitlines(keepends=True)
    folder.journal.write_bytes(b"".join([*lines[:10], b"damage\n", *lines[11:-1]]))
    damaged, cut_short = finish_session(folder, SILENT).notes
    assert damaged.startswith(f"One line of {folder.journal} could not be read and is left out")
    assert (
        cut_short == f"{folder.journal} ends at 0:12, where improv was stopped; what came after is not known."
    )
