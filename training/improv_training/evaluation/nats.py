"""Nats per note by attribute on held-out pieces, beside a unigram and a bigram of the same classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from improv_core.model import State
from improv_core.notes import Part
from improv_core.representation import Attribute, Notes, Representation, Rows
from improv_core.representation.binning import IntArray
from improv_training.corpora.corpus import Corpus, Split
from improv_training.engine.batches import LaneBatches, Lanes
from improv_training.evaluation.baselines import Baselines, as_classes
from improv_training.evaluation.figures import Figures
from improv_training.evaluation.scoring import HeadSums, Scorer, head_sums

Progress = Callable[[int, int], None]

LANES, CHUNK = 64, 256


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
    facts = _facts(scorer.representation, corpus, split, baselines)
    sums, steps = _model_sums(scorer, corpus, split, progress)
    by_model = {"model": sums.nats, "bigram": facts.bigram, "unigram": facts.unigram}
    return Figures(
        corpus=corpus.name,
        pieces=corpus.split.count(split),
        notes=facts.notes,
        steps=steps,
        seconds=facts.seconds,
        attributes=scorer.representation.attributes,
        nats={name: tuple((values / facts.notes).tolist()) for name, values in by_model.items()},
        per_step=tuple((sums.nats / steps).tolist()),
        right=tuple((sums.right / steps).tolist()),
        width=facts.width / facts.notes,
        lost=facts.lost / facts.notes,
        charge=facts.charge / facts.notes,
    )


def model_nats(
    scorer: Scorer, corpus: Corpus, split: Split, progress: Progress = lambda done, total: None
) -> tuple[NDArray[np.float64], int]:
    """Mean nats per step of each attribute, and how many steps; all improv's own, nothing augmented.

    The state is carried through each whole piece.
    """
    sums, steps = _model_sums(scorer, corpus, split, progress)
    return sums.nats / steps, steps


def _model_sums(scorer: Scorer, corpus: Corpus, split: Split, progress: Progress) -> tuple[HeadSums, int]:
    how = Lanes(min(LANES, corpus.split.count(split)), CHUNK)
    batches = LaneBatches([corpus], [1], split, scorer.representation, how)
    state = scorer.empty(how.lanes)
    total = HeadSums(*np.zeros((2, len(scorer.representation.attributes))))
    steps = 0
    for batch in batches:
        columns, dense, part, wanted, mask, fresh = (tensor.numpy() for tensor in batch[:6])
        alive = (~fresh).astype(np.float32)[None, :, None]
        memory = State(state.hidden * alive, state.cell * alive)
        projected, state = scorer.body(columns, dense.astype(np.float32), memory)
        sums = head_sums(scorer, projected[mask], part[mask], wanted[mask])
        total = HeadSums(total.nats + sums.nats, total.right + sums.right)
        steps += int(mask.sum())
        progress(min(steps, batches.notes), batches.notes)
    progress(batches.notes, batches.notes)
    return total, steps


@dataclass(slots=True)
class _Facts:
    """Sums over a split that do not depend on the model."""

    unigram: NDArray[np.float64]
    bigram: NDArray[np.float64]
    notes: int = 0
    lost: int = 0
    charge: float = 0.0
    seconds: float = 0.0
    width: float = 0.0


def _facts(representation: Representation, corpus: Corpus, split: Split, baselines: Baselines) -> _Facts:
    attributes = representation.attributes
    facts = _Facts(*np.zeros((2, len(attributes))))
    for piece in corpus.pieces(split):
        rows = own_rows(representation, piece)
        classes, scored = as_classes(attributes, rows.targets), rows.scored
        facts.unigram += baselines.unigram_nats(classes, scored)
        facts.bigram += baselines.bigram_nats(classes, scored)
        facts.notes += int(rows.notes[scored].sum())
        facts.lost += int(rows.lost[scored].sum())
        facts.charge += float(rows.charge[scored].sum())
        facts.seconds += float(piece.dt_ms.sum()) / 1000
        for i, attribute in enumerate(attributes):
            width = _log_width(attribute, classes[scored, i])
            if attribute.head == "categorical":
                facts.width += width
            else:  # the regression is charged on the grid itself, and so are those beside it
                facts.unigram[i] += width
                facts.bigram[i] += width
    return facts


def own_rows(representation: Representation, notes: Notes) -> Rows:
    """A piece as steps, all improv's own."""
    return representation.rows(notes, np.full(len(notes), int(Part.IMPROV)))


def _log_width(attribute: Attribute, classes: IntArray) -> float:
    return float(attribute.binning.log_widths()[classes].sum())
