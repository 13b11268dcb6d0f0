"""One turn of an improviser that reads the window anew: reading, drawing steps, planning notes.

A model of sequences of fixed length never reads more than that from an empty state: when it has, it begins
again from the latest half.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from improv_core.improvising import PlannedNote
from improv_core.model import Heads, State
from improv_core.notes import Part
from improv_core.representation import Notes, Steps, WritingRepresentation, joined
from improv_core.representation.writing import Habits, Ink, Written
from improv_core.sampler import Sampling, draw_step

LONGEST_READ: Final = 512
"""Steps of the window that are read, where the model was not trained on fewer."""

READ_AT_ONCE: Final = 16
"""Steps that are read in one go: some milliseconds with three layers of 512."""

DRAWN_AT_ONCE: Final = 4
"""Steps that are drawn in one go; likewise."""

_WRITER_KEY: Final = 1 << 32
"""Keys the randomness within classes apart from that of the steps."""


class StepModel(Protocol):
    """What is asked of a model here; `improv_core.model.Model` is one."""

    @property
    def heads(self) -> Heads:
        """What turns its output into logits."""
        ...

    @property
    def window(self) -> int | None:
        """Steps that it was trained to read from an empty state; None when it carries its state on."""
        ...

    def initial_state(self) -> State:
        """A state that has heard nothing."""
        ...

    def advance(self, steps: Steps, state: State) -> tuple[NDArray[np.float32], State]:
        """The output after the last of the steps, (projected,), and the new state."""
        ...


class WindowTurn:
    """An open turn.

    Args:
        number: Of the turn.
        model: A model of the representation.
        representation: What steps are.
        sampling: Temperatures and bounds.
        seed: Randomness is keyed by (seed, turn, step).
        notes: The window.
        habits: Where what the representation lacks comes from.
        origin_s: When the latest of the notes began.
    """

    def __init__(
        self,
        number: int,
        model: StepModel,
        representation: WritingRepresentation,
        sampling: Sampling,
        *,
        seed: int,
        notes: Notes,
        habits: Habits,
        origin_s: float,
    ) -> None:
        self._number, self._seed, self._model, self._sampling = number, seed, model, sampling
        self._attributes = representation.attributes
        self._unread = _read_of(notes, representation)[-(model.window or LONGEST_READ) :]
        self._latest = self._unread
        self._length = 0
        ink = Ink(habits, _uniform(seed, number), sampling.lowest_pitch, sampling.highest_pitch)
        self._writer = representation.writer(notes, ink)
        self._projected, self._state = np.zeros(0, dtype=np.float32), model.initial_state()
        self._steps = 0
        self._origin_s = origin_s
        self._waiting: deque[Written] = deque()
        self._plan: list[tuple[PlannedNote, Written, float]] = []

    @property
    def plan(self) -> list[PlannedNote]:
        """What has been drawn and not withdrawn."""
        return [note for note, _, _ in self._plan]

    def prepare(self) -> bool:
        """Read or draw a few steps, unless the next note is there; returns whether it was."""
        if self._waiting:
            return True
        if len(self._unread):
            self._read(self._unread[:READ_AT_ONCE])
            self._unread = self._unread[READ_AT_ONCE:]
            return False
        for _ in range(DRAWN_AT_ONCE):
            if self._waiting or len(self._unread):
                break
            self._step()
        return False

    def _read(self, steps: Steps) -> None:
        self._projected, self._state = self._model.advance(steps, self._state)
        self._length += len(steps)

    def _step(self) -> None:
        rng = np.random.default_rng((self._seed, self._number, self._steps))
        values = draw_step(
            self._model.heads, self._attributes, self._projected, self._writer, self._sampling, rng
        )
        self._steps += 1
        notes, read = self._writer.take(values)
        self._waiting.extend(notes)
        window = self._model.window
        if window is not None:
            self._latest = joined([self._latest, read])[-max(1, window // 2) :]
        if window is None or self._length < window:
            self._read(read)
        else:
            self._unread, self._state, self._length = self._latest, self._model.initial_state(), 0

    def draw(self, earliest_s: float, latest_s: float) -> PlannedNote:
        """The next note, its onset within bounds; those after it keep their distance from it."""
        while not self.prepare():
            pass
        written, origin_s = self._waiting.popleft(), self._origin_s
        onset_s = origin_s + written.onset_ms / 1000
        bounded_s = max(earliest_s, min(onset_s, latest_s))
        self._origin_s = origin_s + bounded_s - onset_s
        note = PlannedNote(
            turn=self._number,
            index=len(self._plan),
            pitch=written.pitch,
            velocity=written.velocity,
            pedal=written.pedal,
            onset_s=bounded_s,
            release_s=bounded_s + written.duration_ms / 1000,
        )
        self._plan.append((note, written, origin_s))
        return note

    def withdraw(self) -> None:
        """Take back the note that was drawn last, as if it had never been."""
        _, written, self._origin_s = self._plan.pop()
        self._waiting.appendleft(written)


def _read_of(notes: Notes, representation: WritingRepresentation) -> Steps:
    start = representation.start()
    if not len(notes):
        return start
    return joined([start, representation.rows(notes, np.full(len(notes), int(Part.PLAYER))).read])


def _uniform(seed: int, turn: int) -> Iterator[float]:
    rng = np.random.default_rng((seed, turn, _WRITER_KEY))
    while True:
        yield rng.random()
