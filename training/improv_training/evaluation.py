"""Nats per note by attribute on held-out pieces, beside a unigram and a bigram of the same notes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from improv_core.errors import StorageError
from improv_core.model import Heads, Model, State
from improv_core.representation import ATTRIBUTE_NAMES, ATTRIBUTES, targets
from improv_training.baselines import Baselines
from improv_training.batches import LaneBatches
from improv_training.checkpoints import load_checkpoint
from improv_training.corpora import Corpus, Split

FloatArray = NDArray[np.float32]
Body = Callable[[NDArray[np.int64], FloatArray, State], tuple[FloatArray, State]]
Nats = tuple[float, ...]

LANES, CHUNK = 64, 256


@dataclass(frozen=True, slots=True)
class Figures:
    """One corpus' result, or a mean over several.

    Attributes:
        corpus: Its name.
        pieces: Pieces scored.
        notes: Notes scored.
        seconds: From first to last onset, summed over the pieces.
        nats: For model, bigram and unigram: mean nats per note of each attribute.
        width: Mean log of the width of the true time classes, in 10 ms cells.
    """

    corpus: str
    pieces: int
    notes: int
    seconds: float
    nats: dict[str, Nats]
    width: float

    @property
    def difference(self) -> Nats:
        """Model less bigram, for each attribute; below zero the model is better."""
        return tuple(a - b for a, b in zip(self.nats["model"], self.nats["bigram"], strict=True))


@dataclass(frozen=True, slots=True)
class Scorer:
    """A model in whichever form, as what scoring needs of it."""

    body: Body
    heads: Heads
    empty: Callable[[int], State]


def open_scorer(path: Path) -> Scorer:
    """A checkpoint through torch, a model file through ONNX Runtime.

    Raises:
        ModelFileError: The file cannot be used.
    """
    if path.suffix == ".onnx":
        model = Model.load(path)
        return Scorer(model.run, model.heads, model.initial_state)
    network = load_checkpoint(path).network
    weights = {name: value.numpy() for name, value in network.state_dict().items()}

    @torch.inference_mode()
    def body(columns: NDArray[np.int64], keys: FloatArray, state: State) -> tuple[FloatArray, State]:
        read = (torch.from_numpy(columns), torch.from_numpy(keys))
        memory = (torch.from_numpy(state.hidden), torch.from_numpy(state.cell))
        projected, (hidden, cell) = network(*read, memory)
        return projected.numpy(), State(hidden.numpy(), cell.numpy())

    def empty(batch: int) -> State:
        hidden, cell = network.zero_state(batch)
        return State(hidden.numpy(), cell.numpy())

    count = len(ATTRIBUTES)
    heads = Heads(
        weights["part.weight"],
        tuple(weights[f"heads.{i}.weight"] for i in range(count)),
        tuple(weights[f"heads.{i}.bias"] for i in range(count)),
        tuple(weights[f"given.{i}.weight"] for i in range(count - 1)),
    )
    return Scorer(body, heads, empty)


def score_corpus(
    scorer: Scorer,
    corpus: Corpus,
    split: Split,
    baselines: Baselines,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Figures:
    """Score a model and the baselines on the pieces of a split; there must be some.

    Args:
        scorer: The model.
        corpus: The pieces.
        split: Which of them.
        baselines: What has been learned elsewhere.
        progress: Called with (notes done, notes in all).
    """
    nats, count = model_nats(scorer, corpus, split, progress)
    unigram, bigram, width, seconds = np.zeros(len(ATTRIBUTES)), np.zeros(len(ATTRIBUTES)), 0.0, 0.0
    for piece in corpus.pieces(split):
        wanted = targets(piece)
        unigram += baselines.unigram_nats(wanted)
        bigram += baselines.bigram_nats(wanted)
        seconds += float(piece.dt_ms.sum()) / 1000
        width += sum(float(a.binning.log_widths()[wanted[:, i]].sum()) for i, a in enumerate(ATTRIBUTES))
    by_model = {"model": nats, "bigram": bigram / count, "unigram": unigram / count}
    return Figures(
        corpus=corpus.name,
        pieces=corpus.split.count(split),
        notes=count,
        seconds=seconds,
        nats={name: tuple(float(v) for v in values) for name, values in by_model.items()},
        width=width / count,
    )


def model_nats(
    scorer: Scorer,
    corpus: Corpus,
    split: Split,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[NDArray[np.float64], int]:
    """Mean nats per note of each attribute, and how many notes; all notes improv's own, nothing augmented.

    The state is carried through each whole piece; every note counts, the first included.
    """
    batches = LaneBatches([corpus], [1], split, lanes=min(LANES, corpus.split.count(split)), chunk=CHUNK)
    state: State | None = None
    total, count = np.zeros(len(ATTRIBUTES)), 0
    for batch in batches:
        columns, keys, part, wanted, mask, fresh = (tensor.numpy() for tensor in batch)
        state = state or scorer.empty(len(fresh))
        alive = (~fresh).astype(np.float32)[None, :, None]
        memory = State(state.hidden * alive, state.cell * alive)
        projected, state = scorer.body(columns, keys.astype(np.float32), memory)
        total += head_nats(scorer.heads, projected[mask], part[mask], wanted[mask])
        count += int(mask.sum())
        progress(count, batches.notes)
    return total / count, count


def head_nats(
    heads: Heads, projected: FloatArray, part: NDArray[np.int64], wanted: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Summed nats of each attribute, the earlier attributes given.

    Args:
        heads: The heads.
        projected: (n, projected).
        part: (n,).
        wanted: (n, len(ATTRIBUTES)).
    """
    z, sums = heads.begin(projected, part), []
    rows = np.arange(len(wanted))
    for i in range(len(ATTRIBUTES)):
        logits = heads.logits(i, z)
        top = logits.max(axis=1, keepdims=True)
        log_total = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
        sums.append(float((log_total - logits[rows, wanted[:, i]]).astype(np.float64).sum()))
        z = heads.condition(i, z, wanted[:, i])
    return np.array(sums)


def mean_over_corpora(figures: Sequence[Figures]) -> Figures:
    """Every corpus counts alike."""
    return _mean("mean of corpora", figures, [1] * len(figures))


def mean_over_notes(figures: Sequence[Figures]) -> Figures:
    """Every note counts alike."""
    return _mean("mean of notes", figures, [one.notes for one in figures])


def _mean(name: str, figures: Sequence[Figures], weights: Sequence[int]) -> Figures:
    shares = np.array(weights) / sum(weights)
    models = figures[0].nats
    return Figures(
        corpus=name,
        pieces=sum(one.pieces for one in figures),
        notes=sum(one.notes for one in figures),
        seconds=sum(one.seconds for one in figures),
        nats={m: tuple((shares @ np.array([one.nats[m] for one in figures])).tolist()) for m in models},
        width=float(shares @ np.array([one.width for one in figures])),
    )


def write_json(figures: Sequence[Figures], means: Sequence[Figures], split: Split, path: Path) -> None:
    """The table for other programs.

    Raises:
        StorageError: The file cannot be written.
    """
    table = {
        "split": split,
        "corpora": [_as_json(one) for one in figures],
        "means": [_as_json(one) for one in means],
    }
    try:
        path.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror or error}).") from error


def _as_json(one: Figures) -> dict[str, Any]:
    names = (*ATTRIBUTE_NAMES, "sum")
    rows = {**one.nats, "model_less_bigram": one.difference}
    return {
        "corpus": one.corpus,
        "pieces": one.pieces,
        "notes": one.notes,
        "seconds": round(one.seconds, 1),
        "width": round(one.width, 4),
        "nats_per_note": {
            row: {name: round(value, 4) for name, value in zip(names, (*nats, sum(nats)), strict=True)}
            for row, nats in rows.items()
        },
    }
