"""What the one registry of parameters says of each: file, options, controllers, OSC and help come from it."""

from __future__ import annotations

from dataclasses import dataclass

from improv_daemon.settings.rules import Rule, Value


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
