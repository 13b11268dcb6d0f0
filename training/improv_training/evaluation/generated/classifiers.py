"""Classifiers trained to tell generated from real segments, on other pieces than they are asked about.

Accuracy 0.5 is chance. Three are tried, as what one misses another may see: logistic regression and a small
network on histograms and figures of a segment, and a recurrent network that reads it note by note.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from improv_training.evaluation.generated.segments import SEQUENCE_WIDTH, Segments, described, sequence

FOLDS: Final = 5

_BATCH = 64
_CLASSES = 12
_PATIENCE = 5

Told = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A classifier and how it is trained.

    Attributes:
        name: In tables.
        told: What it is told of segments.
        make: Makes one, untrained, for so many numbers.
        epochs: At most; the one is kept that does best on a fifth of the pieces it may train on.
        rate: Of AdamW.
        decay: Weight decay.
    """

    name: str
    told: Callable[[Segments], Told]
    make: Callable[[int], nn.Module]
    epochs: int
    rate: float
    decay: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """How well a classifier tells the segments of held-out pieces apart.

    Attributes:
        name: Of the classifier.
        accuracy: Share of right answers.
        error: Standard error of the accuracy, from the spread over folds.
        by_piece: For each piece index how often it was right, and of how many.
    """

    name: str
    accuracy: float
    error: float
    by_piece: dict[int, tuple[int, int]]


class Recurrent(nn.Module):
    """A bidirectional GRU, its states averaged and their largest values taken, over the notes."""

    def __init__(self, width: int = SEQUENCE_WIDTH, hidden: int = 48) -> None:
        super().__init__()
        self.gru = nn.GRU(width, hidden, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(0.3)
        self.out = nn.Linear(4 * hidden, 1)

    def forward(self, notes: torch.Tensor) -> torch.Tensor:
        """(batch, notes, width) to (batch, 1)."""
        if self.training:  # in any key
            turned = torch.roll(notes[..., -_CLASSES:], int(torch.randint(_CLASSES, ())), dims=-1)
            notes = torch.cat([notes[..., :-_CLASSES], turned], dim=-1)
        states, _ = self.gru(notes)
        pooled = torch.cat([states.mean(dim=1), states.amax(dim=1)], dim=-1)
        said: torch.Tensor = self.out(self.dropout(pooled))
        return said


def _described(data: Segments) -> Told:
    return described(data.notes).astype(np.float32)


def _sequence(data: Segments) -> Told:
    return sequence(data.notes)


def _linear(width: int) -> nn.Module:
    made = nn.Linear(width, 1)
    nn.init.zeros_(made.weight)  # what is chance in it would outlast few updates
    return made


def _perceptron(width: int) -> nn.Module:
    layers = (nn.Dropout(0.2), nn.Linear(width, 64), nn.ReLU(), nn.Dropout(0.4), nn.Linear(64, 1))
    return nn.Sequential(*layers)


RECIPES: Final = (
    Recipe("logistic regression", _described, _linear, 60, 3e-3, 0.1),
    Recipe("perceptron", _described, _perceptron, 60, 2e-3, 0.05),
    Recipe("recurrent", _sequence, Recurrent, 40, 3e-3, 0.01),
)


def tell_apart(data: Segments, recipe: Recipe, *, folds: int = FOLDS, seed: int = 1) -> Verdict:
    """Train on all folds but one, ask about that one, and so on; no piece is on both sides.

    Args:
        data: Segments, half of them generated.
        recipe: The classifier.
        folds: How many.
        seed: Of folds and training.

    Raises:
        ValueError: There are not two pieces to each fold.
    """
    pieces = len(np.unique(data.piece))
    if pieces < 2 * folds:
        raise ValueError(f"{pieces} pieces are too few for {folds} folds")
    told = recipe.told(data)
    right = np.zeros(len(told), dtype=np.bool_)
    accuracies = []
    for number, asked in enumerate(_folds(data.piece, folds, seed)):
        torch.manual_seed(seed + number)
        inner = next(_folds(data.piece[~asked], folds, seed + number))
        trained, checked = (np.flatnonzero(~asked)[which] for which in (~inner, inner))
        scale = _Scale.of(told[trained])
        model = _trained(recipe, scale(told), data.generated, trained, checked)
        said = _said(model, scale(told[asked]))
        right[asked] = (said > 0) == data.generated[asked]
        accuracies.append(right[asked].mean())
    by_piece = {
        int(piece): (int(right[data.piece == piece].sum()), int((data.piece == piece).sum()))
        for piece in np.unique(data.piece)
    }
    error = float(np.std(accuracies, ddof=1) / np.sqrt(folds))
    return Verdict(recipe.name, float(right.mean()), error, by_piece)


@dataclass(frozen=True, slots=True)
class _Scale:
    mean: Told
    spread: Told

    @classmethod
    def of(cls, told: Told) -> _Scale:
        """Of each number over segments, and notes where there are."""
        axes = tuple(range(told.ndim - 1))
        return cls(told.mean(axis=axes), told.std(axis=axes) + np.float32(1e-3))

    def __call__(self, told: Told) -> Told:
        """To mean 0 and deviation 1."""
        scaled: Told = np.clip((told - self.mean) / self.spread, -5, 5)
        return scaled


def _folds(piece: NDArray[np.int64], folds: int, seed: int) -> Iterator[NDArray[np.bool_]]:
    """For each fold which segments are in it: all of a piece or none."""
    order = np.random.default_rng(seed).permutation(np.unique(piece))
    for number in range(folds):
        yield np.isin(piece, order[number::folds])


def _trained(
    recipe: Recipe,
    told: Told,
    generated: NDArray[np.bool_],
    trained: NDArray[np.int64],
    checked: NDArray[np.int64],
) -> nn.Module:
    model = recipe.make(told.shape[-1])
    optimiser = torch.optim.AdamW(model.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    inputs, wanted = torch.from_numpy(told), torch.from_numpy(generated.astype(np.float32))
    best, kept, waited = np.inf, dict[str, torch.Tensor](), 0
    for _ in range(recipe.epochs):
        model.train()
        order = torch.from_numpy(trained)[torch.randperm(len(trained))]
        for rows in torch.split(order, _BATCH):
            loss = nn.functional.binary_cross_entropy_with_logits(model(inputs[rows])[:, 0], wanted[rows])
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
        nats = _nats(model, inputs[checked], wanted[checked])
        waited += 1
        if nats < best:
            best, waited = nats, 0
            kept = {name: value.clone() for name, value in model.state_dict().items()}
        if waited == _PATIENCE:
            break
    model.load_state_dict(kept)
    return model


@torch.inference_mode()
def _nats(model: nn.Module, inputs: torch.Tensor, wanted: torch.Tensor) -> float:
    model.eval()
    return float(nn.functional.binary_cross_entropy_with_logits(model(inputs)[:, 0], wanted))


@torch.inference_mode()
def _said(model: nn.Module, told: Told) -> NDArray[np.float32]:
    model.eval()
    said: NDArray[np.float32] = model(torch.from_numpy(told))[:, 0].numpy()
    return said
