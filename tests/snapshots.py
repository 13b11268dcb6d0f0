"""Sittings as the screen is told of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from improv_daemon.screen.snapshot import IMPROV, YOU, Dial, Sentence, Snapshot, Tempo, Timing

CLOCK = Tempo(0.5, 100.0, 4, "MIDI clock", steady=True)
NOW_S = 108.1

DIALS = (
    Dial("sampling.temperature", "temperature", "1", 0.5, "all of it", ""),
    Dial("answer.density_ratio", "density", "free", None, "notes a second over yours", ""),
    Dial("answer.style", "style", "jazz line", None, "in which style", "cc 20"),
    Dial("memory.follow", "follow", "0.2", 0.4, "how much it leans on your notes", ""),
)

SITTING = Snapshot(
    mode="answer",
    mode_words="improv answers when you stop",
    phase="answering",
    states=(),
    model="default",
    preset="",
    tempo=CLOCK,
    notes=(
        (YOU, 60, 104.0, 104.9),
        (YOU, 64, 105.0, 105.4),
        (IMPROV, 67, 106.0, 106.9),
        (IMPROV, 72, 107.0, None),
    ),
    dials=DIALS,
    inputs=("improv in", "Keystation 88"),
    outputs=("improv out",),
    sound="FluidSynth with default-GM.sf3",
    timing=Timing(0.1, 0.4, 2.3),
    said=(),
)


def sitting(**fields: Any) -> Snapshot:
    """The sitting, but for these."""
    return replace(SITTING, **fields)


def said(text: str, seconds_ago: float = 1.0, *, is_problem: bool = True) -> Sentence:
    return Sentence(text, NOW_S - seconds_ago, is_problem)
