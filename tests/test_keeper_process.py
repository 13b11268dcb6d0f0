"""The keeper as a process of its own: what it makes, whatever becomes of the one who started it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_sessions import START_S, session, struck, writer

from improv_daemon.keeper import KeepOptions, Kept
from improv_daemon.keeper.link import KeeperLink
from improv_daemon.keeper.telling import Done, Refused, from_line, to_line
from improv_daemon.sessions import SessionFolder

SILENT, WAV = KeepOptions(audio="off"), KeepOptions(audio="wav")
WITHIN_S = 20.0

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither such locks nor signals")


@contextlib.contextmanager
def keeper_of(folder: SessionFolder, options: KeepOptions, *, low: bool = False) -> Iterator[KeeperLink]:
    link = KeeperLink(folder, options, low=low)
    try:
        yield link
    finally:
        link.leave()


def wait_for(path: Path) -> bool:
    limit_s = time.monotonic() + WITHIN_S
    while not path.exists() and time.monotonic() < limit_s:
        time.sleep(0.01)
    return path.exists()


def test_it_finishes_when_it_is_told_and_says_what_there_is(tmp_path: Path) -> None:
    folder, seen = session(tmp_path), list[float]()
    with keeper_of(folder, SILENT) as keeper:
        assert keeper.finish(seen.append) == Kept(folder.midi)
        assert not keeper.is_running
    assert sorted(path.name for path in folder.path.iterdir()) == [
        *("journal.jsonl", "session.mid", "summary.json")
    ]


def test_it_makes_sound_while_the_journal_grows_and_finishes_it_in_time(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path)
    with keeper_of_growing(folder) as keeper:
        kept = keeper.finish()
    assert isinstance(kept, Kept)
    assert kept.sound == folder.audio(".wav")
    assert kept.levels is not None
    assert kept.levels.length_s == pytest.approx(7.5, abs=0.1)
    assert kept.notes == ()


@contextlib.contextmanager
def keeper_of_growing(folder: SessionFolder) -> Iterator[KeeperLink]:
    """A keeper that has made sound of a journal which is over now."""
    with writer(folder.journal) as journal, keeper_of(folder, WAV) as keeper:
        journal.write_batch(struck(0, 60, 4.0), START_S + 5.0)
        assert journal.flush()
        assert wait_for(folder.audio(".part.wav"))
        journal.__exit__()
        yield keeper


def test_ctrl_c_and_a_closed_terminal_do_not_end_it(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path)
    with keeper_of_growing(folder) as keeper:
        for how in (signal.SIGINT, signal.SIGHUP):
            os.kill(keeper.pid, how)
        assert isinstance(keeper.finish(), Kept)


def test_it_finishes_by_itself_when_the_one_who_started_it_is_gone(tmp_path: Path) -> None:
    folder = session(tmp_path)
    with keeper_of(folder, SILENT) as keeper:
        assert wait_for(folder.summary)  # nobody has told it anything: the journal's lock is gone
        assert keeper.finish() == Kept(folder.midi)


def test_what_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    folder = session(tmp_path)
    (folder.path / ".session.mid.part").mkdir()
    with keeper_of(folder, SILENT) as keeper:
        assert keeper.finish() == Refused(f"{folder.midi} cannot be written (Is a directory).")


def test_of_one_that_was_killed_nothing_is_heard(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path)
    with writer(folder.journal), keeper_of(folder, WAV) as keeper:
        os.kill(keeper.pid, signal.SIGKILL)
        assert keeper.finish() is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere processes are not so easily looked at")
def test_where_somebody_plays_on_it_has_low_priority_to_the_end(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path)
    with writer(folder.journal), keeper_of(folder, WAV, low=True) as keeper:
        assert wait_for(folder.audio(".part.wav"))
        assert os.getpriority(os.PRIO_PROCESS, keeper.pid) > 10


def test_what_it_tells_travels_as_lines() -> None:
    kept = Kept(Path("a/session.mid"), None, None, ("Something is missing.",))
    for telling in (Done(0.25), Refused("No."), kept):
        assert from_line(to_line(telling)) == telling
