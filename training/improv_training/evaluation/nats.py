"""Nats per note by attribute on held-out pieces, beside unigram, bigram and PPM of the same classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from improv_core.model import State
from improv_core.representation import Attribute, Notes, Representation
from improv_core.representation.binning import IntArray
from improv_core.representation.events import words_of
from improv_training.corpora.corpus import Corpus, Split
from improv_training.engine.batches import LaneBatches, Lanes, own_rows
from improv_training.evaluation.baselines import Baselines, as_classes
from improv_training.evaluation.figures import Figures
from improv_training.evaluation.ppm import ORDER
from improv_training.evaluation.scoring import HeadFigures, Scorer, head_figures

Progress = Callable[[int, int], None]
FloatArray = NDArray[np.float64]

LANES, CHUNK = 64, 256

PPM = f"PPM-{ORDER}"


def score_corpus(
    scorer: Scorer,
    corpus: Corpus,
    split: Split,
    baselines: Baselines,
    progress: Progress = lambda done, total: None,
) -> Figures:
    """Score a model and the baselines on the pieces of a split; there must be some.

    Args:
        scorer: The model.
        corpus: The pieces.
        split: Which of them.
        baselines: What has been learned elsewhere, of the same representation.
        progress: Called with (notes done, notes in all), near enough where steps are no notes.
    """
    attributes = scorer.representation.attributes
    pieces = [_facts(scorer.representation, piece) for piece in corpus.pieces(split)]
    sums, steps = _model_sums(scorer, corpus, split, [piece.steps for piece in pieces], progress)
    grid = np.array([piece.grid for piece in pieces])
    nats = {"model": sums.nats, **{name: said + grid for name, said in _baseline_nats(baselines, pieces)}}
    notes, tokens = sum(piece.notes for piece in pieces), sum(piece.tokens for piece in pieces)
    seconds = sum(piece.seconds for piece in pieces)
    beyond = np.array([piece.width + piece.charge for piece in pieces])
    per_piece = {name: said.sum(axis=1) + beyond for name, said in nats.items()}
    totals = {name: float(said.sum()) for name, said in per_piece.items()}
    return Figures(
        corpus=corpus.name,
        pieces=len(pieces),
        notes=notes,
        steps=steps,
        tokens=tokens,
        seconds=seconds,
        attributes=attributes,
        nats={name: _means(said, notes) for name, said in nats.items()},
        per_step=_means(sums.nats, steps),
        right=_means(sums.right, steps),
        width=sum(piece.width for piece in pieces) / notes,
        lost=sum(piece.lost for piece in pieces) / notes,
        charge=sum(piece.charge for piece in pieces) / notes,
        bits_per_second={name: total / np.log(2) / seconds for name, total in totals.items()},
        per_token={name: total / tokens for name, total in totals.items()},
        per_piece={name: tuple(said.tolist()) for name, said in per_piece.items()},
    )


def _means(said: FloatArray, count: int) -> tuple[float, ...]:
    return tuple((said.sum(axis=0) / count).tolist())


def _model_sums(
    scorer: Scorer, corpus: Corpus, split: Split, steps_of: Sequence[int], progress: Progress
) -> tuple[HeadFigures, int]:
    """Sums over each piece, (pieces, attributes), and how many steps count in all.

    Args:
        scorer: The model.
        corpus: The pieces.
        split: Which of them.
        steps_of: How many steps each has.
        progress: Told of notes.
    """
    how = Lanes(min(LANES, corpus.split.count(split)), CHUNK)
    batches = LaneBatches([corpus], [1], split, scorer.representation, how)
    state = scorer.empty(how.lanes)
    total = HeadFigures(*np.zeros((2, len(steps_of), len(scorer.representation.attributes))))
    places = _Places(corpus, split, steps_of, how.lanes)
    steps, everything = 0, max(1, sum(steps_of))
    for batch in batches:
        columns, dense, asked, wanted, mask, fresh = (tensor.numpy() for tensor in batch[:6])
        alive = (~fresh).astype(np.float32)[None, :, None]
        memory = State(state.hidden * alive, state.cell * alive)
        projected, state = scorer.body(columns, dense.astype(np.float32), memory)
        said = head_figures(scorer, projected[mask], asked[mask], wanted[mask])
        piece = np.broadcast_to(places.after(fresh), mask.shape)[mask]
        np.add.at(total.nats, piece, said.nats)
        np.add.at(total.right, piece, said.right)
        steps += int(mask.sum())
        progress(int(batches.notes * min(1.0, steps / everything)), batches.notes)
    progress(batches.notes, batches.notes)
    return total, steps


class _Places:
    """Which piece every lane of `LaneBatches` is in.

    Args:
        corpus: The pieces.
        split: Which of them.
        steps_of: How many steps each has; those without any come into no lane.
        lanes: How many.
    """

    def __init__(self, corpus: Corpus, split: Split, steps_of: Sequence[int], lanes: int) -> None:
        notes = np.diff(corpus.offsets)[[name == split for name in corpus.split]]
        queue = np.argsort(notes, kind="stable")[::-1].tolist()
        self._queue = iter([place for place in queue if steps_of[place]])
        self._lanes = np.zeros(lanes, dtype=np.int64)

    def after(self, fresh: NDArray[np.bool_]) -> IntArray:
        """The piece of each lane when those that are fresh have begun another, (lanes,)."""
        for lane in np.flatnonzero(fresh):
            self._lanes[lane] = next(self._queue, self._lanes[lane])
        return self._lanes


@dataclass(frozen=True, slots=True)
class _Facts:
    """Of a piece, whatever the model.

    Attributes:
        classes: Of each step, (n, attributes).
        scored: Which steps count, (n,).
        notes: How many they stand for.
        lost: How many of them the vocabulary cannot express.
        charge: What naming those would cost.
        seconds: From first to last onset.
        tokens: As how many MIDI-like words the piece is written.
        width: Log of the widths of its classes.
        grid: Log of the widths of each attribute that is regressed: the regression is charged on the grid
            itself, and so are the baselines of it.
    """

    classes: IntArray
    scored: NDArray[np.bool_]
    notes: int
    lost: int
    charge: float
    seconds: float
    tokens: int
    width: float
    grid: FloatArray

    @property
    def steps(self) -> int:
        """In all, those that do not count as well."""
        return len(self.classes)


def _facts(representation: Representation, piece: Notes) -> _Facts:
    attributes = representation.attributes
    rows = own_rows(representation, piece)
    classes, scored = as_classes(attributes, rows.targets), rows.scored
    widths = np.array([_log_width(a, classes[scored, i]) for i, a in enumerate(attributes)])
    regressed = np.array([attribute.head == "regression" for attribute in attributes])
    return _Facts(
        classes=classes,
        scored=scored,
        notes=int(rows.notes[scored].sum()),
        lost=int(rows.lost[scored].sum()),
        charge=float(rows.charge[scored].sum()),
        seconds=float(piece.dt_ms.sum()) / 1000,
        tokens=len(words_of(piece)),
        width=float(widths[~regressed].sum()),
        grid=np.where(regressed, widths, 0.0),
    )


def _log_width(attribute: Attribute, classes: IntArray) -> float:
    return float(attribute.binning.log_widths()[classes].sum())


def _baseline_nats(baselines: Baselines, pieces: Sequence[_Facts]) -> Iterator[tuple[str, FloatArray]]:
    """Sums over each piece, (pieces, attributes)."""
    said = [(piece.classes, piece.scored) for piece in pieces]
    yield PPM, baselines.ppm_nats(said)
    yield "bigram", np.array([baselines.bigram_nats(*one) for one in said])
    yield "unigram", np.array([baselines.unigram_nats(*one) for one in said])
