"""Running a model over whole pieces, several side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from improv_core.model import FloatArray
from improv_core.representation import Steps, joined
from improv_training.evaluation.scoring import Scorer

_LANES = 16
_CHUNK = 256


def projected_before(
    scorer: Scorer, pieces: Sequence[Steps], window: int | None = None
) -> Iterator[FloatArray]:
    """What the model says before each step of each piece.

    Args:
        scorer: The model.
        pieces: The steps of each.
        window: Read as in windows of so many steps, each from an empty state, so that it says what it does
            of a step knowing at least half a window and less than a whole one; None: the state is carried on.

    Yields:
        For each piece of n steps (n, projected).
    """
    start = scorer.representation.start()
    shifted = [joined([start, piece])[:-1] for piece in pieces]
    if window is None:
        yield from side_by_side(scorer, shifted)
        return
    half = window // 2
    for piece in shifted:
        begins = range(0, max(1, len(piece) - window + half), half)
        said = list(side_by_side(scorer, [piece[begin : begin + window] for begin in begins]))
        yield np.concatenate([said[0], *(one[window - half :] for one in said[1:])])


def side_by_side(scorer: Scorer, runs: Sequence[Steps]) -> Iterator[FloatArray]:
    """Run the model over several runs of steps, each from an empty state.

    Yields:
        For each its outputs, (steps, projected).
    """
    for begin in range(0, len(runs), _LANES):
        yield from _lanes(scorer, runs[begin : begin + _LANES])


def _lanes(scorer: Scorer, runs: Sequence[Steps]) -> list[FloatArray]:
    longest = max(len(run) for run in runs)
    state, said = scorer.empty(len(runs)), list[FloatArray]()
    for begin in range(0, longest, _CHUNK):
        count = min(_CHUNK, longest - begin)
        columns = np.zeros((count, len(runs), runs[0].columns.shape[1]), dtype=np.int64)
        dense = np.zeros((count, len(runs), runs[0].dense.shape[1]), dtype=np.float32)
        for lane, run in enumerate(runs):
            part = run[begin : begin + count]
            columns[: len(part), lane], dense[: len(part), lane] = part.columns, part.dense
        out, state = scorer.body(columns, dense, state)
        said.append(out)
    everything = np.concatenate(said)
    return [everything[: len(run), lane] for lane, run in enumerate(runs)]
