"""Reading a journal back, however the session ended."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from improv_core.errors import StorageError
from improv_daemon import wire
from improv_daemon.journal._lock import try_lock, unlock
from improv_daemon.journal._runs import RUN_KEY, unpacked

JOURNAL_VERSION = 2
"""1 had a line for each clock pulse and wake-up, and is read too."""
VERSION_KEY = "improv_journal"
GAP_KEY = "lost_lines"
_LONGEST_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class Header:
    """The first line.

    Attributes:
        started_at: Wall clock with its offset.
        now_s: Monotonic time of the same moment.
        model: Which model played.
        seed: What its randomness started from.
        settings: The settings that were in force.
    """

    started_at: datetime
    now_s: float
    model: str
    seed: int
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Gap:
    """So many lines could not be written here (a full disk)."""

    lost: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What mind or stage said, and when the mind saw it (monotonic seconds)."""

    message: wire.Message | Gap
    now_s: float


@dataclass(frozen=True, slots=True)
class Journal:
    """A whole journal.

    Attributes:
        path: Where it was read.
        header: Its first line.
        entries: Of every line that could be read, in order.
        damaged: How many lines could not.
        torn: Whether the last line is cut short, as when the process was killed while writing it.
    """

    path: Path
    header: Header
    entries: tuple[Entry, ...]
    damaged: int
    torn: bool

    @property
    def lost(self) -> int:
        """How many lines could not be written while playing."""
        return sum(entry.message.lost for entry in self.entries if isinstance(entry.message, Gap))

    @property
    def end_s(self) -> float:
        """The latest moment that the journal knows of (monotonic seconds)."""
        return max((self.header.now_s, *(entry.now_s for entry in self.entries)))

    @property
    def problems(self) -> tuple[str, ...]:
        """What is missing from the journal, in sentences for the musician."""
        sentences = []
        if self.damaged:
            sentences.append(
                f"{_lines(self.damaged)} of {self.path} could not be read and {_are(self.damaged)} left out."
            )
        if self.lost:
            sentences.append(f"{_lines(self.lost)} of {self.path} could not be written while you played.")
        return tuple(sentences)


def read_journal(path: Path) -> Journal:
    """Read a journal; a torn last line and damaged lines are left out and counted.

    Raises:
        StorageError: The file is missing, empty, not a journal of ours, or newer than this improv.
    """
    try:
        with path.open("rb") as file:
            header = _header(path, file.readline(_LONGEST_LINE))
            return _entries(path, header, file)
    except FileNotFoundError:
        raise StorageError(f"There is no file {path}.") from None
    except OSError as failure:
        raise StorageError(f"{path} cannot be read ({failure.strerror or failure}).") from None


def is_being_written(path: Path) -> bool:
    """Whether an improv that runs now is still writing this journal."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        if not try_lock(fd):
            return True
        unlock(fd)
        return False
    finally:
        os.close(fd)


def _header(path: Path, line: bytes) -> Header:
    if not line:
        raise StorageError(f"{path} is empty, not a session journal.")
    fields = _object(line)
    version = fields.get(VERSION_KEY) if fields is not None else None
    if fields is None or isinstance(version, bool) or not isinstance(version, int):
        raise StorageError(f"{path} is not a session journal of improv.")
    if version > JOURNAL_VERSION:
        raise StorageError(
            f"{path} was written by a newer improv (journal version {version}, this one reads"
            f" {JOURNAL_VERSION}); update improv to read it."
        )
    try:
        return Header(
            started_at=datetime.fromisoformat(fields["started_at"]),
            now_s=_seconds(fields["now_s"]),
            model=str(fields.get("model", "")),
            seed=int(fields.get("seed", 0)),
            settings=dict(fields.get("settings", {})),
        )
    except (KeyError, TypeError, ValueError):
        raise StorageError(f"The first line of {path} is damaged, so the session cannot be read.") from None


def _entries(path: Path, header: Header, file: IO[bytes]) -> Journal:
    entries: list[Entry] = []
    damaged = 0
    torn = False
    for line in file:
        torn = not line.endswith(b"\n")
        read = _read(line)
        if read is not None:
            entries += read
        elif not torn and line.strip():
            damaged += 1
    return Journal(path, header, tuple(entries), damaged, torn)


def _read(line: bytes) -> list[Entry] | None:
    fields = _object(line)
    if fields is None:
        return None
    try:
        if RUN_KEY in fields:
            return [Entry(message, now_s) for message, now_s in unpacked(fields)]
        now_s = _seconds(fields["now_s"])
        if GAP_KEY in fields:
            return [Entry(Gap(int(fields[GAP_KEY])), now_s)]
        message = wire.from_fields(fields)
        _check(message)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return [Entry(message, now_s)]


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _check(message: wire.Message) -> None:
    """Refuse what a flipped bit makes of the messages that performances are made of."""
    match message:
        case wire.Played():
            _seconds(message.at_s)
            if not all(_whole(byte, 0, 255) for byte in message.data):
                raise ValueError(message)
        case wire.Sounded() | wire.Released():
            _seconds(message.at_s)
            velocity = message.velocity if isinstance(message, wire.Sounded) else 1
            numbers = _whole(message.turn) and _whole(message.index)
            if not (numbers and _whole(message.pitch, 0, 127) and _whole(velocity, 1, 127)):
                raise ValueError(message)
        case wire.Counts():
            if not _whole(message.merged):
                raise ValueError(message)
        case wire.Withhold():
            if not all(_whole(number) for number in (*message.places, *message.keys)):
                raise ValueError(message)
        case wire.KeepTime():
            _seconds(message.origin_s)
            beat_s = _seconds(message.beat_s)
            if not (_whole(message.beats_per_bar, 1, 255) and (beat_s == 0 or 0.01 <= beat_s <= 100.0)):
                raise ValueError(message)
        case wire.SetVoice():
            _seconds(message.pan)
            if not (_whole(message.program, 0, 128) and _whole(message.volume, 0, 127)):
                raise ValueError(message)
        case wire.PedalMoved():
            _seconds(message.at_s)
            if not _whole(message.value, 0, 127):
                raise ValueError(message)


def _whole(value: object, lowest: int = 0, highest: int = 1 << 62) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"not a time in seconds: {value!r}")
    return float(value)


def _lines(count: int) -> str:
    return "One line" if count == 1 else f"{count} lines"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
