"""Colours on light and on dark ground, told apart by those who see few of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_SOFT, _LOUD = 20.0, 112.0
_FAINTEST: Final = 0.28


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of a picture, as ``#rrggbb``.

    Attributes:
        ground: Behind everything.
        ink: Words and axes.
        quiet: Words that explain.
        grid: Lines to read values by.
        stripe: Rows of black keys.
        player: What the player played.
        improv: What improv played.
        series: Of files beside one another (after Okabe and Ito, "Color Universal Design", 2008).
    """

    ground: str
    ink: str
    quiet: str
    grid: str
    stripe: str
    player: str
    improv: str
    series: tuple[str, ...]

    def of(self, number: int) -> str:
        """The colour of one of a series, however long."""
        return self.series[number % len(self.series)]


LIGHT: Final = Palette(
    ground="#ffffff",
    ink="#1f2328",
    quiet="#656d76",
    grid="#e3e6ea",
    stripe="#f4f5f7",
    player="#d55e00",
    improv="#0072b2",
    series=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900", "#56b4e9", "#656d76"),
)
DARK: Final = Palette(
    ground="#14171c",
    ink="#e8eaed",
    quiet="#9aa3ad",
    grid="#2b313a",
    stripe="#1a1e24",
    player="#e69f00",
    improv="#56b4e9",
    series=("#56b4e9", "#e69f00", "#2fc797", "#e3a2c4", "#f0e442", "#ff7a3d", "#9aa3ad"),
)


def rgb(colour: str) -> FloatArray:
    """Red, green and blue, 0..1, of ``#rrggbb``."""
    return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def mixed(colour: str, ground: str, share: float | FloatArray) -> FloatArray:
    """A colour thinned with the ground; shape (..., 3) for shares of shape (...)."""
    thin = np.asarray(share, dtype=np.float64)[..., None]
    result: FloatArray = thin * rgb(colour) + (1.0 - thin) * rgb(ground)
    return result


def shades(velocity: FloatArray, colour: str, ground: str) -> FloatArray:
    """Colours of notes, shape (notes, 3): the louder, the further from the ground."""
    loudness = np.clip((velocity - _SOFT) / (_LOUD - _SOFT), 0.0, 1.0)
    return mixed(colour, ground, _FAINTEST + (1.0 - _FAINTEST) * loudness)


def suited(ground: str | tuple[float, ...]) -> Palette:
    """The palette that is read on this ground."""
    light = float(np.mean(rgb(ground))) if isinstance(ground, str) else float(np.mean(ground[:3]))
    return LIGHT if light > 0.5 else DARK
