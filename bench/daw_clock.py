"""How well improv's trades stay with a DAW, on real JACK ports: a simulated DAW sends MIDI clock.

    python -m bench.daw_clock [--jitter-ms 2] [--lost 0.03] [--quick]

It plays, stops, continues, loops, jumps, changes tempo at once and by a ramp, with jitter and dropped pulses.
Errors are onsets of improv's first notes, as another process hears them, less the bar lines that the DAW
means.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from bench.end_to_end import jack_server
from bench.tables import load_average, milliseconds, print_table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from simulated_daw import session, traded

BPM = (84, 120, 168)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.daw_clock",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--jitter-ms", type=float, default=2.0)
    parser.add_argument(
        "--lost", type=float, default=0.03, help="part of the pulses that are dropped, for a while"
    )
    parser.add_argument("--quick", action="store_true", help="one tempo")
    arguments = parser.parse_args()
    errors_s, stops_s = defaultdict[str, list[float]](list), list[float]()
    with tempfile.TemporaryDirectory() as place, jack_server(realtime=True):
        for bpm in BPM[1:2] if arguments.quick else BPM:
            daw = session(bpm, arguments.jitter_ms / 1e3, arguments.lost, seed=round(bpm))
            trades = traded(Path(place), daw)
            for what, error_s in trades.begun:
                errors_s[what].append(abs(error_s))
            stops_s += [sounding_s / (240 / daw.bpm) for sounding_s in trades.sounding_s]
    rows = [(what, len(some), *milliseconds(some)) for what, some in errors_s.items()]
    everything = [error_s for some in errors_s.values() for error_s in some]
    rows.append(("all", len(everything), *milliseconds(everything)))
    print(f"Tempi {BPM}, jitter {arguments.jitter_ms} ms; load average {load_average()}.\n")
    print_table(("while the DAW does this", "trades", "p50 ms", "p99 ms", "max ms"), rows)
    print(f"After a stop improv sounds for at most {np.max(stops_s):.2f} bars.\n")


if __name__ == "__main__":
    main()
