"""How an answer is written: what is drawn, step by step, becomes notes; what is lacking is the player's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from improv_core.representation.steps import KEYS, Notes, Representation, Steps


@dataclass(frozen=True, slots=True)
class Habit:
    """How the player has played one note.

    Attributes:
        dt_ms: From the onset before it.
        duration_ms: Key down to key up.
        velocity: 1..127.
        pedal: 0 or 1, at the onset.
    """

    dt_ms: int
    duration_ms: int
    velocity: int
    pedal: int


class Habits(Protocol):
    """What a representation that lacks something takes from the player's window."""

    def next(self) -> Habit:
        """The next note's."""
        ...

    def next_onset(self) -> Habit:
        """That of the first note of the next onset that is not part of the same chord."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """A note as drawn; its onset in milliseconds after the last one that the writer was told of."""

    onset_ms: int
    pitch: int
    velocity: int
    pedal: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Ink:
    """What a writer writes with, beside what is drawn.

    Attributes:
        habits: Where what the representation lacks comes from.
        uniform: Endless numbers in [0, 1), for values within a class.
        lowest_pitch: Of what is written.
        highest_pitch: Of what is written.
    """

    habits: Habits
    uniform: Iterator[float]
    lowest_pitch: int
    highest_pitch: int

    def pitch_mask(self) -> NDArray[np.float64]:
        """0 for each allowed pitch, minus infinity for the others, (KEYS,)."""
        mask = np.full(KEYS, -np.inf)
        mask[self.lowest_pitch : self.highest_pitch + 1] = 0
        return mask


class Writer(Protocol):
    """Turns what is drawn, step by step, into notes."""

    def mask(self, attribute: int, values: Sequence[int]) -> NDArray[np.float64] | None:
        """What is added to the logits of an attribute, the earlier ones of the step being drawn."""
        ...

    def take(self, values: Sequence[int]) -> tuple[list[Written], Steps]:
        """The notes that are complete with this step, by onset, and what the model reads of it.

        Args:
            values: For each attribute the class; of a regression, milliseconds.
        """
        ...


class WritingRepresentation(Representation, Protocol):
    """A representation whose answers are written from the player's window alone."""

    def writer(self, notes: Notes, ink: Ink) -> Writer:
        """For what follows ``notes``; its time begins at their last onset."""
        ...
