"""Drawing a note, or a step of any representation, from the heads.

Temperature, min-p, masks and truncation act here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from improv_core.leaning import NO_LEANING, Leaning
from improv_core.model import Heads
from improv_core.notes import CHORD_MS, FINGERS
from improv_core.representation import ATTRIBUTE_NAMES, ATTRIBUTES, KEYS, Attribute
from improv_core.representation.piano import DT, VELOCITY
from improv_core.representation.writing import Writer
from improv_core.scales import OFF

FloatArray = NDArray[np.floating]

_LEAST: Final = float(np.finfo(np.float64).tiny)

_VELOCITIES: Final = VELOCITY.width * (np.arange(VELOCITY.size) + 0.5)


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
        temperature: Times each of the others.
        top_p: The likeliest classes that make up this share are kept (Holtzman et al. 2020); 1 keeps all.
        scale: One of `improv_core.scales.SCALES`.
        scale_strict: Whether no pitch outside the scale is drawn; else such pitches are only less likely.
        velocity_follow: How far velocities move towards the player's, 0..1.
        polyphony: Most keys of improv's that are down at a time; 0 for any number.
        loop_guard: Whether notes that repeat what was played before for long become less likely.
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
    temperature: float = 1.0
    top_p: float = 1.0
    scale: str = OFF
    scale_strict: bool = False
    velocity_follow: float = 0.5
    polyphony: int = 0
    loop_guard: bool = True

    @property
    def temperatures(self) -> tuple[float, ...]:
        """In the order of the attributes, times the overall one."""
        return tuple(self.temperature_of(name) for name in ATTRIBUTE_NAMES)

    def temperature_of(self, attribute: str) -> float:
        """Of an attribute of any representation; what is not one of a note's counts as pitch."""
        return self.temperature * float(getattr(self, f"temperature_{attribute}", self.temperature_pitch))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A note as drawn: ``dt_ms`` after the onset before it."""

    dt_ms: int
    pedal: int
    pitch: int
    velocity: int
    duration_ms: int


class Mixing(Protocol):
    """Another opinion on each attribute of a note, mixed with the model's."""

    def mixed(
        self, attribute: int, z: FloatArray, classes: Sequence[int], probabilities: FloatArray
    ) -> FloatArray:
        """The model's probabilities and the other's in one, (classes,), sum 1.

        Args:
            attribute: Index of it.
            z: What its head reads, (projected,).
            classes: Of the earlier attributes of the note, as drawn.
            probabilities: The model's, after guidance and temperature, before any mask, (classes,).
        """
        ...


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
    leaning: Leaning = NO_LEANING,
    mixing: Mixing | None = None,
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
        leaning: What bears on the note beside the model.
        mixing: What is mixed into each attribute's distribution before masks and truncation.
    """
    struck = _pitches_left(sampling, leaning, chord)
    dt_ms = _left_ms(dt_ms, leaning, chord, struck)
    z = heads.begin(projected, asked)
    free = None if unasked is None or unasked == asked else heads.begin(projected, unasked)
    values: list[int] = []
    classes: list[int] = []
    for i, (attribute, temperature) in enumerate(zip(ATTRIBUTES, sampling.temperatures, strict=True)):
        heat = temperature * (leaning.pitch_temperature if attribute.name == "pitch" else 1.0)
        logits = _guided(heads, i, (z, free), classes, sampling.guidance) / heat
        if mixing is not None:
            logits = _mixed(mixing, i, heads.inputs(i, z, classes), classes, logits)
        if attribute.name == "dt":
            values.append(_draw_dt(logits, sampling, rng, dt_ms))
            index = DT.index(values[-1])
        else:
            if attribute.name == "pitch":
                logits = logits + (struck if values[0] < CHORD_MS else _pitches_left(sampling, leaning, ()))
            elif attribute.name == "velocity" and leaning.velocity is not None:
                logits = towards(logits, leaning.velocity, leaning.velocity_follow)
            index = draw_class(logits, sampling.min_p, rng.random(), sampling.top_p)
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
        values.append(
            draw_class(
                logits if mask is None else logits + mask, sampling.min_p, rng.random(), sampling.top_p
            )
        )
    return values


def pitch_mask(sampling: Sampling, chord: Collection[int]) -> FloatArray:
    """0 for each allowed pitch, minus infinity for the others, (KEYS,)."""
    mask = np.full(KEYS, -np.inf)
    mask[sampling.lowest_pitch : sampling.highest_pitch + 1] = 0
    mask[list(chord)] = -np.inf
    return mask


def draw_class(logits: FloatArray, min_p: float, uniform: float, top_p: float = 1.0) -> int:
    """Draw a class by its probability among those that min-p and then top-p leave.

    Minus infinity is never drawn.

    Args:
        logits: (classes,), already divided by the temperature.
        min_p: Least share of the largest probability.
        uniform: In [0, 1).
        top_p: Of what min-p leaves, the likeliest classes are kept until they make up this share.
    """
    shares = np.exp(logits - logits.max())
    shares[shares < min_p] = 0
    if top_p < 1:
        order = np.argsort(-shares, kind="stable")
        reached = np.cumsum(shares[order])
        kept = int(np.searchsorted(reached, top_p * reached[-1])) + 1
        shares[order[kept:]] = 0
    cumulative = np.cumsum(shares)
    return int(np.searchsorted(cumulative, uniform * cumulative[-1], side="right"))


def towards(logits: FloatArray, velocity: float, share: float) -> FloatArray:
    """Logits of the same distribution of velocities, moved as a whole: its mean goes towards a velocity.

    An exponential tilt would be nearer to the model, but it moves a sharp distribution by its tails: by a few
    notes that are far too soft or too loud.

    Args:
        logits: (velocity classes,).
        velocity: Where to.
        share: Of the way, 0..1.
    """
    shares = np.exp(logits - logits.max())
    mean = float(shares @ _VELOCITIES / shares.sum())
    classes = np.arange(VELOCITY.size)
    moved = np.interp(classes - share * (velocity - mean) / VELOCITY.width, classes, shares, left=0, right=0)
    logits_there: FloatArray = np.log(np.maximum(moved, _LEAST))
    return logits_there


def _pitches_left(sampling: Sampling, leaning: Leaning, chord: Collection[int]) -> FloatArray:
    """What is added to the pitch logits; where the leaning rules out the whole range, the range wins."""
    mask = pitch_mask(sampling, chord)
    if leaning.pitch is None:
        return mask
    if np.isneginf(pitch_mask(sampling, ()) + leaning.pitch).all():
        return mask
    return mask + leaning.pitch


def _left_ms(
    dt_ms: tuple[int, int], leaning: Leaning, chord: Collection[int], struck: FloatArray
) -> tuple[int, int]:
    """Earliest and latest onset that the chord so far and the leaning leave."""
    if len(chord) >= FINGERS or np.isneginf(struck).all():  # nothing is left to strike it with: it is over
        dt_ms = (max(CHORD_MS, dt_ms[0]), max(CHORD_MS, dt_ms[1]))
    return max(leaning.earliest_ms, dt_ms[0]), max(leaning.earliest_ms, dt_ms[1])


def _guided(
    heads: Heads,
    attribute: int,
    read: tuple[FloatArray, FloatArray | None],
    classes: Sequence[int],
    guidance: float,
) -> FloatArray:
    """Logits of an attribute, further from those where nothing is asked; new, (classes,)."""
    asked, free = read
    logits: FloatArray = heads.outputs(attribute, asked, classes).astype(np.float64)
    if free is None:
        return logits
    without = heads.outputs(attribute, free, classes)
    return without + guidance * (logits - without)


def _mixed(
    mixing: Mixing, attribute: int, z: FloatArray, classes: Sequence[int], logits: FloatArray
) -> FloatArray:
    shares = np.exp(logits - logits.max())
    mixed = mixing.mixed(attribute, z, classes, shares / shares.sum())
    return np.log(np.maximum(mixed, _LEAST))  # a mask may leave nothing but what was next to impossible


def _draw_dt(logits: FloatArray, sampling: Sampling, rng: np.random.Generator, dt_ms: tuple[int, int]) -> int:
    """A dt within bounds: each class counts by the share of it that lies inside."""
    earliest, latest = dt_ms[0], max(dt_ms[0] + 1, dt_ms[1])
    bounds = DT.bounds_ms()
    low, high = np.maximum(bounds[:-1], earliest), np.minimum(bounds[1:], latest)
    inside = np.clip(high - low, 0, None) / np.diff(bounds)
    if not inside.any():  # beyond the longest class: all that is known is that it is due
        return earliest
    with np.errstate(divide="ignore"):
        index = draw_class(logits + np.log(inside), sampling.min_p, rng.random(), sampling.top_p)
    return int(low[index] + rng.random() * (high[index] - low[index]))
