"""Reading a journal back, however the session ended."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from improv_core.errors import StorageError
from improv_daemon.journal._format import Entry, Gap, Header, InForce, WallClock
from improv_daemon.journal._lines import LineReader, Loss
from improv_daemon.journal._lock import is_locked

__all__ = [
    "Entry",
    "Gap",
    "Header",
    "InForce",
    "Journal",
    "Loss",
    "WallClock",
    "header_of",
    "is_being_written",
    "read_journal",
    "what_is_missing",
]

_CHUNK_BYTES: Final = 1 << 18
_SURE_AFTER_BYTES: Final = 1 << 22
_MOST_STRETCHES: Final = 5


@dataclass(frozen=True, slots=True)
class Journal:
    """A whole journal.

    Attributes:
        path: Where it was read.
        header: Its first line.
        entries: Of every line that could be read, in order.
        damaged: How many lines could not.
        torn: Whether the last line is cut short, as when the process was killed while writing it.
        closed: Whether improv ended it itself; False for those of versions before 3, too.
        losses: What is missing, in order.
        walls: What the clock on the wall said now and then, and when that was (monotonic seconds).
    """

    path: Path
    header: Header
    entries: tuple[Entry, ...]
    damaged: int
    torn: bool
    closed: bool = False
    losses: tuple[Loss, ...] = ()
    walls: tuple[tuple[datetime, float], ...] = ()

    @property
    def lost(self) -> int:
        """How many messages could not be written while playing."""
        return sum(entry.message.lost for entry in self.entries if isinstance(entry.message, Gap))

    @property
    def end_s(self) -> float:
        """The latest moment that the journal knows of (monotonic seconds)."""
        return max((self.header.now_s, *(entry.now_s for entry in self.entries)))

    @property
    def problems(self) -> tuple[str, ...]:
        """What is missing from the journal, and when, in sentences for the musician; see `cut_short`, too."""
        sentences = []
        if not self.header.is_whole:
            sentences.append(f"The first line of {self.path} is damaged: its settings are not known.")
        damaged, unwritten = (
            [loss for loss in self.losses if loss.unwritten is told] for told in (False, True)
        )
        if self.damaged:
            sentences.append(
                f"{_lines(self.damaged)} of {self.path} could not be read and {_are(self.damaged)} left out"
                f"{self._when(damaged)}."
            )
        if unwritten:
            count = sum(loss.count for loss in unwritten)
            sentences.append(
                f"{_messages(count)} could not be written to {self.path} while you played"
                f"{self._when(unwritten)}."
            )
        return tuple(sentences)

    @property
    def cut_short(self) -> str | None:
        """A sentence that says until when the journal goes, if improv did not end it itself."""
        if self.closed or self.is_old:
            return None
        until = clock_text(self.end_s - self.header.now_s)
        return f"{self.path} ends at {until}, where improv was stopped; what came after is not known."

    @property
    def is_old(self) -> bool:
        """Whether an improv wrote it that did not say that a journal is at its end."""
        return self.header.is_whole and not self.header.improv_version

    def at(self, now_s: float) -> datetime:
        """What the clock on the wall said at a moment (monotonic seconds)."""
        wall, told_s = self.header.started_at, self.header.now_s
        for at, at_s in self.walls:
            if at_s <= now_s:
                wall, told_s = at, at_s
        return wall + timedelta(seconds=now_s - told_s)

    def _when(self, losses: Iterable[Loss]) -> str:
        stretches = dict.fromkeys(
            (clock_text(loss.from_s - self.header.now_s), clock_text(loss.to_s - self.header.now_s))
            for loss in losses
        )
        told = [f"from {begin} to {end}" if begin != end else f"at {begin}" for begin, end in stretches]
        more = f" and {len(told) - _MOST_STRETCHES} times more" if len(told) > _MOST_STRETCHES else ""
        return f" ({', '.join(told[:_MOST_STRETCHES])}{more})" if told else ""


def read_journal(path: Path, progress: Callable[[float], None] = lambda done: None) -> Journal:
    """Read a journal; an unfinished last line and damaged lines are left out and counted.

    Args:
        path: The file.
        progress: Called now and then with what share of it is read, 0..1.

    Raises:
        StorageError: The file is missing, empty, not a journal of ours, or newer than this improv.
    """
    reader, entries = LineReader(path), list[Entry]()
    try:
        with path.open("rb") as file:
            told = os.fstat(file.fileno())
            while chunk := file.read(_CHUNK_BYTES):
                entries += reader.feed(chunk)
                progress(min(1.0, file.tell() / max(1, told.st_size)))
                if file.tell() > _SURE_AFTER_BYTES and not (entries or reader.header):
                    break  # a film, say
    except FileNotFoundError:
        raise StorageError(f"There is no file {path}.") from None
    except OSError as failure:
        raise StorageError(f"{path} cannot be read ({failure.strerror or failure}).") from None
    entries += reader.end()
    header = header_of(reader, entries, path, told.st_size, told.st_mtime)
    return Journal(
        path,
        header,
        tuple(entries),
        reader.damaged,
        reader.torn,
        reader.closed,
        tuple(reader.losses),
        tuple(reader.walls),
    )


def header_of(reader: LineReader, entries: list[Entry], path: Path, size: int, changed_at: float) -> Header:
    """The header that was read, or what can be known of it where it is damaged.

    Args:
        reader: That has read what there is.
        entries: What it has read.
        path: For sentences.
        size: Of the file.
        changed_at: When it was written to last (seconds since 1970).

    Raises:
        StorageError: There is nothing to be known.
    """
    if reader.header is not None:
        return reader.header
    if not size:
        raise StorageError(f"{path} is empty, not a session journal.")
    if not entries and reader.version:
        raise StorageError(f"The first line of {path} is damaged, so the session cannot be read.")
    if not entries:
        raise StorageError(f"{path} is not a session journal of improv.")
    begun_s, end_s = entries[0].now_s, max(entry.now_s for entry in entries)
    at, told_s = next(iter(reader.walls), (datetime.fromtimestamp(changed_at, UTC).astimezone(), end_s))
    unknown = Header(at - timedelta(seconds=told_s - begun_s), begun_s, "", 0, {})
    return replace(unknown, is_whole=False)


def is_being_written(path: Path) -> bool:
    """Whether an improv that runs now is still writing this journal."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return is_locked(fd) is True
    finally:
        os.close(fd)


def what_is_missing(journal: Journal) -> tuple[str, ...]:
    """All that whoever makes something of a journal has to say of it: its problems, and how it ends."""
    if journal.cut_short is None:
        return journal.problems
    if is_being_written(journal.path):
        until = clock_text(journal.end_s - journal.header.now_s)
        return (
            *journal.problems,
            f"{journal.path} is being recorded now; this is what it holds until {until}.",
        )
    return (*journal.problems, journal.cut_short)


def clock_text(time_s: float) -> str:
    """A time as minutes and seconds, with hours where there are any: ``1:02:03``."""
    minutes, seconds = divmod(max(0, int(time_s)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _lines(count: int) -> str:
    return "One line" if count == 1 else f"{count} lines"


def _messages(count: int) -> str:
    return "One message" if count == 1 else f"{count} messages"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
