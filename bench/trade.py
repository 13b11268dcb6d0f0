"""How far from the bar line improv's bars begin and end when it trades by MIDI clock.

    python -m bench.trade [--trades 100] [--jack-trades 10] [--jitter-ms 2] [--quick]

The pulses of a steady clock come with normal jitter of that standard deviation, and the player plays up to
each bar line. A beginning is the onset of improv's first note less the true bar line, an end is its last
release or pedal up less the true bar line at the end of its bars: at most 0 where nothing sounds across it.

The first table is of virtual time. The second is of real JACK ports: another process is clock, player and
ear, so that its errors hold both ways through JACK.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from bench.end_to_end import jack_server
from bench.tables import load_average, milliseconds, print_table
from improv_core.clock import PULSES_A_BEAT
from improv_daemon.settings import Settings, Time, Trade

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from playing import Room, partner_of
from simulated_daw import Daw, traded

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
    settings = replace(Settings(), mode="trade", trade=Trade(bars=1), time=Time(beats_per_bar=BEATS_PER_BAR))
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


def traded_on_jack(bpm: float, trades: int, jitter_s: float) -> list[float]:
    """The same on real ports; how far each of improv's bars begins from its line, in seconds."""
    daw = Daw(bpm, jitter_s, seed=round(bpm))
    daw.start()
    daw.play("play", 2 * trades)
    daw.stop()
    with tempfile.TemporaryDirectory() as place:
        return [abs(off_s) for _, off_s in traded(Path(place), daw).begun]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.trade",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--trades", type=int, default=100, help="of each tempo")
    parser.add_argument("--jack-trades", type=int, default=10, help="of each tempo, on real ports")
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
    if shutil.which("jackd"):
        _on_jack(2 if arguments.quick else arguments.jack_trades, arguments.jitter_ms / 1e3)


def _on_jack(trades: int, jitter_s: float) -> None:
    rows, everything = [], list[float]()
    with jack_server(realtime=True):
        for bpm in BPM:
            errors_s = traded_on_jack(bpm, trades, jitter_s)
            everything += errors_s
            rows.append((bpm, len(errors_s), *milliseconds(errors_s)))
    rows.append(("all", len(everything), *milliseconds(everything)))
    print(f"On real JACK ports, load average {load_average()}:\n")
    print_table(("beats a minute", "trades", "p50 ms", "p99 ms", "max ms"), rows)


if __name__ == "__main__":
    main()
