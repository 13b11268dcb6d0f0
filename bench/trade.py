"""How far from the bar line improv's bars begin and end when it trades by MIDI clock; time is virtual.

    python -m bench.trade [--trades 100] [--jitter-ms 2] [--quick]

The pulses of a steady clock come with normal jitter of that standard deviation, and the player plays up to
each bar line. A beginning is the onset of improv's first note less the true bar line, an end is its last
release or pedal up less the true bar line at the end of its bars: at most 0 where nothing sounds across it.
"""

from __future__ import annotations

import argparse
import random
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from bench.tables import milliseconds, print_table
from improv_core.clock import PULSES_A_BEAT
from improv_daemon.settings import Settings, Time, Trade

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from playing import Room, partner_of

BPM = (60, 90, 120, 160, 200)
BEATS_PER_BAR = 4
_PULSE, _START = 0xF8, 0xFA


@dataclass(frozen=True, slots=True)
class Lines:
    """How far from the true bar lines improv's bars have begun and ended, in seconds."""

    begun_s: list[float]
    ended_s: list[float]


def trade(bpm: float, trades: int, jitter_s: float, seed: int = 1) -> Lines:
    """One bar each, so many times."""
    settings = replace(
        Settings(), mode="trade", trade=Trade(bars=1), time=Time(beats_per_bar=BEATS_PER_BAR)
    )
    room, beat_s = Room(partner_of(settings=settings)), 60 / bpm
    bar_s = BEATS_PER_BAR * beat_s
    dice = random.Random(seed)
    start_s, pulses = 1.0, round(2 * trades * BEATS_PER_BAR * PULSES_A_BEAT) + PULSES_A_BEAT
    heard = [
        (start_s + i * beat_s / PULSES_A_BEAT + dice.gauss(0.0, jitter_s), "clock", (_PULSE,))
        for i in range(pulses)
    ]
    for turn in range(trades):
        for eighth in range(2 * BEATS_PER_BAR):
            at_s = start_s + 2 * turn * bar_s + (eighth + 0.02) * beat_s / 2
            heard.append((at_s, "keyboard", (0x90, 60 + eighth, 64)))
            heard.append((at_s + beat_s / 4, "keyboard", (0x80, 60 + eighth, 64)))
    room.now_s = start_s - 10 * jitter_s
    room.play(_START, source="clock")
    begun_s, ended_s = [], []
    for at_s, source, data in sorted(heard):
        room.run_for(at_s - room.now_s)
        room.play(*data, source=source)
    for turn in range(trades):
        line_s = start_s + (2 * turn + 1) * bar_s
        begun_s.append(min(at_s for at_s, _ in room.onsets if at_s > line_s - bar_s / 2) - line_s)
        middle_s, end_s = line_s + bar_s / 2, line_s + bar_s
        ends_s = [
            at_s
            for at_s, data in room.sent
            if middle_s < at_s < end_s + bar_s / 2 and (data[0] & 0xF0 == 0x80 or data[1:] == (64, 0))
        ]
        ended_s.append(max(ends_s, default=middle_s) - end_s)
    return Lines(begun_s, ended_s)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.trade",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--trades", type=int, default=100, help="of each tempo")
    parser.add_argument("--jitter-ms", type=float, default=2.0)
    parser.add_argument("--quick", action="store_true", help="a few trades of each")
    arguments = parser.parse_args()
    trades = 8 if arguments.quick else arguments.trades
    rows = []
    for bpm in BPM:
        lines = trade(bpm, trades, arguments.jitter_ms / 1e3)
        beyond_ms = 1e3 * max(0.0, *lines.ended_s)
        rows.append((bpm, trades, *milliseconds([abs(one) for one in lines.begun_s]), f"{beyond_ms:.3f}"))
    print_table(
        ("beats a minute", "trades", "p50 ms", "p99 ms", "max ms", "sounds past the line after it, max ms"),
        rows,
    )


if __name__ == "__main__":
    main()
