"""What a preset is, and those that improv comes with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from improv_daemon.settings.rules import Value


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings under one name, laid over those in force when it is chosen.

    Attributes:
        name: As the musician calls it.
        changes: ``key`` and value of each setting that it makes another.
    """

    name: str
    changes: tuple[tuple[str, Value], ...]


BUILT_IN: Final[tuple[Preset, ...]] = (
    Preset(
        "calm",
        (
            ("turn.silence_min_s", 1.0),
            ("turn.silence_factor", 3.0),
            ("answer.density_ratio", 0.5),
            ("yielding.how", "finish_note"),
            ("sampling.temperature", 0.85),
            ("sampling.guidance", 5.0),
            ("sampling.polyphony", 3),
            ("sampling.velocity_follow", 0.8),
            ("memory.follow", 0.25),
        ),
    ),
    Preset(
        "bold",
        (
            ("turn.silence_min_s", 0.4),
            ("turn.silence_factor", 1.5),
            ("answer.length_ratio", 1.5),
            ("answer.density_ratio", 2.0),
            ("yielding.how", "overlap"),
            ("sampling.temperature", 1.15),
            ("sampling.guidance", 5.0),
            ("sampling.polyphony", 0),
            ("sampling.velocity_follow", 0.2),
            ("memory.follow", 0.05),
        ),
    ),
    Preset(
        "mirror",
        (
            ("answer.length_ratio", 1.0),
            ("answer.density_ratio", 1.0),
            ("yielding.how", "cut"),
            ("sampling.temperature", 0.9),
            ("sampling.guidance", 2.5),
            ("sampling.polyphony", 0),
            ("sampling.scale", "auto"),
            ("sampling.velocity_follow", 1.0),
            ("memory.follow", 0.4),
            ("memory.recall", 0.5),
        ),
    ),
    Preset(
        "fours",
        (
            ("mode", "trade"),
            ("trade.bars", 4),
            ("trade.seconds", 0.0),
            ("time.beats_per_bar", 4),
            ("answer.on_pulse", True),
            ("answer.density_ratio", 0.0),
            ("sampling.temperature", 1.0),
        ),
    ),
)
"""Those that improv comes with, in the order in which `next_preset` and program changes go through them."""
