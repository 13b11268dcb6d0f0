"""What can be forgotten again: the latest exchanges of the player and improv, and how things stood before."""

from __future__ import annotations

from abc import ABC, abstractmethod
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


class Forgetting(ABC, Generic[M]):
    """That part of an improviser which can have heard less than it has; see `Improvising`."""

    def __init__(self) -> None:
        self._exchanges = Exchanges(self._mark)

    def end_phrase(self) -> None:
        """What is played next is no part of what was played so far; see `Improvising.end_phrase`."""
        if not self._is_open:
            self._exchanges.end()

    def forget_exchange(self) -> Forgotten | None:
        """Forget the latest of both; see `Improvising.forget_exchange`."""
        self._refuse_while_open()
        exchange = self._exchanges.take_back()
        if exchange is None:
            return None
        self._go_back(exchange.before)
        return Forgotten(exchange.turn)

    def forget_answer(self, turn: int) -> bool:
        """Forget a turn of improv's, if it was the latest; see `Improvising.forget_answer`."""
        self._refuse_while_open()
        mark = self._exchanges.take_back_answer(turn)
        if mark is None:
            return False
        self._go_back_to_call(mark)
        return True

    @property
    @abstractmethod
    def _is_open(self) -> bool:
        """Whether a turn of improv's is open."""

    @abstractmethod
    def _mark(self) -> M:
        """How things stand."""

    @abstractmethod
    def _go_back(self, mark: M) -> None:
        """Things stand as they did."""

    @abstractmethod
    def _go_back_to_call(self, mark: M) -> None:
        """Things stand as they did before the answer; what the player has played since then was heard."""

    def _refuse_while_open(self) -> None:
        if self._is_open:
            raise RuntimeError("a turn is open")
