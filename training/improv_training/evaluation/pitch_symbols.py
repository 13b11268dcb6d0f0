"""The pitch of the next note, said by a model that predicts all notes of an onset as one symbol.

The model is told the grouping: whether the next note still belongs to the onset of the one before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.representation import KEYS, Notes, Symbols
from improv_training.engine.batches import own_rows
from improv_training.evaluation.chords import groups_of
from improv_training.evaluation.pitch_space import softmax
from improv_training.evaluation.reading import projected_before
from improv_training.evaluation.scoring import Scorer
from improv_training.evaluation.spelling import Shares, Spelling

_ONSETS_AT_ONCE: Final = 256


@dataclass(frozen=True, slots=True)
class SymbolPitch:
    """A model of ``symbols``.

    Attributes:
        scorer: The model.
        spelling: What its symbols say of pitches.
        window: See `improv_training.evaluation.reading.projected_before`.
    """

    scorer: Scorer
    spelling: Spelling
    window: int | None = None

    def distributions(self, pieces: Sequence[Notes]) -> Iterator[Shares]:
        """See `improv_training.evaluation.pitch_space.PitchModel`."""
        reads = [own_rows(self.scorer.representation, notes).read for notes in pieces]
        first = self.spelling.first
        for projected, notes in zip(projected_before(self.scorer, reads, self.window), pieces, strict=True):
            groups, said = groups_of(notes), list[Shares]()
            z = self.scorer.heads.begin(projected, ())
            for begin in range(0, len(groups), _ONSETS_AT_ONCE):
                onsets = slice(begin, begin + _ONSETS_AT_ONCE)
                shares = softmax(self.scorer.heads.outputs(0, z[onsets], ()))
                for one, beginning, group in zip(shares, shares @ first, groups[onsets], strict=True):
                    said.append(beginning)
                    said += [self.spelling.following(one, group[:place]) for place in range(1, len(group))]
            yield np.array(said).reshape(-1, KEYS)


def in_vocabulary(representation: Symbols, notes: Notes) -> NDArray[np.bool_]:
    """Whether each note belongs to an onset whose symbol is in the vocabulary, (n,)."""
    rows = own_rows(representation, notes)
    return np.repeat(rows.lost == 0, rows.notes)
