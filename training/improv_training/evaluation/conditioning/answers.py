"""What a model plays when it is asked for something, by the code that plays live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from improv_core.continuation import as_performance, hear, plan_for
from improv_core.improviser import Improviser
from improv_core.improvising import NOTHING_ASKED, Ask, PlannedNote
from improv_core.model import Model
from improv_core.recall import Idea
from improv_core.representation import Notes, Pulse, encode, to_ms
from improv_core.representation.binning import IntArray
from improv_core.representation.steps import BEAT_TICKS
from improv_core.sampler import Sampling
from improv_training.evaluation.generated.calls import Call, as_played
from improv_training.evaluation.generated.features import FEATURES, on_grid
from improv_training.evaluation.generated.playing import MAX_GAP_S

_TURN: Final = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call.

    Attributes:
        notes: As they sound.
        begins_ms: The first onset, on the call's clock.
        turn_ms: Likewise when the turn began: the call's last onset.
    """

    notes: Notes
    begins_ms: int
    turn_ms: int


def asked_for(
    improviser: Improviser, call: Call, ask: Ask, *, seconds: float, pulse: Pulse | None = None
) -> Answer:
    """What comes within so many seconds after a call that goes on, if it is asked for.

    Args:
        improviser: Has heard nothing.
        call: What it hears.
        ask: What it is asked for.
        seconds: From the call's last onset on.
        pulse: Where the beats are from the call's end on, on its clock; None: it is not told.

    Returns:
        Two notes at least, or it would be no music.
    """
    hear(improviser, as_played(call.heard))
    improviser.follow(pulse)  # as live: the beat is found in what was heard, not told with it
    begins_s = last_s = int(call.heard.onset_ms[-1]) / 1000
    improviser.begin_turn(_TURN, last_s, ask)
    planned = list[PlannedNote]()
    while len(planned) < 2 or last_s < begins_s + seconds:
        planned.append(improviser.draw(last_s, last_s + MAX_GAP_S))
        last_s = planned[-1].onset_s
    notes = encode(as_performance(planned))
    return Answer(notes, to_ms(planned[0].onset_s), to_ms(begins_s))


class _Untold(Improviser):
    """Plays as ever, and is not told how long its turns are to be."""

    def begin_turn(
        self, turn: int, now_s: float, ask: Ask = NOTHING_ASKED, idea: Sequence[Idea] = ()
    ) -> None:
        super().begin_turn(turn, now_s, replace(ask, length_s=None), idea)


def closed(model: Model, call: Call, seconds: float, *, seed: int, told: bool) -> Notes:
    """An answer of so many seconds, which ends by the same rule whether or not it is told its length.

    Args:
        model: Plays.
        call: What it hears, to the last release.
        seconds: From the answer's first onset to about its last, see `improv_core.closing.Closing`.
        seed: Of chance.
        told: Whether the model is told how much is left.
    """
    kind = Improviser if told else _Untold
    improviser = kind(model, Sampling(), seed=seed)
    planned = plan_for(improviser, hear(improviser, as_played(call.heard)), seconds)
    return encode(as_performance(planned))


def notes_per_s(answer: Answer, seconds: float) -> float:
    """Notes a second, within so many seconds after the call's last onset: the wait for the first counts."""
    since_ms = answer.begins_ms - answer.turn_ms + answer.notes.onset_ms
    return float((since_ms <= 1000 * seconds).sum() / seconds)


def pulse_of(notes: Notes) -> Pulse | None:
    """The pulse at the last note that knows one, on the clock of the first onset."""
    if notes.setting is None or not len(known := np.flatnonzero(notes.setting.beat_ms)):
        return None
    last = known[-1]
    beat_ms = float(notes.setting.beat_ms[last])
    ticks = int(notes.setting.beat_ticks[last])
    return Pulse(float(notes.onset_ms[last]) - ticks * beat_ms / BEAT_TICKS, beat_ms)


def histograms(runs: Sequence[Notes]) -> dict[str, IntArray]:
    """Every feature's histogram, all runs counted together, each on the grid on which they are compared."""
    gridded = [on_grid(run) for run in runs]
    return {one.name: np.sum([one.count(run) for run in gridded], axis=0) for one in FEATURES}


def overlap(one: IntArray, other: IntArray) -> float:
    """The area that two histograms have in common, 0 to 1."""
    return float(np.minimum(one / max(1, one.sum()), other / max(1, other.sum())).sum())
