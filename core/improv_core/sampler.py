"""Drawing a note, or a step of any representation, from the heads.

Temperature, min-p, masks and truncation act here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from improv_core.model import Heads
from improv_core.notes import CHORD_MS
from improv_core.representation import ATTRIBUTE_NAMES, ATTRIBUTES, KEYS, Attribute
from improv_core.representation.piano import DT
from improv_core.representation.writing import Writer

FloatArray = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How freely notes are drawn.

    Attributes:
        temperature_dt: Above 1 flattens, below 1 sharpens; likewise the other temperatures.
        guidance: How far what is asked moves the distribution from that of the model when nothing is: 0 not
            at all, 1 as far as it has learned, above 1 further (classifier-free guidance, Ho and Salimans
            2022). A style acts through the notes as well, which are read with it, whatever the guidance.
        min_p: Classes less likely than this share of the likeliest are never drawn (Nguyen et al. 2024).
        lowest_pitch: Of improv's notes.
        highest_pitch: Of improv's notes.
    """

    temperature_dt: float = 1.0
    temperature_pedal: float = 1.0
    temperature_pitch: float = 1.0
    temperature_velocity: float = 1.0
    temperature_duration: float = 1.0
    guidance: float = 2.5
    min_p: float = 0.01
    lowest_pitch: int = 21
    highest_pitch: int = 108

    @property
    def temperatures(self) -> tuple[float, ...]:
        """In the order of the attributes."""
        return tuple(getattr(self, f"temperature_{name}") for name in ATTRIBUTE_NAMES)

    def temperature_of(self, attribute: str) -> float:
        """Of an attribute of any representation; what is not one of a note's counts as pitch."""
        return float(getattr(self, f"temperature_{attribute}", self.temperature_pitch))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A note as drawn: ``dt_ms`` after the onset before it."""

    dt_ms: int
    pedal: int
    pitch: int
    velocity: int
    duration_ms: int


def draw_note(
    heads: Heads,
    projected: NDArray[np.float32],
    sampling: Sampling,
    rng: np.random.Generator,
    *,
    asked: Sequence[int],
    unasked: Sequence[int] | None = None,
    dt_ms: tuple[int, int],
    chord: Collection[int] = (),
) -> Drawn:
    """Draw the attributes of the next note in order, each given the ones before.

    Args:
        heads: The model's heads.
        projected: The model's output after the latest step, (projected,).
        sampling: Temperatures and bounds.
        rng: Where chance comes from.
        asked: What is asked of it, see `improv_core.representation.asking.ASKED`.
        unasked: The same without what guidance is to strengthen; None: it strengthens nothing.
        dt_ms: Earliest and latest onset after the previous one; the dt head is truncated to it.
        chord: Pitches struck in the last `CHORD_MS`, not to be doubled at the same time.
    """
    if np.isneginf(pitch_mask(sampling, chord)).all():  # every key of the range is in the chord: it is over
        dt_ms = (max(CHORD_MS, dt_ms[0]), max(CHORD_MS, dt_ms[1]))
    z = heads.begin(projected, asked)
    free = None if unasked is None or unasked == asked else heads.begin(projected, unasked)
    values: list[int] = []
    classes: list[int] = []
    for i, (attribute, temperature) in enumerate(zip(ATTRIBUTES, sampling.temperatures, strict=True)):
        logits = heads.outputs(i, z, classes).astype(np.float64)
        if free is not None:
            without = heads.outputs(i, free, classes)
            logits = without + sampling.guidance * (logits - without)
        logits /= temperature
        if attribute.name == "dt":
            values.append(_draw_dt(logits, sampling.min_p, rng, dt_ms))
            index = DT.index(values[-1])
        else:
            if attribute.name == "pitch":
                logits = logits + pitch_mask(sampling, chord if values[0] < CHORD_MS else ())
            index = draw_class(logits, sampling.min_p, rng.random())
            values.append(attribute.binning.value(index, rng.random()))
        classes.append(index)
    return Drawn(*values)


def draw_step(
    heads: Heads,
    attributes: Sequence[Attribute],
    projected: NDArray[np.float32],
    writer: Writer,
    sampling: Sampling,
    rng: np.random.Generator,
) -> list[int]:
    """Draw the attributes of the next step of any representation, within what its writer allows.

    Returns:
        For each attribute the class; of a regression milliseconds, drawn from the Laplace distribution
        round the prediction, and never negative.
    """
    z = heads.begin(projected, ())
    values: list[int] = []
    for i, attribute in enumerate(attributes):
        outputs = heads.outputs(i, z, values).astype(np.float64)
        temperature = sampling.temperature_of(attribute.name)
        scale_s = heads.scales[i]
        if scale_s is not None:
            values.append(max(0, round(1000 * rng.laplace(float(outputs[0]), scale_s * temperature))))
            continue
        mask = writer.mask(i, values)
        logits = outputs / temperature
        values.append(draw_class(logits if mask is None else logits + mask, sampling.min_p, rng.random()))
    return values


def pitch_mask(sampling: Sampling, chord: Collection[int]) -> FloatArray:
    """0 for each allowed pitch, minus infinity for the others, (KEYS,)."""
    mask = np.full(KEYS, -np.inf)
    mask[sampling.lowest_pitch : sampling.highest_pitch + 1] = 0
    mask[list(chord)] = -np.inf
    return mask


def draw_class(logits: FloatArray, min_p: float, uniform: float) -> int:
    """Draw a class by its probability among those that min-p leaves; minus infinity is never drawn.

    Args:
        logits: (classes,), already divided by the temperature.
        min_p: Least share of the largest probability.
        uniform: In [0, 1).
    """
    shares = np.exp(logits - logits.max())
    shares[shares < min_p] = 0
    cumulative = np.cumsum(shares)
    return int(np.searchsorted(cumulative, uniform * cumulative[-1], side="right"))


def _draw_dt(logits: FloatArray, min_p: float, rng: np.random.Generator, dt_ms: tuple[int, int]) -> int:
    """A dt within bounds: each class counts by the share of it that lies inside."""
    earliest, latest = dt_ms[0], max(dt_ms[0] + 1, dt_ms[1])
    bounds = DT.bounds_ms()
    low, high = np.maximum(bounds[:-1], earliest), np.minimum(bounds[1:], latest)
    inside = np.clip(high - low, 0, None) / np.diff(bounds)
    if not inside.any():  # beyond the longest class: all that is known is that it is due
        return earliest
    with np.errstate(divide="ignore"):
        index = draw_class(logits + np.log(inside), min_p, rng.random())
    return int(low[index] + rng.random() * (high[index] - low[index]))
