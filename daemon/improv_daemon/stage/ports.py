"""improv's MIDI ports: the virtual pair, and those of others, which may come and go while it plays."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from improv_core.errors import PortError
from improv_daemon.port_texts import AUTO, names_of
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage.hot_plug import NO_CHANGES, HotPlug, PortChanges
from improv_daemon.stage.inbox import Inbox
from improv_daemon.stage.lifeline import Lifeline
from improv_daemon.stage.midi_system import MidiSystem, System, virtual_problem
from improv_daemon.stage.plugs import Connections, Ear, Mouth, Plug
from improv_daemon.stage.port_names import device_of

_FLUSH_S = 0.05  # a JACK client's last messages need a period or two; closing sooner loses them


class MidiPorts:
    """improv's open ports: its virtual pair and those that the settings want.

    Attributes:
        lost: The server behind the ports has died: rtmidi would wait for it for ever on closing them.
        problems: Sentences for the musician about what could not be had on opening.
        unsent: Messages for outputs that were not there.
    """

    def __init__(
        self,
        inbox: Inbox,
        on_trouble: Callable[[str], None],
        find: Callable[[str], System] = MidiSystem.find,
    ) -> None:
        """
        Args:
            inbox: Takes what comes in, on the driver's threads.
            on_trouble: Told in one sentence when a port goes, comes or fails.
            find: The MIDI system of that name.
        """
        self.lost = False
        self.problems: list[str] = []
        self.unsent = 0
        self._inbox = inbox
        self._on_trouble = on_trouble
        self._find = find
        self._server = Lifeline()
        self._system: System | None = None
        self._errors: tuple[type[Exception], ...] = (OSError,)
        self._virtual: tuple[Ear, Mouth] | None = None
        self._ins: Connections[Ear] | None = None
        self._mouths: dict[str, Mouth] = {}
        self._hot_plug: HotPlug | None = None
        self._failed: set[str] = set()
        self._is_open = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the ports listened to that there are now."""
        return tuple(ear.port for ear in self._ears() if ear.port is not None)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the ports played to that there are now."""
        return tuple(mouth.port for mouth in self._mouths.values() if mouth.port and mouth.ready)

    @property
    def output_keys(self) -> tuple[str, ...]:
        """What the outputs are called here, whether they are there or not: as in the settings."""
        return tuple(self._mouths)

    def open(self, config: StageConfig) -> None:
        """Open what the configuration asks for; what cannot be had is told in `problems`.

        Raises:
            PortError: There is no MIDI system, and ports are asked for by name.
        """
        wanted = (*names_of(config.input), *names_of(config.output))
        named = [name for name in wanted if name != AUTO]
        if config.api == "none":
            off = 'is not connected: ports.api = "none" switches MIDI off.'
            self.problems += [f'"{name}" {off}' for name in named]
            return
        try:
            system = self._find(config.api)
        except PortError as error:
            if named:
                raise
            self.problems.append(str(error))
            return
        self._system, self._errors = system, system.errors
        with self._server:
            try:
                self._open(system, config)
            except self._errors as error:
                self._say(f"The MIDI ports cannot be opened ({error}); start improv again.")
        self._is_open = True

    def look(self, now_s: float, may_open: bool = True) -> PortChanges:
        """See which ports have come and gone; quick unless it is time, as it is every `LOOK_EVERY_S`.

        Args:
            now_s: Monotonic seconds.
            may_open: Nothing is due within the next 15 ms, which opening and closing may take; they are put
                off while it is, for a second at most.
        """
        self.check()
        if self.lost:
            return self._lose_all()
        return self._hot_plug.look(now_s, may_open) if self._hot_plug else NO_CHANGES

    def check(self) -> None:
        """Notice, and tell, that the server behind the ports has died; nothing is sent to it any more."""
        if not self.lost and self._server.cut:
            self.lost = True
            self._say(
                "The MIDI server has gone, and improv's ports with it; start it, then start improv again."
            )

    def send_to(self, key: str, message: tuple[int, ...]) -> None:
        """Send to one of `output_keys`; counted if it is not there, told of once if it fails."""
        self.check()
        mouth = self._mouths.get(key)
        if self.lost or mouth is None or not mouth.ready:
            self.unsent += 1
            return
        try:
            mouth.send(message)
        except self._errors as error:
            if key not in self._failed:
                self._failed.add(key)
                self._say(f'The MIDI output "{mouth.port}" fails ({error}); is it still connected?')

    def same_device(self, input_name: str, key: str) -> bool:
        """Whether an input and an output belong to one device, or were last seen to, as their names tell."""
        mouth = self._mouths.get(key)
        if mouth is None or mouth.last_port is None:
            return False
        return device_of(input_name) == device_of(mouth.last_port)

    def close(self) -> None:
        """Let the last messages out, then close everything that can be closed."""
        self.check()
        if self.lost:
            return
        ears = self._ears()
        plugs: list[Plug[Any]] = [*ears, *self._mouths.values()]
        with contextlib.suppress(*self._errors):
            for ear in ears:
                ear.client.cancel_callback()
        if plugs:
            time.sleep(_FLUSH_S)  # also lets callbacks that wait for the interpreter's lock come to an end
        for plug in plugs:
            with contextlib.suppress(*self._errors):
                plug.client.close_port()
                plug.client.delete()
        if self._system is not None:
            self._system.close()
        self._virtual = self._ins = self._hot_plug = self._system = None
        self._mouths = {}

    def _open(self, system: System, config: StageConfig) -> None:
        own = config.name

        def ear() -> Ear:
            return Ear(system.open_in(own), f"{own} input", self._inbox)

        def mouth() -> Mouth:
            return Mouth(system.open_out(own), f"{own} output")

        # All clients before anything is listened to: a callback that waits holds up the server of a new one.
        if config.virtual:
            self._virtual = ear(), mouth()
            self._mouths[f"{own} out"] = self._virtual[1]
        inputs = names_of(config.input)
        by_name = (name for name in inputs if name != AUTO)
        lister = self._virtual[0] if self._virtual else None
        ins = self._ins = Connections(by_name, ear, lister, auto=AUTO in inputs, own=own, api=system.api)
        outs = Connections(names_of(config.output), mouth, auto=False, own=own, api=system.api)
        self._mouths |= outs.named
        self._hot_plug = HotPlug(ins, outs, system, self._heard_s, self._say, own)
        if self._virtual is not None:
            self._open_virtual(*self._virtual, system.api, own)
        self._hot_plug.begin()
        if self._virtual is not None:
            self._virtual[0].listen()

    def _open_virtual(self, ear: Ear, mouth: Mouth, api: str, own: str) -> None:
        try:
            ear.open_virtual(f"{own} in")
            mouth.open_virtual(f"{own} out")
            mouth.begin()
        except self._errors as error:
            ear.port = mouth.port = None
            self._say(virtual_problem(api, own, error))

    def _ears(self) -> list[Ear]:
        virtual = [self._virtual[0]] if self._virtual else []
        return [*virtual, *(self._ins.plugs if self._ins else [])]

    def _heard_s(self) -> float:
        return max((ear.heard_s for ear in self._ears()), default=float("-inf"))

    def _lose_all(self) -> PortChanges:
        gone = self.inputs
        for ear in self._ears():
            ear.port = None
        for mouth in self._mouths.values():
            mouth.port, mouth.ready = None, False
        return PortChanges(gone, (), True) if gone else NO_CHANGES

    def _say(self, text: str) -> None:
        (self._on_trouble if self._is_open else self.problems.append)(text)
