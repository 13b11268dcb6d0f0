"""Performances in the form on which the literature compares models of expressive piano.

Durations have the sustain pedal in them, onsets and releases are on a grid of 10 ms, notes come by (onset,
pitch), and nothing else is said: no pedal, and nothing that is not scored. After Oore et al., "This time with
feeling" (2018), and the code that goes with Huang et al., "Music Transformer" (2018), whose rules for the
pedal (`apply_sustain_control_changes` of Magenta's note_seq) are kept here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.notes import PEDAL_DOWN_FROM
from improv_core.representation.binning import CELL_MS
from improv_training.corpora.beats import BeatMap
from improv_training.corpora.corpus import Tracks
from improv_training.corpora.encoded import FIELDS
from improv_training.corpora.fast_midi import FloatArray, Voice
from improv_training.corpora.tracks import chosen_rows

LONGEST_DT_MS: Final = 10_000
LONGEST_DURATION_MS: Final = 20_000

_VELOCITIES_IN_A_STEP: Final = 4
_DT, _PITCH, _VELOCITY, _DURATION = (
    FIELDS.index(name) for name in ("dt_ms", "pitch", "velocity", "duration_ms")
)


def canonical_rows(
    voices: Sequence[Voice], tracks: Tracks, label: str, beats: BeatMap | None = None
) -> NDArray[np.int32]:
    """`chosen_rows` in the canonical form.

    Velocities are the middles of runs of four, durations are 20 s and times between onsets 10 s at most: what
    every representation under comparison tells apart, and no more.

    Args:
        voices: Of one file.
        tracks: What to read; chosen by the notes as they were played.
        label: What to call the file in errors.
        beats: Where the beats of the file are, if they are known.

    Returns:
        Shape (notes, columns): see `improv_training.corpora.encoded.COLUMNS`.

    Raises:
        MidiFileError: There is nothing of the kind.
    """
    rows = chosen_rows(voices, tracks, label, beats, form=canonical)
    rows[:, _DT] = np.minimum(rows[:, _DT], LONGEST_DT_MS)
    step = rows[:, _VELOCITY] // _VELOCITIES_IN_A_STEP
    rows[:, _VELOCITY] = step * _VELOCITIES_IN_A_STEP + _VELOCITIES_IN_A_STEP // 2
    rows[:, _DURATION] = np.minimum(rows[:, _DURATION], LONGEST_DURATION_MS)
    _cut_where_struck_again(rows)
    return rows


def canonical(voices: Sequence[Voice]) -> list[Voice]:
    """The same voices with the pedal in their durations, on the grid, and without a pedal.

    A key let go while the pedal is down sounds until the pedal comes up; where it never does, until the last
    key or pedal of all moves. Of what happens at one time, the pedal comes first, and going down before
    coming up. The pedals of several voices are one. That a string is struck again before cuts it short,
    which `improv_training.corpora.rows.rows_of` does.

    Args:
        voices: One at least, each with a note at least.
    """
    at_s, down = _pedal(voices)
    last_s = max(*(float(voice.release_s.max()) for voice in voices), float(at_s.max(initial=0)))
    return [_on_grid(voice, _lifted(voice.release_s, at_s, down, last_s)) for voice in voices]


def _pedal(voices: Sequence[Voice]) -> tuple[FloatArray, NDArray[np.bool_]]:
    """When the pedal moves, and whether it is down from then on."""
    at_s = np.concatenate([voice.pedal_s for voice in voices])
    down = np.concatenate([voice.pedal for voice in voices]) >= PEDAL_DOWN_FROM
    order = np.lexsort((~down, at_s))
    return at_s[order], down[order]


def _lifted(release_s: FloatArray, at_s: FloatArray, down: NDArray[np.bool_], last_s: float) -> FloatArray:
    """When the sound of keys let go at ``release_s`` ends."""
    moves = np.searchsorted(at_s, release_s, side="right")
    sustained = np.append(False, down)[moves]
    up = np.where(down, len(at_s), np.arange(len(at_s)))
    next_up = np.append(np.minimum.accumulate(up[::-1])[::-1], len(at_s))
    lifted_s: FloatArray = np.append(at_s, last_s)[next_up[moves]]
    return np.where(sustained, lifted_s, release_s)


def _on_grid(voice: Voice, release_s: FloatArray) -> Voice:
    cells = 1000 / CELL_MS
    onset = np.rint(voice.onset_s * cells)
    release = np.maximum(onset + 1, np.rint(release_s * cells))
    none = np.zeros(0)
    return replace(
        voice,
        onset_s=onset / cells,
        release_s=release / cells,
        pedal_s=none,
        pedal=none.astype(np.int64),
    )


def _cut_where_struck_again(rows: NDArray[np.int32]) -> None:
    """A shortened silence may have brought the next note of a pitch into a note that still sounds."""
    onset_ms = np.cumsum(rows[:, _DT], dtype=np.int64)
    by_pitch = np.argsort(rows[:, _PITCH], kind="stable")
    this, following = by_pitch[:-1], by_pitch[1:]
    again = rows[this, _PITCH] == rows[following, _PITCH]
    this, following = this[again], following[again]
    rows[this, _DURATION] = np.minimum(rows[this, _DURATION], onset_ms[following] - onset_ms[this])
