"""The bar lines of a sitting as tempos and time signatures of a MIDI file; pure.

A file counts beats from its first tick to its last, and a song may begin late, stop, go on elsewhere and
jump. Where it is silent for a bar or more, whole bars that are a little longer or shorter pass in the file;
otherwise the bar that it broke off is as short as it was, by a time signature of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from improv_core.song_beats import SongBeats
from improv_core.tempo_map import SLOWEST_US_PER_BEAT, Conductor

SONG_START: Final = "song start"
"""The marker where a song begins from its beginning."""

TOLERANCE_S: Final = 0.001
"""No beat of the file is further from the song's for the sake of fewer tempos."""

SHORTEST_BEAT_S: Final = 0.2
"""Before the music, no beat is shorter: programs know tempos up to some 300 beats a minute or more."""

_SAME_BEATS: Final = 1 / 12
_AT_ONCE: Final = 1e-3
_PARTS: Final = 8  # of a beat: a bar is as long as some thirty-second notes
_LONGEST_BEATS: Final = 256.0  # a tempo is a whole number of microseconds, which adds up

Knot = tuple[float, float]
"""(beat of the file, when)."""


def conductor(songs: Iterable[SongBeats], ticks_per_beat: int) -> Conductor | None:
    """Tempos, bars and markers of a file that begins at time zero; None where no song goes on.

    Args:
        songs: In order, none of which begins before the one before has ended.
        ticks_per_beat: Of the file.
    """
    file = _File()
    for song in songs:
        file.add(song)
    if len(file.knots) < 2:
        return None

    def tick(beat: float) -> int:
        return round(beat * ticks_per_beat)

    return Conductor(
        tuple(_tempos(straightened(file.knots), ticks_per_beat)),
        tuple((tick(beat), *_signature(length)) for beat, length in sorted(file.bars.items())),
        tuple((tick(beat), SONG_START) for beat in file.starts),
    )


def beats_before(first_s: float, natural: float, offset: float, length: float) -> float | None:
    """So many beats pass from the file's beginning to a song's, for all its bars to be whole.

    Nothing is heard in them, so that they may be faster than the song's: a short first bar would be less
    welcome, since there are programs that give all bars the length of the first.

    Args:
        first_s: When the song begins.
        natural: How many of its own beats that is.
        offset: How many beats of a bar come before its first.
        length: Of a bar, in beats.

    Returns:
        The number nearest to ``natural``; None where they would be too fast for any program.
    """
    passing = offset + max(0, round((natural - offset) / length)) * length
    for beats in (passing, passing - length, passing + length):
        if beats > 0 and first_s / beats >= SHORTEST_BEAT_S:
            return beats
    return None


def straightened(knots: Sequence[Knot], tolerance_s: float = TOLERANCE_S) -> list[Knot]:
    """Fewer knots, from whose lines none of the others is further than that."""
    kept = [knots[0]]
    least, most, latest = 0.0, math.inf, knots[0]
    for beat, at_s in knots[1:]:
        begun, begun_s = kept[-1]
        if not least <= (at_s - begun_s) / (beat - begun) <= most or beat - begun > _LONGEST_BEATS:
            kept.append(latest)
            begun, begun_s = latest
            least, most = 0.0, math.inf
        least = max(least, (at_s - tolerance_s - begun_s) / (beat - begun))
        most = min(most, (at_s + tolerance_s - begun_s) / (beat - begun))
        latest = (beat, at_s)
    return [*kept, latest]


@dataclass(slots=True)
class _File:
    """Beats of the file so far.

    Attributes:
        knots: Straight between them.
        bars: From which beat on bars are so many beats long.
        starts: Where the song began.
    """

    knots: list[Knot] = field(default_factory=lambda: [(0.0, 0.0)])
    bars: dict[float, float] = field(default_factory=dict)
    starts: list[float] = field(default_factory=list)

    def add(self, song: SongBeats) -> None:
        """Lay a song behind what is there, its bar lines on bar lines."""
        (first, start_s), *_ = song.knots
        beat, before_s = self.knots[-1]
        natural = max(0.0, start_s - before_s) / _beat_s(song)
        length = float(song.beats_per_bar)
        begins, bar_length = self._latest_bars(length)
        offset = (begins + first - beat) % bar_length
        whole = self._whole_bars(natural, offset, bar_length)
        if whole is None and len(self.knots) == 1:
            whole = beats_before(start_s, natural, offset, bar_length)
        if bar_length == length and whole is not None:
            self._follow(song, beat + whole - first)
            return
        # The song's next bar line ends the bar that the file is in, and bars count from there.
        ahead = -first % length
        if first + ahead >= song.knots[-1][0]:
            return
        bar = begins + math.floor((beat - begins) / bar_length + 1e-9) * bar_length
        bar_line = bar + max(
            _parts(beat + natural + ahead - bar), math.floor((beat - bar) * _PARTS + 1) / _PARTS
        )
        self.bars[bar] = bar_line - bar
        self.bars[bar_line] = length
        self._follow(song, bar_line - first - ahead, after=first + ahead)

    def _latest_bars(self, length: float) -> tuple[float, float]:
        if not self.bars:
            self.bars[0.0] = length
        begins = max(self.bars)
        return begins, self.bars[begins]

    def _whole_bars(self, natural: float, offset: float, length: float) -> float | None:
        """So many beats pass before the song goes on; None where that would be another tempo altogether."""
        passing = offset + max(0, round((natural - offset) / length)) * length
        is_close = abs(passing - natural) <= _SAME_BEATS
        return passing if (passing > 0 or natural < _AT_ONCE) and (is_close or natural >= length) else None

    def _follow(self, song: SongBeats, shift: float, after: float = -math.inf) -> None:
        begun = len(self.knots)
        for beat, at_s in song.knots:
            if beat >= after and beat + shift > self.knots[-1][0] and at_s > self.knots[-1][1]:
                self.knots.append((beat + shift, at_s))
        if song.knots[0][0] == 0 and len(self.knots) > begun:
            self.starts.append(shift)


def _beat_s(song: SongBeats) -> float:
    (first, first_s), (then, then_s) = song.knots[0], song.knots[min(4, len(song.knots) - 1)]
    return (then_s - first_s) / (then - first)


def _parts(beats: float) -> float:
    return max(1, round(beats * _PARTS)) / _PARTS


def _signature(beats: float) -> tuple[int, int]:
    """Beats per bar and the note that a beat is, for bars of so many quarter notes."""
    numerator, denominator = round(beats * _PARTS), 4 * _PARTS
    while denominator > 4 and numerator % 2 == 0:
        numerator, denominator = numerator // 2, denominator // 2
    return numerator, denominator


def _tempos(knots: list[Knot], ticks_per_beat: int) -> Iterator[tuple[int, int]]:
    """A tempo from each knot to the next; what one misses by whole microseconds the next makes up for."""
    tick, at_s = 0, 0.0
    for beat, due_s in knots[1:]:
        span = round(beat * ticks_per_beat) - tick
        if span < 1:
            continue
        us_per_beat = round((due_s - at_s) * 1e6 * ticks_per_beat / span)
        us_per_beat = max(1, min(SLOWEST_US_PER_BEAT, us_per_beat))
        yield tick, us_per_beat
        tick, at_s = tick + span, at_s + span * us_per_beat / 1e6 / ticks_per_beat
