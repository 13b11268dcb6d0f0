"""Phrases made for the tests of those who compare phrases."""

from __future__ import annotations

from collections.abc import Sequence

from improv_core.heard import HeardNote
from improv_core.improvising import PlannedNote
from improv_core.motifs import Phrase
from improv_core.notes import Note, Part, Performance

# C major: up and down, closing on the tonic.
TUNE = (60, 64, 67, 65, 64, 62, 64, 65, 67, 69, 67, 65, 64, 62, 59, 60)
# It goes on with the beginning of the tune a third higher, and comes home.
REPLY = (64, 67, 71, 69, 67, 65, 64, 67, 69, 65, 62, 65, 64, 62, 62, 60)


def line(*pitches: int, gaps_s: Sequence[float] = (), from_s: float = 0.0) -> Phrase:
    """A melody; 0.25 s from onset to onset where nothing else is said."""
    onset_s, notes = from_s, []
    for i, pitch in enumerate(pitches):
        notes.append((onset_s, pitch, 64, 0.2))
        onset_s += gaps_s[i] if i < len(gaps_s) else 0.25
    return Phrase.of(notes)


def call(pitches: Sequence[int] = TUNE, velocity: int = 64) -> list[HeardNote]:
    return [HeardNote(Part.PLAYER, pitch, velocity, 10 + 0.25 * i, 0.24) for i, pitch in enumerate(pitches)]


def answer(
    pitches: Sequence[int] = REPLY, *, gap_s: float = 0.25, velocity: int = 64, last_s: float = 0.5
) -> list[PlannedNote]:
    """A melody whose last note is held."""
    durations_s = [gap_s - 0.01] * (len(pitches) - 1) + [last_s]
    return [
        PlannedNote(1, i, pitch, velocity, 0, 20 + gap_s * i, 20 + gap_s * i + duration_s)
        for i, (pitch, duration_s) in enumerate(zip(pitches, durations_s, strict=True))
    ]


def song(*phrases: int, rest_s: float = 1.0, held: bool = False, from_pitch: int = 60) -> Performance:
    """Phrases of so many notes, 0.25 s apart, with a rest from the last onset of each to the next."""
    notes, onset_s = [], 0.0
    for phrase in phrases:
        for i in range(phrase):
            last = i == phrase - 1
            notes.append(Note(from_pitch + len(notes) % 24, 64, onset_s, 3.0 if held and last else 0.2))
            onset_s += rest_s if last else 0.25
    return Performance.of(notes)
