"""What a JACK port is connected to, which rtmidi does not tell: asked of the library that it brings along."""

from __future__ import annotations

import ctypes
from typing import Any

_NO_START_SERVER = 1


class JackLinks:
    """A client that only looks, and costs the server no time; calls let other threads run meanwhile."""

    def __init__(self, library: ctypes.CDLL, client: int) -> None:
        """
        Args:
            library: Has libjack's functions.
            client: Of libjack.
        """
        self._library = library
        self._client = client

    @classmethod
    def open(cls, rtmidi: Any) -> JackLinks | None:  # noqa: ANN401 - rtmidi has no types
        """With the libjack that python-rtmidi is linked to; None if there is none, or no server."""
        try:
            library = ctypes.CDLL(rtmidi._rtmidi.__file__)
            _declare(library)
        except (AttributeError, OSError):
            return None
        client = library.jack_client_open(b"improv-links", _NO_START_SERVER, None)
        return cls(library, client) if client else None

    def of(self, port: str) -> list[str]:
        """Names of the ports that a port is connected to; none if there is no such port."""
        found = self._library.jack_port_by_name(self._client, port.encode())
        if not found:
            return []
        names = self._library.jack_port_get_all_connections(self._client, found)
        if not names:
            return []
        try:
            return [name.decode(errors="replace") for name in _until_null(names)]
        finally:
            self._library.jack_free(names)

    def close(self) -> None:
        """Leave the server."""
        self._library.jack_client_close(self._client)


def _declare(library: ctypes.CDLL) -> None:
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    library.jack_client_open.argtypes = [text, ctypes.c_int, pointer]
    library.jack_client_open.restype = pointer
    library.jack_port_by_name.argtypes = [pointer, text]
    library.jack_port_by_name.restype = pointer
    library.jack_port_get_all_connections.argtypes = [pointer, pointer]
    library.jack_port_get_all_connections.restype = ctypes.POINTER(text)
    library.jack_free.argtypes = [pointer]
    library.jack_free.restype = None
    library.jack_client_close.argtypes = [pointer]


def _until_null(names: Any) -> list[bytes]:  # noqa: ANN401 - ctypes' pointers have no types
    found: list[bytes] = []
    while (name := names[len(found)]) is not None:
        found.append(name)
    return found
