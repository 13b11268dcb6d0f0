"""Where a MIDI file says that beats and bars are."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import mido
import numpy as np
from numpy.typing import NDArray

from improv_core.midi_chunks import tracks_alone
from improv_core.midi_files import SONGS, WRITTEN_TICKS_PER_BEAT, load_midi
from improv_core.tempo_map import DEFAULT_TEMPO_US_PER_BEAT, Conductor, TempoMap

FloatArray = NDArray[np.float64]

_US_PER_MINUTE: Final = 60e6
_MOST_BARS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Beats:
    """Tempos and bar lines, in seconds.

    Attributes:
        tempos: (when, quarter notes a minute), by time, the first at 0.
        bar_lines_s: When each bar begins, at least two; bar 1 is the first.
        beats_per_bar: Of each bar, in quarter notes.
        conductor: The same for a file that is to be written, at `WRITTEN_TICKS_PER_BEAT`.
    """

    tempos: tuple[tuple[float, float], ...]
    bar_lines_s: tuple[float, ...]
    beats_per_bar: tuple[float, ...]
    conductor: Conductor

    def bars(self, at_s: FloatArray) -> FloatArray:
        """Moments as bars: 1.0 is the first bar line, 1.5 the middle of the first bar."""
        lines = np.asarray(self.bar_lines_s)
        numbers = np.interp(at_s, lines, np.arange(1.0, len(lines) + 1.0))
        last_s = lines[-1] - lines[-2]
        beyond = np.maximum(0.0, at_s - lines[-1]) / last_s
        result: FloatArray = numbers + beyond
        return result

    @property
    def is_plain(self) -> bool:
        """Whether it says no more than a file that nobody set a tempo in: 120 throughout."""
        return all(abs(bpm - 120.0) < 0.01 for _, bpm in self.tempos)


def beats_of(path: Path) -> Beats | None:
    """Beats of a MIDI file that can be read; None where its ticks are no beats (SMPTE, several songs).

    Raises:
        MidiFileError: It is missing or not MIDI.
    """
    midi = mido.MidiFile(file=io.BytesIO(tracks_alone(load_midi(path))), clip=True)
    if midi.ticks_per_beat <= 0 or midi.type == SONGS:
        return None
    tempos, signatures, end = {0: DEFAULT_TEMPO_US_PER_BEAT}, {0: (4, 4)}, 0
    for tick, message in itertools.chain.from_iterable(map(_timed, midi.tracks)):
        end = max(end, tick)
        if message.type == "set_tempo":
            tempos[tick] = max(1, message.tempo)
        elif message.type == "time_signature" and message.numerator > 0:
            signatures[tick] = (message.numerator, message.denominator)
    return _beats(tempos, signatures, midi.ticks_per_beat, end)


def beats_of_conductor(conductor: Conductor, length_s: float) -> Beats:
    """Beats of a piece that is to be written with this conductor."""
    tempo_map = TempoMap(WRITTEN_TICKS_PER_BEAT, conductor.tempos)
    signatures = {tick: (count, value) for tick, count, value in conductor.signatures}
    tempos = {0: DEFAULT_TEMPO_US_PER_BEAT} | dict(conductor.tempos)
    return _beats(tempos, {0: (4, 4)} | signatures, WRITTEN_TICKS_PER_BEAT, tempo_map.tick(length_s))


def _beats(
    tempos: dict[int, int], signatures: dict[int, tuple[int, int]], ticks_per_beat: int, end: int
) -> Beats:
    seconds = TempoMap(ticks_per_beat, tempos.items()).seconds
    of_bars = {tick: 4.0 * count / value for tick, (count, value) in signatures.items()}
    lines, lengths = zip(*_bars(of_bars, ticks_per_beat, end), strict=True)

    def written(tick: int) -> int:
        return round(tick * WRITTEN_TICKS_PER_BEAT / ticks_per_beat)

    return Beats(
        tuple((seconds(tick), _US_PER_MINUTE / tempo) for tick, tempo in sorted(tempos.items())),
        tuple(seconds(line) for line in lines),
        lengths,
        Conductor(
            tuple((written(tick), tempo) for tick, tempo in sorted(tempos.items())),
            tuple((written(tick), *signature) for tick, signature in sorted(signatures.items())),
        ),
    )


def _timed(track: Iterable[mido.Message]) -> Iterator[tuple[int, mido.Message]]:
    tick = 0
    for message in track:
        tick += message.time
        yield tick, message


def _bars(signatures: dict[int, float], ticks_per_beat: int, end: int) -> Iterator[tuple[int, float]]:
    """(tick, quarter notes) of bars until one begins after the end; a signature begins a bar."""
    changes = sorted(signatures)
    for begin, until in itertools.zip_longest(changes, changes[1:]):
        length = max(1.0, signatures[begin] * ticks_per_beat)
        for i in range(_MOST_BARS):
            line = begin + round(i * length)
            if until is not None and line >= until:
                break
            yield line, signatures[begin]
            if until is None and line > end:
                return
