"""Voices to rows of notes: what core's `encode` does to a performance, on arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from improv_core.notes import PEDAL_DOWN_FROM
from improv_core.representation.binning import IntArray
from improv_training.corpora.beats import BeatMap
from improv_training.corpora.encoded import COLUMNS
from improv_training.corpora.fast_midi import FloatArray, Voice


def rows_of(voices: Sequence[Voice], beats: BeatMap | None = None) -> NDArray[np.int32]:
    """All notes of some voices as one piano would have played them: exactly what core's `encode` gives.

    Where two voices strike one key at once, the note is the earlier voice's.

    Args:
        voices: One at least, each with a note at least.
        beats: Where the beats of the piece are, if they are known.

    Returns:
        Shape (notes, 8): `COLUMNS`, of which the first five are those of `encode`.
    """
    onset_s = np.concatenate([voice.onset_s for voice in voices])
    onset_ms = _ms(onset_s)
    release_ms = _ms(np.concatenate([voice.release_s for voice in voices]))
    pitch = np.concatenate([voice.pitch for voice in voices])
    velocity = np.concatenate([voice.velocity for voice in voices])
    first, onset_ms, pitch, velocity, release_ms = _keyed(onset_ms, pitch, velocity, release_ms)
    rows = np.zeros((len(onset_ms), len(COLUMNS)), dtype=np.int32)
    dt_ms = np.diff(onset_ms, prepend=onset_ms[:1])
    notes = (dt_ms, _pedal_at(voices, onset_ms), pitch, velocity, release_ms - onset_ms)
    for column, values in enumerate((*notes, _voice_of(voices)[first])):
        rows[:, column] = values
    if beats is not None:
        rows[:, -2], rows[:, -1] = beats.of(onset_s[first])
    return rows


def _voice_of(voices: Sequence[Voice]) -> IntArray:
    return np.repeat(np.arange(len(voices)), [len(voice.pitch) for voice in voices])


def _ms(seconds: FloatArray) -> IntArray:
    return np.rint(seconds * 1000).astype(np.int64)  # half to even, as `to_ms` rounds


def _keyed(
    onset_ms: IntArray, pitch: IntArray, velocity: IntArray, release_ms: IntArray
) -> tuple[IntArray, IntArray, IntArray, IntArray, IntArray]:
    """By (onset, pitch), no two of one pitch overlapping; see `improv_core.representation.keyed`.

    Before them, the first of the given notes that each one was made of.
    """
    place = onset_ms * 128 + pitch
    order = np.argsort(place, kind="stable")
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
    return order[starts], onset_ms, pitch, velocity, release_ms


def _pedal_at(voices: Sequence[Voice], onset_ms: IntArray) -> IntArray:
    at_s = np.concatenate([voice.pedal_s for voice in voices])
    value = np.concatenate([voice.pedal for voice in voices])
    order = np.argsort(at_s, kind="stable")
    down = np.append(0, value[order] >= PEDAL_DOWN_FROM)
    return down[np.searchsorted(_ms(at_s[order]), onset_ms, side="right")].astype(np.int64)
