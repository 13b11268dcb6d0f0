"""From the driver's threads to the stage: stamped, bounded, with one wake-up pending at most."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from dataclasses import dataclass

_NOTE_OFF, _NOTE_ON = 0x80, 0x90
_SYSTEM, _SONG_POSITION, _CLOCK = 0xF0, 0xF2, 0xF8
_LENGTHS = {
    **{0x80: 3, 0x90: 3, 0xA0: 3, 0xB0: 3},  # notes, aftertouch of keys, controllers
    **{0xC0: 2, 0xD0: 2, 0xE0: 3},  # program, aftertouch of the channel, pitch wheel
    **{_SONG_POSITION: 3, _CLOCK: 1, 0xFA: 1, 0xFB: 1, 0xFC: 1},  # clock, start, continue, stop
}
_LATEST_KEPT_BACK_S = 0.02


@dataclass(frozen=True, slots=True)
class Stamped:
    """A MIDI message with the monotonic time of its arrival at the port called `source`."""

    data: tuple[int, ...]
    at_s: float
    source: str


class Stamper:
    """Times of one port's messages: evenly spaced as the driver saw them, never far from arrival.

    The driver's delta times are exact but drift; arrival here is late by however long a thread waited.
    """

    def __init__(self) -> None:
        self._previous_s = float("-inf")

    def stamp(self, delta_s: float, arrival_s: float) -> float:
        """The time of a message that follows the previous one by `delta_s`."""
        candidate_s = self._previous_s + delta_s
        if not arrival_s - _LATEST_KEPT_BACK_S <= candidate_s <= arrival_s:
            candidate_s = arrival_s
        self._previous_s = candidate_s
        return candidate_s


class WakeUp:
    """A file descriptor that becomes readable when another thread, or a signal, wants to be heard."""

    def __init__(self) -> None:
        self.read_fd, self.write_fd = os.pipe()
        os.set_blocking(self.read_fd, False)
        os.set_blocking(self.write_fd, False)

    def wake(self) -> None:
        """Make `read_fd` readable."""
        with contextlib.suppress(BlockingIOError):  # full: it is readable already
            os.write(self.write_fd, b"\0")

    def clear(self) -> None:
        """Make `read_fd` unreadable until the next `wake`."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.read_fd, 4096)

    def close(self) -> None:
        """Close both ends."""
        os.close(self.read_fd)
        os.close(self.write_fd)


class Inbox:
    """What came in and was not taken yet.

    When full, note-ons and clock pulses are dropped and counted; of everything else the latest message is
    kept for each key and controller, and of start, continue and stop the latest, so that no release is ever
    lost. Any thread may put, one takes; neither ever waits for the other.
    """

    def __init__(self, wake_up: WakeUp, size: int = 1024) -> None:
        self._wake_up = wake_up
        self._size = size
        self._messages: deque[Stamped] = deque()
        self._owed: dict[tuple[str, int, int], Stamped] = {}
        self._wake_pending = False
        self.dropped = 0

    def put(self, message: Stamped) -> None:
        """Take a message in; those that say nothing of music or its time are ignored, and broken ones."""
        status = message.data[0] if message.data else 0
        kind = status if status >= _SYSTEM else status & 0xF0
        if len(message.data) != _LENGTHS.get(kind):
            return
        is_off = kind == _NOTE_OFF or (kind == _NOTE_ON and message.data[2] == 0)
        # While releases wait beside the full queue, nothing may enter the queue and overtake them.
        if len(self._messages) < self._size and not self._owed:
            self._messages.append(message)
        elif (kind == _NOTE_ON and not is_off) or kind == _CLOCK:
            self.dropped += 1
        else:
            self._owe(message, is_off=is_off)
        if not self._wake_pending:
            self._wake_pending = True
            self._wake_up.wake()

    def _owe(self, message: Stamped, *, is_off: bool) -> None:
        status = message.data[0]
        if status >= _SYSTEM:
            key = (message.source, _SONG_POSITION if status == _SONG_POSITION else _SYSTEM, 0)
        else:
            which = 0 if status & 0xF0 in (0xC0, 0xD0, 0xE0) else message.data[1]
            key = (message.source, _NOTE_OFF | status & 0x0F if is_off else status, which)
        self._owed[key] = message

    def take(self, limit: int) -> list[Stamped]:
        """At most `limit` messages, in order of arrival; call until it returns none."""
        self._wake_pending = False
        taken: list[Stamped] = []
        while len(taken) < limit and self._messages:
            taken.append(self._messages.popleft())
        if not self._messages:
            for key in list(self._owed)[: limit - len(taken)]:
                taken.append(self._owed.pop(key))
        return taken

    @property
    def empty(self) -> bool:
        """Nothing waits to be taken."""
        return not (self._messages or self._owed)
