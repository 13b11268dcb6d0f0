"""One event that arrives by two routes is one, and what is held is let go of whichever route ends it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from improv_core.ledger import (
    NOTE_OFF,
    NOTE_ON,
    RESET_CONTROLLERS,
    Bytes,
    held_by,
    is_rest,
    lets_go_of_all,
    rest_of,
)

_REMEMBERED = 1024

_What = tuple[int, int]
"""What is held: kind of message, and the key or controller, 0 where there is only one."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that counts, as of the route that what it moves is held by."""

    source: str
    data: Bytes


@dataclass(slots=True)
class _Hold:
    """A key, pedal, bend or aftertouch that is held; several routes may say so."""

    source: str
    channel: int
    down: bool = True


@dataclass(slots=True)
class _Event:
    """A message that counted, and the routes that have brought it so far."""

    at_s: float
    came_by: set[str]
    hold: _Hold | None
    plain: Bytes


class RouteMerger:
    """Leaves out what has come by another route already, and knows what each route holds.

    A keyboard that is connected directly and again through a DAW brings everything twice. An event of one
    route is the same as one that another route brought within the window if it is equal but for the channel.
    What is held is held once, in the name of the route that brought it first. It ends with the first route
    that says so, or is lost: the others have nothing more to say of it. So nothing hangs, whatever any of
    them leaves unsaid. Of more than a thousand events within one window the oldest are forgotten.
    """

    def __init__(self, window_s: float) -> None:
        """
        Args:
            window_s: How much later another route may bring the same; 0: nothing is the same.
        """
        self._window_s = window_s
        self._events: deque[_Event] = deque()
        self._by_data: dict[Bytes, deque[_Event]] = {}
        self._holds: dict[tuple[str, int, _What], _Hold] = {}
        self.merged = 0
        """Messages left out because they had come by another route."""

    def holds(self, source: str) -> bool:
        """Whether this route holds anything."""
        return any(key[0] == source and hold.down for key, hold in self._holds.items())

    def heard(self, source: str, message: Bytes, at_s: float) -> list[Arrival]:
        """What a message comes to: mostly itself, nothing if it is known already.

        Args:
            source: The route.
            message: A MIDI message; only those of a channel are merged.
            at_s: When it came.
        """
        if not message or not NOTE_OFF <= message[0] < 0xF0:
            return [Arrival(source, message)]
        channel, what = message[0] & 0x0F, held_by(message)
        if what is not None and is_rest(message):
            if (source, channel, what) in self._holds:
                return self._end(source, message, what)
            if what[0] == NOTE_ON:
                return [] if self._is_held(what) else [Arrival(source, message)]
        if lets_go_of_all(message):  # never merged: another route may hold what this one does not
            self._end_all(source, message)
            return [Arrival(source, message)]
        event = self._known(source, message, at_s)
        if event is not None:
            self.merged += 1
            return [] if what is None else self._join(source, channel, what, event.hold)
        return [self._begin(source, message, what, at_s)]

    def lost(self, source: str) -> list[Arrival]:
        """A route has gone: what it holds is let go of."""
        keys = [key for key in self._holds if key[0] == source]
        return [arrival for key in keys for arrival in self._let_go(key)]

    def _begin(self, source: str, message: Bytes, what: _What | None, at_s: float) -> Arrival:
        hold = None
        if what is not None and not is_rest(message):
            key = source, message[0] & 0x0F, what
            hold = self._holds.get(key)
            if hold is None or not hold.down:
                hold = self._holds[key] = _Hold(source, key[1])
        self._remember(_Event(at_s, {source}, hold, _plain(message)))
        return Arrival(source, message) if hold is None else _said_by(hold, message)

    def _end(self, source: str, message: Bytes, what: _What) -> list[Arrival]:
        hold = self._holds.pop((source, message[0] & 0x0F, what))
        if not hold.down:
            self.merged += 1
            return []
        hold.down = False
        return [_said_by(hold, message)]

    def _join(self, source: str, channel: int, what: _What, hold: _Hold | None) -> list[Arrival]:
        """A route says what another has said: both hold it from now on."""
        key = source, channel, what
        before = self._holds.get(key)
        arrivals = self._let_go(key) if before is not None and before is not hold else []
        if hold is not None:
            self._holds[key] = hold
        return arrivals

    def _let_go(self, key: tuple[str, int, _What]) -> list[Arrival]:
        hold = self._holds.pop(key)
        if not hold.down:
            return []
        hold.down = False
        return [Arrival(hold.source, rest_of(key[2], hold.channel))]

    def _end_all(self, source: str, message: Bytes) -> None:
        """Whoever gets the message lets go of what this route began; so do we."""
        keys_up, channel = message[1] != RESET_CONTROLLERS, message[0] & 0x0F
        for key in [key for key in self._holds if key[:2] == (source, channel)]:
            if keys_up == (key[2][0] == NOTE_ON):
                hold = self._holds.pop(key)
                hold.down = hold.down and hold.source != source

    def _is_held(self, what: _What) -> bool:
        return any(key[2] == what and hold.down for key, hold in self._holds.items())

    def _known(self, source: str, message: Bytes, at_s: float) -> _Event | None:
        """The event that another route has brought already."""
        while self._events and self._events[0].at_s < at_s - self._window_s:
            self._drop_oldest()
        for event in self._by_data.get(_plain(message), ()):
            # Stamps of two routes may be out of order.
            if source not in event.came_by and abs(at_s - event.at_s) <= self._window_s:
                event.came_by.add(source)
                return event
        return None

    def _remember(self, event: _Event) -> None:
        if self._window_s <= 0:
            return
        if len(self._events) >= _REMEMBERED:
            self._drop_oldest()
        self._events.append(event)
        self._by_data.setdefault(event.plain, deque()).append(event)

    def _drop_oldest(self) -> None:
        plain = self._events.popleft().plain
        alike = self._by_data[plain]
        alike.popleft()
        if not alike:
            del self._by_data[plain]


def _plain(message: Bytes) -> Bytes:
    """Without its channel, which a route may change."""
    return (message[0] & 0xF0, *message[1:])


def _said_by(hold: _Hold, message: Bytes) -> Arrival:
    return Arrival(hold.source, (message[0] & 0xF0 | hold.channel, *message[1:]))
