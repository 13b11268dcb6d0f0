"""Runs of what comes many times a second, clock pulses and wake-ups: one line for many, to the last bit."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from improv_daemon.journal._format import seal_of
from improv_daemon.wire import Message, Played, Woken

RUN_KEY: Final = "run"
_CLOCK_PULSE: Final = (0xF8,)
_LONGEST: Final = 256
_NO_LATER_S: Final = 1.0
_NS: Final = 1e9
_WOKEN: Final = Woken()
_LATEST_NS: Final = 1 << 62


class Run:
    """Makes a line that grows as pulses of one source and wake-ups come; pure.

    It grows in the file as well, item by item, so that a process that is killed loses none of those that were
    written; whoever reads a line without an end takes its whole items.

    The clock of both processes counts nanoseconds, so that differences of a few digits say all; a time that
    they do not say to the last bit is refused.

    A line is ``{"source": ..., "from_ns": ..., "run": [...]}``. Each item is the nanoseconds since the one
    before, or since ``from_ns``: one number is a wake-up; with a second one, which says how long before the
    mind had it the pulse came in, it is a pulse.
    """

    def __init__(self) -> None:
        self._count = self._crc = self._from_ns = self._last_ns = 0
        self._source: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether its line has begun and has no end yet."""
        return self._count > 0

    def takes(self, message: Message, now_s: float) -> bytes | None:
        """What a message adds to the line; None if it does not fit, or only once the line is closed."""
        now_ns = _exact_ns(now_s)
        if now_ns is None or (self.is_open and self._is_over(now_ns)):
            return None
        match message:
            case Woken():
                return self._grown_by(now_ns, None)
            case Played(data, at_s, source) if data == _CLOCK_PULSE:
                at_ns = _exact_ns(at_s)
                if at_ns is None or (self.is_open and source != self._source):
                    return None
                self._source = source
                return self._grown_by(now_ns, now_ns - at_ns)
        return None

    def close(self) -> bytes:
        """The end of its line, if it is open."""
        if not self.is_open:
            return b""
        self._count = 0
        return b"]" + seal_of(zlib.crc32(b"]", self._crc))

    def _is_over(self, now_ns: int) -> bool:
        return self._count >= _LONGEST or not 0 <= now_ns - self._from_ns <= _NO_LATER_S * _NS

    def _grown_by(self, now_ns: int, waited_ns: int | None) -> bytes:
        begun = b","
        if not self.is_open:
            self._from_ns = self._last_ns = now_ns
            begun = b'{"source":%b,"from_ns":%d,"run":[' % (json.dumps(self._source).encode(), now_ns)
            self._crc = 0
        since_ns, self._last_ns = now_ns - self._last_ns, now_ns
        item = b"[%d]" % since_ns if waited_ns is None else b"[%d,%d]" % (since_ns, waited_ns)
        self._count += 1
        self._crc = zlib.crc32(item, zlib.crc32(begun, self._crc))
        return begun + item


def unpacked(fields: Mapping[str, Any]) -> Iterator[tuple[Message, float]]:
    """The messages of a line that is as it was written, each with the time that the mind had it."""
    now_ns, source = fields["from_ns"], fields["source"]
    for item in fields[RUN_KEY]:
        since_ns, *waited_ns = item if isinstance(item, list) else (item,)
        now_ns += since_ns
        if waited_ns:
            yield Played(_CLOCK_PULSE, (now_ns - waited_ns[0]) / _NS, source), now_ns / _NS
        else:
            yield _WOKEN, now_ns / _NS


def check_run(fields: Mapping[str, Any]) -> None:
    """Refuse a line that nobody can have written.

    Raises:
        TypeError, ValueError, KeyError: It is damaged.
    """
    _whole(fields["from_ns"])
    for item in fields[RUN_KEY]:
        numbers = item if isinstance(item, list) else [item]
        if not 1 <= len(numbers) <= 2 or (len(numbers) == 2 and not isinstance(fields["source"], str)):
            raise ValueError(item)
        for number in numbers:
            _whole(number)


def unfinished(line: bytes) -> dict[str, Any] | None:
    """The fields of a run's line that lacks its end, with its whole items; None if it is no such line."""
    try:
        fields = json.loads(line[: line.rindex(b"]") + 1] + b"]}")
        check_run(fields)
        times_s = [now_s for _, now_s in unpacked(fields)]
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None
    return dict(fields) if times_s and times_s[-1] - times_s[0] <= _NO_LATER_S else None


def _exact_ns(at_s: float) -> int | None:
    """Nanoseconds that say a time to the last bit; None where none do."""
    at_ns = round(at_s * _NS)
    return at_ns if at_ns / _NS == at_s else None


def _whole(number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(number)
    if abs(number) > _LATEST_NS:
        raise ValueError(number)
    return number
