"""MIDI ports: listing them, choosing one by part of its name, opening them, sending."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from improv_core.errors import PortError
from improv_daemon.quiet import quiet_stderr
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage.inbox import Inbox, Stamped, Stamper
from improv_daemon.stage.lifeline import Lifeline
from improv_daemon.stage.midi_system import MidiSystem

_FLUSH_S = 0.05  # a JACK client's last messages need a period or two; closing sooner loses them


@dataclass(frozen=True, slots=True)
class PortList:
    """The MIDI ports of this computer.

    Attributes:
        api: The MIDI system in use, None when there is none.
        inputs: Ports that improv can listen to.
        outputs: Ports that improv can play to.
        problem: One sentence about why there is no MIDI system, None when there is one.
    """

    api: str | None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    problem: str | None = None


def list_ports(api: str = "auto") -> PortList:
    """The ports there are now; never fails, `problem` says what is missing."""
    if api == "none":
        return PortList(None)
    with quiet_stderr():
        try:
            system = MidiSystem.find(api)
        except PortError as error:
            return PortList(None, problem=str(error))
        return PortList(system.api, system.names("MidiIn"), system.names("MidiOut"))


def choose_port(names: Sequence[str], wanted: str, kind: str, own: str) -> str:
    """The port whose name contains `wanted`, or is it.

    Args:
        names: Names of the ports there are.
        wanted: Part of a name; capitals do not matter.
        kind: "input" or "output".
        own: Name of improv's own ports, which are never chosen.

    Raises:
        PortError: There is no such port; the message lists those there are.
    """
    others = [name for name in names if not _is_own(name, own)]
    if kind == "input":
        others = [name for name in others if "midi through" not in name.lower()]
    exact = [name for name in others if name == wanted]
    containing = [name for name in others if wanted.lower() in name.lower()]
    if not containing:
        there = ", ".join(f'"{name}"' for name in others) or "none"
        raise PortError(f'There is no MIDI {kind} port called "{wanted}"; those there are: {there}.')
    return (exact or containing)[0]


def _is_own(name: str, own: str) -> bool:
    # JACK and ALSA put the client before the port, ALSA adds " 128:0" after it.
    ours = rf"(.*:)?{re.escape(own)} (in|out|input|output)( \d+:\d+)?"
    return re.fullmatch(ours, name) is not None


class MidiPorts:
    """improv's open ports: its virtual pair and the ones named in the settings."""

    def __init__(self, inbox: Inbox, on_trouble: Callable[[str], None]) -> None:
        """
        Args:
            inbox: Takes what comes in, on the driver's threads.
            on_trouble: Told in one sentence when a port fails, once for each.
        """
        self._inbox = inbox
        self._on_trouble = on_trouble
        self._ins: dict[str, Any] = {}
        self._outs: dict[str, Any] = {}
        self._connected: set[str] = set()
        self._failed: set[str] = set()
        self._server = Lifeline()
        self.lost = False
        """The server behind the ports has died: rtmidi would wait for it for ever on closing them."""
        self._errors: tuple[type[Exception], ...] = (OSError,)
        self.problems: list[str] = []

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the ports listened to."""
        return tuple(self._ins)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the ports played to."""
        return tuple(self._outs)

    def open(self, config: StageConfig) -> None:
        """Open what the configuration asks for; what cannot be had is told in `problems`.

        Raises:
            PortError: A named port is not there.
        """
        if config.api == "none":
            self.problems += [
                f'"{name}" is not connected: ports.api = "none" switches MIDI off.'
                for name in (config.input, config.output)
                if name
            ]
            return
        try:
            system = MidiSystem.find(config.api)
        except PortError as error:
            if config.input or config.output:
                raise
            self.problems.append(str(error))
            return
        self._errors = system.errors
        with self._server:
            if config.virtual:
                self._open_virtual(system, config.name)
            try:
                self._open_named(system, config)
            except PortError:
                self.close()
                raise
        # Last of all: opening holds the interpreter's lock, and a callback that waits for the lock on
        # JACK's own thread would hold up the server that the opening waits for.
        for name, port in self._ins.items():
            self._listen(port, name)

    def check(self) -> None:
        """Notice, and tell, that the server behind the ports has died; nothing is sent to it any more."""
        if not self.lost and self._server.cut:
            self.lost = True
            self._on_trouble(
                "The MIDI server has gone, and improv's ports with it; start it, then start improv again."
            )

    def has_input(self, name: str) -> bool:
        """Whether what an input listens to is still there; what plays into the virtual port is not known."""
        if name not in self._ins or not (self.lost or name in self._connected):
            return True
        if self.lost:
            return False
        with contextlib.suppress(*self._errors):
            if name in self._ins[name].get_ports():
                return True
        if name not in self._failed:
            self._failed.add(name)
            self._on_trouble(
                f'The MIDI input "{name}" has gone, and what you held is let go; '
                "connect it, then start improv again."
            )
        return False

    def send(self, message: tuple[int, ...]) -> None:
        """Send to every output port; one that fails is told of once and does not keep the others."""
        self.check()
        if self.lost:
            return
        for name, port in self._outs.items():
            try:
                port.send_message(message)
            except self._errors as error:
                if name not in self._failed:
                    self._failed.add(name)
                    self._on_trouble(f'The MIDI output "{name}" fails: {error}; is it still connected?')

    def close(self) -> None:
        """Let the last messages out, then close everything that can be closed."""
        self.check()
        if self.lost:
            return
        with contextlib.suppress(*self._errors):
            for port in self._ins.values():
                port.cancel_callback()
        if self._ins or self._outs:
            time.sleep(_FLUSH_S)  # also lets callbacks that wait for the interpreter's lock come to an end
        for port in (*self._ins.values(), *self._outs.values()):
            with contextlib.suppress(*self._errors):
                port.close_port()
                port.delete()
        self._ins.clear()
        self._outs.clear()
        self._connected.clear()

    def _open_virtual(self, system: MidiSystem, name: str) -> None:
        try:
            port_in, port_out = system.open("MidiIn", name), system.open("MidiOut", name)
            port_in.open_virtual_port(f"{name} in")
            port_out.open_virtual_port(f"{name} out")
        except system.errors as error:
            self.problems.append(
                f'The virtual ports "{name} in" and "{name} out" cannot be opened ({error}); '
                "connect ports with --in and --out instead."
            )
            return
        self._ins[f"{name} in"] = port_in
        self._outs[f"{name} out"] = port_out

    def _open_named(self, system: MidiSystem, config: StageConfig) -> None:
        for kind, wanted in (("input", config.input), ("output", config.output)):
            if not wanted:
                continue
            port = system.open("MidiIn" if kind == "input" else "MidiOut", config.name)
            try:
                names = port.get_ports()
                chosen = choose_port(names, wanted, kind, config.name)
                port.open_port(names.index(chosen), f"{config.name} {kind}")
            except system.errors as error:
                port.delete()
                raise PortError(f'The MIDI {kind} "{wanted}" cannot be opened: {error}.') from None
            except PortError:
                port.delete()
                raise
            (self._ins if kind == "input" else self._outs)[chosen] = port
            self._connected.add(chosen)

    def _listen(self, port: Any, source: str) -> None:  # noqa: ANN401 - rtmidi has no types
        stamper, inbox = Stamper(), self._inbox

        def heard(event: tuple[list[int], float], _: object) -> None:
            arrival_s = time.monotonic()
            data, delta_s = event
            inbox.put(Stamped(tuple(data), stamper.stamp(delta_s, arrival_s), source))

        port.ignore_types(sysex=True, timing=False, active_sense=True)
        port.set_callback(heard)
