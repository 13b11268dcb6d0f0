"""What an improviser is to those who let it listen and play."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol


@dataclass(frozen=True, slots=True)
class Ask:
    """What a turn is to be like; None leaves it to the model, and what a model knows nothing of it ignores.

    Attributes:
        style: One of `improv_core.representation.STYLES`.
        notes_per_s: How dense.
        length_s: From its first onset to its last: it comes to a close there.
    """

    style: str | None = None
    notes_per_s: float | None = None
    length_s: float | None = None


NOTHING_ASKED: Final = Ask()


@dataclass(frozen=True, slots=True)
class PlannedNote:
    """One of improv's notes, drawn but perhaps not yet sounded. Times are monotonic seconds."""

    turn: int
    index: int
    pitch: int
    velocity: int
    pedal: int
    onset_s: float
    release_s: float


class Improvising(Protocol):
    """Listens, remembers and draws notes. Pure; times are monotonic seconds and come in as arguments."""

    @property
    def outgrown(self) -> bool:
        """Whether `rebuild` would do it good."""
        ...

    def press(self, pitch: int, velocity: int, at_s: float) -> None:
        """A key goes down. Not while a turn is open."""
        ...

    def release(self, pitch: int, at_s: float) -> None:
        """A key comes up."""
        ...

    def move_pedal(self, value: int) -> None:
        """The player's pedal, 0..127."""
        ...

    def begin_turn(self, turn: int, now_s: float, ask: Ask = NOTHING_ASKED) -> None:
        """Take over.

        Args:
            turn: Its number.
            now_s: When it begins.
            ask: What it is to be like.
        """
        ...

    def draw(self, earliest_s: float, latest_s: float) -> PlannedNote:
        """Draw the next note of the open turn, its onset within bounds.

        Raises:
            RuntimeError: No turn is open.
        """
        ...

    def prepare(self) -> bool:
        """Work for some milliseconds towards the next note, unless it is there; returns whether it was.

        Whoever has other things to do calls this, with those in between, until `draw` can give the note at
        once; `draw` by itself works as long as it takes.
        """
        ...

    def withdraw(self) -> None:
        """Take back the note that was drawn last; it must not have been sent."""
        ...

    def close_turn(self, sounded: Mapping[int, tuple[float, float]]) -> None:
        """End the open turn; for each index that sounded, its onset and release in seconds."""
        ...

    def rebuild(self) -> Iterator[None]:
        """Refresh the memory a little at each step of the iterator; abandon it when anything is played."""
        ...
