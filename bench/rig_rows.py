"""What the rig's measurements have in common: how much of each, and the form of a row."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.tables import load_average, milliseconds

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

Row = tuple[object, ...]
"""What, what it must be, how many, p50, p99 and max in milliseconds, load average; or what, must, value."""

TIMES = ("what", "must be, p50 / p99 ms", "count", "p50 ms", "p99 ms", "max ms", "load average")
FIGURES = ("what", "must be", "measured", "load average")
LARGE_SOUNDFONTS = ("/usr/share/sounds/sf2/FluidR3_GM.sf2", "/usr/share/soundfonts/FluidR3_GM.sf2")


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured.

    Attributes:
        notes: Of the echo and of the thru.
        planned: Notes that are sent against their deadline, in each condition.
        slope_s: How long the plan is that its slope is taken of; 0 leaves it out.
        sounds: Notes whose sound is recorded.
        idle_s: How long the processor's time is counted without input.
        starts: How often improv is started.
        large: The large soundfont; None where there is none.
    """

    notes: int
    planned: int
    slope_s: float
    sounds: int
    idle_s: float
    starts: int
    large: Path | None


def timed(what: str, must: str, values_s: Sequence[float]) -> Row:
    """A row of the table of times."""
    if not values_s:
        return (what, must, 0, "", "", "", load_average())
    return (what, must, len(values_s), *milliseconds(values_s), load_average())


def figure(what: str, must: str, measured: str) -> Row:
    """A row of the table of other figures."""
    return (what, must, measured, load_average())
