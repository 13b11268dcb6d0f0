"""From a journal's bytes to what happened, whatever has become of them."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from improv_core.errors import StorageError
from improv_daemon import wire
from improv_daemon.journal._checks import check, seconds
from improv_daemon.journal._format import (
    CLOSED_KEY,
    GAP_KEY,
    IN_FORCE_KEY,
    JOURNAL_VERSION,
    MIDDLE_KEY,
    VERSION_KEY,
    WALL_KEY,
    Entry,
    Gap,
    Header,
    InForce,
    WallClock,
    is_sealed,
)
from improv_daemon.journal._runs import RUN_KEY, check_run, unfinished, unpacked

_LONGEST_LINE: Final = 1 << 20
_MOST_STARTS: Final = 16
_END_OF_A_LINE: Final = re.compile(rb',"crc":"[0-9a-f]{8}"\}')


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that is missing.

    Attributes:
        count: So many lines, or messages.
        from_s: It happened after this ...
        to_s: ... and before that (monotonic seconds).
        unwritten: Whether it was never written; otherwise it cannot be read.
    """

    count: int
    from_s: float
    to_s: float
    unwritten: bool


class LineReader:
    """Reads a journal piece by piece, in order; what is damaged is left out and counted.

    Args:
        path: For sentences.

    Attributes:
        header: Its first line, once it was read, if it could be.
        version: As the header says; 0 while that is not known.
        damaged: Lines that could not be read, the first one apart.
        torn: Whether the last line, at the end, was cut short.
        closed: Whether its writer came to the end of it.
        losses: What is missing.
        latest_s: The latest moment that was read, if any was (monotonic seconds).
        walls: What the clock on the wall said after the header, and when (monotonic seconds).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.header: Header | None = None
        self.version = 0
        self.damaged = 0
        self.torn = self.closed = False
        self.losses: list[Loss] = []
        self.latest_s: float | None = None
        self.walls: list[tuple[datetime, float]] = []
        self._rest = b""
        self._is_first = True
        self._is_sealed = False
        self._damaged_here = 0

    def feed(self, chunk: bytes) -> list[Entry]:
        """What the whole lines so far say.

        Raises:
            StorageError: It was written by a newer improv.
        """
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        return [entry for line in lines for entry in self._entries(line)]

    def end(self) -> list[Entry]:
        """Nothing comes any more: what an unfinished last line says."""
        rest, self._rest = self._rest, b""
        self.torn = bool(rest)
        entries = self._rescued(rest, is_last=True)
        if self._damaged_here:
            self._lose(self.latest_s)
        return entries

    # --- lines ----------------------------------------------------------------------------------------

    def _entries(self, line: bytes) -> list[Entry]:
        if not line.strip():
            return []
        read = [] if self._is_first and self._read_header(line) else self._read(line)
        entries = self._rescued(line) if read is None else self._taken(read)
        self._is_first = False
        return entries

    def _read_header(self, line: bytes) -> bool:
        fields = _object(line) if is_sealed(line) is not False else None
        version = None if fields is None else fields.get(VERSION_KEY)
        if isinstance(version, bool) or not isinstance(version, int) or fields is None:
            return False
        if version > JOURNAL_VERSION:
            raise StorageError(
                f"{self._path} was written by a newer improv (journal version {version}, this one reads"
                f" {JOURNAL_VERSION}); update improv to read it."
            )
        self.version = version
        self._is_sealed = version >= 3
        self.header = _header(fields) if is_sealed(line) or not self._is_sealed else None
        if self.header is not None:
            self.latest_s = self.header.now_s
        return self.header is not None

    def _read(self, line: bytes) -> list[Entry] | None:
        sealed = is_sealed(line)
        if sealed is False or (sealed is None and self._is_sealed):
            return None
        self._is_sealed = self._is_sealed or bool(sealed)
        fields = _object(line)
        return None if fields is None else self._said(fields, trusted=bool(sealed))

    def _said(self, fields: dict[str, Any], *, trusted: bool) -> list[Entry] | None:
        try:
            if RUN_KEY in fields:
                if not trusted:
                    check_run(fields)
                return [Entry(message, now_s) for message, now_s in unpacked(fields)]
            now_s = seconds(fields["now_s"])
            if CLOSED_KEY in fields:
                if self._damaged_here:
                    self._lose(now_s)
                self.closed, self.latest_s = True, now_s
                return []
            message = _message(fields)
            if not trusted and not isinstance(message, Gap | WallClock | InForce):
                check(message)
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
        return [Entry(message, now_s)]

    def _rescued(self, line: bytes, *, is_last: bool = False) -> list[Entry]:
        """What a damaged line says all the same, where it is several whose newlines are lost, say.

        Args:
            line: In which something is wrong.
            is_last: Its end may just not be written yet.
        """
        entries: list[Entry] = []
        for part in _parts(line):
            whole = _whole_in(part)
            if whole is not None and self.header is None and self._read_header(whole):
                continue
            read = None if whole is None else self._read(whole)
            if read is not None:
                entries += self._taken(read)
            elif is_last and is_sealed(part) is None:
                entries += self._of_unfinished(part)
            elif self._is_first:  # the header, which is missed by name
                self._is_first = False
            else:
                self._damaged_here += 1
                self.damaged += 1
        return entries

    def _of_unfinished(self, line: bytes) -> list[Entry]:
        fields = unfinished(line)
        read = None if fields is None else self._said(fields, trusted=False)
        return [] if read is None else self._taken(read)

    def _taken(self, read: list[Entry]) -> list[Entry]:
        for entry in read:
            if self._damaged_here:
                self._lose(entry.now_s)
            if isinstance(entry.message, Gap):
                self.losses.append(self._unwritten(entry.message, entry.now_s))
            elif isinstance(entry.message, WallClock):
                self.walls.append((entry.message.at, entry.now_s))
            self.latest_s = entry.now_s
        return read

    def _lose(self, to_s: float | None) -> None:
        count, self._damaged_here = self._damaged_here, 0
        from_s = to_s if self.latest_s is None else self.latest_s
        if from_s is not None and to_s is not None:
            self.losses.append(Loss(count, from_s, to_s, unwritten=False))

    def _unwritten(self, gap: Gap, now_s: float) -> Loss:
        since_s = self.latest_s if gap.from_s is None else gap.from_s
        return Loss(gap.lost, now_s if since_s is None else since_s, now_s, unwritten=True)


def _parts(line: bytes) -> Iterator[bytes]:
    """A line cut behind whatever looks like the end of one."""
    begin = 0
    for end in _END_OF_A_LINE.finditer(line):
        yield line[begin : end.end()]
        begin = end.end()
    if line[begin:].strip(b"\0 \r\t"):
        yield line[begin:]


def _whole_in(part: bytes) -> bytes | None:
    """What ends with a part and is as it was written, whatever stands before it."""
    starts = itertools.islice(re.finditer(rb'\{"', part), _MOST_STARTS)
    return next((part[at.start() :] for at in starts if is_sealed(part[at.start() :])), None)


def _header(fields: dict[str, Any]) -> Header | None:
    try:
        return Header(
            started_at=datetime.fromisoformat(fields["started_at"]),
            now_s=seconds(fields["now_s"]),
            model=str(fields.get("model", "")),
            seed=int(fields.get("seed", 0)),
            settings=dict(fields.get("settings", {})),
            model_hash=str(fields.get("model_hash", "")),
            improv_version=str(fields.get("improv_version", "")),
            from_the_middle=bool(fields.get(MIDDLE_KEY, False)),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _message(fields: dict[str, Any]) -> wire.Message | Gap | WallClock | InForce:
    if GAP_KEY in fields:
        from_s = fields.get("from_s")
        return Gap(int(fields[GAP_KEY]), None if from_s is None else seconds(from_s))
    if WALL_KEY in fields:
        return WallClock(datetime.fromisoformat(fields[WALL_KEY]))
    if IN_FORCE_KEY in fields:
        return InForce(dict(fields[IN_FORCE_KEY]))
    return wire.from_fields(fields)


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None
