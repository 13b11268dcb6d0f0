"""A MIDI system in memory, whose devices are plugged in and out by the test."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from improv_daemon.stage.midi_system import Heard


def _nothing() -> None:
    pass


class DeviceBusyError(OSError):
    """Raised for ports that another program holds."""


class Desk:
    """Implements `improv_daemon.stage.midi_system.System`.

    Attributes:
        sources: Ports that can be listened to, in the system's order.
        sinks: Ports that can be played to.
        busy: Those that cannot be opened.
        clients: Every client that was made and is not deleted.
        made: How many were made.
        sent: What was sent to which sink.
        on_open: Called when a port is being opened.
        is_deaf: It does not tell which ports there are.
        tells_links: It tells what is connected to what ...
        links_show: ... and has got to know it by now.
        is_closed: Nothing is asked of it any more.
    """

    errors: tuple[type[Exception], ...] = (OSError, NotImplementedError)

    def __init__(self, *, api: str = "alsa", virtual: bool = True) -> None:
        self.api = api
        self.has_virtual = virtual
        self.sources: list[str] = []
        self.sinks: list[str] = []
        self.busy: set[str] = set()
        self.clients: list[_Client] = []
        self.made = 0
        self.sent: list[tuple[str, tuple[int, ...]]] = []
        self.on_open: Callable[[], None] = _nothing
        self.is_deaf = False
        self.tells_links = False
        self.links_show = True
        self.is_closed = False

    def open_in(self, name: str) -> _In:
        client = _In(self, self.sources)
        self._keep(client)
        return client

    def open_out(self, name: str) -> _Out:
        client = _Out(self, self.sinks)
        self._keep(client)
        return client

    def links_of(self, port: str) -> list[str] | None:
        if not self.tells_links:
            return None
        linked = self.clients if self.links_show else []
        return [f"improv:{client.own}" for client in linked if client.connected == port]

    def close(self) -> None:
        self.is_closed = True

    def blink(self, port: str) -> None:
        """It is unplugged and back at once."""
        for client in self.clients:
            if client.connected == port:
                client.connected = None

    def play(self, source: str, *data: int) -> None:
        """The device called so sends this."""
        for client in self.clients:
            if isinstance(client, _In) and source in (client.connected, client.own):
                client.hear(data)

    @property
    def connected(self) -> list[str]:
        """Ports of others that something is connected to."""
        return [client.connected for client in self.clients if client.connected is not None]

    def _keep(self, client: _Client) -> None:
        self.made += 1
        self.clients.append(client)


class _Client:
    def __init__(self, desk: Desk, others: list[str]) -> None:
        self.desk, self.others = desk, others
        self.connected: str | None = None
        self.own: str | None = None

    def get_ports(self) -> list[str]:
        if self.desk.is_deaf:
            raise DeviceBusyError("the server is busy")
        return list(self.others)

    def open_port(self, port: int, name: str) -> None:
        if self.own is not None:
            raise RuntimeError("it has a port already")
        on_open, self.desk.on_open = self.desk.on_open, _nothing
        on_open()
        wanted = self.others[port % len(self.others)]
        if wanted in self.desk.busy:
            raise DeviceBusyError(f"{wanted} is busy")
        self.own, self.connected = name, wanted

    def open_virtual_port(self, name: str) -> None:
        if not self.desk.has_virtual:
            raise NotImplementedError("no virtual ports")
        self.own = name

    def close_port(self) -> None:
        self.own = self.connected = None

    def delete(self) -> None:
        self.desk.clients.remove(self)


class _In(_Client):
    _callback: Heard | None = None

    def ignore_types(self, *, sysex: bool, timing: bool, active_sense: bool) -> None:
        assert (sysex, timing, active_sense) == (True, False, True)

    def set_callback(self, callback: Heard) -> None:
        self._callback = callback

    def cancel_callback(self) -> None:
        self._callback = None

    def hear(self, data: tuple[int, ...]) -> None:
        if self._callback is not None:
            self._callback((list(data), 0.0), None)


class _Out(_Client):
    def send_message(self, message: Sequence[int]) -> None:
        name = self.connected or self.own
        assert name is not None
        if name in self.desk.busy:
            raise DeviceBusyError(f"{name} is busy")
        self.desk.sent.append((name, tuple(message)))
