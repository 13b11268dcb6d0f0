"""A human-like performance of our own making: for tests that need playing, not for training."""

from __future__ import annotations

import random
from dataclasses import dataclass

from improv_core.notes import SUSTAIN_CONTROLLER, ControlChange, Note, Performance

_SCALE = (0, 2, 3, 5, 7, 8, 10)  # C minor
_CHORDS = {"i": (0, 7, 15), "iv": (5, 12, 20), "v": (7, 14, 22), "VI": (8, 15, 24), "VII": (10, 17, 26)}
_PROGRESSIONS = (
    ("i", "VI", "iv"),
    ("VII", "iv", "v"),
    ("i", "iv", "VII"),
    ("VI", "VII", "v"),
    ("iv", "VI", "i"),
    ("VII", "v", "i"),
)
_BASS = 36
_CHORD_BEATS = 2.5
_HALVES = (0.5, 0.5, 0.25, 0.25, 1.0, 0.5)


@dataclass(frozen=True, slots=True)
class HumanPerformance:
    """Playing in phrases.

    Attributes:
        performance: All of it, time zero a little before the first note.
        phrase_starts_s: First key down of each phrase.
        phrase_ends_s: Last key up of each phrase; 1.5 to 3 seconds later the next one starts.
    """

    performance: Performance
    phrase_starts_s: tuple[float, ...]
    phrase_ends_s: tuple[float, ...]


class _Hands:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.notes: list[Note] = []
        self.pedal: list[ControlChange] = []

    def jittered(self, at_s: float, sd_s: float = 0.009) -> float:
        return at_s + max(-0.02, min(0.02, self.random.gauss(0.0, sd_s)))

    def chord(self, at_s: float, pitches: tuple[int, ...], velocity: int, duration_s: float) -> None:
        """A rolled chord under a pedal changed with it; it is let go unevenly."""
        for place, pitch in enumerate(pitches):
            onset_s = at_s + place * self.random.uniform(0.012, 0.03)
            release_s = at_s + duration_s - self.random.uniform(0.0, 0.06)
            loud = velocity - 3 * place + self.random.randint(-3, 3)
            self.notes.append(Note(pitch, loud, onset_s, release_s - onset_s))
        if self.pedal:
            self.pedal.append(ControlChange(SUSTAIN_CONTROLLER, 0, at_s + 0.005))
        self.pedal.append(ControlChange(SUSTAIN_CONTROLLER, 127, at_s + 0.1))

    def melody(self, start_s: float, beats: float, beat_s: float, top: int) -> None:
        """A walk on the scale that rises and falls in loudness; each note overlaps the next."""
        onsets, beat = [], 0.0
        while beat < beats - 0.2:
            onsets.append(beat)
            beat += self.random.choice(_HALVES)
        step, before_s = top, start_s
        for place, at in enumerate(onsets):
            length = (onsets[place + 1] if place + 1 < len(onsets) else beats) - at
            arc = 1.0 - abs(2 * at / beats - 1.0)
            velocity = round(58 + 38 * arc + self.random.gauss(0, 4))
            onset_s = max(before_s + 0.03, self.jittered(start_s + at * beat_s))
            overlap = self.random.uniform(1.02, 1.2)
            pitch = 60 + 12 * (step // 7) + _SCALE[step % 7]
            self.notes.append(Note(pitch, max(30, min(120, velocity)), onset_s, length * beat_s * overlap))
            step = max(2, min(15, step + self.random.choice((-2, -1, -1, 1, 1, 2, 3 if step < 7 else -3))))
            before_s = onset_s

    def phrase(self, start_s: float, chords: tuple[str, ...], beat_s: float) -> float:
        """One phrase; returns its last key up."""
        first = len(self.notes)
        for place, name in enumerate(chords):
            pitches = tuple(_BASS + pitch for pitch in _CHORDS[name])
            at_s = start_s + place * _CHORD_BEATS * beat_s
            self.chord(at_s, pitches, 56 + 6 * (place % 2), (_CHORD_BEATS + 0.1) * beat_s)
        self.melody(start_s + 0.04, len(chords) * _CHORD_BEATS, beat_s, top=self.random.randint(5, 9))
        return self.lift(first)

    def lift(self, first: int) -> float:
        end_s = max(note.release_s for note in self.notes[first:])
        self.pedal.append(ControlChange(SUSTAIN_CONTROLLER, 0, end_s))
        return end_s


def human_performance(seed: int = 1) -> HumanPerformance:
    """About 45 seconds in six phrases and a final held chord, the same for the same seed."""
    hands = _Hands(seed)
    starts, ends = [], []
    at_s = 0.3
    for chords in _PROGRESSIONS:
        starts.append(at_s)
        ends.append(hands.phrase(at_s, chords, beat_s=hands.random.uniform(0.48, 0.6)))
        at_s = ends[-1] + hands.random.uniform(1.5, 3.0)
    starts.append(at_s)
    hands.chord(at_s, (36, 43, 51, 60, 63, 67), 70, 5.0)
    ends.append(hands.lift(len(hands.notes) - 6))
    return HumanPerformance(
        Performance.of(_each_key_once(hands.notes), hands.pedal), tuple(starts), tuple(ends)
    )


def _each_key_once(notes: list[Note]) -> list[Note]:
    """A finger lifts a key before it strikes it again."""
    kept: list[Note] = []
    next_onset_s: dict[int, float] = {}
    for note in sorted(notes, key=lambda note: note.onset_s, reverse=True):
        limit_s = next_onset_s.get(note.pitch, note.release_s + 1.0) - 0.02
        if limit_s > note.onset_s:
            duration_s = min(note.duration_s, limit_s - note.onset_s)
            kept.append(Note(note.pitch, note.velocity, note.onset_s, duration_s))
            next_onset_s[note.pitch] = note.onset_s
    return kept
