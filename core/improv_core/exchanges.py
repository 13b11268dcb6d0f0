"""What can be forgotten again: the latest exchanges of the player and improv, and how things stood before."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

EXCHANGES_KEPT: Final = 6
"""So many can be forgotten, one after the other."""

M = TypeVar("M")


@dataclass(slots=True)
class Exchange(Generic[M]):
    """What the player said, and what improv answered.

    Attributes:
        before: How things stood before the player's first note.
        answer: How they stood before improv's turn; None where it has had none.
        turn: Number of that turn.
        is_over: Whether what comes next belongs to another.
    """

    before: M
    answer: M | None = None
    turn: int | None = None
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Forgotten:
    """An exchange is forgotten.

    Attributes:
        turn: The number of improv's turn in it; None where there was none.
    """

    turn: int | None


class Exchanges(Generic[M]):
    """The latest exchanges, each from its first note to the end of improv's turn.

    Args:
        mark: Tells how things stand.
    """

    def __init__(self, mark: Callable[[], M]) -> None:
        self._mark = mark
        self._kept: deque[Exchange[M]] = deque(maxlen=EXCHANGES_KEPT)

    def marks(self) -> Iterator[M]:
        """Every place that one may go back to."""
        for one in self._kept:
            yield one.before
            if one.answer is not None:
                yield one.answer

    def go_on(self) -> None:
        """A note of the player's is about to be heard while no turn is open."""
        if not self._kept or self._kept[-1].is_over:
            self._kept.append(Exchange(self._mark()))

    def answer(self, turn: int) -> None:
        """A turn of improv's is about to begin."""
        self.go_on()
        self._kept[-1].answer, self._kept[-1].turn = self._mark(), turn

    def end(self) -> None:
        """What comes next belongs to another."""
        if self._kept:
            self._kept[-1].is_over = True

    def take_back(self) -> Exchange[M] | None:
        """The latest is no more; None where none is kept."""
        return self._kept.pop() if self._kept else None

    def take_back_answer(self, turn: int) -> M | None:
        """The latest has not been answered yet, if that turn did; returns how things stood before it."""
        if not self._kept or self._kept[-1].turn != turn:
            return None
        latest = self._kept[-1]
        before, latest.answer, latest.turn, latest.is_over = latest.answer, None, None, False
        return before
