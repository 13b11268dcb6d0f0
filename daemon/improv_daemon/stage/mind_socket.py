"""The stage's end of the socket to the mind; it never makes the stage wait."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator

from improv_daemon.wire import Message, encode

_CHUNK = 4096  # small, so that reading a burst of commands does not hold up a note
_LARGEST_UNSENT = 1 << 20


class MindSocket:
    """Reads commands, says events. Events beyond 1 MiB that the mind does not read are dropped, counted."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._rest = b""
        self._unsent = bytearray()
        self.gone = False
        self.events_unsent = 0

    def fileno(self) -> int:
        """For select."""
        return self._connection.fileno()

    @property
    def has_unsent(self) -> bool:
        """`flush` has something to do once the socket takes more."""
        return bool(self._unsent) and not self.gone

    def read(self) -> list[bytes]:
        """Whole lines the mind has said; afterwards `gone` tells whether it has left, for whatever reason."""
        try:
            chunk = self._connection.recv(_CHUNK)
        except BlockingIOError:
            return []
        except OSError:
            chunk = b""
        if not chunk:
            self.gone = True
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return lines

    def say(self, event: Message) -> None:
        """Send an event, now or when the mind reads on."""
        line = encode(event)
        if self.gone or len(self._unsent) + len(line) > _LARGEST_UNSENT:
            self.events_unsent += 1
            return
        self._unsent += line
        self.flush()

    def flush(self) -> None:
        """Send as much as the socket takes."""
        try:
            while self._unsent:
                sent = self._connection.send(self._unsent)
                del self._unsent[:sent]
        except BlockingIOError:
            pass
        except OSError:
            # Not yet `gone`: what the mind said before it left may still be there to read.
            self._unsent.clear()

    def close(self, patience_s: float) -> None:
        """Send the rest if the mind reads it within a moment, then hang up."""
        for _ in self._writable(patience_s):
            self.flush()
        self._connection.close()

    def _writable(self, patience_s: float) -> Iterator[None]:
        while self.has_unsent and select.select([], [self], [], patience_s)[1]:
            yield
