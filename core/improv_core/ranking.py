"""Which of several answers is most like what players go on with after such a call.

What relates an answer to its call, how it ends and how much it repeats are numbers. How they lie where real
pieces go on from one phrase to the next was counted on pieces for training and validation; the answer that is
closest to the middle of all that is the best. ``python -m bench.musicality --refit`` counts again.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from improv_core.heard import HeardNote
from improv_core.improvising import PlannedNote
from improv_core.motifs import Gram, Phrase
from improv_core.traits import ENDING, traits

NEAR: Final = 1.25
"""An answer should be no longer than its target by this factor, nor shorter."""

_UNKNOWN = 2.0
"""How far a trait counts as off that cannot be told, as of an answer of one chord."""

_FAR = 4.0
"""No trait counts as further off: one that is should not drown all others."""


@dataclass(frozen=True, slots=True)
class Typical:
    """Where a trait lies when real pieces go on.

    Attributes:
        low: A tenth is below.
        middle: Median.
        high: A tenth is above.
        one_sided: Whether less than the median is as good.
        weight: How much more than another trait it counts.
    """

    low: float
    middle: float
    high: float
    one_sided: bool = False
    weight: float = 1.0

    def distance(self, value: float) -> float:
        """From the median, in halves of the middle 80 %."""
        if value >= self.middle:
            return (value - self.middle) / max(1e-3, self.high - self.middle)
        return 0.0 if self.one_sided else (self.middle - value) / max(1e-3, self.middle - self.low)


# Most phrases take up no motif and repeat no run of others. An answer should take some up, so of "motifs" the
# mean is the middle; and should repeat fewer than a composed piece does, so of "earlier" the mean is high.
TYPICAL: Final = {
    "cosine": Typical(0.491, 0.800, 0.958),
    "density": Typical(-0.558, 0.002, 0.585, weight=3),
    "velocity": Typical(-0.251, -0.001, 0.227),
    "register": Typical(-6.017, 0.000, 6.207, weight=3),
    "motifs": Typical(0.000, 0.105, 0.333, weight=8),
    "repeats": Typical(0.000, 0.000, 0.322, one_sided=True),
    "earlier": Typical(0.000, 0.000, 0.150, one_sided=True),
    "slowing": Typical(-1.081, 0.013, 1.580),
    "held": Typical(-0.385, 0.806, 2.232),
    "stability": Typical(-0.320, 0.901, 2.269),
}
"""Of each of `Traits`: 2,000 pairs of neighbouring phrases of training pieces, evenly from five corpora.

The three weights are of what answers lack most; they were chosen on 300 calls for validation.
"""


def best_of(
    call: Sequence[HeardNote],
    candidates: Sequence[Sequence[PlannedNote]],
    target_length_s: float,
    earlier: Sequence[Sequence[PlannedNote]] = (),
    *,
    complete: Sequence[bool] | None = None,
) -> int:
    """The best of several answers.

    As long as some are not drawn to their end, none is judged by its end, nor by what comes later than what
    is drawn of all: the sparsest would always be the furthest.

    Args:
        call: What is answered.
        candidates: Answers; an empty one is the worst.
        target_length_s: How long they were to be, from the first onset to the last.
        earlier: Answers of before, not to be repeated.
        complete: Whether each is drawn to its end; None: all are.

    Returns:
        Its index; of those that are equally good, the first.

    Raises:
        ValueError: There is no candidate.
    """
    if not candidates:
        raise ValueError("there is no candidate to choose from")
    heard = Phrase.heard(call)
    before = {shingle for answer in earlier for shingle in Phrase.planned(answer).shingles}
    within_s = _drawn_of_all(candidates, complete)
    scores = [
        score(heard, Phrase.planned(one), target_length_s, before)
        if within_s is None
        else score(heard, Phrase.planned(_beginning(one, within_s)), None, before)
        for one in candidates
    ]
    return scores.index(min(scores))


def _drawn_of_all(
    candidates: Sequence[Sequence[PlannedNote]], complete: Sequence[bool] | None
) -> float | None:
    """How far those are drawn that are not complete, in seconds from the first onset; None where all are."""
    if complete is None or all(complete):
        return None
    open_ones = [one for one, over in zip(candidates, complete, strict=True) if one and not over]
    return min((one[-1].onset_s - one[0].onset_s for one in open_ones), default=None)


def _beginning(notes: Sequence[PlannedNote], within_s: float) -> list[PlannedNote]:
    return [note for note in notes if note.onset_s - notes[0].onset_s <= within_s]


def score(
    call: Phrase, answer: Phrase, target_length_s: float | None, before: Collection[Gram] = ()
) -> float:
    """How far an answer is from what players go on with: a sum of squares, 0 at best.

    Args:
        call: What is answered.
        answer: The answer.
        target_length_s: How long it was to be; None: it is not at its end, by which it is then not judged.
        before: The shingles of earlier answers.
    """
    if not len(answer):
        return math.inf
    told = traits(call, answer, before)
    judged = [name for name in TYPICAL if target_length_s is not None or name not in ENDING]
    off = sum(_cost(TYPICAL[name], getattr(told, name)) for name in judged)
    return off if target_length_s is None else off + missed(answer, target_length_s) ** 2


def _cost(typical: Typical, value: float) -> float:
    distance = _UNKNOWN if math.isnan(value) else min(_FAR, typical.distance(value))
    return typical.weight * distance**2


def missed(answer: Phrase, target_length_s: float) -> float:
    """How far the last onset of an answer is from where it was planned: 1 at `NEAR`."""
    length_s = max(0.05, float(answer.onset_s[-1] - answer.onset_s[0]))
    return math.log(length_s / max(0.05, target_length_s)) / math.log(NEAR)
