"""Settings that are turned step by step, as by the arrow keys; pure."""

from __future__ import annotations

import functools
from typing import Final

from improv_daemon.settings.registry import Parameter
from improv_daemon.settings.rules import Number, Value, Whole
from improv_daemon.settings.schema import REGISTRY

STEPS: Final = 20
"""From end to end of a range."""

_SHORT: Final = 4  # a longer unit is said by the help
_WORDS: Final = 240  # fine enough to meet every word of the longest choice


@functools.cache
def notches(key: str) -> tuple[Value, ...]:
    """The values that a setting is turned through, from the lowest on; empty for what cannot be turned."""
    parameter = REGISTRY[key]
    parts = STEPS if isinstance(parameter.rule, Number | Whole) else _WORDS
    if isinstance(parameter.rule, Whole):
        low, high = parameter.knob or (parameter.rule.low, parameter.rule.high)
        parts = int(high - low) if high - low <= 2 * STEPS else STEPS
    values = (parameter.at(part / parts) for part in range(parts + 1))
    return tuple(dict.fromkeys(value for value in values if value is not None))


def turned(key: str, value: Value, steps: int) -> Value | None:
    """What a setting becomes when it is turned so far, down below 0; None when it does not move.

    Args:
        key: Of the setting.
        value: As it is now.
        steps: To the next notches; what lies between two of them goes to the nearer one of that side.
    """
    values = notches(key)
    if not values or not steps:
        return None
    if isinstance(REGISTRY[key].rule, Number | Whole):
        beyond = [v for v in values if (v > value if steps > 0 else v < value)]  # type: ignore[operator]
        after = beyond if steps > 0 else beyond[::-1]
        return after[min(abs(steps), len(after)) - 1] if after else None
    here = values.index(value) if value in values else -1
    there = max(0, min(len(values) - 1, here + steps))
    return None if values[there] == value else values[there]


def share_of(key: str, value: Value) -> float | None:
    """How far a number is turned up, 0 to 1; None for words."""
    parameter = REGISTRY[key]
    if not isinstance(parameter.rule, Number | Whole) or not isinstance(value, int | float):
        return None
    if _is_free(parameter, value):
        return None
    low, high = parameter.knob or (parameter.rule.low, parameter.rule.high)
    return max(0.0, min(1.0, (value - low) / (high - low)))


def in_words(key: str, value: Value) -> str:
    """A value as the musician reads it, with its unit."""
    parameter = REGISTRY[key]
    if isinstance(value, bool):
        return "on" if value else "off"
    if _is_free(parameter, value):
        return "free"
    if isinstance(value, int | float):
        unit = parameter.unit if len(parameter.unit) <= _SHORT else ""
        return f"{value:g} {unit}".rstrip()
    return value or "none"


def _is_free(parameter: Parameter, value: Value) -> bool:
    return isinstance(parameter.rule, Number) and parameter.rule.optional and value == 0
