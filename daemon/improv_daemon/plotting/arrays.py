"""Notes as arrays, and what is counted of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from improv_core.notes import CHORD_MS, PEDAL_DOWN_FROM, SUSTAIN_CONTROLLER, ControlChange, Note

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Notes:
    """Notes by onset; four arrays of one length.

    Attributes:
        pitch: 0..127.
        velocity: 1..127.
        onset_s: Key down.
        release_s: Key up.
    """

    pitch: FloatArray
    velocity: FloatArray
    onset_s: FloatArray
    release_s: FloatArray

    @classmethod
    def of(cls, notes: Iterable[Note]) -> Notes:
        """Of notes in any order."""
        ordered = sorted((n.onset_s, n.pitch, n.velocity, n.duration_s) for n in notes)
        columns = np.array(ordered, dtype=np.float64).reshape(-1, 4).T
        return cls(columns[1], columns[2], columns[0], columns[0] + columns[3])

    def __len__(self) -> int:
        return len(self.pitch)

    def between(self, from_s: float, until_s: float) -> Notes:
        """Those that sound between two moments."""
        there = (self.release_s >= from_s) & (self.onset_s < until_s)
        return Notes(*(column[there] for column in (self.pitch, self.velocity, self.onset_s, self.release_s)))

    @property
    def duration_s(self) -> FloatArray:
        """Key down to key up."""
        return self.release_s - self.onset_s

    @property
    def chord_starts(self) -> NDArray[np.int64]:
        """Where each onset begins; notes closer than `CHORD_MS` to the first of a chord belong to it."""
        starts: list[int] = []
        begun_s = -np.inf
        for i, at_s in enumerate(self.onset_s.tolist()):
            if at_s - begun_s > CHORD_MS / 1000:
                starts.append(i)
                begun_s = at_s
        return np.array(starts, dtype=np.int64)

    @property
    def inter_onset_s(self) -> FloatArray:
        """From each onset, a chord's being one, to the next."""
        return np.diff(self.onset_s[self.chord_starts])

    @property
    def intervals(self) -> FloatArray:
        """Semitones from the top note of each onset to that of the next."""
        starts = self.chord_starts
        return np.diff(np.maximum.reduceat(self.pitch, starts)) if len(starts) else np.zeros(0)


def pedal_spans(controls: Iterable[ControlChange], end_s: float) -> FloatArray:
    """When the sustain pedal is down, shape (spans, 2), in seconds."""
    spans: list[tuple[float, float]] = []
    down_s: float | None = None
    for control in controls:
        if control.controller != SUSTAIN_CONTROLLER:
            continue
        if control.value >= PEDAL_DOWN_FROM and down_s is None:
            down_s = control.at_s
        elif control.value < PEDAL_DOWN_FROM and down_s is not None:
            spans.append((down_s, control.at_s))
            down_s = None
    if down_s is not None and end_s > down_s:
        spans.append((down_s, end_s))
    return np.array(spans, dtype=np.float64).reshape(-1, 2)
