"""Results of scoring: by corpus, their means, and as JSON; importable without torch."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from improv_core.errors import StorageError
from improv_core.representation import Attribute

Nats = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """One corpus' result, or a mean over several.

    Attributes:
        corpus: Its name.
        pieces: Pieces scored.
        notes: Notes scored.
        steps: Steps scored: as many as notes, where every note is one.
        tokens: As how many MIDI-like words the pieces are written
            (`improv_core.representation.events.words_of`), whatever the model reads.
        seconds: From first to last onset, summed over the pieces.
        attributes: What was predicted.
        nats: For model, PPM, bigram and unigram: mean nats per note of each attribute.
        per_step: Of the model: mean nats per step of each attribute.
        right: Of the model: share of steps whose likeliest class of each attribute is the true one; of a
            regression the mean absolute error in milliseconds.
        width: Mean log of the width of the true time classes, in 10 ms cells.
        lost: Share of the notes that the vocabulary cannot express.
        charge: What naming them would cost beyond the classes, in nats per note of all.
        bits_per_second: For each row of ``nats`` all bits, widths and charge among them, divided by the
            seconds; as the Anticipatory Music Transformer counts them (Thickstun et al. 2023).
        per_token: Likewise nats, divided by the tokens.
        per_piece: Likewise the total nats of each piece, in the order of the corpus; empty in a mean.
    """

    corpus: str
    pieces: int
    notes: int
    steps: int
    tokens: int
    seconds: float
    attributes: tuple[Attribute, ...]
    nats: dict[str, Nats]
    per_step: Nats
    right: Nats
    width: float
    lost: float
    charge: float
    bits_per_second: dict[str, float]
    per_token: dict[str, float]
    per_piece: dict[str, Nats] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the attributes."""
        return tuple(attribute.name for attribute in self.attributes)

    @property
    def difference(self) -> Nats:
        """Model less bigram, for each attribute; below zero the model is better."""
        return tuple(a - b for a, b in zip(self.nats["model"], self.nats["bigram"], strict=True))

    def total(self, row: str) -> float:
        """Nats per note of all attributes, what is lost charged."""
        return sum(self.nats[row]) + self.charge

    def bits(self, row: str) -> float:
        """Bits per note of all attributes, what is lost and what the time classes leave open charged."""
        return (self.total(row) + self.width) / math.log(2)

    @property
    def total_per_step(self) -> float:
        """The model's nats per step, what is lost charged."""
        return sum(self.per_step) + self.charge * self.notes / self.steps


def mean_over_corpora(figures: Sequence[Figures]) -> Figures:
    """Every corpus counts alike."""
    return _mean("mean of corpora", figures, [1] * len(figures))


def mean_over_notes(figures: Sequence[Figures]) -> Figures:
    """Every note counts alike; in what is counted by steps, every step."""
    return _mean("mean of notes", figures, None)


def _mean(name: str, figures: Sequence[Figures], weights: Sequence[int] | None) -> Figures:
    notes, steps, seconds, tokens = (
        np.array(weights or counts) / sum(weights or counts)
        for counts in (
            [getattr(one, name) for one in figures] for name in ("notes", "steps", "seconds", "tokens")
        )
    )
    rows = figures[0].nats
    return Figures(
        corpus=name,
        pieces=sum(one.pieces for one in figures),
        notes=sum(one.notes for one in figures),
        steps=sum(one.steps for one in figures),
        tokens=sum(one.tokens for one in figures),
        seconds=sum(one.seconds for one in figures),
        attributes=figures[0].attributes,
        nats={row: tuple((notes @ [one.nats[row] for one in figures]).tolist()) for row in rows},
        per_step=tuple((steps @ [one.per_step for one in figures]).tolist()),
        right=tuple((steps @ [one.right for one in figures]).tolist()),
        width=float(notes @ [one.width for one in figures]),
        lost=float(notes @ [one.lost for one in figures]),
        charge=float(notes @ [one.charge for one in figures]),
        bits_per_second={row: float(seconds @ [one.bits_per_second[row] for one in figures]) for row in rows},
        per_token={row: float(tokens @ [one.per_token[row] for one in figures]) for row in rows},
    )


def write_json(figures: Sequence[Figures], means: Sequence[Figures], split: str, path: Path) -> None:
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
    totals = {row: one.total(row) for row in one.nats}
    rows = {**one.nats, "model_less_bigram": one.difference}
    totals["model_less_bigram"] = sum(one.difference)
    kinds = [attribute.head for attribute in one.attributes]
    shown = {head: [k for k, kind in enumerate(kinds) if kind == head] for head in set(kinds)}
    return {
        "corpus": one.corpus,
        "pieces": one.pieces,
        "notes": one.notes,
        "steps": one.steps,
        "tokens": one.tokens,
        "seconds": round(one.seconds, 1),
        "width": round(one.width, 4),
        "lost": round(one.lost, 6),
        "charge": round(one.charge, 4),
        "nats_per_note": {row: _named(one, nats, totals[row]) for row, nats in rows.items()},
        "bits_per_note": {row: round(one.bits(row), 4) for row in one.nats},
        "bits_per_second": {row: round(value, 4) for row, value in one.bits_per_second.items()},
        "nats_per_token": {row: round(value, 4) for row, value in one.per_token.items()},
        "nats_of_each_piece": {
            row: [round(value, 2) for value in values] for row, values in one.per_piece.items()
        },
        "nats_per_step": _named(one, one.per_step, one.total_per_step),
        "accuracy": {one.names[i]: round(one.right[i], 4) for i in shown.get("categorical", [])},
        "mean_error_ms": {one.names[i]: round(one.right[i], 1) for i in shown.get("regression", [])},
    }


def _named(one: Figures, nats: Nats, total: float) -> dict[str, float]:
    pairs = zip((*one.names, "sum"), (*nats, total), strict=True)
    return {name: round(value, 4) for name, value in pairs}
