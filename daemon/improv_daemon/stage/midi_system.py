"""The MIDI systems of a computer (ALSA, CoreMIDI, JACK, Windows) through python-rtmidi."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, cast

from improv_core.errors import PortError
from improv_daemon.stage.jack_links import JackLinks

Kind = Literal["MidiIn", "MidiOut"]
"""Which way a client's port goes, in rtmidi's words."""

Heard = Callable[[tuple[list[int], float], object], None]
"""Takes a message and the seconds since the one before it, on the driver's thread."""

_APIS = {
    "alsa": "API_LINUX_ALSA",
    "coremidi": "API_MACOSX_CORE",
    "jack": "API_UNIX_JACK",
    "windows": "API_WINDOWS_MM",
}
_NO_MIDI_SYSTEM = {
    "alsa": 'the ALSA sequencer does not answer; try "sudo modprobe snd-seq"',
    "coremidi": "CoreMIDI does not answer",
    "jack": "no JACK server is running; start one",
    "windows": "Windows MIDI does not answer",
    "auto": (
        "neither the ALSA sequencer nor a JACK server answers here; "
        'try "sudo modprobe snd-seq" or start a JACK server'
    ),
}


class MidiClient(Protocol):
    """A client of a MIDI system, with one port at most; `MidiSystem.errors` is what its methods raise."""

    def get_ports(self) -> list[str]:
        """Names of the ports of others that it can be connected to."""

    def open_port(self, port: int, name: str) -> None:
        """Make its port and connect it to the one at this place in `get_ports`."""

    def open_virtual_port(self, name: str) -> None:
        """Make its port, for others to connect to."""

    def close_port(self) -> None:
        """Remove its port; the client goes on."""

    def delete(self) -> None:
        """Remove the client; nothing may be asked of it any more."""


class MidiInClient(MidiClient, Protocol):
    """A client that listens."""

    def ignore_types(self, *, sysex: bool, timing: bool, active_sense: bool) -> None:
        """Which messages are not given to the callback."""

    def set_callback(self, callback: Heard) -> None:
        """Who is told what comes in."""

    def cancel_callback(self) -> None:
        """Tell nobody any more."""


class MidiOutClient(MidiClient, Protocol):
    """A client that plays."""

    def send_message(self, message: Sequence[int]) -> None:
        """Send one MIDI message."""


class System(Protocol):
    """What the ports need of a MIDI system.

    Attributes:
        api: alsa, coremidi, jack or windows.
    """

    api: str

    def open_in(self, name: str) -> MidiInClient:
        """A client that can listen, without a port yet."""

    def open_out(self, name: str) -> MidiOutClient:
        """A client that can play, without a port yet."""

    def links_of(self, port: str) -> Sequence[str] | None:
        """Names of the ports that one is connected to; None where the system does not tell."""

    def close(self) -> None:
        """Nothing is asked of it any more; its clients are deleted by who made them."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What a client may raise."""


class MidiSystem:
    """One of the MIDI systems of this computer, through python-rtmidi."""

    def __init__(self, rtmidi: Any, api: str) -> None:  # noqa: ANN401 - rtmidi has no types
        self.api = api
        self._rtmidi = rtmidi
        self._links: JackLinks | None = None
        self._asked_for_links = False

    @classmethod
    def find(cls, api: str) -> MidiSystem:
        """The MIDI system asked for, or the first that answers.

        Raises:
            PortError: rtmidi cannot be imported, or no MIDI system answers.
        """
        # libjack would otherwise start a server of its own, with whatever settings.
        os.environ.setdefault("JACK_NO_START_SERVER", "1")
        try:
            rtmidi = importlib.import_module("rtmidi")
        except ImportError as error:
            raise PortError(_import_problem(error)) from None
        if api != "auto" and api not in _APIS:
            raise PortError(f'There is no MIDI system called "{api}"; use auto, {", ".join(_APIS)} or none.')
        for name in [api] if api in _APIS else _APIS:
            system = cls(rtmidi, name)
            if system._answers():
                return system
        raise PortError(f"No MIDI ports: {_NO_MIDI_SYSTEM[api]}.")

    def open_in(self, name: str) -> MidiInClient:
        """A client that can listen, without a port yet."""
        return cast("MidiInClient", self._open("MidiIn", name))

    def open_out(self, name: str) -> MidiOutClient:
        """A client that can play, without a port yet."""
        return cast("MidiOutClient", self._open("MidiOut", name))

    def names(self, kind: Kind) -> tuple[str, ...]:
        """Names of the ports there are."""
        client = self._open(kind, "improv-list")
        try:
            return tuple(client.get_ports())
        finally:
            client.delete()

    def links_of(self, port: str) -> Sequence[str] | None:
        """Names of the ports that one is connected to; None where the system does not tell."""
        if self.api == "jack" and not self._asked_for_links:
            self._asked_for_links = True
            self._links = JackLinks.open(self._rtmidi)
        return None if self._links is None else self._links.of(port)

    def close(self) -> None:
        """Nothing is asked of it any more; its clients are deleted by who made them."""
        if self._links is not None:
            self._links.close()
            self._links = None

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What a client may raise."""
        return (self._rtmidi.RtMidiError, OSError, NotImplementedError)

    def _open(self, kind: Kind, name: str) -> Any:  # noqa: ANN401 - rtmidi has no types
        return getattr(self._rtmidi, kind)(getattr(self._rtmidi, _APIS[self.api]), name=name)

    def _answers(self) -> bool:
        if getattr(self._rtmidi, _APIS[self.api]) not in self._rtmidi.get_compiled_api():
            return False
        try:
            self._open("MidiIn", "improv-list").delete()
        except self.errors:
            return False
        return True


def virtual_problem(api: str, name: str, error: Exception | None = None) -> str:
    """Why improv's own two ports are not there, and what to do instead, in one sentence."""
    if api == "windows":
        return (
            f'Windows cannot give improv virtual ports ("{name} in" and "{name} out"): make two ports with '
            "loopMIDI, and name them with --in and --out."
        )
    return (
        f'The virtual ports "{name} in" and "{name} out" cannot be opened ({error}); '
        "connect ports with --in and --out instead."
    )


def _import_problem(error: ImportError) -> str:
    if sys.version_info >= (3, 13):
        return (
            "No MIDI ports: python-rtmidi has no ready-made package for Python 3.13 and later; "
            "run improv with Python 3.11 or 3.12."
        )
    if "libasound" in str(error):
        return (
            'No MIDI ports: the ALSA library is missing; on Debian or Ubuntu "sudo apt install libasound2" '
            "(libasound2t64 on the newest)."
        )
    return 'No MIDI ports: python-rtmidi is missing; "pip install python-rtmidi" installs it.'
