"""Which of the player's notes are melody, told as each is struck."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from improv_core.notes import CHORD_MS

HAND: Final = 7
"""Semitones; a chord note is no further from the next one below it, where one hand plays both."""

LEAP: Final = 9
"""Semitones; a melody seldom falls further at once."""

RESTS_S: Final = 2.0
"""After so long without a note of the melody, any line may be it."""

HELD_S: Final = 10.0
"""A key that has been down for longer is over no melody: its note-off may have been lost."""


class MelodyLine:
    """Follows the player's upper line; it never waits for what comes next.

    A note is melody if none of the player's keys has gone down above it in the last `HELD_S` and is down, and

    - no note less than a hand's span below it was struck in the last `CHORD_MS`: whoever plays the chord
      needs no harmony, and what arrived first has it already;
    - it is not more than a hand's span below the latest note of the melody, unless that is `RESTS_S` ago:
      a left hand that goes on through a rest of the melody is followed, not harmonised.
    """

    def __init__(self) -> None:
        self._struck: list[tuple[int, float]] = []
        self._down_s: dict[int, float] = {}
        self._latest: tuple[int, float] | None = None

    def press(self, pitch: int, at_s: float, held: Collection[int]) -> bool:
        """Hear a note of the player's and say whether it is melody; to be called for every one of them.

        Args:
            pitch: Of the note.
            at_s: Its onset.
            held: The player's keys that are down, this one among them or not.
        """
        since_s = at_s - CHORD_MS / 1000
        self._struck = [(other, then_s) for other, then_s in self._struck if then_s > since_s]
        in_chord = any(pitch - HAND < other < pitch for other, _ in self._struck)
        self._struck.append((pitch, at_s))
        if self._is_under_another(pitch, at_s, held) or in_chord or self._left_behind(pitch, at_s):
            return False
        self._latest = (pitch, at_s)
        return True

    def _is_under_another(self, pitch: int, at_s: float, held: Collection[int]) -> bool:
        self._down_s = {key: self._down_s.get(key, at_s) for key in held} | {pitch: at_s}
        return any(key > pitch and at_s - then_s <= HELD_S for key, then_s in self._down_s.items())

    def _left_behind(self, pitch: int, at_s: float) -> bool:
        if self._latest is None:
            return False
        latest, then_s = self._latest
        return pitch < latest - LEAP and at_s - then_s < RESTS_S
