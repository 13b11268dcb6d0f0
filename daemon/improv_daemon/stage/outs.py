"""What goes out to which output, remembered in case it comes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from improv_core.echo import EchoFilter
from improv_core.ledger import NOTE_OFF
from improv_core.performer import Sending

SYNTH = "(synth)"
"""The built-in synthesiser among the outputs; all others are MIDI."""


class Output(Protocol):
    """Takes MIDI messages; never raises for a device that fails."""

    def send(self, message: tuple[int, ...]) -> None:
        """Send one message now."""


class Sender(Protocol):
    """Sends to MIDI outputs by their keys."""

    def send_to(self, key: str, message: tuple[int, ...]) -> None:
        """Send one message now; never raises for a device that fails."""


class MidiOutput:
    """One of the MIDI outputs."""

    def __init__(self, ports: Sender, key: str) -> None:
        self._ports = ports
        self._key = key

    def send(self, message: tuple[int, ...]) -> None:
        """Send one message now."""
        self._ports.send_to(self._key, message)


class Outs:
    """Every output, and the echo filter that is told what MIDI outputs are sent."""

    def __init__(self, outputs: Mapping[str, Output], echo: EchoFilter) -> None:
        """
        Args:
            outputs: By name.
            echo: Told of everything but what only the synthesiser gets.
        """
        self.outputs = outputs
        self._echo = echo

    def send(
        self,
        sendings: Iterable[Sending],
        now_s: float,
        played_at: str | None = None,
        returning: frozenset[str] = frozenset(),
        *,
        echoes_of_offs: bool = True,
    ) -> None:
        """Send these, in order.

        Args:
            sendings: What to where.
            now_s: Now.
            played_at: The input that it came from.
            returning: Outputs from which it may come back there all the same.
            echoes_of_offs: Whether note-offs among them may come back. Those that bring an output to silence
                may be of the player's keys, and would hide that the player lets go of one just then.

        Raises:
            Exception: An output broke its promise; the others have been sent to.
        """
        faults: list[Exception] = []
        for sending in sendings:
            output, data = sending.output, sending.data
            if output != SYNTH and (echoes_of_offs or data[0] & 0xF0 != NOTE_OFF):
                self._echo.sent(data, now_s, None if output in returning else played_at)
            try:
                self.outputs[output].send(data)
            except Exception as fault:  # noqa: BLE001 - raised again: the note-offs behind it must go out first
                faults.append(fault)
        if faults:
            raise faults[0]
