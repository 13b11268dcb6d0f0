"""What the model gains from being told: nats a note of held-out pieces, one condition at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.notes import Part
from improv_core.representation import Notes, Representation, Rows, Setting, Wishes
from improv_core.representation.asking import FREE_DENSITY, FREE_LEFT
from improv_training.evaluation.reading import projected_before
from improv_training.evaluation.scoring import Scorer, head_figures
from improv_training.wishes import wishes_of

Told = Callable[[Representation, Notes], Rows]
"""A piece as steps, with what the model is told of it."""


def _rows(representation: Representation, notes: Notes, *, density: bool = False, left: bool = False) -> Rows:
    alone = np.zeros(len(notes), dtype=np.int64)
    true = wishes_of(notes, alone)
    free = np.full(len(notes), FREE_DENSITY), np.full(len(notes), FREE_LEFT)
    wishes = Wishes(true.density if density else free[0], true.left if left else free[1])
    return representation.rows(notes, np.full(len(notes), int(Part.IMPROV)), wishes)


def _keeping(setting: Setting | None, *, style: bool = False, beat: bool = False) -> Setting | None:
    if setting is None:
        return None
    beat_ms = setting.beat_ms if beat else np.zeros_like(setting.beat_ms)
    return replace(setting, style=setting.style if style else None, beat_ms=beat_ms)


def nothing(representation: Representation, notes: Notes) -> Rows:
    """Told nothing."""
    return _rows(representation, replace(notes, setting=None))


def style(representation: Representation, notes: Notes) -> Rows:
    """Told the style."""
    return _rows(representation, replace(notes, setting=_keeping(notes.setting, style=True)))


def beat(representation: Representation, notes: Notes) -> Rows:
    """Told where the beats are."""
    return _rows(representation, replace(notes, setting=_keeping(notes.setting, beat=True)))


def density(representation: Representation, notes: Notes) -> Rows:
    """Told how many notes a second are to come."""
    return _rows(representation, replace(notes, setting=None), density=True)


def left(representation: Representation, notes: Notes) -> Rows:
    """Told how long each phrase still is."""
    return _rows(representation, replace(notes, setting=None), left=True)


TOLD: Final[dict[str, Told]] = {
    "nothing": nothing,
    "style": style,
    "beat": beat,
    "density": density,
    "phrase left": left,
}


@dataclass(frozen=True, slots=True)
class Gain:
    """What one condition is worth.

    Attributes:
        told: Which one.
        nats: A note, by attribute, (attributes,).
    """

    told: str
    nats: NDArray[np.float64]


def gains(scorer: Scorer, pieces: Sequence[Notes], told: Iterable[str] = tuple(TOLD)) -> list[Gain]:
    """Nats a note of the same pieces under each condition; all notes improv's own.

    Args:
        scorer: The model.
        pieces: Held out.
        told: Names out of `TOLD`.
    """
    return [
        Gain(name, _nats(scorer, [TOLD[name](scorer.representation, one) for one in pieces])) for name in told
    ]


def _nats(scorer: Scorer, rows: Sequence[Rows]) -> NDArray[np.float64]:
    projected = projected_before(scorer, [one.read for one in rows])
    sums = [
        head_figures(scorer, before, one.asked, one.targets).nats
        for before, one in zip(projected, rows, strict=True)
    ]
    mean: NDArray[np.float64] = np.concatenate(sums).mean(axis=0)
    return mean
