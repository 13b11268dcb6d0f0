from __future__ import annotations

from pathlib import Path

import pytest
from kept_sessions import STARTED_AT, session_folder, written_session

from improv_daemon.journal import JournalWriter, read_journal
from improv_daemon.sessions.listing import State, list_sessions, look_at
from improv_daemon.sessions.summary import Shares, summary_of, write_summary


def test_a_finished_session_is_as_its_summary_says(tmp_path: Path) -> None:
    folder = written_session(session_folder(tmp_path))
    summary = summary_of(read_journal(folder.journal), files=[folder.midi], problems=["No soundfont."])
    write_summary(folder.summary, summary)
    folder.journal.write_text("not looked at\n")
    listed = look_at(folder.journal)
    assert (listed.name, listed.state, listed.summary) == (folder.name, State.FINISHED, summary)


def test_a_session_without_summary_is_unfinished_and_read_from_its_journal(tmp_path: Path) -> None:
    folder = written_session(session_folder(tmp_path))
    folder.midi.touch()
    listed = look_at(folder.journal)
    assert listed.state is State.UNFINISHED
    assert listed.summary == summary_of(read_journal(folder.journal), files=[folder.midi])


def test_a_damaged_summary_does_no_harm(tmp_path: Path) -> None:
    folder = written_session(session_folder(tmp_path))
    folder.summary.write_text("{")
    listed = look_at(folder.journal)
    assert listed.state is State.FINISHED
    assert listed.summary == summary_of(read_journal(folder.journal))


def test_a_session_that_is_being_recorded_is_read_so_far(tmp_path: Path) -> None:
    folder = session_folder(tmp_path)
    with JournalWriter(
        folder.journal, model="m", seed=1, settings={}, started_at=STARTED_AT, now_s=1.0
    ) as journal:
        journal.flush(5.0)
        listed = look_at(folder.journal)
    assert listed.state is State.RECORDING
    assert listed.summary is not None
    assert (listed.summary.notes, listed.summary.problems) == (Shares(0, 0), ())


def test_what_is_no_session_is_listed_with_a_reason(tmp_path: Path) -> None:
    folder = session_folder(tmp_path)
    folder.journal.write_text("hello\n")
    listed = look_at(folder.journal)
    assert (listed.state, listed.summary) == (State.UNREADABLE, None)
    assert listed.to_fields() == {
        "name": folder.name,
        "path": str(folder.path),
        "state": "unreadable",
        "problem": f"{folder.journal} is not a session journal of improv.",
    }


def test_a_journal_of_old_stands_alone(tmp_path: Path) -> None:
    folder = written_session(session_folder(tmp_path))
    flat = folder.journal.rename(tmp_path / "2025-01-02_03-04-05.jsonl")
    listed = look_at(flat)
    assert (listed.name, listed.state, listed.folder) == ("2025-01-02_03-04-05.jsonl", State.FINISHED, None)
    assert listed.to_fields()["path"] == str(flat)


def test_a_session_is_called_after_its_folder_even_from_within(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = written_session(session_folder(tmp_path))
    monkeypatch.chdir(folder.path)
    assert look_at(Path("journal.jsonl")).name == folder.name
    (folder.path / "stems").mkdir()
    monkeypatch.chdir(folder.path / "stems")
    assert look_at(Path("../journal.jsonl")).name == folder.name


def test_sessions_are_listed_oldest_first_and_how_far_that_is_is_told(tmp_path: Path) -> None:
    for second in (7, 5, 6):
        written_session(session_folder(tmp_path, f"2026-01-02_03-04-0{second}"))
    told: list[float] = []
    names = [listed.name[-1] for listed in list_sessions(tmp_path, told.append)]
    assert names == ["5", "6", "7"]
    assert told == sorted(told)
    assert sorted(set(told)) == [1 / 3, 2 / 3, 1.0]
    assert list(list_sessions(tmp_path / "nowhere")) == []
