"""What a sequencer sends as MIDI clock, with the moments at which its bars really begin."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

PULSE, START, CONTINUE, STOP = (0xF8,), (0xFA,), (0xFB,), (0xFC,)
PULSES_A_BEAT = 24


@dataclass(slots=True)
class Sequencer:
    """Plays songs and keeps what it sends.

    Attributes:
        at_s: Its time.
        jitter_s: Its pulses are up to so much too early or late.
        lost: Of its pulses so many, of one, are lost; none of the first beats, when nobody can know it.
        messages: (bytes, when, from where).
        bars_s: When bars began.
    """

    at_s: float
    jitter_s: float = 0.0
    lost: float = 0.0
    beats_per_bar: int = 4
    messages: list[tuple[tuple[int, ...], float, str]] = field(default_factory=list)
    bars_s: list[float] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def say(self, data: tuple[int, ...]) -> None:
        self.messages.append((data, self.at_s, "daw"))

    def locate(self, beat: float) -> None:
        sixteenths = round(4 * beat)
        self.say((0xF2, sixteenths & 127, sixteenths >> 7))

    def play(self, beat: float, until_beat: float, bpm: Callable[[float], float]) -> None:
        """Pulses from one beat of the song to another."""
        first = round(beat * PULSES_A_BEAT)
        for number in range(first, round(until_beat * PULSES_A_BEAT)):
            if number % (PULSES_A_BEAT * self.beats_per_bar) == 0:
                self.bars_s.append(self.at_s)
            if number < first + 2 * PULSES_A_BEAT or self.chance.random() >= self.lost:
                late_s = self.chance.uniform(-self.jitter_s, self.jitter_s)
                self.messages.append((PULSE, self.at_s + late_s, "daw"))
            self.at_s += 60 / bpm(number / PULSES_A_BEAT) / PULSES_A_BEAT


def steady(bpm: float) -> Callable[[float], float]:
    """The same tempo everywhere."""
    return lambda beat: bpm
