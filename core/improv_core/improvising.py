"""What an improviser is to those who let it listen and play."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from improv_core.exchanges import Forgotten
    from improv_core.expectation import Expectation
    from improv_core.heard import HeardNote
    from improv_core.model import Heads
    from improv_core.recall import Idea
    from improv_core.representation import Pulse
    from improv_core.sampler import FloatArray, Sampling


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


@dataclass(frozen=True, slots=True)
class MemorySettings:
    """How much is remembered, and what becomes of it.

    Attributes:
        window_notes: How many notes the rolling seed window holds.
        window_s: How many seconds.
        own_weight: How much improv's own notes count in it, 0 to 1.
        follow: How much the player's latest notes are mixed into what is drawn, 0 to 0.5.
    """

    window_notes: int = 512
    window_s: float = float("inf")
    own_weight: float = 1.0
    follow: float = 0.0


@dataclass(frozen=True, slots=True)
class Beside:
    """What a model makes of the music so far, for those who look for notes that sound at once.

    Attributes:
        heads: Of a model of the representation ``piano``; None where there is no such model.
        projected: Its output after the latest note, (projected,).
        asked: What the heads are told, improv being the one to play.
    """

    heads: Heads | None
    projected: NDArray[np.float32]
    asked: Sequence[int]


class Improvising(Protocol):
    """Listens, remembers and draws notes. Pure; times are monotonic seconds and come in as arguments.

    Attributes:
        sampling: How freely notes are drawn; a change is heard with the next note, or, of a model that reads
            the window at each turn, with the next turn.
        memory: What is remembered; likewise.
    """

    sampling: Sampling
    memory: MemorySettings

    @property
    def plays_along(self) -> bool:
        """Whether what the player plays into an open turn changes how it goes on."""
        ...

    @property
    def outgrown(self) -> bool:
        """Whether `rebuild` would do it good."""
        ...

    @property
    def heard(self) -> Sequence[HeardNote]:
        """What is remembered of both players, oldest first."""
        ...

    # --- what the player does ---

    def press(self, pitch: int, velocity: int, at_s: float) -> None:
        """A key goes down. With a turn open, what is planned after it counts as fixed: withdraw it before."""
        ...

    def release(self, pitch: int, at_s: float) -> None:
        """A key comes up."""
        ...

    def move_pedal(self, value: int) -> None:
        """The player's pedal, 0..127."""
        ...

    def follow(self, pulse: Pulse | None) -> None:
        """Where the beats of the notes to come are, on the clock of `press`; None: unknown."""
        ...

    def expectation(self) -> Expectation | None:
        """When the next note is expected, after the latest; None where the model cannot say."""
        ...

    def beside(self, ask: Ask) -> Beside:
        """What may sound together with the latest note."""
        ...

    # --- improv's turns ---

    def rehearse(
        self, turn: int, ask: Ask, *, count: int, first_s: tuple[float, float], max_gap_s: float
    ) -> Iterator[None]:
        """Draw whole answers beforehand, a little at each step; a press ends it, `begin_turn` takes the best.

        Args:
            turn: The number that it would have.
            ask: What it is to be like; with a length.
            count: How many answers.
            first_s: Earliest and latest onset of the first note.
            max_gap_s: Longest inter-onset interval.
        """
        ...

    def begin_turn(
        self, turn: int, now_s: float, ask: Ask = NOTHING_ASKED, idea: Sequence[Idea] = ()
    ) -> None:
        """Take over.

        Args:
            turn: Its number.
            now_s: When it begins.
            ask: What it is to be like.
            idea: Notes that it begins with, instead of what was rehearsed.
        """
        ...

    def ask_for(self, ask: Ask) -> None:
        """What the rest of the open turn is to be like."""
        ...

    def lean(self, register: FloatArray | None) -> None:
        """Add to the log-probabilities of improv's pitches, (KEYS,), until further notice; None: nothing."""
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

    def settle(self, ended: Mapping[int, tuple[float, float]]) -> int:
        """Take notes of the open turn into the memory as they have sounded.

        Args:
            ended: For the index of each note that has ended its onset and release in seconds.

        Returns:
            The index of the first note that is not settled.
        """
        ...

    def close_turn(self, sounded: Mapping[int, tuple[float, float]]) -> None:
        """End the open turn; for each index that sounded, its onset and release in seconds."""
        ...

    # --- what is to be forgotten ---

    def end_phrase(self) -> None:
        """What is played next is no part of what was played so far; nothing happens while a turn is open."""
        ...

    def forget_exchange(self) -> Forgotten | None:
        """Forget what the player played last, and improv's turn after it, as if neither had been.

        That is all from the player's first note, or what came before a turn that had none, to the end of the
        turn. May be called again, for what was before that; None where nothing is left to forget.

        Raises:
            RuntimeError: A turn is open.
        """
        ...

    def forget_answer(self, turn: int) -> bool:
        """Forget a turn of improv's; what the player played into it stays.

        Args:
            turn: Its number.

        Returns:
            Whether it is forgotten: not, if anything was played since its end.

        Raises:
            RuntimeError: A turn is open.
        """
        ...

    def rebuild(self) -> Iterator[None]:
        """Refresh the memory a little at each step of the iterator; abandon it when a turn begins."""
        ...
