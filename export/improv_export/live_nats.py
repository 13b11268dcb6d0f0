"""Nats per note with the body run one step at a time: what a change of the numbers costs in live playing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from improv_core.errors import DataError
from improv_core.model import Heads, Model
from improv_core.representation import Notes, Rows, joined
from improv_export.proving import in_turns
from improv_training.engine.network import laplace_nats

NATS_TOLERANCE = 0.01
"""Largest allowed difference in nats per note between int8 and full precision."""

Progress = Callable[[int, int], None]


def nats_difference(
    model: Model, reference: Model, notes: Notes, progress: Progress = lambda done, total: None
) -> float:
    """Nats per note of one model less those of another, both played one step at a time.

    Raises:
        DataError: No note of the performance counts.
    """
    part = in_turns(len(notes))
    first, count = live_nats(model, notes, part, lambda done, total: progress(done, 2 * total))
    second, _ = live_nats(reference, notes, part, lambda done, total: progress(total + done, 2 * total))
    if not count:
        raise DataError("The performance to compare on has no notes that the model can name; use another.")
    return (first - second) / count


def live_nats(
    model: Model,
    notes: Notes,
    part: NDArray[np.int64],
    progress: Progress = lambda done, total: None,
) -> tuple[float, int]:
    """Nats of a piece with the body run one step at a time, as in live playing.

    Dynamic quantisation takes its scales from everything that shares a call, so what many lanes or a long
    run score says little of a single step. A model with a window begins it from an empty state.

    Args:
        model: The model.
        notes: The piece.
        part: Who plays each note, (n,).
        progress: Called with (steps done, steps in all).

    Returns:
        Summed nats of the steps that count, without charges for what the vocabulary lacks, and their notes.
    """
    rows = model.representation.rows(notes, part)
    read = joined([model.representation.start(), rows.read])
    state, outputs = model.initial_state(), []
    for i in range(len(rows)):
        if model.window and i % model.window == 0:
            state = model.initial_state()
        projected, state = model.advance(read[i : i + 1], state)
        outputs.append(projected)
        progress(i + 1, len(rows))
    if not rows.scored.any():
        return 0.0, 0
    nats = _head_nats(model.heads, np.stack(outputs)[rows.scored], rows)
    return nats, int(rows.notes[rows.scored].sum())


def _head_nats(heads: Heads, projected: NDArray[np.float32], rows: Rows) -> float:
    wanted = rows.targets[rows.scored].T
    z, total = heads.begin(projected, rows.asked[rows.scored]), 0.0
    for i, scale_s in enumerate(heads.scales):
        outputs = heads.outputs(i, z, list(wanted)).astype(np.float64)
        if scale_s is not None:
            errors_s = np.abs(outputs[:, 0] - wanted[i] / 1000)
            total += len(errors_s) * laplace_nats(scale_s, float(errors_s.mean()))
            continue
        top = outputs.max(axis=1)
        log_totals = top + np.log(np.exp(outputs - top[:, None]).sum(axis=1))
        total += float((log_totals - outputs[np.arange(len(outputs)), wanted[i]]).sum())
    return total
