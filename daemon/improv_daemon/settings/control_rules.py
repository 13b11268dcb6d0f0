"""What a setting may be that says what the player's hands and feet tell improv."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from improv_daemon.settings.rules import NotTurned, unquoted

HIGHEST_CONTROLLER: Final = 119
"""Those above are no controllers but commands, such as "all notes off", which must always be obeyed."""

_GESTURE: Final = re.compile(r"cc \d+|note \d+|notes \d+(\+\d+)+")
_NUMBER: Final = re.compile(r"\d+")
_HIGHEST_KEY: Final = 127
_KNOB: Final = re.compile(r"cc \d+( ch \d+)? [a-z0-9_.]+( -?\d+(\.\d+)?\.\.-?\d+(\.\d+)?)?")


@dataclass(frozen=True, slots=True)
class Gesture(NotTurned):
    """What a player does at the instrument to tell improv something, or nothing."""

    @property
    def allowed(self) -> str:
        """What is taken."""
        numbers = f"keys from 0 to {_HIGHEST_KEY}, controllers to {HIGHEST_CONTROLLER}"
        return f'"cc N", "note N", "notes N+M" ({numbers}), or "" for none'

    def check(self, value: object) -> str:
        """Lower case, single spaces."""
        if not isinstance(value, str):
            raise ValueError(self.allowed)
        text = " ".join(value.lower().split())
        if text and _GESTURE.fullmatch(text) is None:
            raise ValueError(self.allowed)
        highest = HIGHEST_CONTROLLER if text.startswith("cc ") else _HIGHEST_KEY
        if any(int(number) > highest for number in _NUMBER.findall(text)):
            raise ValueError(self.allowed)
        return text

    def parse(self, text: str) -> str:
        """As typed, with or without quotes."""
        return self.check(unquoted(text))


@dataclass(frozen=True, slots=True)
class Knobs(NotTurned):
    """Which controllers set what."""

    @property
    def allowed(self) -> str:
        """What is taken."""
        return (
            'controllers and what they set, as "cc 1 sampling.temperature, cc 74 ch 2 memory.follow 0..0.4", '
            'or "" for none'
        )

    def check(self, value: object) -> str:
        """Lower case, single spaces."""
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            value = ", ".join(value)
        if not isinstance(value, str):
            raise ValueError(self.allowed)
        text = " ".join(value.lower().split())
        if text and any(_KNOB.fullmatch(one.strip()) is None for one in text.split(",")):
            raise ValueError(self.allowed)
        return text

    def parse(self, text: str) -> str:
        """As typed, with or without quotes."""
        return self.check(unquoted(text))
