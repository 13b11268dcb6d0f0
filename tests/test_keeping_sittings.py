"""Keeping a sitting: its folder, the process that makes its files, and what is said of them."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from made_sessions import START_S, session, struck, writer

from improv_core.errors import StorageError
from improv_daemon import keeping as keeping_module
from improv_daemon.keeper import KeepOptions
from improv_daemon.keeper.link import KeeperLink
from improv_daemon.keeping import Keeping, recover
from improv_daemon.sessions import SessionFolder
from improv_daemon.view import View

SILENT = KeepOptions(audio="off")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither such locks nor signals")


class Links:
    """Starts keepers, and does something to each when it is there."""

    def __init__(self, patch: pytest.MonkeyPatch, then: Callable[[KeeperLink], None]) -> None:
        self.started: list[KeeperLink] = []
        self._then = then
        patch.setattr(keeping_module, "KeeperLink", self)

    def __call__(self, folder: SessionFolder, options: KeepOptions, *, low: bool = False) -> KeeperLink:
        self.started.append(link := KeeperLink(folder, options, low=low))
        self._then(link)
        return link


def killed(link: KeeperLink) -> None:
    os.kill(link.pid, signal.SIGKILL)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def kept(keeping: Keeping) -> list[str]:
    """What is said when it ends."""
    keeping.end(View(out := io.StringIO()))
    return out.getvalue().splitlines()


def test_a_sitting_that_is_over_has_its_files(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path)
    keeping = Keeping(folder, SILENT)
    with writer(keeping.journal) as journal:
        keeping.begin()
        journal.write_batch(struck(0, 60, 1.0), START_S + 2.0)
    assert kept(keeping) == [f"Kept {tmp_path}: session.mid."]
    assert names(tmp_path) == ["journal.jsonl", "session.mid", "summary.json"]


def test_when_its_process_has_died_another_makes_the_files_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = Links(monkeypatch, lambda link: killed(link) if len(links.started) == 1 else None)
    keeping = Keeping(session(tmp_path, "a"), SILENT)
    keeping.begin()
    assert kept(keeping) == [
        "Note: The process that made the files while you played has died; another one makes them.",
        f"Kept {tmp_path / 'a'}: session.mid.",
    ]
    assert names(tmp_path / "a") == ["journal.jsonl", "session.mid", "summary.json"]


def test_when_they_all_die_it_is_said_how_to_make_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Links(monkeypatch, killed)
    keeping = Keeping(session(tmp_path, "a"), SILENT)
    keeping.begin()
    with pytest.raises(StorageError) as failure:
        kept(keeping)
    assert str(failure.value) == (
        f"The files of {tmp_path / 'a'} could not be made, since the process that makes them has died; its "
        f'journal is safe, and "improv sessions recover {tmp_path / "a"}" makes the rest.'
    )
    assert names(tmp_path / "a") == ["journal.jsonl"]


def test_an_interrupt_meanwhile_leaves_what_can_be_finished_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = session(tmp_path, "a")
    links = Links(monkeypatch, lambda link: os.kill(link.pid, signal.SIGSTOP))
    keeping = Keeping(folder, SILENT)
    keeping.begin()
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)  # as Ctrl-C would
    try:
        said = kept(keeping)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert said == [
        f"Stopped; the sitting is safe in {folder.path}, and "
        f'"improv sessions recover {folder.path}" makes the rest.'
    ]
    assert not links.started[0].is_running
    assert names(folder.path) == ["journal.jsonl"]
    recover(tmp_path, SILENT, View(out := io.StringIO()))
    assert out.getvalue() == f"Recovered an earlier sitting in {folder.path}: session.mid.\n"
    assert names(folder.path) == ["journal.jsonl", "session.mid", "summary.json"]


def test_of_a_sitting_in_which_nothing_happened_nothing_is_left(tmp_path: Path) -> None:
    for number, begins in enumerate((False, True)):
        folder = SessionFolder(tmp_path / str(number))
        folder.path.mkdir()
        keeping = Keeping(folder, KeepOptions(audio="wav"))
        if begins:
            with writer(keeping.journal):
                keeping.begin()
        keeping.forget()
    assert list(tmp_path.iterdir()) == []


def test_of_a_sitting_that_never_began_nothing_is_left_nor_said(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path / "a")
    folder.path.mkdir()
    assert kept(Keeping(folder, SILENT)) == []
    assert not folder.path.exists()


def test_what_was_played_before_a_refusal_stays(tmp_path: Path) -> None:
    folder = session(tmp_path, "a")
    Keeping(folder, SILENT).forget()
    assert names(folder.path) == ["journal.jsonl"]


def test_a_folder_that_was_taken_away_meanwhile_is_said_nothing_more_of(tmp_path: Path) -> None:
    folder = session(tmp_path, "a")
    keeping = Keeping(folder, SILENT)
    folder.journal.unlink()
    folder.path.rmdir()
    assert kept(keeping) == []
    assert list(tmp_path.iterdir()) == []


def test_recovery_says_what_it_cannot_read_and_goes_on(tmp_path: Path) -> None:
    broken, crashed = SessionFolder(tmp_path / "2026-11-20_19-30-04"), session(tmp_path)
    broken.path.mkdir()
    broken.journal.write_text("not ours\n")
    recover(tmp_path, SILENT, View(out := io.StringIO()))
    assert out.getvalue().splitlines() == [
        f"Recovered an earlier sitting in {crashed.path}: session.mid.",
        f"Note: {broken.journal} is not a session journal of improv. improv sessions show NAME says why, and "
        "improv sessions delete NAME takes away what is of no use.",
    ]
