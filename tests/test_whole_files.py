"""Files that appear whole or not at all, and never over another one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from improv_core.errors import StorageError
from improv_daemon.whole_files import become, check_folder, check_new, whole_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=[True, False], ids=["links", "no links"])
def file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has links, and one that has none, as on many a memory stick."""

    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if not request.param:
        monkeypatch.setattr(Path, "hardlink_to", refused)


@pytest.mark.usefixtures("file_system")
def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a") as part:
        part.write_text("whole")
        assert names(tmp_path) == [".a.part"]
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "whole"


@pytest.mark.usefixtures("file_system")
def test_a_file_that_came_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    making = whole_file(tmp_path / "a")
    making.__enter__().write_text("ours")
    (tmp_path / "a").write_text("theirs")
    with pytest.raises(StorageError, match="a exists already and is not overwritten"):
        making.__exit__(None, None, None)
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "theirs"


def test_a_file_is_replaced_where_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("before")
    with whole_file(tmp_path / "a", over=True) as part:
        part.write_text("after")
        assert (tmp_path / "a").read_text() == "before"
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "after"


def test_nothing_is_left_of_what_failed(tmp_path: Path) -> None:
    making = whole_file(tmp_path / "a")
    making.__enter__().write_bytes(b"half")
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(StorageError, match=r"a cannot be written \(No space left on device\)\."):
        making.__exit__(OSError, full, None)
    assert names(tmp_path) == []


def test_nobody_hears_of_a_temporary_name(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=f"^{tmp_path}/a is too odd$"), whole_file(tmp_path / "a") as part:
        raise StorageError(f"{part} is too odd")


def test_what_is_not_there_cannot_get_a_name(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"b cannot be written \(No such file"):
        become(tmp_path / "a", tmp_path / "b")
    assert names(tmp_path) == []


def test_a_name_that_is_taken_is_said_before_any_work(tmp_path: Path) -> None:
    check_new(tmp_path / "a")
    (tmp_path / "a").symlink_to(tmp_path / "nowhere")
    with pytest.raises(StorageError, match="exists already"):
        check_new(tmp_path / "a")


def test_a_folder_is_made_and_tried(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b")
    assert names(tmp_path / "a" / "b") == []
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="is not a folder"):
        check_folder(tmp_path / "file")
