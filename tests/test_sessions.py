from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from improv_core.errors import StorageError
from improv_daemon.sessions import (
    SessionFolder,
    find_journal,
    find_session,
    new_session_folder,
    none_kept,
    sessions_in,
)


def session(root: Path, name: str) -> SessionFolder:
    folder = SessionFolder(root / name)
    folder.path.mkdir(parents=True)
    folder.journal.touch()
    return folder


def refusal(root: Path, name: str) -> str:
    with pytest.raises(StorageError) as refused:
        find_session(root, name)
    return str(refused.value)


def test_a_session_is_named_by_its_local_date_and_time_and_never_twice(tmp_path: Path) -> None:
    at = datetime(2026, 11, 20, 23, 40, 11, 999999).astimezone()
    names = [new_session_folder(tmp_path / "kept", at).name for _ in range(3)]
    assert names == ["2026-11-20_23-40-11", "2026-11-20_23-40-11-2", "2026-11-20_23-40-11-3"]
    elsewhere = at.astimezone(timezone(timedelta(hours=-7)))
    assert new_session_folder(tmp_path, elsewhere).name == "2026-11-20_23-40-11"


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    with pytest.raises(StorageError) as refused:
        new_session_folder(tmp_path / "kept", datetime.now().astimezone())
    assert str(refused.value) == f"{tmp_path}/kept is not a folder; name a folder to keep sessions in."


def test_sessions_come_by_their_time_whatever_they_are_called(tmp_path: Path) -> None:
    for name in (
        "2026-01-02_03-04-05-10",
        "2026-01-02_03-04-05-2",
        "2026-01-02_03-04-05",
        "2025-12-31_23-59-59",
    ):
        session(tmp_path, name)
    christmas = datetime(2025, 12, 25, 18, 0).timestamp()
    os.utime(session(tmp_path, "the good one").journal, (christmas, christmas))
    session(tmp_path, ".hidden")
    (tmp_path / "2026-01-03_00-00-00").mkdir()  # no journal: no session
    assert [one.name for one in sessions_in(tmp_path)] == [
        "the good one",
        "2025-12-31_23-59-59",
        "2026-01-02_03-04-05",
        "2026-01-02_03-04-05-2",
        "2026-01-02_03-04-05-10",
    ]
    assert find_session(tmp_path, "last").name == "2026-01-02_03-04-05-10"


def test_a_session_is_found_by_its_name_a_part_of_it_or_its_path(tmp_path: Path) -> None:
    first = session(tmp_path, "2026-01-02_03-04-05")
    second = session(tmp_path, "2026-01-02_03-04-05-2")
    for name, found in (
        ("2026-01-02_03-04-05", first),  # its own name, though the other's begins with it
        ("05-2", second),
        ("last", second),
        (str(first.path), first),
        (f"{first.path}/", first),
        (str(second.journal), second),
    ):
        assert find_session(tmp_path, name).path == found.path
        assert find_journal(tmp_path, name) == found.journal


def test_a_journal_that_is_in_no_sessions_folder_is_found_by_its_path(tmp_path: Path) -> None:
    flat = tmp_path / "2025-01-02_03-04-05.jsonl"
    flat.touch()
    assert find_journal(tmp_path, str(flat)) == flat


def test_a_name_that_is_nobodys_or_several_ones_is_said(tmp_path: Path) -> None:
    for second in range(7):
        session(tmp_path, f"2026-01-02_03-04-0{second}")
    none = "improv sessions list shows those there are."
    assert refusal(tmp_path, "zork") == f"There is no session 'zork' in {tmp_path}; {none}"
    assert refusal(tmp_path, "") == f"There is no session '' in {tmp_path}; {none}"
    assert refusal(tmp_path, "x" * 5000).startswith("There is no session 'xxx")
    assert refusal(tmp_path, "03-04") == (
        f"'03-04' may be several sessions in {tmp_path}: 2026-01-02_03-04-00, 2026-01-02_03-04-01, "
        "2026-01-02_03-04-02, 2026-01-02_03-04-03, 2026-01-02_03-04-04 and 2 more; name more of one."
    )


def test_where_there_is_no_session_at_all_that_is_said(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    assert (
        refusal(kept, "last")
        == f"There is no folder {kept}, so no session is kept there; improv record makes it."
    )
    kept.mkdir()
    assert none_kept(kept) == f"There is no session in {kept} yet; improv record keeps one there."
    (tmp_path / "file").touch()
    assert none_kept(tmp_path / "file") == (
        f"{tmp_path}/file is not a folder; name the folder that holds your sessions."
    )


def test_a_sessions_sound_is_whatever_format_there_is(tmp_path: Path) -> None:
    folder = session(tmp_path, "one")
    assert folder.sound is None
    folder.audio(".flac").touch()
    assert folder.sound == folder.path / "session.flac"
