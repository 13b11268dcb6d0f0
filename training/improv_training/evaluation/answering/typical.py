"""How the traits of what a piece goes on with lie, by which `improv_core.ranking` judges answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from improv_core.motifs import Phrase
from improv_core.ranking import TYPICAL, Typical
from improv_core.traits import Traits, traits
from improv_training.evaluation.answering.phrases import Exchange, phrase_of

MIDDLE = (10, 50, 90)
"""Percent below: of the middle 80 %, and of the median."""

_MOSTLY_NONE = ("motifs", "earlier")


@dataclass(frozen=True, slots=True)
class Turned:
    """A call, and what came after it.

    Attributes:
        call: The call.
        answer: What the piece goes on with, or an answer.
        before: Phrases before the call, not to be repeated.
    """

    call: Phrase
    answer: Phrase
    before: tuple[Phrase, ...] = ()

    @property
    def traits(self) -> Traits:
        """What there is to say of the answer."""
        return traits(self.call, self.answer, {one for phrase in self.before for one in phrase.shingles})


def turned(exchange: Exchange) -> Turned:
    """A call with what the piece goes on with."""
    before = tuple(phrase_of(one) for one in exchange.before)
    return Turned(phrase_of(exchange.call), phrase_of(exchange.truth), before)


def refitted(exchanges: Iterable[Exchange]) -> dict[str, Typical]:
    """What `improv_core.ranking.TYPICAL` is to be, from what pieces go on with."""
    told = [turned(one).traits for one in exchanges]
    typical = middle_of(told)
    motifs, earlier = (float(np.nanmean([getattr(one, name) for one in told])) for name in _MOSTLY_NONE)
    return typical | {
        "motifs": replace(typical["motifs"], middle=motifs),
        "earlier": replace(typical["earlier"], high=earlier),
    }


def middle_of(told: Sequence[Traits]) -> dict[str, Typical]:
    """The middle 80 % of each of `Traits`; what could not be told is left out."""
    columns = np.array([astuple(one) for one in told]).T
    return {
        name: _middle_of(column, typical)
        for column, (name, typical) in zip(columns, TYPICAL.items(), strict=True)
    }


def _middle_of(values: NDArray[np.float64], typical: Typical) -> Typical:
    told = values[~np.isnan(values)]
    low, middle, high = np.percentile(told, MIDDLE).tolist() if len(told) else [np.nan] * len(MIDDLE)
    return replace(typical, low=low, middle=middle, high=high)
