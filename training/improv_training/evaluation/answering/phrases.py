"""Phrases of held-out pieces, and what each is followed by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.motifs import Phrase
from improv_core.representation import Notes
from improv_training.corpora.corpus import Corpus, Split
from improv_training.evaluation.generated.calls import evenly, section

LEAST_GAP_S: Final = 0.5
"""No phrase ends with a shorter time to the next onset."""

GAP_FACTOR: Final = 2.5
"""Nor with one that is not so many times the usual one of the onsets before it."""

BEFORE: Final = 10

LEAST_NOTES: Final = 8
LEAST_S: Final = 2.0
MOST_S: Final = 15.0
"""Shorter and longer phrases, by onsets, are left out: they are gestures and whole sections."""

_USUAL_OF: Final = 16
_CHORD_MS: Final = 50


@dataclass(frozen=True, slots=True)
class Exchange:
    """A phrase of a piece and the one after it.

    Attributes:
        corpus: Name of the corpus.
        file: The piece.
        begin: The call's first note, counted from 0.
        call: The phrase; its first ``dt_ms`` is 0.
        rest_s: From the call's last onset to the next phrase's first.
        truth: The next phrase; its first ``dt_ms`` is 0.
        before: The phrases of the piece before the call, of any length, the latest `BEFORE` of them.
    """

    corpus: str
    file: str
    begin: int
    call: Notes
    rest_s: float
    truth: Notes
    before: tuple[Notes, ...] = ()

    @property
    def piece(self) -> tuple[str, str]:
        """What tells pieces apart."""
        return self.corpus, self.file


def phrase_of(notes: Notes) -> Phrase:
    """As those see it who compare phrases."""
    return Phrase.of(
        zip(
            (notes.onset_ms / 1000).tolist(),
            notes.pitch.tolist(),
            notes.velocity.tolist(),
            (notes.duration_ms / 1000).tolist(),
            strict=True,
        )
    )


def phrase_begins(notes: Notes) -> NDArray[np.int64]:
    """The first note of each phrase, and the number of notes at the end.

    A phrase ends where no key is down for a moment and the next onset is late: by `LEAST_GAP_S` at least,
    and `GAP_FACTOR` times the median of the `_USUAL_OF` inter-onset intervals before, chords left out.
    """
    onset_ms = notes.onset_ms
    silent = np.maximum.accumulate(onset_ms + notes.duration_ms)[:-1] <= onset_ms[1:]
    late = notes.dt_ms[1:] >= 1000 * LEAST_GAP_S
    begins = [0]
    for i in np.flatnonzero(silent & late).tolist():
        before = notes.dt_ms[max(1, i + 1 - _USUAL_OF) : i + 1]
        gaps = before[before > _CHORD_MS]
        if len(gaps) and notes.dt_ms[i + 1] >= GAP_FACTOR * np.median(gaps):
            begins.append(i + 1)
    return np.array([*begins, len(notes)])


def exchanges_of(corpus: Corpus, index: int) -> Iterator[Exchange]:
    """Every two neighbouring phrases of a piece that are long enough, and not too long."""
    piece = corpus.piece(index)
    onset_ms, begins = piece.onset_ms, phrase_begins(piece).tolist()
    phrases = [section(piece, begin, end) for begin, end in pairwise(begins)]
    for i, (call, truth) in enumerate(pairwise(phrases)):
        if _suits(call) and _suits(truth):
            rest_s = float(onset_ms[begins[i + 1]] - onset_ms[begins[i + 1] - 1]) / 1000
            before = tuple(phrases[max(0, i - BEFORE) : i])
            yield Exchange(corpus.name, corpus.files[index], begins[i], call, rest_s, truth, before)


def _suits(notes: Notes) -> bool:
    return len(notes) >= LEAST_NOTES and LEAST_S <= notes.onset_ms[-1] / 1000 <= MOST_S


def choose_exchanges(corpora: Sequence[Corpus], split: Split, count: int, *, seed: int = 1) -> list[Exchange]:
    """Exchanges spread evenly over corpora and, in each, over its pieces.

    A corpus that has not enough leaves its share to the others.

    Args:
        corpora: Where from.
        split: Of them.
        count: How many; fewer where there are not so many.
        seed: Of the choice.
    """
    rng = np.random.default_rng(seed)
    found = [_in_rounds(corpus, split, rng) for corpus in corpora]
    quota = evenly([len(one) for one in found], count)
    return [one for some, share in zip(found, quota, strict=True) for one in some[:share]]


def _in_rounds(corpus: Corpus, split: Split, rng: np.random.Generator) -> list[Exchange]:
    """One of each piece, then a second of each, and so on."""
    rounds: list[tuple[int, float, Exchange]] = []
    for index, place in enumerate(corpus.split):
        if place != split:
            continue
        found = list(exchanges_of(corpus, index))
        order = rng.permutation(len(found)).tolist()
        rounds += [(turn, float(rng.random()), found[i]) for turn, i in enumerate(order)]
    return [one for _, _, one in sorted(rounds, key=lambda each: each[:2])]


def sitting_of(corpora: Sequence[Corpus], split: Split, *, run: int = 4, seed: int = 1) -> list[Exchange]:
    """What might be played in a sitting: up to so many phrases of a piece in order, then of another.

    No piece comes twice; corpora take turns as long as they last.
    """
    rng = np.random.default_rng(seed)
    runs: list[tuple[int, float, list[Exchange]]] = []
    for corpus in corpora:
        pieces = [list(exchanges_of(corpus, i)) for i, place in enumerate(corpus.split) if place == split]
        found = [piece for piece in pieces if piece]
        for turn, place in enumerate(rng.permutation(len(found)).tolist()):
            begin = int(rng.integers(max(1, len(found[place]) - run + 1)))
            runs.append((turn, float(rng.random()), found[place][begin : begin + run]))
    return [one for _, _, piece in sorted(runs, key=lambda each: each[:2]) for one in piece]
