"""Pieces of validation and test that are also in training, though their bytes differ.

Two kinds are told apart. Of the *same performance* there are copies: transposed, louder, faster or slower
as a whole, re-encoded, a roll scanned twice. Of the *same work* there are other performances, or other
scores: the notes recur, their timing does not. A model that has seen either scores better than it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from improv_training.corpora.corpus import Corpus, Place, Split
from improv_training.corpora.twins import Kind, Twin, find_twins


@dataclass(frozen=True, slots=True)
class KeptOut:
    """What `keep_out_of_test` did.

    Attributes:
        corpora: As given, with the pieces that have twins "left out".
        left_out: Those pieces, with their twins.
        stayed: Those that stay where they are, as their split holds nothing else.
    """

    corpora: tuple[Corpus, ...]
    left_out: tuple[Twin, ...]
    stayed: tuple[Twin, ...]


def keep_out_of_test(corpora: Sequence[Corpus]) -> KeptOut:
    """Leave out of validation and test whatever has a twin in any training split.

    Training keeps all it has. A split that would lose all its pieces, in all corpora together, stays as it
    is: someone may own nothing but takes of one song.

    Args:
        corpora: Everything that is trained and tested on.
    """
    twins = find_twins(corpora)
    lost = Counter(twin.split for twin in twins.values())
    places = Counter(place for corpus in corpora for place in corpus.split)
    left_out = {piece for piece, twin in twins.items() if lost[twin.split] < places[twin.split]}
    begins = np.cumsum([0, *(len(corpus.files) for corpus in corpora)]).tolist()
    return KeptOut(
        tuple(_without(corpus, begin, left_out) for corpus, begin in zip(corpora, begins, strict=False)),
        tuple(twin for piece, twin in twins.items() if piece in left_out),
        tuple(twin for piece, twin in twins.items() if piece not in left_out),
    )


def tally(twins: Sequence[Twin]) -> list[tuple[str, Split, Kind, str, int]]:
    """How many of each (corpus, split, kind, corpus of the twin), in that order."""
    counts = Counter((twin.corpus, twin.split, twin.kind, twin.of_corpus) for twin in twins)
    return [(*facts, count) for facts, count in sorted(counts.items())]


def _without(corpus: Corpus, begin: int, left_out: set[int]) -> Corpus:
    split: list[Place] = [
        "left out" if begin + i in left_out else place for i, place in enumerate(corpus.split)
    ]
    return replace(corpus, split=tuple(split))
