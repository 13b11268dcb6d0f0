"""Writing the journal while the music plays: nothing here waits for a disk in the event loop, or raises."""

from __future__ import annotations

import errno
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from improv_core.errors import StorageError
from improv_daemon import wire
from improv_daemon.journal._backlog import (
    MOST_WAITING,
    Backlog,
    Batch,
    Item,
    LeftOut,
    Settled,
    rationed,
    start_thread,
)
from improv_daemon.journal._encoder import Encoder, closed_line, header_line, wall_line
from improv_daemon.journal._file import DiskFile, JournalFile, cannot_write
from improv_daemon.journal._format import gap_line
from improv_daemon.journal._syncing import Syncing
from improv_daemon.journal._wall import Wall

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_MOST_UNTOLD: Final = 64


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things may take while a journal is written.

    Attributes:
        gather_s: What comes within that time is written together; about so much a killed process loses.
        sync_every_s: The disk itself has everything after that, and as long as it takes the disk.
        retry_after_s: After a failure it is tried again.
        slow_after_s: A disk that takes longer for a line does not answer.
        line_open_s: A line of pulses and wake-ups is ended when none comes for so long.
        end_within_s: Longer than that an exit does not wait for a disk.
        most_waiting: Messages that wait for a disk; of more, the newest are left out.
        forgotten_after_s: A trouble that comes again after so long without it is said again.
    """

    gather_s: float = 0.005
    sync_every_s: float = 0.5
    retry_after_s: float = 1.0
    slow_after_s: float = 3.0
    line_open_s: float = 1.0
    end_within_s: float = 5.0
    most_waiting: int = MOST_WAITING
    forgotten_after_s: float = 60.0


class JournalWriter:
    """An append-only journal, open from ``with`` to its end.

    A thread encodes and writes what the event loop puts into a bounded queue, a few milliseconds later, so
    that a killed process loses next to nothing; another brings it to the disk within about a second. While
    writing fails (a full disk) or takes long (one that hangs) all waits in memory and is written when it can
    be; what is too much for that, the newest, is left out and counted, and the journal says so in its place.
    When the file is removed, nothing is kept any more.

    Args:
        path: A file that does not exist yet.
        model: Which model plays.
        seed: What its randomness starts from.
        settings: The settings in force, as plain values.
        started_at: Wall clock; a naive one is taken as local time.
        now_s: Monotonic time of the same moment; every time in the session's files counts from here.
        on_trouble: Called with one sentence for the musician, once for each trouble: by `write`,
            `write_batch` or the end of ``with``, so in the thread of whoever calls these, never in another.
        model_hash: SHA-256 of the model's file, see `improv_daemon.models.model_hash`.
        settings_now: The settings in force, asked in the thread of whoever writes; the same object while they
            are the same. What is other than before is kept.
        pace: How long things may take.
        open_file: What to write to.
        wall: Seconds since 1970.
        clock: Monotonic seconds.
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
        model_hash: str = "",
        settings_now: Callable[[], object] | None = None,
        pace: Pace | None = None,
        open_file: Callable[[Path], JournalFile] = DiskFile,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self._pace = Pace() if pace is None else pace
        self._header = header_line(
            model=model,
            seed=seed,
            settings=settings,
            started_at=started_at,
            now_s=now_s,
            model_hash=model_hash,
        )
        self._on_trouble, self._open_file = on_trouble, open_file
        self._wall = Wall(started_at, now_s, wall, clock)
        self._clock = clock
        self._encoder = Encoder(settings)
        self._backlog = Backlog(self._pace.most_waiting, settings_now)
        self._file: JournalFile | None = None
        self._unwritten = b""
        self._latest_s = now_s
        self._busy_since_s: float | None = None
        self._is_gone = self._has_given_up = False
        self._unkept = 0
        self._troubles: deque[tuple[str, float]] = deque(maxlen=_MOST_UNTOLD)
        self._latest_of: dict[str, float] = {}

    @property
    def lost(self) -> int:
        """Messages that are in no file and will not be."""
        return self._backlog.left_out + self._unkept

    # --- the event loop's side ------------------------------------------------------------------------

    def __enter__(self) -> Self:
        """Create the file and write its first line.

        Raises:
            StorageError: The file exists already or cannot be written.
        """
        file = self._open_file(self.path)
        try:
            if file.write(self._header) < len(self._header):
                raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as failure:
            file.close()
            self.path.unlink(missing_ok=True)
            raise StorageError(f"{cannot_write(self.path, failure)}.") from None
        self._file = file
        self._syncing = Syncing(file, self._pace.sync_every_s, self._sync_failed)
        self._syncing.want()
        self._thread = start_thread(self._work, "journal")
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Bring everything to the disk and close the file; a disk that does not answer is given up."""
        if self._file is None:
            return
        self._backlog.end()
        self._thread.join(self._pace.end_within_s)
        if self._thread.is_alive():
            self._trouble(
                f"The disk of {self.path.parent} does not answer: the end of what you played may be missing "
                "there."
            )
        elif self.lost and not self._is_gone:
            count = "One message" if self.lost == 1 else f"{self.lost} messages"
            self._trouble(f"{count} of what you played could not be written to {self.path}.")
        self._tell_troubles()

    def fileno(self) -> int:
        """The open file's descriptor, -1 when it is closed."""
        return -1 if self._file is None else self._file.fileno()

    def write(self, message: wire.Message, now_s: float) -> None:
        """Keep one message as the mind saw it at ``now_s``."""
        self.write_batch((message,), now_s)

    def write_batch(self, messages: Iterable[wire.Message], now_s: float) -> None:
        """Keep several messages; never waits and never raises."""
        self._backlog.give(tuple(messages), now_s)
        busy_since_s = self._busy_since_s
        if busy_since_s is not None and self._clock() - busy_since_s > self._pace.slow_after_s:
            self._trouble(
                f"The disk of {self.path.parent} does not answer: what you play waits in memory until it "
                "does."
            )
        if self._troubles:
            self._tell_troubles()

    def flush(self, within_s: float = 1.0) -> bool:
        """Wait until all so far has reached the operating system; False where that takes longer."""
        return self._backlog.wait(within_s)

    def _tell_troubles(self) -> None:
        while self._troubles:
            sentence, at_s = self._troubles.popleft()
            before_s = self._latest_of.get(sentence, -math.inf)
            self._latest_of[sentence] = at_s
            if at_s - before_s > self._pace.forgotten_after_s:
                self._on_trouble(sentence)

    # --- the thread's side ----------------------------------------------------------------------------

    def _work(self) -> None:
        assert self._file is not None
        try:
            self._write_to_the_end()
        except Exception as failure:  # noqa: BLE001 - a thread that dies says so, and holds nobody up
            self._is_gone = True
            self._trouble(f"{self.path} is not written any more ({failure!r}): what you play is not kept.")
            while (items := self._backlog.take(self._pace.gather_s)) is not None:
                self._unkept += self._backlog.done(items)
        self._syncing.end()
        self._file.close()

    def _write_to_the_end(self) -> None:
        pace = self._pace
        while True:
            items = self._backlog.take(pace.gather_s, pace.line_open_s if self._encoder.is_open else None)
            if items is None:
                break
            self._keep(items)
        if not self._has_given_up:
            at = self._wall.at(self._latest_s)
            self._bring(self._encoder.closed() + closed_line(at, self._latest_s))

    def _keep(self, items: list[Item]) -> None:
        data = b"".join(map(self._lines, rationed(items))) if items else self._encoder.closed()
        is_kept = self._bring(data)
        count = self._backlog.done(items)
        if not is_kept:
            self._unkept += count

    def _lines(self, item: Item) -> bytes:
        match item:
            case Batch(messages, now_s):
                self._latest_s = now_s
                news = self._wall.news(now_s)
                before = b"" if news is None else self._encoder.closed() + wall_line(news, now_s)
                return before + self._encoder.encoded(messages, now_s)
            case Settled(settings, now_s):
                return self._encoder.settled(settings, now_s)
            case LeftOut(count, from_s, now_s):
                return self._encoder.closed() + gap_line(count, from_s, now_s)
        return b""

    def _bring(self, data: bytes) -> bool:
        """Write, however often it takes; False where it cannot be done."""
        if self._is_gone or self._has_given_up:
            return False
        self._unwritten += data
        while self._unwritten and not (self._is_gone or self._has_given_up):
            failure = self._append()
            if failure is None:
                self._syncing.want()
                continue
            self._tell(failure)
            if self._backlog.ending.wait(self._pace.retry_after_s):
                self._has_given_up = self._append() is not None
        return not (self._is_gone or self._has_given_up)

    def _append(self) -> OSError | None:
        assert self._file is not None
        self._busy_since_s = self._clock()
        try:
            written = self._file.write(self._unwritten)
        except OSError as failure:
            return failure
        finally:
            self._busy_since_s = None
        self._unwritten = self._unwritten[written:]
        return OSError(errno.ENOSPC, "No space left on device") if not written else None

    def _sync_failed(self, failure: OSError | None) -> None:
        if failure is not None:
            self._tell(failure)
        elif not self._is_gone:
            self._is_gone = True
            self._trouble(f"{self.path} was removed while you play: what you play from now on is not kept.")

    def _tell(self, failure: OSError) -> None:
        if failure.errno in _FULL:
            self._trouble(
                f"The disk of {self.path.parent} is full: make room on it, or what you play from now on is "
                "not kept."
            )
        else:
            self._trouble(f"{cannot_write(self.path, failure)}: what you play is not kept until it can be.")

    def _trouble(self, sentence: str) -> None:
        self._troubles.append((sentence, self._clock()))
