from __future__ import annotations

from pathlib import Path

import pytest
from kept_sessions import STARTED_AT, session_folder, written_session

from improv_core.errors import StorageError
from improv_daemon.journal import JournalWriter
from improv_daemon.sessions import SessionFolder
from improv_daemon.sessions.deleting import delete_session


def whole_session(root: Path) -> SessionFolder:
    folder = written_session(session_folder(root))
    for name in ("session.mid", "session.mp3", "session.part.mp3", "summary.json", ".session.mid.part"):
        (folder.path / name).touch()
    return folder


def test_a_session_goes_with_its_files_and_its_folder(tmp_path: Path) -> None:
    folder = whole_session(tmp_path)
    other = whole_session(tmp_path / "other")
    assert delete_session(folder) == ()
    assert not folder.path.exists()
    assert len(list(other.path.iterdir())) == 6


def test_what_somebody_else_has_put_there_stays(tmp_path: Path) -> None:
    folder = whole_session(tmp_path)
    for name in ("my mix.wav", "notes.txt", "session.png"):
        (folder.path / name).touch()
    (folder.path / "session").mkdir()
    assert [path.name for path in delete_session(folder)] == [
        "my mix.wav",
        "notes.txt",
        "session",
        "session.png",
    ]
    assert not folder.journal.exists()


def test_a_session_that_is_being_recorded_stays(tmp_path: Path) -> None:
    folder = session_folder(tmp_path)
    with (
        JournalWriter(folder.journal, model="m", seed=1, settings={}, started_at=STARTED_AT, now_s=1.0),
        pytest.raises(StorageError) as refused,
    ):
        delete_session(folder)
    assert str(refused.value) == (
        f"{folder.name} is being recorded or finished now, so it is not deleted; stop that first."
    )
    assert folder.journal.exists()


def test_a_session_that_is_gone_already_cannot_be_deleted(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path / "gone")
    with pytest.raises(StorageError) as refused:
        delete_session(folder)
    assert str(refused.value) == f"{folder.path} cannot be deleted (No such file or directory)."
