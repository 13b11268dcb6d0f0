"""How far from the true bar lines those of a MIDI clock are when they are due, in an offline simulation.

    python -m bench.clock [--bars 100] [--seed 1] [--quick]

Pulses come with jitter and are lost. Errors are those of `MidiClock` just before each bar line; "miscounted"
are bar lines that are off by half a pulse or more.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.tables import milliseconds, print_table
from improv_core.clock import PULSES_A_BEAT, MidiClock

Array = NDArray[np.float64]
BPM = (60, 90, 120, 160, 200, 300)
JITTER: dict[str, Callable[[np.random.Generator, int], Array]] = {
    "uniform, 2 ms": lambda dice, count: dice.uniform(-0.002, 0.002, count),
    "normal, 1 ms": lambda dice, count: dice.normal(0.0, 0.001, count),
    "normal, 2 ms": lambda dice, count: dice.normal(0.0, 0.002, count),
}
LOSSES = {"none": (0.0, 1), "1 %": (0.01, 1), "3 %": (0.03, 1), "bursts of 1 to 3, 1 %": (0.01, 3)}
BAR = 4 * PULSES_A_BEAT
START, PULSE = (0xFA,), (0xF8,)


@dataclass(frozen=True, slots=True)
class Followed:
    """Error of each bar line, in seconds and in pulses, and what a pulse cost."""

    errors_s: Array
    errors_pulses: Array
    each_us: float


def followed(bpm: float, bars: int, jitter: str, loss: str, dice: np.random.Generator) -> Followed:
    """A steady song."""
    count, each_s = bars * BAR, 60 / bpm / PULSES_A_BEAT
    dues_s = 10 + each_s * np.arange(count)
    part, longest = LOSSES[loss]
    lost = np.zeros(count, dtype=bool)
    for begin in np.flatnonzero(dice.random(count) < part):
        lost[begin : begin + dice.integers(1, longest + 1)] = True
    lost[0] = False  # the song begins with it
    times_s = np.sort((dues_s + JITTER[jitter](dice, count))[~lost])
    clock, sent, errors = MidiClock(), 0, []
    clock.message(START, 9.9)
    begin_s = time.process_time()
    for bar in range(2, bars):
        line_s = float(dues_s[bar * BAR])
        until = int(np.searchsorted(times_s, line_s))
        for at_s in times_s[sent:until].tolist():
            clock.message(PULSE, at_s)
        sent, pulse = until, clock.pulse
        assert pulse is not None
        errors.append((line_s * 1e3 - pulse.origin_ms) / pulse.beat_ms * PULSES_A_BEAT - bar * BAR)
    off = np.array(errors)
    return Followed(off * each_s, off, (time.process_time() - begin_s) / max(sent, 1) * 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.clock",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--bars", type=int, default=100, help="of each tempo")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a few bars")
    arguments = parser.parse_args()
    rows = []
    for jitter in JITTER:
        for loss in LOSSES:
            dice = np.random.default_rng(arguments.seed)
            runs = [
                followed(bpm, 20 if arguments.quick else arguments.bars, jitter, loss, dice) for bpm in BPM
            ]
            errors_s = np.abs(np.concatenate([run.errors_s for run in runs]))
            wrong = sum(int((np.abs(run.errors_pulses) >= 0.5).sum()) for run in runs)
            cost_us = np.mean([run.each_us for run in runs])
            rows.append(
                (jitter, loss, len(errors_s), *milliseconds(errors_s.tolist()), wrong, f"{cost_us:.0f}")
            )
    print(f"Tempi {BPM}, as many bars of each.\n")
    headers = ("jitter", "lost", "bar lines", "p50 ms", "p99 ms", "max ms", "miscounted", "us a pulse")
    print_table(headers, rows)


if __name__ == "__main__":
    main()
