"""Devices at a JACK server, as a bridge to ALSA shows them, that can be unplugged."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

Timed = tuple[float, tuple[int, ...]]
"""A message with its time: (monotonic seconds, bytes)."""

_BRIDGE = "a2j"
_numbers: Iterator[int] = itertools.count(20, 4)


class _Device:
    """A client of the server, whose port is there only while it is plugged in; a context manager."""

    def __init__(self, kind: str, name: str, way: str, number: int | None = None) -> None:
        self.port_name = f"{name} [{number or next(_numbers)}] ({way}): {name} MIDI 1"
        """What follows the client's name and the colon."""
        self._kind = kind
        self._port: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._port is not None:
            self.unplug()

    def plug_in(self) -> float:
        """Appear; when it was."""
        import rtmidi

        self._port = getattr(rtmidi, self._kind)(rtmidi.API_UNIX_JACK, name=_BRIDGE)
        self._begin(self._port)
        self._port.open_virtual_port(self.port_name)
        return time.monotonic()

    def unplug(self) -> float:
        """Disappear as it stands, with keys down or notes sounding; when it was."""
        self._end(self._port)
        self._port.delete()
        self._port = None
        return time.monotonic()

    def _begin(self, port: Any) -> None:
        pass

    def _end(self, port: Any) -> None:
        pass


class Keyboard(_Device):
    """Sends what is played on it.

    Attributes:
        sent: What was sent, with the time just before it was.
    """

    def __init__(self, name: str, number: int | None = None) -> None:
        super().__init__("MidiOut", name, "capture", number)
        self.sent: list[Timed] = []

    def play(self, *data: int) -> float:
        """Send a message now; when it was."""
        at_s = time.monotonic()
        self._port.send_message(data)
        self.sent.append((at_s, data))
        return at_s


class Instrument(_Device):
    """Takes in what is played to it.

    Attributes:
        heard: What came in, with the time of its arrival.
    """

    def __init__(self, name: str, number: int | None = None) -> None:
        super().__init__("MidiIn", name, "playback", number)
        self.heard: list[Timed] = []
        self._changed = threading.Condition()

    def _begin(self, port: Any) -> None:
        port.ignore_types(sysex=True, timing=False, active_sense=True)
        port.set_callback(self._hear)

    def _end(self, port: Any) -> None:
        # Closing holds the interpreter's lock: a callback that waits for it would never end.
        port.cancel_callback()
        threading.Event().wait(0.02)

    def wait_for(self, condition: Callable[[list[Timed]], bool], timeout_s: float = 5.0) -> bool:
        """Wait until a condition on `heard` holds; whether it does."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self.heard), timeout_s)

    def _hear(self, event: tuple[list[int], float], _: object) -> None:
        with self._changed:
            self.heard.append((time.monotonic(), tuple(event[0])))
            self._changed.notify_all()
