"""What the live cache is worth on a piece: the second half, when the first has been heard.

The model reads the piece as it is, with its state carried through; what changes is what the cache holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.following import Following
from improv_core.live_cache import CONTEXT, NOTES, TRUSTS, LiveCache, Trust
from improv_core.model import Heads, Model
from improv_core.representation import ATTRIBUTES, Notes, joined
from improv_training.engine.batches import own_rows

Shares = NDArray[np.float64]

LEAST_NOTES: Final = 128
"""Of a piece that has two halves to speak of."""


@dataclass(frozen=True, slots=True)
class Halves:
    """What was said of the true classes of a second half; (notes, attributes) each.

    Attributes:
        model: Their probabilities, by the model.
        cache: By the cache alone.
    """

    model: Shares
    cache: Shares

    def __len__(self) -> int:
        return len(self.model)

    @property
    def nats(self) -> Shares:
        """Mean nats per note of each attribute, the cache left out; (attributes,)."""
        return np.asarray(-np.log(self.model).mean(axis=0))

    def gain(self, follow: float) -> Shares:
        """Nats per note that the cache saves at such a strength, by attribute; (attributes,)."""
        if follow == 0:
            return np.zeros(self.model.shape[1])
        return np.asarray(np.log((1 - follow) + follow * self.cache / self.model).mean(axis=0))


@dataclass(frozen=True, slots=True)
class Remembering:
    """How a cache is filled.

    Attributes:
        notes: How many it holds.
        trusts: How each attribute is looked up.
        frozen: Whether nothing of the second half comes into it.
    """

    notes: int = NOTES
    trusts: Sequence[Trust | None] = TRUSTS
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece as the model reads it, a row a note.

    Attributes:
        notes: The piece.
        projected: Before each note, (n, projected).
        asked: (n, asked).
        classes: (n, attributes).
        inputs: Of each attribute what its head reads, (n, projected).
        shares: Of each attribute the model's probabilities, (n, classes).
    """

    notes: Notes
    projected: NDArray[np.float32]
    asked: NDArray[np.int64]
    classes: NDArray[np.int64]
    inputs: list[NDArray[np.float32]]
    shares: list[Shares]

    def __len__(self) -> int:
        return len(self.notes)


def read(model: Model, notes: Notes) -> Piece:
    """Read a piece with a model of the representation ``piano``; nothing is told of it."""
    rows = own_rows(model.representation, notes)
    before = joined([model.representation.start(), rows.read])[:-1]
    steps = before.columns[:, None], before.dense[:, None].astype(np.float32)
    projected = model.run(*steps, model.initial_state())[0][:, 0]
    begun, values = model.heads.begin(projected, rows.asked), list(rows.targets.T)
    each = range(len(ATTRIBUTES))
    return Piece(
        notes,
        projected,
        rows.asked,
        rows.targets,
        [model.heads.inputs(i, begun, values) for i in each],
        [_shares(model.heads.outputs(i, begun, values)) for i in each],
    )


def second_half(heads: Heads, piece: Piece, how: Remembering) -> Halves:
    """Score the second half of a piece, note by note, by the code that plays.

    A duration comes into the cache when its key has come up, as live.

    Args:
        heads: Of the model that has read it.
        piece: What it has read.
        how: What the cache is like.
    """
    cache, half = LiveCache(heads, notes=how.notes, trusts=how.trusts), len(piece) // 2
    pitches, release_ms = piece.notes.pitch.tolist(), piece.notes.onset_ms + piece.notes.duration_ms
    said = np.empty((len(piece) - half, len(ATTRIBUTES)))
    held: list[tuple[int, int, int]] = []
    for i, onset_ms in enumerate(piece.notes.onset_ms.tolist()):
        classes = piece.classes[i].tolist()
        held = [
            (token, up_ms, last)
            for token, up_ms, last in held
            if not _is_up(cache, token, up_ms, last, onset_ms)
        ]
        if i >= half:
            said[i - half] = _said(cache.after(pitches[max(0, i - CONTEXT) : i]), piece, i, classes)
        if i < half or not how.frozen:
            token = cache.heard(piece.projected[i], piece.asked[i].tolist(), classes[:-1])
            held.append((token, int(release_ms[i]), classes[-1]))
    places = np.arange(half, len(piece))
    true = [shares[places, piece.classes[places, a]] for a, shares in enumerate(piece.shares)]
    return Halves(np.stack(true, axis=1), said)


def _is_up(cache: LiveCache, token: int, up_ms: int, duration: int, now_ms: int) -> bool:
    if up_ms <= now_ms:
        cache.lasted(token, duration)
    return up_ms <= now_ms


def _said(here: Following, piece: Piece, place: int, classes: list[int]) -> list[float]:
    alone = (
        here.at_strength(1.0, i, inputs[place], classes[:i], shares[place])
        for i, (inputs, shares) in enumerate(zip(piece.inputs, piece.shares, strict=True))
    )
    return [float(shares[true]) for shares, true in zip(alone, classes, strict=True)]


def _shares(logits: NDArray[np.float32]) -> Shares:
    weights = np.exp((logits - logits.max(axis=1, keepdims=True)).astype(np.float64))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


# --- choosing -------------------------------------------------------------------------------------


Scored = Callable[[Sequence[Trust | None]], Shares]
"""Of each attribute what a choice gains."""


def chosen(gain: Scored, begin: Sequence[Trust | None], steps: Sequence[float]) -> tuple[Trust | None, ...]:
    """Search by coordinates: one number of all attributes is changed at a time, each keeps what serves it.

    Args:
        gain: To be as large as may be; an attribute's depends on its own numbers alone.
        begin: Where from.
        steps: Factors, one round of changes up and down for each.
    """
    best, most = tuple(begin), gain(begin)
    for step in steps:
        for name in (field.name for field in fields(Trust)):
            for factor in (step, 1 / step):
                tried = tuple(one and replace(one, **{name: getattr(one, name) * factor}) for one in best)
                found = gain(tried)
                best = tuple(
                    new if f > m else old for new, old, f, m in zip(tried, best, found, most, strict=True)
                )
                most = np.maximum(most, found)
    return best
