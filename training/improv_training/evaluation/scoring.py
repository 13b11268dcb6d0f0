"""A model in whichever form, as what scoring needs of it, and what its heads say of true values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from improv_core.model import FloatArray, Heads, Model, State
from improv_core.representation import Representation
from improv_core.representation.binning import IntArray
from improv_training.engine.checkpoints import Checkpoint, load_checkpoint
from improv_training.engine.network import Network, laplace_nats
from improv_training.shape import Shape

Body = Callable[[IntArray, FloatArray, State], tuple[FloatArray, State]]

_LOGITS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class Scorer:
    """A model as what scoring needs of it.

    Attributes:
        body: Advances a batch over a run of steps, as `improv_core.model.Model.run`.
        heads: The heads in numpy.
        empty: The state of so many lanes that has heard nothing.
        representation: What is read and predicted.
        preset: What it was trained as.
        hours: For how long.
        window: Steps that it was trained to read from an empty state; None: it carries its state on.
        tracks: Which voices of a file it was trained on.
        canonical: Whether on notes in the form of `improv_training.corpora.canonical`.
        updates: How often its weights were changed.
        steps: How many it was trained on at most, with every lane full; None: not known.
        passes: Whole passes over its training split; None: not known.
        weights: How many it has.
    """

    body: Body
    heads: Heads
    empty: Callable[[int], State]
    representation: Representation
    preset: str
    hours: float
    window: int | None
    tracks: str = "all"
    canonical: bool = False
    updates: int = 0
    steps: int | None = None
    passes: int | None = None
    weights: int = 0


def open_scorer(path: Path) -> Scorer:
    """A checkpoint through torch, a model file through ONNX Runtime.

    Raises:
        ModelFileError: The file cannot be used.
    """
    if path.suffix != ".onnx":
        return checkpoint_scorer(load_checkpoint(path))
    model = Model.load(path)
    return Scorer(
        model.run,
        model.heads,
        model.initial_state,
        representation=model.representation,
        preset=str(model.metadata.get("preset", "")),
        hours=float(model.metadata.get("trained", {}).get("hours", 0.0)),
        window=model.window,
        tracks=str(model.metadata.get("tracks", "all")),
        canonical=bool(model.metadata.get("canonical", False)),
        updates=int(model.metadata.get("trained", {}).get("updates", 0)),
        weights=_weights_of(Network(model.representation, Shape(**model.metadata["shape"]))),
    )


def checkpoint_scorer(checkpoint: Checkpoint) -> Scorer:
    """What a training run left, through torch."""
    network, plan = checkpoint.network, checkpoint.plan

    @torch.inference_mode()
    def body(columns: IntArray, dense: FloatArray, state: State) -> tuple[FloatArray, State]:
        read = (torch.from_numpy(columns), torch.from_numpy(dense))
        memory = (torch.from_numpy(state.hidden), torch.from_numpy(state.cell))
        projected, (hidden, cell) = network(*read, memory)
        return projected.numpy(), State(hidden.numpy(), cell.numpy())

    def empty(batch: int) -> State:
        hidden, cell = network.zero_state(batch)
        return State(hidden.numpy(), cell.numpy())

    return Scorer(
        body,
        _heads(network),
        empty,
        representation=network.representation,
        preset=plan.preset,
        hours=checkpoint.hours,
        window=None if plan.stateful else plan.chunk,
        tracks=plan.tracks,
        canonical=plan.canonical,
        updates=checkpoint.updates,
        steps=checkpoint.updates * plan.lanes * plan.chunk,
        passes=checkpoint.position.passes,
        weights=_weights_of(network),
    )


def _weights_of(network: Network) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _heads(network: Network) -> Heads:
    weights: dict[str, Any] = {name: value.numpy() for name, value in network.state_dict().items()}
    attributes = network.attributes
    return Heads(
        asked=tuple(weights[f"asked.{i}.weight"] for i in range(len(network.asked))),
        weights=tuple(weights[f"heads.{i}.weight"] for i in range(len(attributes))),
        biases=tuple(weights[f"heads.{i}.bias"] for i in range(len(attributes))),
        given=tuple(weights.get(f"given.{a.name}.weight") for a in attributes),
        conditions=network.conditions,
        rectified=network.shape.projected > 0,
        scales=tuple(
            float(weights["scales"][i]) if a.head == "regression" else None for i, a in enumerate(attributes)
        ),
    )


@dataclass(frozen=True, slots=True)
class HeadFigures:
    """Of steps, for each attribute; (n, attributes).

    Attributes:
        nats: The earlier attributes given; of a regression those of `laplace_nats`.
        right: 1 where the likeliest class is the true one; of a regression the absolute error in ms.
    """

    nats: NDArray[np.float64]
    right: NDArray[np.float64]


def head_figures(scorer: Scorer, projected: FloatArray, asked: IntArray, wanted: IntArray) -> HeadFigures:
    """What the heads say of the true values of steps.

    Args:
        scorer: The model.
        projected: (n, projected).
        asked: What is asked of each, (n, asked).
        wanted: (n, attributes): the class; of a regression milliseconds.
    """
    attributes = scorer.representation.attributes
    nats, right = np.zeros((2, *wanted.shape))
    for rows in _slices(len(wanted), max(a.outputs for a in attributes)):
        z = scorer.heads.begin(projected[rows], asked[rows])
        values = list(wanted[rows].T)
        for i, attribute in enumerate(attributes):
            outputs = scorer.heads.outputs(i, z, values)
            if attribute.head == "categorical":
                nats[rows, i] = class_nats(outputs, values[i])
                right[rows, i] = outputs.argmax(axis=1) == values[i]
                continue
            scale_s = scorer.heads.scales[i]
            assert scale_s is not None
            errors_s = np.abs(outputs[:, 0] - values[i] / 1000)
            nats[rows, i] = [laplace_nats(scale_s, error_s) for error_s in errors_s.tolist()]
            right[rows, i] = 1000 * errors_s
    return HeadFigures(nats, right)


def class_nats(logits: FloatArray, wanted: IntArray) -> NDArray[np.float64]:
    """Nats of each true class, (n,)."""
    top = logits.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
    nats: NDArray[np.float64] = (log_total - logits[np.arange(len(wanted)), wanted]).astype(np.float64)
    return nats


def _slices(count: int, width: int) -> Iterator[slice]:
    size = max(1, _LOGITS_AT_ONCE // width)
    for begin in range(0, count, size):
        yield slice(begin, begin + size)
