"""Several answers drawn side by side before it is known that one is wanted; the best of them is played."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from improv_core.closing import Closing
from improv_core.drawing import Dice, Drawing
from improv_core.improvising import Ask, PlannedNote
from improv_core.model import Model, State
from improv_core.recall import Idea
from improv_core.representation import PianoStream, Steps, joined, to_ms
from improv_core.voice import Voice, not_before

RANKED_EVERY: Final = 16
"""Answers are compared each time so many notes have been drawn of each."""

LONGEST: Final = 256
"""Notes of an answer that is drawn beforehand; what is longer is drawn while it is played."""

Choice = Callable[[Sequence[Sequence[PlannedNote]], float, Sequence[bool]], int]
"""Which of several answers is to be played, given how long it is to be and which are at their end."""


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

    def thought_for(self, turn: int, ask: Ask) -> Sequence[Idea]:
        """The `chosen` one, unless it was for another turn or something else but its length is asked."""
        if self.turn != turn or replace(self.ask, length_s=ask.length_s) != ask:
            return ()
        return [_as_idea(note) for note in self.chosen]

    def steps(self, rank: Callable[[], None], is_wanted: Callable[[], bool]) -> Iterator[None]:
        """Go on, a step at a time, until it is `complete` or is not wanted any more.

        Args:
            rank: Called now and then, to `choose`: when the turn begins there is no time for it.
            is_wanted: Asked before each note.
        """
        steps = 0
        while is_wanted() and not self.complete:
            self.go_on()
            steps += 1
            if len(self._lanes) > 1 and (self.complete or steps % RANKED_EVERY == 0):
                yield
                rank()
            yield

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


def _as_idea(note: PlannedNote) -> Idea:
    key = note.pitch, note.velocity, note.pedal
    return Idea(*key, note.onset_s, note.release_s - note.onset_s)
