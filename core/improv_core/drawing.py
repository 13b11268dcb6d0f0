"""Drawing a note of improv's: what it is drawn with, and where its chance comes from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from improv_core.improvising import Ask, PlannedNote
from improv_core.leaning import Leaning
from improv_core.model import Model
from improv_core.notes import CHORD_MS, Part
from improv_core.representation import PianoStream, to_ms
from improv_core.representation.asking import density_class, left_class, style_class
from improv_core.sampler import Mixing, Sampling, draw_note
from improv_core.voice import Voice

Lean = Callable[[Sequence[PlannedNote]], Leaning]
"""What bears on the next note, given those of the turn so far."""


@dataclass(frozen=True, slots=True)
class Dice:
    """Where the chance of a note comes from: keyed, never by order.

    Attributes:
        seed: Of the sitting.
        turn: Of improv's turns.
        lane: Which of several answers that are drawn side by side.
    """

    seed: int
    turn: int
    lane: int = 0

    def of(self, index: int) -> np.random.Generator:
        """Of a note of the turn."""
        key = (self.seed, self.turn, index)
        return np.random.default_rng((*key, self.lane) if self.lane else key)


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that a note of improv's is drawn with, but for the place in the music.

    Attributes:
        sampling: Temperatures and bounds.
        ask: What the turn is to be like.
        lean: What bears on each note beside the model.
        mix: What is mixed into the model's distributions, given the notes of the turn so far; None: nothing.
    """

    sampling: Sampling
    ask: Ask
    lean: Lean
    mix: Callable[[Sequence[PlannedNote]], Mixing] | None = None

    def note(
        self,
        model: Model,
        voice: Voice,
        dice: Dice,
        own: Sequence[PlannedNote],
        *,
        index: int,
        first_s: float | None,
        bounds_s: tuple[float, float],
    ) -> PlannedNote:
        """Draw the next note of a turn.

        Args:
            model: Whose heads.
            voice: The place in the music.
            dice: Where chance comes from.
            own: The turn's latest notes, oldest first.
            index: Of the note in its turn.
            first_s: Onset of the turn's first note; None: this is the first.
            bounds_s: Earliest and latest onset.
        """
        earliest_s, latest_s = bounds_s
        last_ms = voice.stream.last_onset_ms
        reference_ms = to_ms(earliest_s) if last_ms is None else last_ms
        left_s = None
        if self.ask.length_s is not None:
            left_s = 0.0 if first_s is None else first_s + self.ask.length_s - own[-1].onset_s
        drawn = draw_note(
            model.heads,
            voice.projected,
            self.sampling,
            dice.of(index),
            asked=asked_of(self.ask, voice.stream, left_s),
            unasked=asked_of(Ask(length_s=self.ask.length_s), voice.stream, left_s),
            dt_ms=(max(0, to_ms(earliest_s) - reference_ms), max(0, to_ms(latest_s) - reference_ms)),
            chord=latest_chord(own, reference_ms),
            leaning=self.lean(own),
            mixing=None if self.mix is None else self.mix(own),
        )
        onset_ms = reference_ms + drawn.dt_ms
        return PlannedNote(
            turn=dice.turn,
            index=index,
            pitch=drawn.pitch,
            velocity=drawn.velocity,
            pedal=drawn.pedal,
            onset_s=onset_ms / 1000,
            release_s=(onset_ms + drawn.duration_ms) / 1000,
        )


def asked_of(ask: Ask, stream: PianoStream, left_s: float | None) -> tuple[int, ...]:
    """What the heads are told of improv's next note.

    Args:
        ask: What the turn is to be like.
        stream: What was played so far.
        left_s: How long the turn still is; None: nobody knows.
    """
    left_ms = None if left_s is None else max(0, to_ms(left_s))
    wishes = style_class(ask.style), density_class(ask.notes_per_s), left_class(left_ms)
    return (int(Part.IMPROV), *wishes, stream.own_pitch(Part.IMPROV))


def latest_chord(own: Sequence[PlannedNote], reference_ms: int) -> Collection[int]:
    """Pitches of the notes that would sound as one chord with one at that time."""
    chord = takewhile(lambda note: reference_ms - to_ms(note.onset_s) < CHORD_MS, reversed(own))
    return {note.pitch for note in chord}
