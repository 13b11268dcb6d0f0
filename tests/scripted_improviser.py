"""An improviser that draws what a test has written down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle

import numpy as np

from improv_core.exchanges import Forgotten
from improv_core.heard import HeardNote
from improv_core.improvising import NOTHING_ASKED, Ask, Beside, MemorySettings, PlannedNote
from improv_core.recall import Idea
from improv_core.representation import Pulse
from improv_core.sampler import FloatArray, Sampling

SILENCE_S = 3.0
"""What follows when the script is over."""


class ScriptedImproviser:
    """Draws a note after each of the given gaps, within the bounds that it is given.

    Args:
        gaps_s: From one onset to the next, in each turn anew; then come `SILENCE_S`.
        endless: Begin again instead.

    Attributes:
        asks: What was asked of each turn.
        bounds_s: The longest gap that was allowed for each note, from the note before.
        sounded: What each closed turn was told.
    """

    def __init__(self, *gaps_s: float, endless: bool = False) -> None:
        self._gaps_s, self._endless = gaps_s, endless
        self._script: Iterator[float] = iter(())
        self._turn = 0
        self._plan: list[PlannedNote] = []
        self.sampling, self.memory = Sampling(), MemorySettings()
        self.asks: list[Ask] = []
        self.bounds_s: list[float] = []
        self.sounded: list[dict[int, tuple[float, float]]] = []

    @property
    def plays_along(self) -> bool:
        return True

    @property
    def heard(self) -> Sequence[HeardNote]:
        return ()

    @property
    def outgrown(self) -> bool:
        return False

    @property
    def plan(self) -> Sequence[PlannedNote]:
        """What was drawn and not withdrawn in the latest turn."""
        return self._plan

    def press(self, pitch: int, velocity: int, at_s: float) -> None:
        """It does not listen."""

    def release(self, pitch: int, at_s: float) -> None:
        """It does not listen."""

    def move_pedal(self, value: int) -> None:
        """It does not listen."""

    def follow(self, pulse: Pulse | None) -> None:
        """It follows nobody."""

    def expectation(self) -> None:
        return

    def beside(self, ask: Ask) -> Beside:
        return Beside(None, np.zeros(0, dtype=np.float32), ())

    def rehearse(
        self, turn: int, ask: Ask, *, count: int, first_s: tuple[float, float], max_gap_s: float
    ) -> Iterator[None]:
        return iter(())

    def ask_for(self, ask: Ask) -> None:
        self.asks.append(ask)

    def lean(self, register: FloatArray | None) -> None:
        """It plays what is written."""

    def begin_turn(
        self, turn: int, now_s: float, ask: Ask = NOTHING_ASKED, idea: Sequence[Idea] = ()
    ) -> None:
        self._turn, self._plan = turn, []
        self._script = cycle(self._gaps_s) if self._endless else iter(self._gaps_s)
        self.asks.append(ask)

    def draw(self, earliest_s: float, latest_s: float) -> PlannedNote:
        onset_s = earliest_s
        if self._plan:
            last_s = self._plan[-1].onset_s
            self.bounds_s.append(latest_s - last_s)
            onset_s = max(earliest_s, min(last_s + next(self._script, SILENCE_S), latest_s))
        index = len(self._plan)
        note = PlannedNote(self._turn, index, 40 + index % 40, 64, 0, onset_s, onset_s + 0.1)
        self._plan.append(note)
        return note

    def prepare(self) -> bool:
        return True

    def withdraw(self) -> None:
        self._plan.pop()

    def settle(self, ended: Mapping[int, tuple[float, float]]) -> int:
        return 0

    def close_turn(self, sounded: Mapping[int, tuple[float, float]]) -> None:
        self.sounded.append(dict(sounded))

    def end_phrase(self) -> None:
        """It tells no phrases apart."""

    def forget_exchange(self) -> Forgotten | None:
        return Forgotten(self._turn) if self._turn else None

    def forget_answer(self, turn: int) -> bool:
        return turn == self._turn

    def rebuild(self) -> Iterator[None]:
        return iter(())
