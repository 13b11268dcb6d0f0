"""How a journal's lines look, and what stands in them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from improv_daemon import wire

JOURNAL_VERSION: Final = 3
"""1 had a line for each clock pulse and wake-up, 2 had no check sums; both are read, too."""

VERSION_KEY: Final = "improv_journal"
GAP_KEY: Final = "lost_lines"
WALL_KEY: Final = "wall_at"
IN_FORCE_KEY: Final = "in_force"
CLOSED_KEY: Final = "closed_at"
MIDDLE_KEY: Final = "from_the_middle"

_MARK: Final = b',"crc":"'
SEAL_SIZE: Final = len(_MARK) + 8 + len(b'"}')
"""Bytes of what a line ends with."""

_to_json = json.JSONEncoder(separators=(",", ":"), default=str).encode


@dataclass(frozen=True, slots=True)
class Header:
    """The first line.

    Attributes:
        started_at: Wall clock with its offset.
        now_s: Monotonic time of the same moment.
        model: Which model played.
        seed: What its randomness started from.
        settings: The settings that were in force.
        model_hash: SHA-256 of the model's file, empty where it was not told.
        improv_version: Of the improv that wrote it, empty where it was not told.
        from_the_middle: Whether the sitting had begun before, as in what is kept of the last ten minutes.
        is_whole: Whether the line could be read; otherwise only the times stand for something.
    """

    started_at: datetime
    now_s: float
    model: str
    seed: int
    settings: dict[str, Any]
    model_hash: str = ""
    improv_version: str = ""
    from_the_middle: bool = False
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Gap:
    """So many messages could not be written here (a full disk, a disk that does not answer).

    Attributes:
        lost: How many.
        from_s: When the mind had the first of them, as far as that is known (monotonic seconds).
    """

    lost: int
    from_s: float | None = None


@dataclass(frozen=True, slots=True)
class WallClock:
    """What the clock on the wall said: it parts from the monotonic one when it is set, or the machine sleeps.

    Attributes:
        at: With its offset.
    """

    at: datetime


@dataclass(frozen=True, slots=True)
class InForce:
    """Settings that are others from now on, by whatever way that came about.

    Attributes:
        values: By key, as ``answer.length_ratio``; the others are as before.
    """

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """What mind or stage said, and when the mind saw it (monotonic seconds)."""

    message: wire.Message | Gap | WallClock | InForce
    now_s: float


def line_of(fields: Mapping[str, Any]) -> bytes:
    """A whole line, with its check sum and its end."""
    opened = _to_json(fields).encode()[:-1]
    return opened + seal_of(zlib.crc32(opened))


def seal_of(crc: int) -> bytes:
    """What ends a line, after its last value, when what stands before has this CRC-32."""
    return b'%b%08x"}\n' % (_MARK, crc)


def is_sealed(line: bytes) -> bool | None:
    """Whether a line, without its end, is as it was written; None: it has no check sum."""
    if line[-SEAL_SIZE : 8 - SEAL_SIZE] != _MARK or line[-2:] != b'"}':
        return None
    opened = line[:-SEAL_SIZE]
    return line[8 - SEAL_SIZE : -2] == b"%08x" % zlib.crc32(opened)


def message_line(message: wire.Message, now_s: float) -> bytes:
    """The line of a message."""
    fields = wire.to_fields(message)
    fields["now_s"] = now_s
    return line_of(fields)


def gap_line(lost: int, from_s: float, now_s: float) -> bytes:
    """The line for what could not be written."""
    return line_of({GAP_KEY: lost, "from_s": from_s, "now_s": now_s})
