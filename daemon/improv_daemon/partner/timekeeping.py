"""Where the beats are, for those who click them and those who follow: metronome, count-in, MIDI clock out."""

from __future__ import annotations

from typing import Final

from improv_core.bars import Bars, TempoSource
from improv_daemon.partner.policy import Ensemble
from improv_daemon.settings import Time
from improv_daemon.wire import Command, KeepTime

FOREVER_S: Final = 1e12
"""A metronome clicks until then."""

BEGIN_S: Final = 0.1
"""A tempo that begins to be kept has its first beat so soon."""

LOOK_EVERY_S: Final = 0.25
"""A clock may fall silent, and the player's own beat may move."""

PLAYED_FOR_S: Final = 8.0
"""The player's own beat goes on for so long after their last note."""

TOLERANCE_S: Final = 0.001
"""Beats that would be no further off within a bar need not be told anew."""

_NOT_SOONER_S: Final = 0.1
_EARLY_BEATS: Final = 0.25
"""A window for clicks opens and closes so long before its beat, which may yet be corrected."""


class Beats:
    """Tells the stage where the beats are, while somebody wants to know.

    It also sees to it that a set tempo is kept where it is clicked or sent out: from then on it goes on
    whoever plays, and another tempo goes on from where its beats are.

    Args:
        ensemble: Whose settings and beats.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        self._all = ensemble
        self._time: Time | None = None
        self._told: KeepTime | None = None
        self._source: TempoSource | None = None
        self._told_s = self._looked_s = self._click_from_s = float("-inf")
        self._played: Bars | None = None
        self._moved = False
        self._apply()

    @property
    def told(self) -> KeepTime | None:
        """The beats that the stage goes by; None for none."""
        return self._told

    def commands(self, now_s: float) -> list[Command]:
        """Where the beats are now, if that is news."""
        self._moved = False
        self._settle(now_s)
        ruling = self._ruling(now_s)
        wanted = None if ruling is None or not self._is_wanted(ruling[0], now_s) else ruling
        if wanted is None:
            gone, self._told, self._source = self._told, None, None
            return [] if gone is None else [KeepTime(0.0, 0.0, gone.beats_per_bar, 0.0, 0.0, "")]
        new = self._keep_time(*wanted, now_s)
        if not self._is_news(new, now_s):
            return []
        self._told, self._source, self._told_s = new, wanted[0], now_s
        return [new]

    def next_wakeup_s(self) -> float | None:
        """When to look again."""
        if self._moved:
            return float("-inf")  # who trades bars is to learn of it at once
        ears, source = self._all.ears, self._source
        if source is TempoSource.CLOCK:
            return self._looked_s + LOOK_EVERY_S
        is_playing = ears.last_s is not None and self._looked_s < ears.last_s + PLAYED_FOR_S
        if self._is_asked and source in (None, TempoSource.PLAYED) and is_playing:
            return self._looked_s + LOOK_EVERY_S
        return None

    # --- the settings -----------------------------------------------------------------------------

    @property
    def _is_asked(self) -> bool:
        time = self._all.settings.time
        return time.metronome or bool(time.clock_out)

    def _apply(self) -> None:
        time, ears = self._all.settings.time, self._all.ears
        ears.follow_clock, ears.tempo_bpm = time.follow_clock, time.tempo_bpm
        ears.beats_per_bar = time.beats_per_bar

    def _settle(self, now_s: float) -> None:
        """What is set is what is kept."""
        before, time, ears = self._time, self._all.settings.time, self._all.ears
        if before == time:
            return
        self._time = time
        self._apply()
        self._moved = before is not None
        if time.metronome and not (before is not None and before.metronome):
            self._click_from_s = now_s
        if before is not None and time.tempo_bpm != before.tempo_bpm:
            ears.forget_taps()
            if time.tempo_bpm:
                ears.kept.change(60 / time.tempo_bpm, now_s)
            else:
                ears.kept.drop()
        if self._is_asked and time.tempo_bpm and ears.kept.pulse is None:
            ears.kept.begin(now_s + BEGIN_S, 60 / time.tempo_bpm)
        elif not self._is_asked and self._all.count_in_s is None:
            ears.kept.drop()

    # --- the beats --------------------------------------------------------------------------------

    def _ruling(self, now_s: float) -> tuple[TempoSource, Bars] | None:
        ears = self._all.ears
        told = ears.told_tempo(now_s)
        is_silent = told is None and ears.last_s is None
        if not is_silent and now_s >= self._looked_s + LOOK_EVERY_S:  # as `next_wakeup_s` has it, to the bit
            self._looked_s = now_s
            if told is None and self._is_asked:
                self._look(now_s)
        if told is not None:
            self._played = None
            return told
        is_played = self._played is not None and self._is_asked and not ears.is_song_stopped
        return (TempoSource.PLAYED, self._played) if is_played and self._played is not None else None

    def _look(self, now_s: float) -> None:
        ears = self._all.ears
        found = ears.tempo(now_s)
        if found is not None:
            self._played = found[1]
        elif ears.last_s is None or now_s > ears.last_s + PLAYED_FOR_S:
            self._played = None

    def _is_wanted(self, source: TempoSource, now_s: float) -> bool:
        if self._is_asked or self._window(now_s) is not None:
            return True
        # Recordings have their bar lines from it.
        return source in (TempoSource.TAPPED, TempoSource.KEPT)

    def _window(self, now_s: float) -> tuple[float, float] | None:
        count_in_s = self._all.count_in_s
        return count_in_s if count_in_s is not None and now_s < count_in_s[1] else None

    def _keep_time(self, source: TempoSource, bars: Bars, now_s: float) -> KeepTime:
        beat_s, window = bars.pulse.beat_ms / 1e3, self._window(now_s)
        from_s = until_s = 0.0
        if self._all.settings.time.metronome:
            from_s, until_s = self._click_from_s, FOREVER_S
        elif window is not None:
            from_s, until_s = (at_s - _EARLY_BEATS * beat_s for at_s in window)
        name = self._all.ears.clock_source if source is TempoSource.CLOCK else ""
        return KeepTime(bars.pulse.origin_ms / 1e3, beat_s, bars.beats_per_bar, from_s, until_s, name)

    def _is_news(self, new: KeepTime, now_s: float) -> bool:
        told = self._told
        if told is None or (new.beats_per_bar, new.source) != (told.beats_per_bar, told.source):
            return True
        if _clicks(new, now_s) != _clicks(told, now_s):
            return True
        bar_s = new.beat_s * new.beats_per_bar
        off_s = max(abs(_off_s(new, told, at_s)) for at_s in (now_s, now_s + bar_s))
        return off_s > TOLERANCE_S and now_s >= self._told_s + _NOT_SOONER_S


def _clicks(one: KeepTime, now_s: float) -> tuple[int, int] | None:
    """Which beats it wants clicked, by their number; None for none any more."""
    if one.click_until_s <= max(now_s, one.click_from_s):
        return None
    places = ((at_s - one.origin_s) / one.beat_s for at_s in (one.click_from_s, one.click_until_s))
    first, last = (round(min(place, FOREVER_S)) for place in places)
    return first, 0 if one.click_until_s == FOREVER_S else last


def _off_s(new: KeepTime, told: KeepTime, at_s: float) -> float:
    """How far apart they are about the bar that they are in at that time."""
    places = ((at_s - one.origin_s) / (one.beat_s * one.beats_per_bar) for one in (new, told))
    apart = next(places) - next(places)
    return (apart - round(apart)) * new.beat_s * new.beats_per_bar
