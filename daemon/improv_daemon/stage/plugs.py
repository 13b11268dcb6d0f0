"""Clients of the MIDI system, and the ports of others that they are connected to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from improv_daemon.stage.inbox import Inbox, Stamped, Stamper
from improv_daemon.stage.midi_system import MidiClient, MidiInClient, MidiOutClient
from improv_daemon.stage.owed import Owed
from improv_daemon.stage.port_names import choose_ports, told_apart

_CALLBACKS_END_WITHIN_S = 0.002

_Client = TypeVar("_Client", bound=MidiClient)


class Plug(Generic[_Client]):
    """A client that is kept as long as the stage runs, as a new one may hold up a JACK server for 60 ms."""

    def __init__(self, client: _Client, own_name: str) -> None:
        """
        Args:
            client: Without a port.
            own_name: What its port is to be called.
        """
        self.client = client
        self.port: str | None = None
        """Name of the port that it is connected to, or of its own when others connect to it."""
        self.dangling = False
        """Its own port is still there though the other's has gone."""
        self.last_port: str | None = None
        self._own_name = own_name

    def open_virtual(self, name: str) -> None:
        """Let others connect to it."""
        self.client.open_virtual_port(name)
        self.port = self.last_port = name

    def connect(self, name: str) -> bool:
        """Connect to a port; False when that has gone meanwhile."""
        if self.dangling:
            self.close()
        names = told_apart(self.client.get_ports())
        if name not in names:
            return False
        place = names.index(name)
        self.port = self.last_port = name
        try:
            self._open(place)
        except Exception:
            self.lose()
            raise
        # The system counts again while it opens: one that went just then moves those behind it.
        if told_apart(self.client.get_ports())[place : place + 1] == (name,):
            return True
        self.lose()
        self.close()
        return False

    def lose(self) -> None:
        """The other port has gone; `close` is still to come."""
        self.port, self.dangling = None, True

    def close(self) -> None:
        """Take its own port away; the client stays."""
        self.port, self.dangling = None, False
        self.client.close_port()

    def _open(self, place: int) -> None:
        self.client.open_port(place, self._own_name)


class Mouth(Plug[MidiOutClient]):
    """Plays to the port that it is connected to, once that is ready."""

    def __init__(self, client: MidiOutClient, own_name: str) -> None:
        """
        Args:
            client: Without a port.
            own_name: What its port is to be called.
        """
        super().__init__(client, own_name)
        self.ready = False
        """What is sent arrives."""
        self._owed = Owed()

    def send(self, message: tuple[int, ...]) -> None:
        """Send now; only while it is ready."""
        self.client.send_message(message)
        self._owed.sent(message)

    def confirm(self) -> None:
        """The port is seen to be there: what was sent up to the call before this one has come to it."""
        self._owed.confirm()

    def begin(self) -> None:
        """The connection carries messages from now on: let go of what was left behind at the other end."""
        self.ready = True
        for message in self._owed.take():
            self.client.send_message(message)

    def lose(self) -> None:
        """The other port has gone; `close` is still to come."""
        super().lose()
        self.ready = False


class Ear(Plug[MidiInClient]):
    """Puts what its port brings into the inbox, stamped, under the port's name."""

    def __init__(self, client: MidiInClient, own_name: str, inbox: Inbox) -> None:
        """
        Args:
            client: Without a port.
            own_name: What its port is to be called.
            inbox: Takes what comes in, on the driver's threads.
        """
        super().__init__(client, own_name)
        self.heard_s = float("-inf")
        """When something came in last, by ``time.monotonic()``."""
        self._inbox = inbox
        self._stamper = Stamper()
        client.ignore_types(sysex=True, timing=False, active_sense=True)

    def listen(self) -> None:
        """Begin to take in what comes."""
        self._stamper = Stamper()
        self.client.set_callback(self._hear)

    def close(self) -> None:
        """Take its own port away; the client stays."""
        self.client.cancel_callback()
        # ALSA's thread would be waited for with the interpreter's lock held, for which its callback waits.
        time.sleep(_CALLBACKS_END_WITHIN_S)
        super().close()

    def _open(self, place: int) -> None:
        self.listen()
        super()._open(place)

    def _hear(self, event: tuple[list[int], float], _: object) -> None:
        self.heard_s = time.monotonic()
        data, delta_s = event
        source = self.port
        if source is not None:  # what a port that has gone left behind would hold a note for ever
            self._inbox.put(Stamped(tuple(data), self._stamper.stamp(delta_s, self.heard_s), source))


_Plug = TypeVar("_Plug", Ear, Mouth)


class Connections(Generic[_Plug]):
    """The ports of others that are wanted one way, and which of them are there."""

    def __init__(
        self,
        wanted: Iterable[str],
        make: Callable[[], _Plug],
        lister: _Plug | None = None,
        *,
        auto: bool,
        own: str,
        api: str,
    ) -> None:
        """
        Args:
            wanted: Parts of names.
            make: Makes a client; called for each name at once, for hardware without a name when it appears.
            lister: A client that there is anyway: each costs a JACK server time in every period.
            auto: Hardware is wanted whatever it is called.
            own: What improv's own ports are called.
            api: The MIDI system: alsa, coremidi, jack or windows.
        """
        self._named: dict[str, _Plug] = {name: make() for name in dict.fromkeys(wanted)}
        self._make: Callable[[], _Plug] = make
        self._auto, self._own, self._api = auto, own, api
        self._unnamed: list[_Plug] = []
        self._lister: _Plug | None = next(iter(self._named.values()), lister)
        if auto and self._lister is None:
            self._lister = make()
            self._unnamed.append(self._lister)

    @property
    def plugs(self) -> list[_Plug]:
        """Every client, connected or not."""
        return list(self._named.values()) + self._unnamed

    @property
    def named(self) -> dict[str, _Plug]:
        """The clients for the names that are wanted."""
        return dict(self._named)

    @property
    def names(self) -> tuple[str, ...]:
        """Ports that are connected."""
        return tuple(plug.port for plug in self.plugs if plug.port is not None)

    def present(self) -> tuple[str, ...]:
        """Ports that there are now, in the system's order; none where none is wanted."""
        if self._lister is None or not (self._auto or self._named):
            return ()
        return told_apart(self._lister.client.get_ports())

    def absent(self) -> tuple[str, ...]:
        """Names that are wanted and not there."""
        return tuple(key for key, plug in self._named.items() if plug.port is None)

    def lose_those_not_in(self, present: Sequence[str], is_linked: Callable[[str], bool]) -> list[str]:
        """Notice which ports have gone; their clients' own ports are `dangling` from then on.

        Args:
            present: Ports that there are.
            is_linked: Whether one of them is still connected: it may have gone and come back since.
        """
        gone = [
            plug
            for plug in self.plugs
            if plug.port is not None and not (plug.port in present and is_linked(plug.port))
        ]
        names = [plug.port or "" for plug in gone]
        for plug in gone:
            plug.lose()
        return names

    def wanted_of(self, present: Sequence[str]) -> list[tuple[str, str]]:
        """Keys, "" for hardware that has none, and names of ports that are there and not connected yet."""
        taken = self.names
        free = [name for name in present if name not in taken]
        return choose_ports(free, self.absent(), auto=self._auto, own=self._own, api=self._api)

    def needs_client(self, count: int) -> bool:
        """Whether so many ports without a name need a client that has still to be made."""
        return count > sum(plug.port is None for plug in self._unnamed)

    def prepare(self, present: Sequence[str]) -> None:
        """Make the clients that hardware without a name needs, before anything is listened to."""
        count = sum(not key for key, _ in self.wanted_of(present))
        while self.needs_client(count):
            self._unnamed.append(self._make())

    def connect(self, key: str, name: str) -> bool:
        """Connect to one of `wanted_of`; False when it has gone meanwhile."""
        plug = self._named.get(key) or next((one for one in self._unnamed if one.port is None), None)
        if plug is None:
            plug = self._make()
            self._unnamed.append(plug)
        return plug.connect(name)
