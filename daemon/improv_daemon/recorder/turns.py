"""Whose turn it was when, from what was played; pure."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from improv_core.notes import Note, Performance
from improv_daemon.journal import Journal, performances

Who = Literal["player", "improv"]

PAUSE_S: Final = 3.0
"""After so long a silence whoever goes on begins another turn."""

ANSWERED_S: Final = 1.0
"""After so long a silence, too, where the other has played meanwhile: a rest in a duet is no turn's end."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one of the two played without leaving it to the other.

    Attributes:
        start_s: Of its first note, from the session's start.
        end_s: Of the last release.
        who: ``player`` or ``improv``.
        number: From 1, for each of the two.
    """

    start_s: float
    end_s: float
    who: Who
    number: int

    @property
    def name(self) -> str:
        """As a marker calls it."""
        return f"{self.who} {self.number}"


def turns_of(journal: Journal) -> tuple[Turn, ...]:
    """The turns of both, by their start; where they play at a time, turns overlap."""
    player, improv = performances(journal)
    return turns_between(player, improv)


def turns_between(player: Performance, improv: Performance) -> tuple[Turn, ...]:
    """`turns_of` two performances on one clock."""
    both = [*_turns("player", player.notes, improv.notes), *_turns("improv", improv.notes, player.notes)]
    return tuple(sorted(both, key=lambda turn: (turn.start_s, turn.who)))


def _turns(who: Who, notes: Sequence[Note], others: Sequence[Note]) -> Iterator[Turn]:
    if not notes:
        return
    heard_s = [note.onset_s for note in others]
    start_s, end_s, number = notes[0].onset_s, notes[0].release_s, 1
    for note in notes[1:]:
        silence_s = note.onset_s - end_s
        if silence_s >= PAUSE_S or (silence_s >= ANSWERED_S and _any_between(heard_s, end_s, note.onset_s)):
            yield Turn(start_s, end_s, who, number)
            start_s, number = note.onset_s, number + 1
        end_s = max(end_s, note.release_s)
    yield Turn(start_s, end_s, who, number)


def _any_between(times_s: Sequence[float], from_s: float, until_s: float) -> bool:
    return bisect.bisect_left(times_s, from_s) < bisect.bisect_left(times_s, until_s)
