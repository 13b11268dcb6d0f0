"""Models of every representation but ``piano``, without training: what they draw is random, but drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import repeat

import numpy as np
from numpy.typing import NDArray
from tiny_corpora import random_performance

from improv_core.model import Heads, State
from improv_core.notes import Performance
from improv_core.representation import (
    Attribute,
    Events,
    Frames,
    NoteAttributes,
    Notes,
    Steps,
    Symbols,
    WritingRepresentation,
    encode,
)
from improv_core.representation.binning import Grid, Identity
from improv_core.representation.writing import Habit, Ink, Writer, Written

WIDTH = 24

PITCH_ALONE = NoteAttributes((Attribute("pitch", Identity(128), "one-hot"),))
PITCH_STEP_DURATION = NoteAttributes(
    (
        Attribute("pitch", Identity(128), "scalar"),
        Attribute("dt", Grid.geometric(96, first=0, single=26, last=1000), "scalar", "regression"),
        Attribute("duration", Grid.geometric(128, first=1, single=47, last=2000), "scalar", "regression"),
    )
)


def learned(symbols: Symbols, *performances: Performance) -> Symbols:
    """With the vocabulary of performances, of random ones when there are none."""
    pieces = performances or tuple(random_performance(200, seed) for seed in range(3))
    return symbols.learned(encode(performance) for performance in pieces)


def representations() -> dict[str, WritingRepresentation]:
    """One of each kind that is not ``piano``."""
    return {
        "pitch": PITCH_ALONE,
        "pitch-step-duration": PITCH_STEP_DURATION,
        "symbols": learned(Symbols("pitches", 1)),
        "normal-order": learned(Symbols("normal-order", 1)),
        "events": Events(),
        "frames": Frames(),
    }


@dataclass
class RandomModel:
    """Random weights round a state that fades: what it says depends on all that it has read.

    Attributes:
        representation: What it reads and predicts.
        window: Steps that it may read.
        most_at_once: The longest run of steps that it was given so far.
        read: How many steps it was given so far.
        longest: The most of them from an empty state.
    """

    representation: WritingRepresentation
    window: int | None = None
    seed: int = 0
    most_at_once: int = 0
    read: int = 0
    longest: int = 0
    heads: Heads = field(init=False)
    _tables: list[NDArray[np.float32]] = field(init=False)
    _dense: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)

        def weights(*shape: int) -> NDArray[np.float32]:
            return rng.normal(size=shape).astype(np.float32)

        self._tables = [weights(column.size, WIDTH) for column in self.representation.columns]
        self._dense = weights(self.representation.dense.width, WIDTH) / 8
        attributes = self.representation.attributes
        self.heads = Heads(
            asked=(),
            weights=tuple(
                weights(a.outputs, WIDTH) / (1 if a.head == "categorical" else 16) for a in attributes
            ),
            biases=tuple(np.full(a.outputs, 0.2, dtype=np.float32) for a in attributes),
            given=(None,) * len(attributes),
            conditions=((),) * len(attributes),
            rectified=False,
            scales=tuple(0.05 if a.head == "regression" else None for a in attributes),
        )

    def preferring(self, favourites: dict[int, float]) -> RandomModel:
        """The same, with something added to logits of its only attribute."""
        twin = replace(self)
        bias = twin.heads.biases[0].copy()
        for index, more in favourites.items():
            bias[index] += more
        twin.heads = replace(twin.heads, biases=(bias, *twin.heads.biases[1:]))
        return twin

    def initial_state(self) -> State:
        """Nothing."""
        zeros = np.zeros((1, 1, WIDTH), dtype=np.float32)
        return State(zeros, zeros)

    def advance(self, steps: Steps, state: State) -> tuple[NDArray[np.float32], State]:
        """Each step fades what was there before it."""
        self.most_at_once, self.read = max(self.most_at_once, len(steps)), self.read + len(steps)
        memory = state.cell[0, 0]
        for columns, dense in zip(steps.columns, steps.dense, strict=True):
            memory = 0.8 * memory + dense.astype(np.float32) @ self._dense
            for table, index in zip(self._tables, columns, strict=True):
                memory = memory + 0.5 * table[index]
        length = state.hidden + np.float32(len(steps))
        self.longest = max(self.longest, int(length[0, 0, 0]))
        return np.tanh(memory).astype(np.float32), State(length, memory.astype(np.float32)[None, None])


@dataclass
class SteadyHabits:
    """A player who always plays alike; each next note's velocity is one more."""

    habit: Habit = field(default_factory=lambda: Habit(dt_ms=200, duration_ms=150, velocity=50, pedal=1))
    taken: int = 0

    def next(self) -> Habit:
        """One louder than the one before."""
        self.taken += 1
        return replace(self.habit, velocity=self.habit.velocity + self.taken - 1)

    def next_onset(self) -> Habit:
        """Likewise."""
        return self.next()


def ink_of(lowest_pitch: int = 21, highest_pitch: int = 108, uniform: float = 0.5) -> Ink:
    """Steady habits, and values from the middle of their class."""
    numbers: Iterator[float] = repeat(uniform)
    return Ink(SteadyHabits(), numbers, lowest_pitch, highest_pitch)


def written(writer: Writer, targets: NDArray[np.int64] | list[list[int]]) -> list[Written]:
    """Everything that a writer makes of steps that are drawn just so, each within its mask."""
    notes = []
    for row in np.asarray(targets).tolist():
        for i in range(len(row)):
            mask = writer.mask(i, row[:i])
            assert mask is None or mask[row[i]] == 0, f"{row} cannot be drawn"
        notes += writer.take(row)[0]
    return notes


def no_notes() -> Notes:
    """Nothing played yet."""
    return encode(Performance())


def notes_of(*played: tuple[int, int, int]) -> Notes:
    """Notes of (onset_ms, pitch, duration_ms), velocity 64, without pedal."""
    onset_ms = np.array([onset for onset, _, _ in played], dtype=np.int64)
    return Notes(
        dt_ms=np.diff(onset_ms, prepend=onset_ms[:1]),
        pedal=np.zeros(len(played), dtype=np.int64),
        pitch=np.array([pitch for _, pitch, _ in played], dtype=np.int64),
        velocity=np.full(len(played), 64, dtype=np.int64),
        duration_ms=np.array([duration for _, _, duration in played], dtype=np.int64),
    )
