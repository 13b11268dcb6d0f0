"""Segments of real and generated music as what a classifier is told of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.representation import Notes
from improv_training.evaluation.generated.calls import section
from improv_training.evaluation.generated.features import FEATURES, FloatArray
from improv_training.evaluation.generated.shares import summary

SEGMENT_NOTES: Final = 64

SEQUENCE_WIDTH: Final = 19
"""Numbers that `sequence` gives of a note."""

_GRAM = 4


@dataclass(frozen=True, slots=True)
class Segments:
    """Labelled segments.

    Attributes:
        notes: Each segment, all of one length.
        generated: Which are not real, (segments,).
        piece: Index of the piece that each is of or answers, (segments,).
    """

    notes: tuple[Notes, ...]
    generated: NDArray[np.bool_]
    piece: NDArray[np.int64]


def segments(
    generated: Sequence[Notes],
    real: Sequence[Notes],
    pieces: Sequence[Hashable],
    *,
    length: int = SEGMENT_NOTES,
) -> Segments:
    """Cut continuations, as many segments of each as its shorter side gives.

    Args:
        generated: Of each call what was generated.
        real: Of each call what is true.
        pieces: Of each call what tells its piece apart.
        length: Notes of a segment.
    """
    index = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    notes, labels, places = list[Notes](), list[bool](), list[int]()
    for played, true, piece in zip(generated, real, pieces, strict=True):
        for begin in range(0, min(len(played), len(true)) - length + 1, length):
            notes += [section(one, begin, begin + length) for one in (played, true)]
            labels += [True, False]
            places += [index[piece]] * 2
    return Segments(tuple(notes), np.array(labels, dtype=np.bool_), np.array(places, dtype=np.int64))


def described(parts: Iterable[Notes]) -> FloatArray:
    """Histograms of all features, and figures of each segment, (segments, numbers)."""
    return np.stack([_description(notes) for notes in parts])


def _description(notes: Notes) -> FloatArray:
    histograms = [feature.count(notes) for feature in FEATURES]
    shares = [np.sqrt(counts / max(1, counts.sum())) for counts in histograms]
    said = summary([notes])
    figures = [said.together, said.chord, said.pedalled, said.pedal_moves, said.notes_per_s]
    figures += [np.log(said.duration_ms), said.velocity, said.velocity_spread, said.pitch, said.class_bits]
    return np.concatenate([*shares, np.nan_to_num(figures, nan=-1.0), _coherence(notes)])


def _coherence(notes: Notes) -> FloatArray:
    """What histograms do not see: how a note depends on those before it."""
    velocity, pitch = notes.velocity.astype(float), notes.pitch.astype(float)
    log_dt, log_duration = np.log(notes.dt_ms[1:] + 10.0), np.log(notes.duration_ms.astype(float))
    onset_ms = notes.onset_ms
    sounding = (onset_ms[:, None] >= onset_ms) & (onset_ms[:, None] < onset_ms + notes.duration_ms)
    classes = np.sort(np.bincount(notes.pitch % 12, minlength=12))[::-1] / len(notes)
    own = [
        _correlation(velocity[1:], velocity[:-1]),
        _correlation(velocity[2:], velocity[:-2]),
        _correlation(log_dt[1:], log_dt[:-1]),
        _correlation(log_duration[1:], log_duration[:-1]),
        _correlation(pitch[1:], pitch[:-1]),
        _correlation(velocity, pitch),
        _correlation(log_duration, pitch),
        _correlation(log_duration[:-1], log_dt),
    ]
    spreads = [float(np.std(one)) for one in (pitch, log_dt, log_duration)]
    repeats = [_distinct(np.diff(notes.pitch)), _distinct(notes.pitch), _distinct(notes.duration_ms)]
    polyphony = sounding.sum(axis=1)
    extent = [float(polyphony.mean()), float(polyphony.max()), float(np.ptp(pitch))]
    return np.array([*own, *spreads, *repeats, *extent, *classes])


def _correlation(one: FloatArray, other: FloatArray) -> float:
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / scale if scale > 0 else 0.0


def _distinct(values: NDArray[np.int64]) -> float:
    """Share of the runs of four values that are different from one another."""
    runs = np.lib.stride_tricks.sliding_window_view(values, _GRAM)
    return len(np.unique(runs, axis=0)) / len(runs)


def sequence(parts: Iterable[Notes]) -> NDArray[np.float32]:
    """Note by note, (segments, notes, SEQUENCE_WIDTH): times, touch, pedal, pitch and pitch class."""
    return np.stack([_sequence(notes) for notes in parts])


def _sequence(notes: Notes) -> NDArray[np.float32]:
    interval = np.diff(notes.pitch, prepend=notes.pitch[:1])
    columns = [
        np.log(notes.dt_ms + 10.0) - 4.0,
        notes.dt_ms == 0,
        np.log(notes.duration_ms.astype(float)) - 5.0,
        notes.velocity / 16 - 4,
        notes.pedal,
        notes.pitch / 12 - 5,
        interval / 12,
    ]
    classes = np.eye(12)[notes.pitch % 12]
    return np.concatenate([np.stack(columns, axis=1), classes], axis=1).astype(np.float32)
