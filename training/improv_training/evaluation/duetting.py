"""Two who play at once: whether they get into each other's way, and whether they agree about the harmony.

One of the two hands of a real piece is the player's; the other is either what was really written for it, or
what somebody plays instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.notes import Note
from improv_core.representation.chord_names import OCTAVE
from improv_training.corpora.fast_midi import Voice, read_voices

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

NEAR: Final = 4
"""Fewer semitones than one more than this from a note of the player's is a collision."""

JUST_PLAYED_S: Final = 1.0
"""Notes of the player's that sound, or were struck so shortly before, can be collided with."""

SPAN_S: Final = 4.0
"""Their hand spans what was struck in so many latest seconds."""

WINDOW_S: Final = 0.5
CROWDED: Final = 6
"""More onsets than these in half a second are a crowd."""

AROUND_S: Final = 0.5
"""Pitch classes are compared with those struck so shortly before or after."""

_UPPER: Final = ("melody", "bridge", "right")


@dataclass(frozen=True, slots=True)
class TwoHands:
    """A piece of two hands.

    Attributes:
        name: Of the piece.
        upper: Notes of the hand that is higher on average, by onset.
        lower: Of the other.
    """

    name: str
    upper: tuple[Note, ...]
    lower: tuple[Note, ...]


def read_two_hands(path: Path) -> TwoHands | None:
    """The hands of a file: melody and bridge against the rest where tracks are so named, else its two tracks.

    Returns:
        None where there are not two.
    """
    voices = [voice for voice in read_voices(path.read_bytes(), path.name) if len(voice.pitch)]
    upper = [voice for voice in voices if any(word in voice.name.lower() for word in _UPPER)]
    lower = [voice for voice in voices if voice not in upper]
    if not upper and len(voices) == 2:
        low, high = sorted(voices, key=lambda voice: float(voice.pitch.mean()))
        upper, lower = [high], [low]
    if not upper or not lower:
        return None
    return TwoHands(path.name, _notes(upper), _notes(lower))


def _notes(voices: Sequence[Voice]) -> tuple[Note, ...]:
    notes = [
        Note(int(pitch), max(1, int(velocity)), float(onset_s), max(0.0, float(release_s - onset_s)))
        for voice in voices
        for pitch, velocity, onset_s, release_s in zip(
            voice.pitch, voice.velocity, voice.onset_s, voice.release_s, strict=True
        )
    ]
    return tuple(sorted(notes, key=lambda note: (note.onset_s, note.pitch)))


def stretch(hands: TwoHands, length_s: float) -> TwoHands:
    """So many seconds from where both hands have begun, counted from there."""
    begin_s = max(hands.upper[0].onset_s, hands.lower[0].onset_s)

    def cut(notes: Sequence[Note]) -> tuple[Note, ...]:
        return tuple(
            Note(n.pitch, n.velocity, n.onset_s - begin_s, n.duration_s)
            for n in notes
            if begin_s <= n.onset_s < begin_s + length_s
        )

    return TwoHands(hands.name, cut(hands.upper), cut(hands.lower))


@dataclass(frozen=True, slots=True)
class Figures:
    """How one hand goes with the player's.

    Attributes:
        notes_per_s: Its own.
        together_per_s: Of both.
        crowded: Share of half seconds with more than `CROWDED` onsets of both.
        near: Share of its notes within `NEAR` semitones of what the player plays.
        unison: Share of its notes on the very key of such a note.
        crossing: Share of its notes on the wrong side of the nearer end of the player's span.
        struck_together: Share of its notes within 30 ms of an onset of the player's.
        agreement: Share of its notes of whose pitch class the real other hand strikes one at about that time;
            nan where it has none then.
    """

    notes_per_s: float
    together_per_s: float
    crowded: float
    near: float
    unison: float
    crossing: float
    struck_together: float
    agreement: float


def figures(
    hand: Sequence[Note], player: Sequence[Note], real: Sequence[Note], *, is_lower: bool, length_s: float
) -> Figures | None:
    """Measure a hand.

    Args:
        hand: That goes with the player.
        player: The player's.
        real: What is agreed with.
        is_lower: Whether the hand is meant to be under the player's.
        length_s: Of all of it.

    Returns:
        None where the hand has no note.
    """
    if not hand or not player:
        return None
    at_s, pitch = _columns(hand)
    theirs_s, theirs = _columns(player)
    until_s = np.maximum(theirs_s + JUST_PLAYED_S, [n.release_s for n in player])
    both_s = np.concatenate([at_s, theirs_s])
    counts = np.histogram(both_s, bins=np.arange(0, length_s + WINDOW_S, WINDOW_S))[0]
    sounding = (theirs_s <= at_s[:, None]) & (at_s[:, None] < until_s)
    away = np.where(sounding, np.abs(pitch[:, None] - theirs), OCTAVE**2)
    recent = (theirs_s <= at_s[:, None]) & (at_s[:, None] < np.maximum(theirs_s + SPAN_S, until_s))
    there = recent.any(axis=1)
    if is_lower:
        crosses = pitch > np.where(recent, theirs, 128).min(axis=1)
    else:
        crosses = pitch < np.where(recent, theirs, -1).max(axis=1)
    together = np.abs(at_s[:, None] - theirs_s).min(axis=1) <= 0.03
    return Figures(
        notes_per_s=len(hand) / length_s,
        together_per_s=len(both_s) / length_s,
        crowded=float((counts > CROWDED).mean()),
        near=float((away.min(axis=1) <= NEAR).mean()),
        unison=float((away.min(axis=1) == 0).mean()),
        crossing=float(crosses[there].mean()) if there.any() else 0.0,
        struck_together=float(together.mean()),
        agreement=_agreement(at_s, pitch, real),
    )


def _columns(notes: Sequence[Note]) -> tuple[FloatArray, IntArray]:
    return np.array([n.onset_s for n in notes]), np.array([n.pitch for n in notes], dtype=np.int64)


def _agreement(at_s: FloatArray, pitch: IntArray, real: Sequence[Note]) -> float:
    if not real:
        return float("nan")
    real_s, real_pitch = _columns(real)
    near = np.abs(at_s[:, None] - real_s) <= AROUND_S
    same = near & (pitch[:, None] % OCTAVE == real_pitch % OCTAVE)
    there = near.any(axis=1)
    return float(same[there].any(axis=1).mean()) if there.any() else float("nan")
