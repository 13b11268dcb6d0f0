"""General MIDI instruments, by number or by name."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from improv_daemon.settings.rules import Whole, unquoted


@dataclass(frozen=True, slots=True)
class Instrument(Whole):
    """A General MIDI instrument: its number from 1 to 128, or its name; 0 for none in particular."""

    low: int = 0
    high: int = 128

    @property
    def allowed(self) -> str:
        """What is taken."""
        return 'a General MIDI number from 0 to 128, or an instrument\'s name such as "Vibraphone"'

    def check(self, value: object) -> int:
        """A number, or the number of an instrument by name."""
        if isinstance(value, str):
            return self.low + 1 + _program(value)
        return Whole.check(self, value)

    def parse(self, text: str) -> int:
        """As typed, with or without quotes."""
        meant = unquoted(text.strip())
        return self.check(int(meant) if meant.lstrip("-").isdigit() else meant)


def _program(name: str) -> int:
    # A quarter of a second to import: only those pay it who write a name.
    pretty_midi: Any = importlib.import_module("pretty_midi")
    program: int = pretty_midi.instrument_name_to_program(name)
    return program
