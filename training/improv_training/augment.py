"""What is changed at random in a piece before each pass, and who plays which of its notes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from improv_core.notes import Part
from improv_core.representation import KEYS, Notes, Setting
from improv_core.representation.binning import IntArray

_STYLE_KNOWN: Final = 0.7
_BEAT_KNOWN: Final = 0.6

_CASTS: Final = (0.25, 0.15, 0.3, 0.3)
"""How likely improv alone, the player alone, turns, and both at once are."""
_LEAST_SHARE: Final = 0.08
"""Of the notes; a voice with fewer plays no part of its own."""
_BY_VOICE: Final = 0.75
_SPLITS: Final = (0.3, 0.7)
"""Quantiles of the pitches between which low and high are split."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Ranges of the random changes.

    Attributes:
        transpose_down: Semitones, at most.
        transpose_up: Semitones, at most.
        tempo: Largest relative change, 0.1 means times 0.9 to 1.1.
        velocity: Largest offset.
        shuffle: Whether the notes of an onset come in a random order, as live; otherwise as they are.
        cast: Whether notes are shared out between player and improv and something is asked of them; otherwise
            all are improv's, and the model is told nothing.
    """

    transpose_down: int = 5
    transpose_up: int = 6
    tempo: float = 0.1
    velocity: int = 10
    shuffle: bool = True
    cast: bool = True


def augmented(notes: Notes, how: Augmentation, rng: np.random.Generator) -> Notes:
    """One random variant of a piece: transposed, faster or slower, louder or softer, chords shuffled."""
    if how.shuffle:
        notes = chords_shuffled(notes, rng)
    notes = _transposed(notes, int(rng.integers(-how.transpose_down, how.transpose_up + 1)))
    notes = _stretched(notes, 1 + how.tempo * float(rng.uniform(-1, 1)))
    offset = int(rng.integers(-how.velocity, how.velocity + 1))
    notes = replace(notes, velocity=np.clip(notes.velocity + offset, 1, 127))
    return replace(notes, setting=_less_known(notes.setting, rng))


def _less_known(setting: Setting | None, rng: np.random.Generator) -> Setting | None:
    """The style and the beat are kept from the model at random, so that it can do without."""
    if setting is None:
        return None
    style = setting.style if rng.random() < _STYLE_KNOWN else None
    known = float(rng.random() < _BEAT_KNOWN)
    return replace(setting, style=style, beat_ms=(setting.beat_ms * known).astype(np.int64))


def _stretched(notes: Notes, factor: float) -> Notes:
    """Onsets and releases move, not gaps and durations: rounded apart, those would drift from one another."""
    onset_ms = np.cumsum(notes.dt_ms)
    release_ms = np.rint((onset_ms + notes.duration_ms) * factor).astype(np.int64)
    onset_ms = np.rint(onset_ms * factor).astype(np.int64)
    setting = notes.setting
    if setting is not None:
        setting = replace(setting, beat_ms=np.rint(setting.beat_ms * factor).astype(np.int64))
    return replace(
        notes,
        dt_ms=np.diff(onset_ms, prepend=onset_ms[:1]),
        duration_ms=np.maximum(1, release_ms - onset_ms),
        setting=setting,
    )


def _transposed(notes: Notes, semitones: int) -> Notes:
    if not len(notes) or not 0 <= notes.pitch.min() + semitones <= notes.pitch.max() + semitones < KEYS:
        return notes
    return replace(notes, pitch=notes.pitch + semitones)


def chords_shuffled(notes: Notes, rng: np.random.Generator) -> Notes:
    """Notes of one onset in a random order.

    Live they arrive in any order; always sorted, the model could not harmonise under a note.
    """
    order = np.lexsort((rng.random(len(notes)), np.cumsum(notes.dt_ms)))
    names = ("pedal", "pitch", "velocity", "duration_ms")
    setting = notes.setting
    if setting is not None:
        setting = replace(setting, voice=setting.voice[order])  # beats are those of the onset
    return replace(notes, setting=setting, **{name: getattr(notes, name)[order] for name in names})


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays what; arrays of shape (n,).

    Attributes:
        part: Who plays each note (`improv_core.notes.Part`).
        group: Whose density is asked for: where both play at once each one's own, otherwise that of all.
    """

    part: IntArray
    group: IntArray


def random_cast(notes: Notes, rng: np.random.Generator, mean_turn: float = 40.0) -> Cast:
    """Who plays each note: one alone, both in turns of geometric lengths, or both at once.

    At once they play as the piece's voices do, one voice against the rest; where it has one only, or one
    that does all, low against high.
    """
    count, alone = len(notes), np.zeros(len(notes), dtype=np.int64)
    match rng.choice(len(_CASTS), p=_CASTS):
        case 0:
            return Cast(np.full(count, int(Part.IMPROV)), alone)
        case 1:
            return Cast(np.full(count, int(Part.PLAYER)), alone)
        case 2:
            switches = rng.random(count) < 1 / mean_turn
            return Cast((np.cumsum(switches) + rng.integers(2)) % 2, alone)
    part = (_side(notes, rng) + rng.integers(2)) % 2
    return Cast(part, part)


def _side(notes: Notes, rng: np.random.Generator) -> IntArray:
    """On which of two sides each note is: 1 for one voice of the piece, or for the keys above a split."""
    if notes.setting is not None:
        shares = np.bincount(notes.setting.voice) / len(notes)
        large = np.flatnonzero((shares > _LEAST_SHARE) & (shares < 1 - _LEAST_SHARE))
        if len(large) and rng.random() < _BY_VOICE:
            one: IntArray = (notes.setting.voice == rng.choice(large)).astype(np.int64)
            return one
    split = np.quantile(notes.pitch, rng.uniform(*_SPLITS)) if len(notes) else 0
    high: IntArray = (notes.pitch >= split).astype(np.int64)
    return high
