"""What a model plays when it is asked for something, by the code that plays live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from improv_core.continuation import as_performance, hear
from improv_core.improviser import Improviser
from improv_core.improvising import Ask, PlannedNote
from improv_core.representation import Notes, Pulse, encode
from improv_core.representation.binning import IntArray
from improv_core.representation.steps import BEAT_TICKS
from improv_training.evaluation.generated.calls import Call, as_played
from improv_training.evaluation.generated.features import FEATURES

MAX_GAP_S: Final = 1.5
_TURN: Final = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call.

    Attributes:
        notes: As they sound.
        begins_ms: The first onset, on the call's clock.
    """

    notes: Notes
    begins_ms: int


def asked_for(
    improviser: Improviser, call: Call, ask: Ask, *, seconds: float, pulse: Pulse | None = None
) -> Answer:
    """What comes within so many seconds after a call that goes on, if it is asked for.

    Args:
        improviser: Has heard nothing.
        call: What it hears.
        ask: What it is asked for.
        seconds: From the call's last onset on.
        pulse: Where the beats are on the call's clock; None: it is not told.

    Returns:
        Two notes at least, or it would be no music.
    """
    improviser.follow(pulse)
    hear(improviser, as_played(call.heard))
    begins_s = last_s = int(call.heard.onset_ms[-1]) / 1000
    improviser.begin_turn(_TURN, last_s, ask)
    planned = list[PlannedNote]()
    while len(planned) < 2 or last_s < begins_s + seconds:
        planned.append(improviser.draw(last_s, last_s + MAX_GAP_S))
        last_s = planned[-1].onset_s
    return Answer(encode(as_performance(planned)), round(1000 * planned[0].onset_s))


def notes_per_s(notes: Notes, seconds: float) -> float:
    """Notes within so many seconds from the first, a second."""
    return float((notes.onset_ms <= 1000 * seconds).sum() / seconds)


def pulse_of(notes: Notes) -> Pulse | None:
    """The pulse at the last note that knows one, on the clock of the first onset."""
    if notes.setting is None or not len(known := np.flatnonzero(notes.setting.beat_ms)):
        return None
    last = known[-1]
    beat_ms = float(notes.setting.beat_ms[last])
    ticks = int(notes.setting.beat_ticks[last])
    return Pulse(float(notes.onset_ms[last]) - ticks * beat_ms / BEAT_TICKS, beat_ms)


def histograms(runs: Sequence[Notes]) -> dict[str, IntArray]:
    """Every feature's histogram, all runs counted together."""
    return {one.name: np.sum([one.count(run) for run in runs], axis=0) for one in FEATURES}


def overlap(one: IntArray, other: IntArray) -> float:
    """The area that two histograms have in common, 0 to 1."""
    return float(np.minimum(one / max(1, one.sum()), other / max(1, other.sum())).sum())
