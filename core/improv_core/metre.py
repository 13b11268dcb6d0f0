"""A tempo and bars, to go on in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeVar

from improv_core.midi_lines import WRITTEN_TICKS_PER_BEAT
from improv_core.tempo_map import SLOWEST_US_PER_BEAT, Conductor

_US_PER_MINUTE: Final = 60e6
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Metre:
    """How long beats and bars are.

    Attributes:
        bpm: Quarter notes a minute.
        beats_per_bar: In quarter notes; 3.5 is a bar of seven eighths.
    """

    bpm: float = 120.0
    beats_per_bar: float = 4.0

    @property
    def beat_s(self) -> float:
        """A quarter note, in seconds."""
        return 60.0 / self.bpm

    @property
    def bar_s(self) -> float:
        """A bar, in seconds."""
        return self.beats_per_bar * self.beat_s

    @property
    def us_per_beat(self) -> int:
        """As MIDI files have it."""
        return min(SLOWEST_US_PER_BEAT, max(1, round(_US_PER_MINUTE / self.bpm)))

    @property
    def signature(self) -> tuple[int, int]:
        """Beats per bar and the note value of a beat."""
        bar = Fraction(self.beats_per_bar / 4).limit_denominator(64)
        value = max(4, bar.denominator)
        return max(1, round(bar * value)), value


def conductor_of(changes: Iterable[tuple[float, Metre]]) -> Conductor:
    """What a MIDI file says of a time that changes.

    Args:
        changes: (when in seconds, what it is from there on), by time; the first counts from zero on.
    """
    tempos, signatures = dict[int, int](), dict[int, tuple[int, int]]()
    for tick, metre in _on_ticks(changes):
        tempos[tick], signatures[tick] = metre.us_per_beat, metre.signature
    return Conductor(
        tuple(_changes(tempos)), tuple((tick, *signature) for tick, signature in _changes(signatures))
    )


def _on_ticks(changes: Iterable[tuple[float, Metre]]) -> Iterator[tuple[int, Metre]]:
    tick, before_s, before = 0, 0.0, None
    for at_s, metre in changes:
        if before is not None:
            ticks_per_s = 1e6 * WRITTEN_TICKS_PER_BEAT / before.us_per_beat
            tick += round((at_s - before_s) * ticks_per_s)
        yield tick, metre
        before_s, before = at_s, metre


def _changes(values: dict[int, _Value]) -> Iterator[tuple[int, _Value]]:
    last: _Value | None = None
    for tick, value in values.items():
        if value != last:
            yield tick, value
        last = value
