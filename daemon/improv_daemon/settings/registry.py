"""What the one registry of parameters says of each: file, options, controllers, OSC and help come from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from improv_daemon.settings.rules import Rule, Value

_WHY_FIXED: Final = {
    "model": "the model is loaded at the start",
    "seed": "the dice are chosen at the start",
    "ports": "ports are opened at the start",
    "sound": "the synthesiser is made at the start",
    "time.clock_out": "ports are opened at the start",
    "solo.prime": "the file is heard at the start",
    "controls.osc_port": "ports are opened at the start",
    "record": "it counts when the sitting is over",
}
"""Settings and sections of which nothing may change while improv plays."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What stands beside a setting in its section.

    Attributes:
        rule: What it may be.
        help: What it does, for the musician.
        unit: Of its value, empty for none.
        knob: What a controller covers from end to end; None: all that is allowed.
        live: Whether it may change while improv plays.
    """

    rule: Rule
    help: str
    unit: str = ""
    knob: tuple[float, float] | None = None
    live: bool = True


@dataclass(frozen=True, slots=True)
class Parameter:
    """A setting by name.

    Attributes:
        key: ``key`` or ``section.key``.
        default: Its value where nothing else is set.
        rule: What it may be.
        help: What it does, for the musician.
        unit: Of its value, empty for none.
        knob: What a controller covers from end to end; None: all that is allowed.
        live: Whether it may change while improv plays.
    """

    key: str
    default: Value
    rule: Rule
    help: str
    unit: str
    knob: tuple[float, float] | None
    live: bool

    def at(self, share: float) -> Value | None:
        """Its value with a controller turned so far up, 0 to 1; None where a controller makes no sense."""
        return self.rule.at(share, self.knob)

    @property
    def why_fixed(self) -> str:
        """Why it cannot change while improv plays, where it cannot."""
        return _WHY_FIXED.get(self.key) or _WHY_FIXED[self.key.partition(".")[0]]
