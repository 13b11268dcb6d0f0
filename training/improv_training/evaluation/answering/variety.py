"""How much the phrases of a sitting repeat one another, and how much they vary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from improv_core.motifs import Phrase, opening, repeats


@dataclass(frozen=True, slots=True)
class Variety:
    """Figures of the phrases of one player.

    Attributes:
        phrases: How many.
        notes: Of them all.
        shared: Share of their runs of eight notes that are found in another phrase.
        repeats: Share of runs of four intervals that the phrase has had before, mean of phrases.
        openings: Share of the opening gestures that begin one phrase alone.
        commonest: Share of phrases that begin with the commonest opening gesture.
        length_s: Median from first to last onset.
        length_spread: Standard deviation of lengths over their mean.
        rest_s: Median silence before a phrase, from the other's last onset.
        rest_spread: Standard deviation of those over their mean.
    """

    phrases: int
    notes: int
    shared: float
    repeats: float
    openings: float
    commonest: float
    length_s: float
    length_spread: float
    rest_s: float
    rest_spread: float


def variety(phrases: Sequence[Phrase], rests_s: Sequence[float]) -> Variety:
    """Of a sitting's phrases, each of two onsets at least."""
    gestures = Counter(opening(phrase) for phrase in phrases)
    lengths_s = np.array([phrase.onset_s[-1] - phrase.onset_s[0] for phrase in phrases])
    rests = np.array(rests_s)
    return Variety(
        phrases=len(phrases),
        notes=sum(map(len, phrases)),
        shared=shared(phrases),
        repeats=float(np.mean([repeats(phrase) for phrase in phrases])),
        openings=sum(count == 1 for count in gestures.values()) / len(phrases),
        commonest=max(gestures.values()) / len(phrases),
        length_s=float(np.median(lengths_s)),
        length_spread=float(lengths_s.std() / lengths_s.mean()),
        rest_s=float(np.median(rests)),
        rest_spread=float(rests.std() / rests.mean()),
    )


def shared(phrases: Sequence[Phrase]) -> float:
    """Share of the different runs of eight notes of each phrase that another has as well."""
    held = Counter(shingle for phrase in phrases for shingle in phrase.shingles)
    total = sum(held.values())
    return sum(count for count in held.values() if count > 1) / total if total else 0.0
