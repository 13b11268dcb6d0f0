"""improv's open turn as the improviser knows it: what is thought of, drawn and taken back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from improv_core.drawing import Dice, Drawing
from improv_core.heard import HeardNote
from improv_core.improvising import Ask, PlannedNote
from improv_core.model import Model
from improv_core.recall import Idea
from improv_core.rolling_memory import as_heard
from improv_core.tail import Entry, Tail
from improv_core.voice import Voice

LOOKED_BACK: Final = 64
"""The next note is drawn in sight of so many of the turn's latest."""


class ImprovisedTurn:
    """Notes come from what was thought of before, as long as that holds, and else from the model.

    Args:
        number: Keys its randomness.
        ask: What it is to be like.
        tail: What was read since it began and may yet change.
        ready: Notes that are thought of already, in order.
        shift_s: How much later these come than they were thought of.

    Attributes:
        number: As it was given.
        ask: As it is by now.
        tail: As it was given.
        drawn: How many notes were drawn.
        own: The latest `LOOKED_BACK` of its notes.
        sounded: The latest `LOOKED_BACK` that have sounded of it and are settled.
        is_read: Whether anything of it is in the memory.
    """

    def __init__(
        self, number: int, ask: Ask, tail: Tail, ready: Iterable[Idea] = (), *, shift_s: float = 0.0
    ) -> None:
        self.number, self.ask, self.tail = number, ask, tail
        self.drawn, self.is_read = 0, False
        self.own: list[PlannedNote] = []
        self.sounded: list[PlannedNote] = []
        self._ready, self._shift_s = deque(ready), shift_s
        self._taken: tuple[Idea, float] | None = None
        self._origin_s: float | None = None

    @property
    def heard(self) -> list[HeardNote]:
        """What may yet change of it, and was played into it."""
        return [as_heard(entry.note) for entry in self.tail]

    def think_anew(self) -> None:
        """What is thought of already was drawn otherwise than is wanted now."""
        self._ready.clear()

    def next_ready(self, bounds_s: tuple[float, float]) -> PlannedNote | None:
        """The next note that is thought of already, its onset within bounds; None where there is none."""
        self._taken = None
        if not self._ready:
            return None
        idea = self._ready.popleft()
        self._taken = idea, self._shift_s
        thought_s = idea.onset_s + self._shift_s
        onset_s = max(bounds_s[0], min(thought_s, bounds_s[1]))
        self._shift_s += onset_s - thought_s
        key = idea.pitch, idea.velocity, idea.pedal
        return PlannedNote(self.number, self.drawn, *key, onset_s, onset_s + idea.duration_s)

    def draw(self, model: Model, drawing: Drawing, seed: int, bounds_s: tuple[float, float]) -> PlannedNote:
        """Draw the next note from the model.

        Args:
            model: Whose heads.
            drawing: What it is drawn with.
            seed: Of the sitting.
            bounds_s: Earliest and latest onset.
        """
        return drawing.note(
            model,
            self.tail.ready(bounds_s[0]),
            Dice(seed, self.number),
            self.own,
            index=self.drawn,
            first_s=self._origin_s,
            bounds_s=bounds_s,
        )

    def plan(self, note: PlannedNote) -> None:
        """It is the next one."""
        self.tail.plan(note)
        self.drawn += 1
        self._origin_s = note.onset_s if self._origin_s is None else self._origin_s
        self.own = [*self.own[1 - LOOKED_BACK :], note]

    def withdraw(self) -> None:
        """Take back the note that was planned last."""
        self.tail.withdraw()
        self.own.pop()
        self.drawn -= 1
        if not self.drawn:
            self._origin_s = None
        if self._taken is not None:
            idea, self._shift_s = self._taken
            self._ready.appendleft(idea)
            self._taken = None

    def settle(self, read: Sequence[tuple[Entry, Voice]]) -> None:
        """So much of it is in the memory now, each with the voice after it."""
        self.is_read = self.is_read or bool(read)
        for entry, _ in read:
            if isinstance(entry.note, PlannedNote):
                self.sounded = [*self.sounded[1 - LOOKED_BACK :], entry.note]
