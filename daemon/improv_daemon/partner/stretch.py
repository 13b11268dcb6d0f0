"""One of the two's bars when they trade: from a bar line to a bar line, wherever the tempo moves it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Self

from improv_core.bars import Bars, TempoSource
from improv_core.representation import Pulse
from improv_daemon.partner.ears import Ears
from improv_daemon.settings import Settings

USUAL_BEAT_MS: Final = 500.0
"""Beats are taken for so long while nobody has said where they are."""

PICK_UP_BEATS: Final = 0.5
"""What is played so shortly before a bar line belongs to the bar that it begins."""

MISSED_S: Final = 0.03
"""Who is so late for a bar line has missed it."""

OF_THEIR_OWN: Final = (TempoSource.CLOCK, TempoSource.TAPPED, TempoSource.KEPT)
"""Bars that are there whoever plays; all others are counted from where a stretch begins."""

SHORTEST_S: Final = 0.01
"""No bar is shorter."""

_SAME_TEMPO: Final = 0.25


@dataclass(frozen=True, slots=True)
class Measure:
    """How long each of the two has, as the settings say it; see `improv_daemon.settings.Trade` and `Time`."""

    bars: int = 4
    seconds: float = 0.0
    beats_per_bar: int = 4
    tempo_bpm: float = 0.0

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As it is set."""
        trade, time = settings.trade, settings.time
        return cls(trade.bars, trade.seconds, time.beats_per_bar, time.tempo_bpm)


class Stretch:
    """So many bars, as was set when they began.

    Args:
        ears: Know the tempo.
        trade: How long it is to be.
        start_s: When it begins.
        now_s: When that is asked.
        is_improvs: Whose it is.
        beat_ms: Beats of the stretch before it; None: nobody has said.

    Attributes:
        start_s: As it was given.
        is_improvs: As it was given.
        source: Who says where the beats are; None: nobody, or they do not count.
        bars: The bars, as they are known by now.
        is_last: Whether the clock that it goes by has stopped: it ends where it would have, and none follows.
    """

    def __init__(
        self,
        ears: Ears,
        trade: Measure,
        start_s: float,
        now_s: float,
        *,
        is_improvs: bool = False,
        beat_ms: float | None = None,
    ) -> None:
        self._ears, self._trade = ears, trade
        self.start_s, self.is_improvs, self.is_last = start_s, is_improvs, False
        self._beat_ms = beat_ms
        self._is_fixed = trade.seconds > 0
        if self._is_fixed:
            self.source, self.bars = None, Bars(Pulse(start_s * 1e3, trade.seconds * 1e3), 1)
            self._end_bar = 1
            return
        self.source, self.bars = self._ruling(now_s)
        self._end_bar = round(_place(self.bars, start_s)) + trade.bars

    @classmethod
    def first(cls, ears: Ears, trade: Measure, onset_s: float, now_s: float) -> Self:
        """The one that the player begins with a note: the bar of that note is its first."""
        ruling = ears.bars(now_s, trade.beats_per_bar, tempo_bpm=trade.tempo_bpm, begin_s=onset_s)
        if trade.seconds > 0 or ruling is None or ruling[0] not in OF_THEIR_OWN:
            return cls(ears, trade, onset_s, now_s)
        bars = ruling[1]
        bar = bars.bar_of(onset_s + PICK_UP_BEATS * bars.pulse.beat_ms / 1e3)
        return cls(ears, trade, bars.start_s(bar), now_s)

    def next(self, trade: Measure, now_s: float) -> Stretch:
        """The one of the other, which follows it."""
        return Stretch(
            self._ears, trade, self.end_s, now_s, is_improvs=not self.is_improvs, beat_ms=self._beat_ms
        )

    @property
    def end_s(self) -> float:
        """The bar line at its end."""
        return self.bars.start_s(self._end_bar)

    def entry_s(self, now_s: float) -> float:
        """When to begin: at its bar line, or with the next half beat where that has been missed."""
        if self.source is None or now_s <= self.start_s + MISSED_S:
            return self.start_s
        pulse = self.bars.pulse
        return Bars(Pulse(pulse.origin_ms, pulse.beat_ms / 2), 1).bar_start_after(now_s)

    @property
    def _late_s(self) -> float:
        return PICK_UP_BEATS * self.bars.pulse.beat_ms / 1e3

    @property
    def pick_up_s(self) -> float:
        """What is played from then on belongs to the next stretch."""
        beat_ms = USUAL_BEAT_MS if self.source is None else self.bars.pulse.beat_ms
        return self.end_s - PICK_UP_BEATS * beat_ms / 1e3

    @property
    def is_without_tempo(self) -> bool:
        """Whether bars are asked for, and nobody says how long they are."""
        return self.source is None and not self._trade.seconds

    def follow(self, now_s: float) -> None:
        """The tempo may be another: what is left is as many bars as before, and ends on a bar line again."""
        if self._is_fixed:
            return
        before, (source, bars) = self.bars, self._ruling(now_s)
        self.is_last = self.source is TempoSource.CLOCK and source is not TempoSource.CLOCK
        if self.is_last:
            return
        was_due = now_s >= self.end_s
        if source in OF_THEIR_OWN:
            self._end_bar = round(_place(bars, now_s) + self._end_bar - _place(before, now_s))
        self.source, self.bars = source, bars
        if not was_due and now_s > self.end_s + self._late_s:
            self._end_bar = math.floor(_place(bars, now_s)) + 1

    def end_soon(self, at_s: float) -> None:
        """Let it end with the next bar line from that moment on, or just then where there is no tempo."""
        if self.source is not None:
            self._end_bar = min(self._end_bar, round(_place(self.bars, self.bars.bar_start_after(at_s))))
        elif at_s < self.end_s:
            begun_s = min(self.start_s, at_s - SHORTEST_S)  # it may be counted in, and not have begun
            self.bars, self._end_bar = Bars(Pulse(begun_s * 1e3, (at_s - begun_s) * 1e3), 1), 1
            self._is_fixed = True

    def _ruling(self, now_s: float) -> tuple[TempoSource | None, Bars]:
        trade = self._trade
        ruling = self._ears.bars(now_s, trade.beats_per_bar, tempo_bpm=trade.tempo_bpm, begin_s=self.start_s)
        if ruling is not None and ruling[0] is not TempoSource.PLAYED:
            return ruling
        if ruling is not None and not self.is_improvs:  # while improv plays the player keeps no time
            bars = self._alike(ruling[1])
            if bars is not None:
                self._beat_ms = bars.pulse.beat_ms
                return TempoSource.PLAYED, bars
        beat_ms = self._beat_ms or USUAL_BEAT_MS
        source = None if self._beat_ms is None else TempoSource.PLAYED
        return source, Bars(Pulse(self.start_s * 1e3, beat_ms), trade.beats_per_bar)

    def _alike(self, bars: Bars) -> Bars | None:
        """The same bars with beats that are counted as before; None where they are nothing like those."""
        if self._beat_ms is None:
            return bars
        times = 2.0 ** round(math.log2(self._beat_ms / bars.pulse.beat_ms))
        beat_ms = times * bars.pulse.beat_ms
        if abs(beat_ms / self._beat_ms - 1) > _SAME_TEMPO:
            return None
        return Bars(Pulse(bars.pulse.origin_ms, beat_ms), bars.beats_per_bar)


def _place(bars: Bars, at_s: float) -> float:
    """Which bar that is, and how much of it has passed."""
    return (at_s - bars.start_s(0)) / bars.length_s
