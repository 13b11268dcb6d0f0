"""Checkpoint to model file, proved equal to torch before it is kept."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from improv_core.errors import ModelFileError
from improv_core.model import SCHEMA, Model
from improv_core.representation import Notes, joined
from improv_export.graph import build
from improv_export.proving import in_turns, kept_when_proved
from improv_training.engine.checkpoints import Checkpoint, load_checkpoint
from improv_training.engine.network import Network

TOLERANCE = 1e-3
"""Largest allowed difference of a logit between torch and ONNX Runtime."""


def export_checkpoint(
    checkpoint: Path,
    output: Path,
    proof: Notes,
    about: Mapping[str, Any],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> float:
    """Write a model file and prove it; an unproved one is not kept.

    Args:
        checkpoint: From a training run.
        output: The .onnx file.
        proof: A performance to compare on, step by step.
        about: Further metadata: name, data, licence, figures.
        progress: Called with (notes compared, notes in all).

    Returns:
        The largest absolute difference of a logit.

    Raises:
        ModelFileError: The checkpoint cannot be read, or the difference is not below `TOLERANCE`.
        StorageError: The output cannot be written.
    """
    source = load_checkpoint(checkpoint)
    if not all(torch.isfinite(value).all() for value in source.network.state_dict().values()):
        raise ModelFileError(f"{checkpoint} holds weights that are not numbers; its training has gone wrong.")
    graph = build(source.network, metadata(source, about))
    with kept_when_proved(graph, output) as partial:
        difference = largest_difference(source.network, Model.load(partial), proof, progress)
        if not difference < TOLERANCE:
            raise ModelFileError(
                f"The exported model differs from {checkpoint} by {difference:.2g} (allowed: below "
                f"{TOLERANCE:g}) and was not kept."
            )
    return difference


def metadata(source: Checkpoint, about: Mapping[str, Any]) -> dict[str, Any]:
    """What the daemon and the reader need to know; ``about`` cannot overrule what is known here."""
    return {
        **about,
        "schema": SCHEMA,
        "preset": source.plan.preset,
        "representation": source.plan.representation,
        "tracks": source.plan.tracks,
        "canonical": source.plan.canonical,
        "styles": list(source.plan.styles),
        "beats": source.plan.beats,
        "window": None if source.plan.stateful else source.plan.chunk,
        **({"openings": source.openings} if source.openings else {}),
        "shape": asdict(source.network.shape),
        "trained": {"hours": round(source.hours, 2), "updates": source.updates},
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


@torch.inference_mode()
def largest_difference(
    network: Network,
    model: Model,
    notes: Notes,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> float:
    """Play a performance through both, one note at a time, each with its own state.

    Returns:
        The largest absolute difference of a logit; not a number when one of them is not.
    """
    rows = network.representation.rows(notes, in_turns(len(notes)))
    read = joined([network.representation.start(), rows.read])
    dense = read.dense.astype(np.float32)
    torch_state, state = network.zero_state(1), model.initial_state()
    worst = 0.0
    for i in range(len(rows)):
        row = (read.columns[i : i + 1, None], dense[i : i + 1, None])
        expected, torch_state = network(*(torch.from_numpy(array) for array in row), torch_state)
        projected, state = model.run(*row, state)
        asked, wanted = rows.asked[i], rows.targets[i]
        told = (torch.from_numpy(array)[None, None] for array in (asked, wanted))
        for_torch = network.outputs(expected, *told)
        z = model.heads.begin(projected[0, 0], asked)
        for attribute, theirs in enumerate(for_torch):
            ours = model.heads.outputs(attribute, z, wanted.tolist())
            difference = np.abs(ours - theirs[0, 0].numpy()).max()
            worst = float(np.maximum(worst, difference))  # unlike max(), this keeps what is not a number
        progress(i + 1, len(rows))
    return worst
