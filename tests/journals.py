"""Journals for tests, and disks that fill, fail and hang when they are told to."""

from __future__ import annotations

import errno
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

from improv_daemon import wire
from improv_daemon.journal import Journal, JournalWriter, Pace, read_journal

STARTED_AT: Final = datetime(2026, 11, 20, 19, 30, 5, tzinfo=timezone(timedelta(hours=1)))
START_S: Final = 1000.0
WITHIN_S: Final = 30.0
"""What a test waits for comes in a moment; this long, and it does not come."""


def make_writer(path: Path, **overrides: Any) -> JournalWriter:
    values: dict[str, Any] = {
        "model": "default",
        "seed": 7,
        "settings": {"mode": "answer", "sound": {"gain": 0.5}},
        "started_at": STARTED_AT,
        "now_s": START_S,
        "pace": Pace(gather_s=0.0, line_open_s=1000.0),
    }
    return JournalWriter(path, **(values | overrides))


def played(*data: int, at_s: float, source: str = "keys") -> wire.Played:
    return wire.Played(data, at_s, source)


def sounded(turn: int, index: int, pitch: int, at_s: float, velocity: int = 70) -> wire.Sounded:
    return wire.Sounded(turn, index, pitch, velocity, at_s, 0.0)


def pulse(at_ns: int, source: str = "daw") -> wire.Played:
    return wire.Played((0xF8,), at_ns / 1e9, source)


def kept(path: Path, *messages: wire.Message, end_s: float = START_S + 10) -> Path:
    """A journal of these messages; the last entry comes at ``end_s``."""
    with make_writer(path) as journal:
        journal.write_batch(messages, START_S)
        journal.write(wire.Counts(0, 0, 0), end_s)
    return path


class FakeDisk:
    """A file in memory.

    Attributes:
        content: What was written.
        room: So long it gets; None: there is room for all.
        failure: What a write meets, if anything.
        refused: Released with each write that fails.
        asked: Released when a write begins.
        answers: While it is not set, a write hangs.
        synced: How much was synced each time.
        removed: Whether somebody took it away.
    """

    def __init__(self) -> None:
        self.content = bytearray()
        self.room: int | None = None
        self.failure: OSError | None = None
        self.sync_failure: OSError | None = None
        self.refused = threading.Semaphore(0)
        self.asked = threading.Semaphore(0)
        self.has_synced = threading.Semaphore(0)
        self.answers = threading.Event()
        self.answers.set()
        self.synced: list[int] = []
        self.removed = self.closed = False

    def __call__(self, path: Path) -> FakeDisk:
        """Opened."""
        return self

    def write(self, data: bytes) -> int:
        self.asked.release()
        assert self.answers.wait(WITHIN_S)
        room = len(data) if self.room is None else min(len(data), self.room - len(self.content))
        if self.failure is not None or room <= 0:
            self.refused.release()
            raise self.failure or OSError(errno.ENOSPC, "No space left on device")
        self.content += data[:room]
        return room

    def sync(self) -> None:
        self.synced.append(len(self.content))
        self.has_synced.release()
        if self.sync_failure is not None:
            raise self.sync_failure

    def is_gone(self) -> bool:
        return self.removed

    def close(self) -> None:
        self.closed = True

    def fileno(self) -> int:
        return -1

    def is_full(self) -> None:
        """From now on nothing more goes in."""
        self.room = len(self.content)

    def read(self, path: Path) -> Journal:
        """What stands in it, by way of a file."""
        path.write_bytes(bytes(self.content))
        return read_journal(path)
