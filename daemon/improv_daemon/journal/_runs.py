"""Runs of what comes many times a second, clock pulses and wake-ups: one line for many, to the last bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from improv_daemon.wire import Message, Played, Woken

RUN_KEY: Final = "run"
_CLOCK_PULSE: Final = (0xF8,)
_LONGEST: Final = 256
_NO_LATER_S: Final = 1.0
_NS: Final = 1e9


class Run:
    """Collects pulses of one source and wake-ups in their order; pure.

    The clock of both processes counts nanoseconds, so that differences of a few digits say all; a time that
    they do not say to the last bit is refused.

    A line is ``{"run": [...], "source": ..., "from_ns": ...}``. Each item is the nanoseconds since the one
    before, or since ``from_ns``: alone it is a wake-up; with a second number, which says how long before the
    mind had it the pulse came in, it is a pulse.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._items: list[int | tuple[int, int]] = []
        self._source: str | None = None
        self._from_ns = self._last_ns = 0

    def __len__(self) -> int:
        return len(self._items)

    def takes(self, message: Message, now_s: float) -> bool:
        """Take a message if it fits; otherwise the run is over."""
        now_ns = _exact_ns(now_s)
        if now_ns is None or len(self) >= _LONGEST or (self._items and self._is_over(now_ns)):
            return False
        match message:
            case Woken():
                self._take(now_ns, None)
                return True
            case Played(data, at_s, source) if data == _CLOCK_PULSE and self._source in (None, source):
                at_ns = _exact_ns(at_s)
                if at_ns is None:
                    return False
                self._take(now_ns, now_ns - at_ns)
                self._source = source
                return True
        return False

    def line(self) -> dict[str, Any]:
        """All of it; the next run begins empty."""
        fields: dict[str, Any] = {RUN_KEY: self._items, "source": self._source, "from_ns": self._from_ns}
        self._begin()
        return fields

    def _is_over(self, now_ns: int) -> bool:
        return not 0 <= now_ns - self._from_ns <= _NO_LATER_S * _NS

    def _take(self, now_ns: int, waited_ns: int | None) -> None:
        if not self._items:
            self._from_ns = self._last_ns = now_ns
        since_ns, self._last_ns = now_ns - self._last_ns, now_ns
        self._items.append(since_ns if waited_ns is None else (since_ns, waited_ns))


def unpacked(fields: Mapping[str, Any]) -> Iterator[tuple[Message, float]]:
    """The messages of a line, each with the time that the mind had it.

    Raises:
        TypeError, ValueError, KeyError: It is damaged.
    """
    now_ns, source = _whole(fields["from_ns"]), fields["source"]
    for item in fields[RUN_KEY]:
        since_ns, *waited_ns = item if isinstance(item, list) else (item,)
        now_ns += _whole(since_ns)
        if not waited_ns:
            yield Woken(), now_ns / _NS
            continue
        (one_ns,) = waited_ns
        if not isinstance(source, str):
            raise TypeError(source)
        yield Played(_CLOCK_PULSE, (now_ns - _whole(one_ns)) / _NS, source), now_ns / _NS


def _exact_ns(at_s: float) -> int | None:
    """Nanoseconds that say a time to the last bit; None where none do."""
    at_ns = round(at_s * _NS)
    return at_ns if at_ns / _NS == at_s else None


def _whole(number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(number)
    return number
