"""What the terminal is told of a sitting."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from improv_core.turns import Call


class Phase(enum.Enum):
    """Who has the floor."""

    LISTENING = "listening"
    ANSWERING = "answering"
    YIELDING = "yielding"
    """The player is back; improv waits for the stage to say what has sounded."""
    TOGETHER = "together"


@dataclass(frozen=True, slots=True)
class CallHeard:
    """The player's turn is over."""

    turn: int
    call: Call
    pitches: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AnswerEnded:
    """improv's turn is over; ``yielded`` when the player came back before its end."""

    turn: int
    pitches: tuple[int, ...]
    length_s: float
    yielded: bool


@dataclass(frozen=True, slots=True)
class ModeChanged:
    """Who plays when is another matter from now on."""

    mode: str


@dataclass(frozen=True, slots=True)
class Muted:
    """improv is silent, or no more."""

    muted: bool


@dataclass(frozen=True, slots=True)
class Looping:
    """Something goes round, or no more."""

    looping: bool


@dataclass(frozen=True, slots=True)
class Learned:
    """A controller is for something from now on.

    Attributes:
        key: What for: a setting.
        controller: Which one, so that "... is for mode from now on" reads on.
        changes: ``key`` and value of each setting that says so.
    """

    key: str
    controller: str
    changes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A note was drawn, for those who follow its way."""

    turn: int
    index: int


@dataclass(frozen=True, slots=True)
class KeepWanted:
    """What was played in the last minutes is to be kept."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence for the musician: what cannot be, and why."""

    text: str


Notice = CallHeard | AnswerEnded | ModeChanged | Muted | Looping | Learned | Drawn | KeepWanted | Said
