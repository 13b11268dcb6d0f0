"""Notes, controllers and performances: what was played, in seconds."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field

SUSTAIN_CONTROLLER = 64
CHORD_MS = 30
"""Onsets closer than this sound as one chord."""

FINGERS = 10
"""No chord has more notes: no two hands have more."""

PEDAL_DOWN_FROM = 64
"""CC64 values from here up mean that the sustain pedal is down."""


class Part(enum.IntEnum):
    """Who plays a note."""

    PLAYER = 0
    IMPROV = 1


@dataclass(frozen=True, slots=True)
class Note:
    """One key, pressed and released.

    Attributes:
        pitch: MIDI key, 0..127.
        velocity: 1..127; zero would mean note-off on the wire.
        onset_s: Key down, in seconds on the clock of whatever holds the note.
        duration_s: Key down to key up, in seconds, without the pedal.
    """

    pitch: int
    velocity: int
    onset_s: float
    duration_s: float

    def __post_init__(self) -> None:
        if not 0 <= self.pitch <= 127:
            raise ValueError(f"pitch must be in 0..127, got {self.pitch}")
        if not 1 <= self.velocity <= 127:
            raise ValueError(f"velocity must be in 1..127, got {self.velocity}")
        if not self.duration_s >= 0:
            raise ValueError(f"duration_s must not be negative, got {self.duration_s}")

    @property
    def release_s(self) -> float:
        """Key up, in seconds."""
        return self.onset_s + self.duration_s


@dataclass(frozen=True, slots=True)
class ControlChange:
    """One controller message (64 is the sustain pedal).

    Attributes:
        controller: 0..127.
        value: 0..127.
        at_s: When, in seconds.
    """

    controller: int
    value: int
    at_s: float

    def __post_init__(self) -> None:
        if not 0 <= self.controller <= 127:
            raise ValueError(f"controller must be in 0..127, got {self.controller}")
        if not 0 <= self.value <= 127:
            raise ValueError(f"value must be in 0..127, got {self.value}")


@dataclass(frozen=True, slots=True)
class Performance:
    """Notes by (onset, pitch) and controllers by time, on one clock."""

    notes: tuple[Note, ...] = ()
    controls: tuple[ControlChange, ...] = field(default=())

    @classmethod
    def of(cls, notes: Iterable[Note], controls: Iterable[ControlChange] = ()) -> Performance:
        """Sort notes by (onset, pitch) and controllers by time (stable)."""
        return cls(
            tuple(sorted(notes, key=lambda note: (note.onset_s, note.pitch))),
            tuple(sorted(controls, key=lambda control: control.at_s)),
        )

    @property
    def end_s(self) -> float:
        """The last release or controller, 0 when empty."""
        releases = [note.release_s for note in self.notes]
        return max([*releases, *(control.at_s for control in self.controls)], default=0.0)

    @property
    def pedal(self) -> tuple[ControlChange, ...]:
        """The sustain pedal alone."""
        return tuple(c for c in self.controls if c.controller == SUSTAIN_CONTROLLER)
