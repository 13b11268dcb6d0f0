"""What a preset learns from the music before training: its vocabulary, and openings to begin from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from improv_core.errors import DataError
from improv_core.representation import Representation, Symbols
from improv_training.corpora.corpus import Corpus
from improv_training.corpora.encoded import FIELDS

Openings = list[list[list[int]]]


def learn_vocabulary(
    representation: Representation, corpora: Sequence[Corpus]
) -> tuple[Representation, str | None]:
    """The representation with the vocabulary of the train splits, and a sentence on what it misses.

    Raises:
        DataError: No symbol comes often enough.
    """
    learned = representation.learned(piece for corpus in corpora for piece in corpus.pieces("train"))
    if not isinstance(learned, Symbols):
        return learned, None
    if not learned.table:
        raise DataError(
            f"No note or chord comes {learned.min_count} times in the train split; name a folder with "
            "more music."
        )
    return learned, f"Vocabulary: {len(learned.table):,}; it lacks {_missed(learned, corpora)}."


def _missed(learned: Symbols, corpora: Sequence[Corpus]) -> str:
    shares = []
    for split in ("train", "validation"):
        lost = notes = 0
        for corpus in corpora:
            for piece in corpus.pieces(split):
                rows = learned.rows(piece, np.zeros(len(piece), dtype=np.int64))
                lost += int(rows.lost.sum())
                notes += len(piece)
        shares.append(f"{lost / max(1, notes):.1%} of the notes of the {split} split")
    return " and ".join(shares)


def draw_openings(corpora: Sequence[Corpus], count: int, length: int, seed: int) -> Openings:
    """Openings of random pieces of the train splits, for a model to begin from.

    Args:
        corpora: Where they come from.
        count: How many, at most.
        length: Notes in each.
        seed: Of the choice.

    Returns:
        For each opening a list of [dt_ms, pedal, pitch, velocity, duration_ms].
    """
    pieces = [(c, i) for c in corpora for i, split in enumerate(c.split) if split == "train"]
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(pieces), size=min(count, len(pieces)), replace=False)
    openings = []
    for corpus, index in (pieces[i] for i in chosen.tolist()):
        span = slice(corpus.offsets[index], min(corpus.offsets[index + 1], corpus.offsets[index] + length))
        openings.append(np.asarray(corpus.rows[span, : len(FIELDS)]).tolist())
    return openings
