"""A journal is read while it is written, and until its writer is done or dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from journals import START_S, STARTED_AT, WITHIN_S, kept, make_writer, played, pulse

from improv_core.errors import StorageError
from improv_daemon import wire
from improv_daemon.journal import Entry, JournalFollower, read_journal

NOTE = played(0x90, 60, 64, at_s=1000.5)


def test_what_is_written_is_read_once_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path) as journal, JournalFollower(path) as follower:
        assert follower.header().started_at == STARTED_AT
        assert follower.more() == []
        for second in (1, 2):
            journal.write_batch([NOTE, wire.Quit()], START_S + second)
            assert journal.flush(WITHIN_S)
            assert follower.more() == [Entry(NOTE, START_S + second), Entry(wire.Quit(), START_S + second)]
            assert follower.more() == []
        assert not follower.is_over()


def test_what_is_there_already_is_read_first(tmp_path: Path) -> None:
    path = kept(tmp_path / "a.jsonl", NOTE)
    with JournalFollower(path) as follower:
        assert not follower.is_over()
        assert [entry.message for entry in follower.more()] == [NOTE, wire.Counts(0, 0, 0)]
        assert follower.is_over()
        assert follower.more() == []
        assert follower.header().seed == 7


def test_it_is_over_when_the_writer_is_done_and_all_was_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with JournalFollower(kept(path)) as follower:
        follower.more()
        assert follower.is_over()
    other = tmp_path / "b.jsonl"
    with make_writer(other) as journal, JournalFollower(other) as follower:
        follower.more()
        assert not follower.is_over()
        journal.write(NOTE, 1001.0)
        journal.__exit__()
        assert not follower.is_over()  # there is more to come
        assert follower.more() == [Entry(NOTE, 1001.0)]
        assert follower.is_over()


def test_half_a_line_waits_for_the_rest(tmp_path: Path) -> None:
    whole = kept(tmp_path / "a.jsonl", NOTE).read_bytes()
    path = tmp_path / "growing.jsonl"
    path.touch()
    with JournalFollower(path) as follower, path.open("ab", buffering=0) as file:
        read: list[Entry] = []
        for byte in whole:
            file.write(bytes([byte]))
            read += follower.more()
        assert tuple(read) == read_journal(path).entries
        assert follower.header() == read_journal(path).header
        assert follower.is_over()


def test_pulses_in_a_line_without_an_end_come_when_the_writer_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path) as journal:
        journal.write(NOTE, 1001.0)
        journal.write(pulse(1_001_000_000_000), 1001.0)
        assert journal.flush(WITHIN_S)
        content = path.read_bytes()
        with JournalFollower(path) as follower:
            assert follower.more() == [Entry(NOTE, 1001.0)]
            assert not follower.is_over()
    left = tmp_path / "left.jsonl"  # as if that writer had been killed
    left.write_bytes(content)
    with JournalFollower(left) as follower:
        assert follower.more() == [Entry(NOTE, 1001.0)]
        assert not follower.is_over()
        assert follower.more() == [Entry(pulse(1_001_000_000_000), 1001.0)]
        assert follower.is_over()


WRITE_AND_WAIT = """
import sys
from journals import *
with make_writer(Path(sys.argv[1])) as journal:
    journal.write(played(0x90, 60, 64, at_s=1000.5), 1001.0)
    assert journal.flush(WITHIN_S)
    print("written", flush=True)
    sys.stdin.read()
"""


def test_it_is_over_when_the_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with subprocess.Popen(
        [sys.executable, "-c", WRITE_AND_WAIT, path],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        with JournalFollower(path) as follower:
            assert follower.more() == [Entry(NOTE, 1001.0)]
            assert not follower.is_over()
            writer.send_signal(signal.SIGKILL)
            writer.wait(WITHIN_S)
            assert follower.is_over()


def test_a_damaged_beginning_is_no_end(tmp_path: Path) -> None:
    path = kept(tmp_path / "a.jsonl", NOTE)
    path.write_bytes(path.read_bytes().replace(b'"seed":7', b'"seed":8'))
    with JournalFollower(path) as follower:
        assert (follower.header().is_whole, follower.header().now_s) == (False, START_S)
        assert [entry.message for entry in follower.more()] == [NOTE, wire.Counts(0, 0, 0)]
        assert follower.is_over()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "There is no file"),
        (b"", "is empty, not a session journal"),
        (b"MThd\n", "is not a session journal of improv"),
        (b'{"improv_journal": 9}\n', "was written by a newer improv"),
    ],
)
def test_what_is_no_journal_is_refused(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "a.jsonl"
    if content is not None:
        path.write_bytes(content)

    def follow() -> None:
        with JournalFollower(path) as follower:
            follower.header()

    with pytest.raises(StorageError, match=sentence):
        follow()
