"""Several answers drawn side by side before it is known that one is wanted; the best of them is played."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final

import numpy as np

from improv_core.closing import Closing
from improv_core.improvising import Ask, PlannedNote
from improv_core.leaning import Leaning
from improv_core.model import Model, State
from improv_core.notes import CHORD_MS, Part
from improv_core.representation import PianoStream, Steps, joined, to_ms
from improv_core.representation.asking import density_class, left_class, style_class
from improv_core.sampler import Mixing, Sampling, draw_note
from improv_core.voice import Voice, not_before

LONGEST: Final = 256
"""Notes of an answer that is drawn beforehand; what is longer is drawn while it is played."""

Lean = Callable[[Sequence[PlannedNote]], Leaning]
"""What bears on the next note, given those of the turn so far."""

Choice = Callable[[Sequence[Sequence[PlannedNote]], float, Sequence[bool]], int]
"""Which of several answers is to be played, given how long it is to be and which are at their end."""


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


@dataclass(slots=True)
class _Lane:
    """One of the answers."""

    dice: Dice
    voice: Voice
    closing: Closing
    notes: list[PlannedNote] = field(default_factory=list)
    beyond: PlannedNote | None = None
    """What came after its end: who plays it ends it there too."""

    @property
    def over(self) -> bool:
        """Whether it has come to its end."""
        return self.beyond is not None or len(self.notes) == LONGEST


class Rehearsal:
    """Answers that are drawn side by side, a note of each in one go, the model reading them as one batch.

    Args:
        model: Draws.
        voice: Where they begin; improv's to play.
        drawing: What they are drawn with; its ask has a length.
        dice: Of the first; the others have lanes of their own.
        count: How many.
        first_s: Earliest and latest onset of the first note.
        max_gap_s: Longest inter-onset interval.
    """

    def __init__(
        self,
        model: Model,
        voice: Voice,
        drawing: Drawing,
        dice: Dice,
        *,
        count: int,
        first_s: tuple[float, float],
        max_gap_s: float,
    ) -> None:
        self._model, self._drawing, self._first_s = model, drawing, first_s
        length_s = drawing.ask.length_s or 0.0
        self._lanes = [
            _Lane(Dice(dice.seed, dice.turn, lane), voice.own(), Closing(length_s, max_gap_s))
            for lane in range(count)
        ]
        self._chosen = self._lanes[0]
        self.turn = dice.turn

    @property
    def ask(self) -> Ask:
        """What they were to be like."""
        return self._drawing.ask

    @property
    def begins_s(self) -> float:
        """When they would begin."""
        return self._first_s[0]

    def streams(self) -> Iterator[PianoStream]:
        """Of every answer."""
        return (lane.voice.stream for lane in self._lanes)

    @property
    def complete(self) -> bool:
        """Whether every answer has come to its end."""
        return all(lane.over for lane in self._lanes)

    @property
    def answers(self) -> tuple[tuple[PlannedNote, ...], ...]:
        """As far as they are drawn."""
        return tuple(tuple(lane.notes) for lane in self._begun)

    @property
    def _begun(self) -> list[_Lane]:
        return [lane for lane in self._lanes if lane.notes]

    def choose(self, best_of: Choice) -> None:
        """Let the best of the `answers` be chosen."""
        begun = self._begun
        if begun:
            length_s = self._drawing.ask.length_s or 0.0
            best = best_of([lane.notes for lane in begun], length_s, [lane.over for lane in begun])
            self._chosen = begun[best]

    @property
    def chosen(self) -> Sequence[PlannedNote]:
        """The one that was chosen last, and if it has come to its end the note with which that was seen."""
        lane = self._chosen
        return (*lane.notes, *(() if lane.beyond is None else (lane.beyond,)))

    def go_on(self) -> None:
        """Draw one note more of every answer that is not at its end."""
        drawn = [lane for lane in self._lanes if not lane.over and self._draw(lane)]
        if not drawn:
            return
        streams = [lane.voice.stream.copy() for lane in drawn]
        steps = joined([_read(stream, lane.notes[-1]) for stream, lane in zip(streams, drawn, strict=True)])
        before = _side_by_side([lane.voice.state for lane in drawn])
        projected, after = self._model.run(steps.columns[None], steps.dense[None].astype(np.float32), before)
        for place, (stream, lane) in enumerate(zip(streams, drawn, strict=True)):
            own = slice(place, place + 1)
            state = State(after.hidden[:, own], after.cell[:, own])
            lane.voice = Voice(stream, lane.voice.state, state, projected[0, place], steps[own])

    def _draw(self, lane: _Lane) -> bool:
        bounds_s = self._first_s
        if lane.notes:
            last_s = lane.notes[-1].onset_s
            bounds_s = last_s, last_s + lane.closing.gap_s
        note = self._drawing.note(
            self._model,
            lane.voice,
            lane.dice,
            lane.notes,
            index=len(lane.notes),
            first_s=lane.notes[0].onset_s if lane.notes else None,
            bounds_s=bounds_s,
        )
        if not lane.closing.takes(note.onset_s):
            lane.beyond = note
            return False
        lane.notes.append(note)
        return True


def _read(stream: PianoStream, note: PlannedNote) -> Steps:
    onset_ms = not_before(stream, to_ms(note.onset_s))
    duration_ms = max(1, to_ms(note.release_s) - onset_ms)
    return stream.play(note.pitch, note.velocity, note.pedal, onset_ms, duration_ms)


def _side_by_side(states: Sequence[State]) -> State:
    return State(
        np.concatenate([state.hidden for state in states], axis=1),
        np.concatenate([state.cell for state in states], axis=1),
    )
