"""When the player's turn is over: pure, driven by events and ``now_s``."""

from __future__ import annotations

import math
import statistics
from collections import deque
from dataclasses import dataclass, replace
from typing import Self

from improv_core.expectation import Expectation

CHORD_SPREAD_S = 0.05
"""Onsets closer than this belong to one chord and say nothing about the pace."""

PACE_GAPS = 8
"""The pace is the median of this many latest inter-onset intervals."""

USUAL_GAP_S = 0.4
"""Stands for the longest gap before there is one."""

LONG_SILENCE_S = 1.2
LEAST_SILENCE = 1e-3
PATIENCE, LONGEST_POWER, SILENCE_POWER = 4.7, 1.3, 0.46
"""See `patience_s`. ``python -m bench.turn_taking --fit --calls 200`` fits the powers on training pieces and
chooses ``PATIENCE`` on validation."""

DENSITY_ONSETS = 3
DENSITY_SPAN_S = 0.5
"""Fewer onsets than these, or a shorter time from the first to the last, say nothing about density."""


@dataclass(frozen=True, slots=True)
class TurnBounds:
    """How long improv waits before it takes a silence for the end of a turn.

    Attributes:
        silence_min_s: Least silence since the last onset, all keys up.
        silence_max_s: Most.
        silence_factor: Between the two, times the player's median inter-onset interval; or, where it is known
            what the model expects, of all patience.
        held_min_s: The same while keys are still down.
        held_max_s: Most.
        held_factor: Times the median.
    """

    silence_min_s: float = 0.65
    silence_max_s: float = 1.8
    silence_factor: float = 2.0
    held_min_s: float = 1.5
    held_max_s: float = 4.0
    held_factor: float = 6.0


def patience_s(factor: float, longest_s: float, silence: float) -> float:
    """How long to wait for another note, where the model says what it expects.

    The longer the gaps that this player leaves and the likelier a silence is to the model, the less a silence
    means; so a silence that neither has prepared ends the turn soon.

    Args:
        factor: Of all of it, `TurnBounds.silence_factor`.
        longest_s: The longest of the player's last `PACE_GAPS` inter-onset intervals.
        silence: How likely the model held it that nothing is struck for `LONG_SILENCE_S`.
    """
    expected = max(LEAST_SILENCE, silence)
    return factor * PATIENCE * math.pow(longest_s, LONGEST_POWER) * math.pow(expected, SILENCE_POWER)


@dataclass(frozen=True, slots=True)
class Call:
    """What the player has said in one turn.

    Attributes:
        first_onset_s: When it began.
        last_onset_s: Its latest onset.
        end_s: Its latest onset or release.
        notes: How many notes.
        onsets: How many of them were struck after the one before; those of a chord are one.
    """

    first_onset_s: float
    last_onset_s: float
    end_s: float
    notes: int
    onsets: int

    @classmethod
    def begun(cls, at_s: float) -> Self:
        """With its first note."""
        return cls(at_s, at_s, at_s, 1, 1)

    @property
    def length_s(self) -> float:
        """From first onset to last release (or onset, for keys still held)."""
        return self.end_s - self.first_onset_s

    @property
    def notes_per_s(self) -> float | None:
        """How dense it is; None where it is too short to say.

        One chord of average size is left out, as a call of n chords has n - 1 gaps: how long the last one
        lasts depends on how long the player lets it ring.
        """
        span_s = self.last_onset_s - self.first_onset_s
        if self.onsets < DENSITY_ONSETS or span_s < DENSITY_SPAN_S:
            return None
        return self.notes / self.onsets * (self.onsets - 1) / span_s

    def is_chord(self, at_s: float) -> bool:
        """Whether a note that is struck then belongs to the latest chord."""
        return at_s - self.last_onset_s <= CHORD_SPREAD_S

    def struck(self, at_s: float) -> Call:
        """With one more note."""
        return Call(
            self.first_onset_s,
            max(self.last_onset_s, at_s),  # two sources may be stamped out of order
            max(self.end_s, at_s),
            self.notes + 1,
            self.onsets + (not self.is_chord(at_s)),
        )


class TurnTaker:
    """Follows the player's keys and names the moment at which the turn ends if nothing more comes.

    Attributes:
        bounds: How long improv waits; may be changed at any time.
    """

    def __init__(self, bounds: TurnBounds) -> None:
        self.bounds = bounds
        self._gaps_s: deque[float] = deque(maxlen=PACE_GAPS)
        self._down: set[int] = set()
        self._last_release_s = 0.0
        self._call: Call | None = None
        self._expectation: Expectation | None = None

    @property
    def call(self) -> Call | None:
        """The turn so far, None before its first note."""
        return self._call

    @property
    def keys_down(self) -> frozenset[int]:
        """Pitches of the keys that are down."""
        return frozenset(self._down)

    @property
    def pace_s(self) -> float | None:
        """The player's median inter-onset interval, None before the second chord."""
        return statistics.median(self._gaps_s) if self._gaps_s else None

    def press(self, pitch: int, at_s: float) -> None:
        """A key goes down."""
        call = self._call
        if call is not None and not call.is_chord(at_s):
            self._gaps_s.append(at_s - call.last_onset_s)
        self._down.add(pitch)
        self._call = Call.begun(at_s) if call is None else call.struck(at_s)
        self._expectation = None

    def expect(self, expectation: Expectation | None) -> None:
        """What the model expects after the note that was just pressed; None: the pace alone decides."""
        self._expectation = expectation

    def release(self, pitch: int, at_s: float) -> None:
        """A key comes up."""
        if pitch not in self._down:
            return
        self._down.discard(pitch)
        self._last_release_s = at_s
        call = self._call
        if call is not None:
            self._call = replace(call, end_s=max(call.end_s, at_s))

    def deadline_s(self) -> float | None:
        """When the turn ends unless something is played before; None while nothing was said."""
        call = self._call
        if call is None:
            return None
        bounds, silence_s = self.bounds, self._silence_s()
        if self._down:
            held_s = self._bound(bounds.held_min_s, bounds.held_max_s, bounds.held_factor)
            return call.last_onset_s + max(silence_s, held_s)
        deadline_s = call.last_onset_s + silence_s
        if self._last_release_s <= call.last_onset_s + bounds.silence_min_s:
            return deadline_s
        # A key that is let go late is often on its way to the next one.
        return max(deadline_s, self._last_release_s + bounds.silence_min_s / 2)

    def begin(self) -> None:
        """Forget the call, keep the pace and the keys: the next note begins a new turn."""
        self._call = None

    def _silence_s(self) -> float:
        """How long a silence after the last onset ends the turn."""
        bounds = self.bounds
        if self._expectation is None:
            return self._bound(bounds.silence_min_s, bounds.silence_max_s, bounds.silence_factor)
        longest_s = max(self._gaps_s, default=USUAL_GAP_S)
        silence = self._expectation.silence(LONG_SILENCE_S)
        patient_s = patience_s(bounds.silence_factor, longest_s, silence)
        return min(bounds.silence_max_s, max(bounds.silence_min_s, patient_s))

    def _bound(self, least_s: float, most_s: float, factor: float) -> float:
        pace_s = statistics.median(self._gaps_s) if self._gaps_s else 0.0
        return min(most_s, max(least_s, factor * pace_s))
