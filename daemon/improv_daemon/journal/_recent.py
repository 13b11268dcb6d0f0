"""The last minutes of a sitting in memory, so that they can be kept afterwards."""

from __future__ import annotations

import threading
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
from improv_daemon.journal._encoder import Encoder, closed_line, flat, header_line
from improv_daemon.journal._file import DiskFile, cannot_write
from improv_daemon.journal._format import gap_line, message_line
from improv_daemon.journal._wall import Wall

MOST_BYTES: Final = 64_000_000
"""Ten minutes are a megabyte or two; more than this is never held."""

_GATHER_S: Final = 0.25
_FLUSH_WITHIN_S: Final = 5.0
_END_WITHIN_S: Final = 1.0
_CONTROL, _PROGRAM, _BEND = 0xB0, 0xC0, 0xE0
_Standing = dict[tuple[object, ...], wire.Message]
"""How things stand: the latest message of each kind that says something for good."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """What came within a moment.

    Attributes:
        lines: Whole.
        messages: How many.
        from_s: Time of the first (monotonic seconds).
        to_s: Time of the last.
        standing: How things stand after it, as far as it says so.
        settings: Those that are others after it, by key.
    """

    lines: bytes
    messages: int
    from_s: float
    to_s: float
    standing: _Standing
    settings: Mapping[str, Any]


class RecentJournal:
    """Keeps the last span of a sitting, encoded, on a thread; see `JournalWriter` for the arguments.

    Args:
        span_s: How long it is.
        model: Which model plays.
        seed: What its randomness starts from.
        settings: The settings in force at the beginning.
        started_at: Wall clock; a naive one is taken as local time.
        now_s: Monotonic time of the same moment.
        model_hash: SHA-256 of the model's file.
        settings_now: The settings in force, asked by whoever writes.
        most_bytes: More than that is not held: the span is shorter then.
        gather_s: What comes within that time is encoded together.
        most_waiting: Messages that wait to be encoded; of more, the newest are left out.
        wall: Seconds since 1970.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        span_s: float,
        *,
        model: str,
        seed: int,
        settings: Mapping[str, Any],
        started_at: datetime,
        now_s: float,
        model_hash: str = "",
        settings_now: Callable[[], object] | None = None,
        most_bytes: int = MOST_BYTES,
        gather_s: float = _GATHER_S,
        most_waiting: int = MOST_WAITING,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._span_s, self._most_bytes, self._gather_s = span_s, most_bytes, gather_s
        self._model, self._seed, self._model_hash = model, seed, model_hash
        self._settings = _nested(settings)
        self._wall = Wall(started_at, now_s, wall, clock)
        self._started_s = self._from_s = now_s
        self._encoder = Encoder(settings)
        self._backlog = Backlog(most_waiting, settings_now)
        self._stretches: deque[_Stretch] = deque()
        self._standing: _Standing = {}
        self._size = 0
        self._left_out = 0
        self._changing = threading.Lock()
        self._thread = start_thread(self._work, "recent-journal")

    # --- the event loop's side ------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Forget everything."""
        self._backlog.end()
        self._thread.join(_END_WITHIN_S)

    @property
    def left_out(self) -> int:
        """Messages of the span that are not there, because they were too many."""
        return self._left_out + self._backlog.left_out

    def write(self, message: wire.Message, now_s: float) -> None:
        """Keep one message as the mind saw it at ``now_s``."""
        self.write_batch((message,), now_s)

    def write_batch(self, messages: Iterable[wire.Message], now_s: float) -> None:
        """Keep several messages; never waits and never raises."""
        self._backlog.give(tuple(messages), now_s)

    # --- any thread -----------------------------------------------------------------------------------

    def keep(self, path: Path) -> float:
        """Write what there is as a journal of its own; it goes on being kept here, too.

        Takes as long as the disk, so let a thread do it.

        Args:
            path: A file that does not exist yet.

        Returns:
            How long it is, in seconds; 0 where nothing has happened.

        Raises:
            StorageError: The file exists already or cannot be written.
        """
        self.flush()
        with self._changing:
            stretches, lines = list(self._stretches), self._opening()
            from_s, to_s = self._from_s, self._stretches[-1].to_s if self._stretches else self._from_s
        lines += [stretch.lines for stretch in stretches]
        _write(path, [*lines, closed_line(self._wall.at(to_s), to_s)])
        return to_s - from_s

    def flush(self, within_s: float = _FLUSH_WITHIN_S) -> bool:
        """Wait until all so far is encoded; False where that takes longer."""
        return self._backlog.wait(within_s)

    def _opening(self) -> list[bytes]:
        header = header_line(
            model=self._model,
            seed=self._seed,
            model_hash=self._model_hash,
            settings=self._settings,
            started_at=self._wall.at(self._from_s),
            now_s=self._from_s,
            from_the_middle=self._from_s > self._started_s,
        )
        return [header, *(message_line(message, self._from_s) for message in self._standing.values())]

    # --- the thread's side ----------------------------------------------------------------------------

    def _work(self) -> None:
        while (items := self._backlog.take(self._gather_s)) is not None:
            try:
                stretch = self._stretch(items)
            except Exception:  # noqa: BLE001 - what cannot be encoded is counted, and what comes is kept
                stretch = None
                self._left_out += sum(len(item.messages) for item in items if isinstance(item, Batch))
            if stretch is not None:
                with self._changing:
                    self._add(stretch)
            self._backlog.done(items)

    def _stretch(self, items: list[Item]) -> _Stretch | None:
        lines, times_s, count = list[bytes](), list[float](), 0
        standing, settings = _Standing(), dict[str, Any]()
        for item in rationed(items):
            match item:
                case Batch(messages, now_s):
                    lines.append(self._encoder.encoded(messages, now_s))
                    standing |= {key: one for one in messages if (key := _stands_for(one)) is not None}
                    count += len(messages)
                case Settled(now, now_s):
                    lines.append(self._encoder.settled(now, now_s))
                    settings |= flat(now)
                case LeftOut(missing, from_s, now_s):
                    lines.append(self._encoder.closed() + gap_line(missing, from_s, now_s))
                case _:
                    continue
            times_s.append(now_s)
        if not times_s:
            return None
        whole = b"".join([*lines, self._encoder.closed()])
        return _Stretch(whole, count, times_s[0], times_s[-1], standing, settings)

    def _add(self, stretch: _Stretch) -> None:
        self._stretches.append(stretch)
        self._size += len(stretch.lines)
        while self._stretches[0].to_s < stretch.to_s - self._span_s:
            self._forget()
        while self._size > self._most_bytes and len(self._stretches) > 1:
            self._left_out += self._stretches[0].messages
            self._forget()

    def _forget(self) -> None:
        oldest = self._stretches.popleft()
        self._size -= len(oldest.lines)
        self._standing |= oldest.standing
        for key, value in oldest.settings.items():
            section, _, name = key.rpartition(".")
            (self._settings.setdefault(section, {}) if section else self._settings)[name] = value
        self._from_s = self._stretches[0].from_s


def _stands_for(message: wire.Message) -> tuple[object, ...] | None:
    """What a message says for good, until the next that says the same."""
    match message:
        case wire.SetVoice(part=part):
            return "voice", part
        case wire.KeepTime() | wire.Withhold() | wire.Ready() | wire.PortsChanged() | wire.PedalMoved():
            return (type(message).__name__,)
        case wire.Played(data, _, source) if len(data) > 1:
            kind = data[0] & 0xF0
            if kind in (_PROGRAM, _BEND):
                return source, data[0]
            if kind == _CONTROL:
                return source, data[0], data[1]
    return None


def _nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A copy whose sections can be changed."""
    return {key: dict(value) if isinstance(value, Mapping) else value for key, value in settings.items()}


def _write(path: Path, lines: Iterable[bytes]) -> None:
    file = DiskFile(path)
    try:
        data = memoryview(b"".join(lines))
        while data:
            data = data[file.write(bytes(data[: 1 << 20])) :]
        file.sync()
    except OSError as failure:
        path.unlink(missing_ok=True)
        raise StorageError(f"{cannot_write(path, failure)}.") from None
    finally:
        file.close()
