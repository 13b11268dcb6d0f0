"""Bars to trade by, and whose beat they follow; pure."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Final

from improv_core.clock import MidiClock
from improv_core.pulse import PulseEstimate
from improv_core.representation.asking import Pulse

_SAME_S: Final = 1e-6


class TempoSource(enum.Enum):
    """Who says where the beats are, the strongest first."""

    CLOCK = "MIDI clock"
    TAPPED = "tapped tempo"
    KEPT = "kept tempo"
    SET = "set tempo"
    PLAYED = "your playing"


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of equal length; times are seconds.

    Attributes:
        pulse: Their beats; bar 0 begins with its origin.
        beats_per_bar: Beats of each.
    """

    pulse: Pulse
    beats_per_bar: int

    def __post_init__(self) -> None:
        if self.beats_per_bar < 1:
            raise ValueError(f"beats_per_bar must be at least 1, got {self.beats_per_bar}")

    @property
    def length_s(self) -> float:
        """Of one bar."""
        return self.pulse.beat_ms * self.beats_per_bar / 1e3

    def start_s(self, bar: int) -> float:
        """When that bar begins."""
        return self.pulse.origin_ms / 1e3 + bar * self.length_s

    def bar_of(self, at_s: float) -> int:
        """In which bar that is; below 0 before the origin. A bar line belongs to the bar that it begins."""
        return math.floor((at_s - self.start_s(0) + _SAME_S) / self.length_s)

    def bar_start_after(self, at_s: float) -> float:
        """The bar line at that moment or the next one after it."""
        return self.start_s(-math.floor((self.start_s(0) - at_s + _SAME_S) / self.length_s))


def ruling_bars(
    now_s: float,
    beats_per_bar: int,
    *,
    clock: MidiClock | None = None,
    tapped: Pulse | None = None,
    kept: Pulse | None = None,
    tempo_bpm: float = 0.0,
    played: PulseEstimate | None = None,
    begin_s: float | None = None,
) -> tuple[TempoSource, Bars] | None:
    """The bars to play by: of a clock that runs, else as tapped, kept, set, or played; None without any.

    Args:
        now_s: A clock that has fallen silent by then does not count.
        beats_per_bar: MIDI clock does not say.
        clock: Follows MIDI clock; its bars count from the start of the song.
        tapped: Bars count from the first tap.
        kept: A tempo that is clicked, or that others follow; bars count from its origin.
        tempo_bpm: The tempo of the settings, 0 for none; bars count from ``begin_s``.
        played: The player's pulse, where it is clear; bars count from its beat nearest to ``begin_s``.
        begin_s: The player's first onset, as far as there is one.
    """
    if clock is not None and clock.pulse is not None and not clock.silent(now_s):
        return TempoSource.CLOCK, Bars(clock.pulse, beats_per_bar)
    if tapped is not None:
        return TempoSource.TAPPED, Bars(tapped, beats_per_bar)
    if kept is not None:
        return TempoSource.KEPT, Bars(kept, beats_per_bar)
    if tempo_bpm:
        origin_s = now_s if begin_s is None else begin_s
        return TempoSource.SET, Bars(Pulse(origin_s * 1e3, 60e3 / tempo_bpm), beats_per_bar)
    if played is None or not played.clear:
        return None
    return TempoSource.PLAYED, Bars(_from(played.pulse, begin_s), beats_per_bar)


def _from(pulse: Pulse, begin_s: float | None) -> Pulse:
    """The same beats, counted from the one nearest to a moment."""
    if begin_s is None:
        return pulse
    beats = round((begin_s * 1e3 - pulse.origin_ms) / pulse.beat_ms)
    return Pulse(pulse.origin_ms + beats * pulse.beat_ms, pulse.beat_ms)
