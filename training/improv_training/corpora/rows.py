"""Voices to rows of notes: what core's `encode` does to a performance, on arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from improv_core.notes import PEDAL_DOWN_FROM
from improv_core.representation.binning import IntArray
from improv_training.corpora.fast_midi import FloatArray, Voice

FIELDS = ("dt_ms", "pedal", "pitch", "velocity", "duration_ms")
"""The columns of encoded corpora, int32."""


def rows_of(voices: Sequence[Voice]) -> NDArray[np.int32]:
    """All notes of some voices as one piano would have played them: exactly what core's `encode` gives.

    Args:
        voices: One at least, each with a note at least.

    Returns:
        Shape (notes, 5): the columns of `FIELDS`.
    """
    onset_ms = _ms(np.concatenate([voice.onset_s for voice in voices]))
    release_ms = _ms(np.concatenate([voice.release_s for voice in voices]))
    pitch = np.concatenate([voice.pitch for voice in voices])
    velocity = np.concatenate([voice.velocity for voice in voices])
    onset_ms, pitch, velocity, release_ms = _keyed(onset_ms, pitch, velocity, release_ms)
    dt_ms = np.diff(onset_ms, prepend=onset_ms[:1])
    columns = (dt_ms, _pedal_at(voices, onset_ms), pitch, velocity, release_ms - onset_ms)
    return np.stack(columns, axis=1).astype(np.int32)


def _ms(seconds: FloatArray) -> IntArray:
    return np.rint(seconds * 1000).astype(np.int64)  # half to even, as `to_ms` rounds


def _keyed(
    onset_ms: IntArray, pitch: IntArray, velocity: IntArray, release_ms: IntArray
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """By (onset, pitch), no two of one pitch overlapping; see `improv_core.representation.keyed`."""
    place = onset_ms * 128 + pitch
    order = np.argsort(place)
    place = place[order]
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    onset_ms, pitch = np.divmod(place[starts], 128)
    velocity = np.maximum.reduceat(velocity[order], starts)
    release_ms = np.maximum(np.maximum.reduceat(release_ms[order], starts), onset_ms + 1)
    by_pitch = np.argsort(pitch.astype(np.uint8), kind="stable")
    this, following = by_pitch[:-1], by_pitch[1:]
    again = pitch[this] == pitch[following]
    this, following = this[again], following[again]
    release_ms[this] = np.minimum(release_ms[this], onset_ms[following])
    return onset_ms, pitch, velocity, release_ms


def _pedal_at(voices: Sequence[Voice], onset_ms: IntArray) -> IntArray:
    at_s = np.concatenate([voice.pedal_s for voice in voices])
    value = np.concatenate([voice.pedal for voice in voices])
    order = np.argsort(at_s, kind="stable")
    down = np.append(0, value[order] >= PEDAL_DOWN_FROM)
    return down[np.searchsorted(_ms(at_s[order]), onset_ms, side="right")].astype(np.int64)
