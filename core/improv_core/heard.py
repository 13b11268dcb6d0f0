"""Notes that have been played, as those read them who decide what comes next."""

from __future__ import annotations

from dataclasses import dataclass

from improv_core.notes import Part


@dataclass(frozen=True, slots=True)
class HeardNote:
    """A note of either player; times are monotonic seconds.

    Attributes:
        part: Who played it.
        pitch: 0..127.
        velocity: 1..127.
        onset_s: Key down.
        duration_s: Key down to key up; None while it is held.
        pedal: Whether the player's pedal was down at its onset, 0 or 1; of improv's notes, improv's.
    """

    part: Part
    pitch: int
    velocity: int
    onset_s: float
    duration_s: float | None = None
    pedal: int = 0
