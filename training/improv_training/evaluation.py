"""Nats per note by attribute on held-out pieces, beside a unigram and a bigram of the same notes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track

from improv_core.errors import ModelFileError, StorageError
from improv_core.model import Heads, Model, State
from improv_core.representation import ATTRIBUTE_NAMES, ATTRIBUTES, targets
from improv_training.batches import LaneBatches
from improv_training.checkpoints import load_checkpoint
from improv_training.corpora import Corpus, Split

FloatArray = NDArray[np.float32]
Body = Callable[[NDArray[np.int64], FloatArray, State], tuple[FloatArray, State]]

BIGRAM_WEIGHT = 10.0
"""A bigram falls back on the unigram with the weight of this many observations."""

LANES, CHUNK = 64, 256


@dataclass(frozen=True, slots=True)
class Figures:
    """One corpus' result.

    Attributes:
        corpus: Its name.
        pieces: Pieces scored.
        notes: Notes scored.
        seconds: From first to last onset, summed over the pieces.
        nats: For model, unigram and bigram: mean nats per note of each attribute.
        width: Mean log of the width of the true time classes, in 10 ms cells.
    """

    corpus: str
    pieces: int
    notes: int
    seconds: float
    nats: dict[str, tuple[float, ...]]
    width: float


@dataclass(frozen=True, slots=True)
class Scorer:
    """A model in whichever form, as what scoring needs of it."""

    body: Body
    heads: Heads
    empty: Callable[[int], State]


def evaluate_corpora(
    model: Path, corpora: Sequence[Corpus], split: Split, learned: Sequence[Corpus] | None
) -> list[Figures]:
    """Score a model file or checkpoint.

    Args:
        model: A .onnx or .ckpt file.
        corpora: What to score; those without pieces in the split are left out.
        split: Which pieces.
        learned: Whose train split the baselines learn from; None: each corpus' own.

    Raises:
        ModelFileError: The file cannot be used.
    """
    scorer = open_scorer(model)
    shared = Baselines.learn(learned) if learned else None
    figures = []
    for corpus in corpora:
        if split not in corpus.split:
            continue
        baselines = shared or Baselines.learn([corpus])
        figures.append(_score(scorer, corpus, split, baselines))
    if not figures:
        raise ModelFileError(f"None of the corpora has a piece in the {split} split.")
    return figures


def open_scorer(path: Path) -> Scorer:
    """A checkpoint through torch, a model file through ONNX Runtime."""
    if path.suffix == ".onnx":
        model = Model.load(path)
        return Scorer(model.run, model.heads, model.initial_state)
    network = load_checkpoint(path).network

    @torch.inference_mode()
    def body(columns: NDArray[np.int64], keys: FloatArray, state: State) -> tuple[FloatArray, State]:
        read = (torch.from_numpy(columns), torch.from_numpy(keys))
        memory = (torch.from_numpy(state.hidden), torch.from_numpy(state.cell))
        projected, (hidden, cell) = network(*read, memory)
        return projected.numpy(), State(hidden.numpy(), cell.numpy())

    def empty(batch: int) -> State:
        hidden, cell = network.zero_state(batch)
        return State(hidden.numpy(), cell.numpy())

    heads = Heads(
        network.part.weight.detach().numpy(),
        tuple(head.weight.detach().numpy() for head in network.heads),  # type: ignore[operator, union-attr]
        tuple(head.bias.detach().numpy() for head in network.heads),  # type: ignore[operator, union-attr]
        tuple(given.weight.detach().numpy() for given in network.given),  # type: ignore[operator, union-attr]
    )
    return Scorer(body, heads, empty)


def _score(scorer: Scorer, corpus: Corpus, split: Split, baselines: Baselines) -> Figures:
    nats, count = model_nats(scorer, corpus, split)
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


def model_nats(scorer: Scorer, corpus: Corpus, split: Split) -> tuple[NDArray[np.float64], int]:
    """Mean nats per note of each attribute, and how many notes; all notes improv's own, nothing augmented.

    The state is carried through each whole piece; every note counts, the first included.
    """
    batches = LaneBatches([corpus], [1], split, lanes=min(LANES, corpus.split.count(split)), chunk=CHUNK)
    state: State | None = None
    total, count = np.zeros(len(ATTRIBUTES)), 0
    for batch in track(batches, f"Scoring {corpus.name}", transient=True):
        columns, keys, part, wanted, mask, fresh = (tensor.numpy() for tensor in batch)
        state = state or scorer.empty(len(fresh))
        alive = (~fresh).astype(np.float32)[None, :, None]
        memory = State(state.hidden * alive, state.cell * alive)
        projected, state = scorer.body(columns, keys.astype(np.float32), memory)
        total += head_nats(scorer.heads, projected[mask], part[mask], wanted[mask])
        count += int(mask.sum())
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


@dataclass(frozen=True, slots=True)
class Baselines:
    """Counts of each attribute's classes, alone and after the previous note's class.

    Attributes:
        single: For each attribute (classes,), smoothed by one observation each.
        pair: For each attribute (classes before, classes).
    """

    single: tuple[NDArray[np.float64], ...]
    pair: tuple[NDArray[np.float64], ...]

    @classmethod
    def learn(cls, corpora: Sequence[Corpus]) -> Baselines:
        """Count over the train splits."""
        sizes = [attribute.binning.size for attribute in ATTRIBUTES]
        single = tuple(np.ones(size) for size in sizes)
        pair = tuple(np.zeros((size, size)) for size in sizes)
        for corpus in corpora:
            for piece in corpus.pieces("train"):
                wanted = targets(piece)
                for i in range(len(ATTRIBUTES)):
                    np.add.at(single[i], wanted[:, i], 1)
                    np.add.at(pair[i], (wanted[:-1, i], wanted[1:, i]), 1)
        return cls(single, pair)

    def unigram_nats(self, wanted: NDArray[np.int64]) -> NDArray[np.float64]:
        """Summed nats of each attribute."""
        columns = zip(self.single, wanted.T, strict=True)
        return np.array([-np.log((counts / counts.sum())[values]).sum() for counts, values in columns])

    def bigram_nats(self, wanted: NDArray[np.int64]) -> NDArray[np.float64]:
        """Summed nats of each attribute given the same attribute of the note before.

        Interpolated with the unigram; a piece's first note is the unigram's.
        """
        sums = self.unigram_nats(wanted[:1])
        for i, (single, pair) in enumerate(zip(self.single, self.pair, strict=True)):
            before, values = wanted[:-1, i], wanted[1:, i]
            fallback = BIGRAM_WEIGHT * (single / single.sum())[values]
            share = (pair[before, values] + fallback) / (pair.sum(axis=1)[before] + BIGRAM_WEIGHT)
            sums[i] -= np.log(share).sum()
        return sums


def write_json(figures: Sequence[Figures], split: Split | str, path: Path) -> None:
    """The table for other programs.

    Raises:
        StorageError: The file cannot be written.
    """
    rows = [
        {
            "corpus": one.corpus,
            "split": split,
            "pieces": one.pieces,
            "notes": one.notes,
            "seconds": round(one.seconds, 1),
            "width": round(one.width, 4),
            "nats_per_note": {
                name: dict(zip((*ATTRIBUTE_NAMES, "sum"), (round(v, 4) for v in (*nats, sum(nats))), strict=True))
                for name, nats in one.nats.items()
            },
        }
        for one in figures
    ]
    try:
        path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror or error}).") from error
