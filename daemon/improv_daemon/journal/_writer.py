"""Writing the journal while the music plays: nothing here may wait for a disk or raise."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, Self

from improv_core.errors import StorageError
from improv_daemon import wire
from improv_daemon.journal._lock import try_lock
from improv_daemon.journal._reader import GAP_KEY, JOURNAL_VERSION, VERSION_KEY
from improv_daemon.journal._runs import Run

_SYNC_EVERY_S = 1.0
_RETRY_AFTER_S = 1.0


class Syncer(Protocol):
    """Brings what was written to the disk itself."""

    def request(self, fd: int) -> OSError | None:
        """Begin to sync ``fd`` without waiting; returns how an earlier request failed, if it did."""

    def finish(self, fd: int) -> OSError | None:
        """Sync ``fd`` and wait for it; nothing is requested afterwards."""


class BackgroundSync:
    """Syncs on a thread of its own, one file at a time: a slow disk must not hold up the music."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal-sync")
        self._pending: Future[OSError | None] | None = None

    def request(self, fd: int) -> OSError | None:
        """Begin to sync ``fd`` unless a sync is still running."""
        failure = None
        if self._pending is not None:
            if not self._pending.done():
                return None
            failure = self._pending.result()
        self._pending = self._pool.submit(_sync, fd)
        return failure

    def finish(self, fd: int) -> OSError | None:
        """Wait for the running sync, then sync once more."""
        self._pool.shutdown(wait=True)
        return _sync(fd)


def _sync(fd: int) -> OSError | None:
    try:
        os.fsync(fd)
    except OSError as failure:
        return failure
    return None


class JournalWriter:
    """An append-only journal, open from ``with`` to its end.

    Every line reaches the operating system before ``write`` returns, so it outlives a killed process;
    it reaches the disk within about a second. Only clock pulses and wake-ups wait, for at most a second and
    until anything else is written, to make one line of many. While writing fails (a full disk, a folder that
    is gone), nothing is raised: ``on_trouble`` gets one sentence, ``lost`` counts the lines, and writing is
    tried again once a second.

    Args:
        path: A file that does not exist yet, see `improv_daemon.recorder.new_session_path`.
        model: Which model plays.
        seed: What its randomness starts from.
        settings: The settings in force, as plain values.
        started_at: Wall clock; a naive one is taken as local time.
        now_s: Monotonic time of the same moment; every time in the session's files counts from here.
        on_trouble: Called at most once, with one sentence for the musician.
        syncer: Who brings the lines to the disk.
    """

    def __init__(
        self,
        path: Path,
        *,
        model: str,
        seed: int,
        settings: Mapping[str, Any],
        started_at: datetime,
        now_s: float,
        on_trouble: Callable[[str], None] = lambda sentence: None,
        syncer: Syncer | None = None,
    ) -> None:
        self.path = path
        self.lost = 0
        self._header = {
            VERSION_KEY: JOURNAL_VERSION,
            "started_at": started_at.astimezone().isoformat(timespec="milliseconds")
            if started_at.tzinfo is None
            else started_at.isoformat(timespec="milliseconds"),
            "now_s": now_s,
            "model": model,
            "seed": seed,
            "settings": dict(settings),
        }
        self._on_trouble = on_trouble
        self._syncer = BackgroundSync() if syncer is None else syncer
        self._fd = -1
        self._torn = False
        self._warned = False
        self._gone = False
        self._lost_in_a_row = 0
        self._retry_at_s = 0.0
        self._run = Run()
        self._latest_s = now_s
        self._sync_at_s = now_s + _SYNC_EVERY_S

    def __enter__(self) -> Self:
        """Create the file and write its first line.

        Raises:
            StorageError: The file exists already or cannot be written.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
        try:
            self._fd = os.open(self.path, flags, 0o644)
        except FileExistsError:
            raise StorageError(f"{self.path} exists already and is not overwritten.") from None
        except OSError as failure:
            raise StorageError(f"{_cannot_write(self.path, failure)}.") from None
        try_lock(self._fd)
        try:
            line = _line(self._header)
            if os.write(self._fd, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as failure:
            os.close(self._fd)
            self._fd = -1
            self.path.unlink(missing_ok=True)
            raise StorageError(f"{_cannot_write(self.path, failure)}.") from None
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Bring everything to the disk and close the file."""
        if self._fd < 0:
            return
        self._write(self._packed(), self._latest_s)
        self._check(self._syncer.finish(self._fd))
        # Some network file systems report a full disk only here.
        with contextlib.suppress(OSError):
            os.close(self._fd)
        self._fd = -1

    def fileno(self) -> int:
        """The open file's descriptor."""
        return self._fd

    def write(self, message: wire.Message, now_s: float) -> None:
        """Append one message as the mind saw it at ``now_s``."""
        self.write_batch((message,), now_s)

    def write_batch(self, messages: Iterable[wire.Message], now_s: float) -> None:
        """Append several messages in one go."""
        several, self._latest_s = tuple(messages), now_s
        packed: list[bytes] = []
        if len(several) == 1:
            if self._run.takes(several[0], now_s):
                return
            packed = self._packed()
            if self._run.takes(several[0], now_s):  # another run begins
                several = ()
        lines = [_line({**wire.to_fields(message), "now_s": now_s}) for message in several]
        self._write([*packed, *self._packed(), *lines] if lines else packed, now_s)

    def _packed(self) -> list[bytes]:
        return [_line(self._run.line())] if self._run else []

    def _write(self, lines: list[bytes], now_s: float) -> None:
        if not lines:
            return
        if self._fd < 0 or self._gone or (self._lost_in_a_row and now_s < self._retry_at_s):
            self._count_lost(len(lines))
            return
        self._append(lines, now_s)
        if now_s >= self._sync_at_s:
            self._sync_at_s = now_s + _SYNC_EVERY_S
            self._check(self._syncer.request(self._fd))
            self._look_for_the_file()

    def _append(self, lines: list[bytes], now_s: float) -> None:
        prefix = b"\n" if self._torn else b""
        if self._lost_in_a_row:
            prefix += _line({GAP_KEY: self._lost_in_a_row, "now_s": now_s})
        data = prefix + b"".join(lines)
        failure: OSError | None = None
        written = 0
        try:
            written = os.write(self._fd, data)
        except OSError as caught:
            failure = caught
        if written:
            self._torn = data[written - 1 : written] != b"\n"
        if written == len(data):
            self._lost_in_a_row = 0
            return
        if written > len(prefix):
            self._lost_in_a_row = 0
        self._count_lost(data[max(written, len(prefix)) :].count(b"\n"))
        self._retry_at_s = now_s + _RETRY_AFTER_S
        self._check(failure or OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    def _count_lost(self, lines: int) -> None:
        self.lost += lines
        self._lost_in_a_row += lines

    def _look_for_the_file(self) -> None:
        try:
            self._gone = os.fstat(self._fd).st_nlink == 0
        except OSError:
            self._gone = True
        if self._gone:
            self._warn(f"{self.path} was removed while you play: what you play from now on is not kept.")

    def _check(self, failure: OSError | None) -> None:
        if failure is None:
            return
        if failure.errno in (errno.ENOSPC, errno.EDQUOT):
            self._warn(
                f"The disk of {self.path.parent} is full: what you play is not kept until it has room."
            )
        else:
            self._warn(f"{_cannot_write(self.path, failure)}: what you play is not kept meanwhile.")

    def _warn(self, sentence: str) -> None:
        if not self._warned:
            self._warned = True
            self._on_trouble(sentence)


def _line(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), default=str).encode() + b"\n"


def _cannot_write(path: Path, failure: OSError) -> str:
    return f"{path} cannot be written ({failure.strerror or failure})"
