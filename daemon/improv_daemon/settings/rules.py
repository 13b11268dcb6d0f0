"""What a single setting may be.

A rule takes a value from a TOML file (`check`) or from the command line (`parse`) and returns it, or raises
`ValueError`; `allowed` says in words what it would have taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

from improv_core.scales import AUTO, OFF, PATTERNS, TONICS, spelled

Value = bool | int | float | str
_T = TypeVar("_T")

_HALF: Final = 0.5
_DIGITS: Final = 4
_TURNED_TO: Final = (OFF, AUTO, *(f"{tonic} {mode}" for mode in ("major", "minor") for tonic in TONICS))


class Rule(Protocol):
    """What one setting may be."""

    @property
    def allowed(self) -> str:
        """What is taken, so that "it must be ..." reads on."""
        ...

    def check(self, value: object) -> Value:
        """A value as TOML gives it; raises ValueError."""
        ...

    def parse(self, text: str) -> Value:
        """A value as typed on the command line; raises ValueError."""
        ...

    def at(self, share: float, span: tuple[float, float] | None = None) -> Value | None:
        """The value of a controller turned so far up, 0 to 1, over a span of values; None: it sets none."""
        ...


class NotTurned:
    """What no controller can set."""

    __slots__ = ()

    def at(self, share: float, span: tuple[float, float] | None = None) -> Value | None:
        """Nothing."""
        return None


@dataclass(frozen=True, slots=True)
class Switch:
    """True or false."""

    @property
    def allowed(self) -> str:
        """What is taken."""
        return "true or false"

    def check(self, value: object) -> bool:
        """Only a real boolean."""
        if not isinstance(value, bool):
            raise ValueError(self.allowed)
        return value

    def parse(self, text: str) -> bool:
        """``true`` or ``false`` in any case."""
        return self.check({"true": True, "false": False}.get(text.strip().lower()))

    def at(self, share: float, span: tuple[float, float] | None = None) -> bool:
        """True in the upper half."""
        return share >= _HALF


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number, bounds included."""

    low: int
    high: int

    @property
    def allowed(self) -> str:
        """What is taken."""
        return f"a whole number from {self.low} to {self.high}"

    def check(self, value: object) -> int:
        """An integer, but not a boolean, which Python counts as one."""
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise ValueError(self.allowed)
        return value

    def parse(self, text: str) -> int:
        """Decimal digits."""
        return self.check(int(text))

    def at(self, share: float, span: tuple[float, float] | None = None) -> int:
        """The nearest whole number."""
        low, high = span or (self.low, self.high)
        return max(self.low, min(self.high, round(low + share * (high - low))))


@dataclass(frozen=True, slots=True)
class Number:
    """A number, bounds included; whole numbers are taken too, and perhaps 0 to leave it to improv."""

    low: float
    high: float
    optional: bool = False

    @property
    def allowed(self) -> str:
        """What is taken."""
        free = ", or 0 to leave it to improv" if self.optional else ""
        return f"a number from {self.low:g} to {self.high:g}{free}"

    def check(self, value: object) -> float:
        """A finite number, but not a boolean, which Python counts as one."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(self.allowed)
        if not self.low <= value <= self.high and not (self.optional and value == 0):
            raise ValueError(self.allowed)
        return float(value)

    def parse(self, text: str) -> float:
        """Decimal notation."""
        return self.check(float(text))

    def at(self, share: float, span: tuple[float, float] | None = None) -> float:
        """On the straight line, to a few digits; all the way down is 0 where that leaves it to improv."""
        if self.optional and share <= 0 and span is None:
            return 0.0
        low, high = span or (self.low, self.high)
        value = float(f"{low + share * (high - low):.{_DIGITS}g}")
        return value if self.optional and value == 0 else max(self.low, min(self.high, value))


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words or whole numbers."""

    choices: tuple[str | int, ...]

    @property
    def allowed(self) -> str:
        """What is taken."""
        shown = [f'"{choice}"' if isinstance(choice, str) else str(choice) for choice in self.choices]
        return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"

    def check(self, value: object) -> str | int:
        """One of the choices, of the same type; words in any case, and with - or _ for a space."""
        for choice in self.choices:
            if type(value) is type(choice) and _folded(value) == _folded(choice):
                return choice
        raise ValueError(self.allowed)

    def parse(self, text: str) -> str | int:
        """One of the choices as typed."""
        meant = {_folded(str(choice)): choice for choice in self.choices}
        return self.check(meant.get(_folded(unquoted(text))))

    def at(self, share: float, span: tuple[float, float] | None = None) -> str | int:
        """The controller's way is cut into as many parts as there are choices."""
        return _part(self.choices, share)


@dataclass(frozen=True, slots=True)
class Text(NotTurned):
    """One line of text, perhaps empty."""

    @property
    def allowed(self) -> str:
        """What is taken."""
        return "text in quotes, on one line"

    def check(self, value: object) -> str:
        """Text without control characters (a NUL in a path would be an error far from here)."""
        if not isinstance(value, str) or any(ord(character) < 32 for character in value):
            raise ValueError(self.allowed)
        return value

    def parse(self, text: str) -> str:
        """The text as typed, with or without quotes."""
        return self.check(unquoted(text))


@dataclass(frozen=True, slots=True)
class FilePath(NotTurned):
    """A path, where a leading ``~`` stands for the home folder."""

    optional: bool = False

    @property
    def allowed(self) -> str:
        """What is taken."""
        return "a path in quotes" + (', or "" for none' if self.optional else "")

    def check(self, value: object) -> str:
        """A path with the home folder put in."""
        if not isinstance(value, str) or any(ord(character) < 32 for character in value):
            raise ValueError(self.allowed)
        if not value and not self.optional:
            raise ValueError(self.allowed)
        return str(Path(value).expanduser()) if value.startswith("~") else value

    def parse(self, text: str) -> str:
        """The path as typed, with or without quotes."""
        return self.check(unquoted(text))


@dataclass(frozen=True, slots=True)
class PortName(NotTurned):
    """A name that every MIDI system takes: short, on one line, without the colon that JACK splits at."""

    longest: int = 32

    @property
    def allowed(self) -> str:
        """What is taken."""
        return f"text of 1 to {self.longest} characters without a colon"

    def check(self, value: object) -> str:
        """A printable name."""
        if not isinstance(value, str) or not value.strip() or len(value) > self.longest:
            raise ValueError(self.allowed)
        if ":" in value or not value.isprintable():
            raise ValueError(self.allowed)
        return value

    def parse(self, text: str) -> str:
        """The name as typed, with or without quotes."""
        return self.check(unquoted(text))


@dataclass(frozen=True, slots=True)
class ScaleName:
    """A scale by name, none, or that of what is played."""

    @property
    def allowed(self) -> str:
        """What is taken."""
        return f'"{OFF}", "{AUTO}", or a scale such as "D minor" (it may be {", ".join(PATTERNS)})'

    def check(self, value: object) -> str:
        """The name that improv has for the scale, however it is spelled."""
        scale = spelled(value) if isinstance(value, str) else None
        if scale is None:
            raise ValueError(self.allowed)
        return scale

    def parse(self, text: str) -> str:
        """As typed, with or without quotes."""
        return self.check(unquoted(text))

    def at(self, share: float, span: tuple[float, float] | None = None) -> str:
        """None, that of what is played, then the major and the minor scales."""
        return _part(_TURNED_TO, share)


@dataclass(frozen=True, slots=True)
class Parsed(NotTurned):
    """One line of text that says something about ports; a list of texts is taken as one with commas."""

    reads: Callable[[str], object]
    allowed: str

    def check(self, value: object) -> str:
        """Single spaces."""
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            value = ", ".join(value)
        if not isinstance(value, str) or not value.isprintable():
            raise ValueError(self.allowed)
        text = " ".join(value.split())
        self.reads(text)
        return text

    def parse(self, text: str) -> str:
        """As typed, with or without quotes."""
        return self.check(unquoted(text))


def _part(choices: Sequence[_T], share: float) -> _T:
    return choices[min(len(choices) - 1, int(share * len(choices)))]


def _folded(value: object) -> object:
    return value.lower().replace("-", " ").replace("_", " ") if isinstance(value, str) else value


def unquoted(text: str) -> str:
    """Text without one pair of surrounding quotes."""
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text
