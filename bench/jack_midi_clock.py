"""improv and a second program: Debian's jack_midi_clock sends the clock, jack_transport starts and stops it.

    python -m bench.jack_midi_clock [--bpm 110] [--seconds 24]

It starts and stops a JACK server of its own. improv trades a bar each with a player; printed is how far its
bars begin from the bar lines that the program's own Start and pulses mean, as a third program hears them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import rtmidi

from bench.end_to_end import jack_server
from bench.tables import load_average, milliseconds, print_table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from improv_process import ImprovProcess
from jack_player import JackPlayer

_PULSE, _START, _CONTINUE, _STOP = 0xF8, 0xFA, 0xFB, 0xFC
_PULSES_A_BAR = 96
_SETTLED_S = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.jack_midi_clock",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--bpm", type=float, default=110.0)
    parser.add_argument("--seconds", type=float, default=24.0, help="that the transport rolls")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, jack_server(realtime=True):
        _measure(Path(place), arguments.bpm, arguments.seconds)


def _measure(folder: Path, bpm: float, seconds: float) -> None:
    heard: list[tuple[float, int]] = []
    options = ("-o", "mode=trade", "-o", "trade.bars=1", "-o", "sound.enabled=off", "--seed", "7")
    clock = subprocess.Popen(["jack_midi_clock", "-b", str(bpm)], stdout=subprocess.DEVNULL)
    ear = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name="clock-ear")
    ear.ignore_types(timing=False)
    ear.set_callback(lambda event, _: heard.append((time.monotonic(), event[0][0])))
    try:
        with ImprovProcess("play", *options, folder=folder) as improv, JackPlayer() as player:
            improv.wait_until_playing()
            player.connect()
            ports = subprocess.run(["jack_lsp"], capture_output=True, text=True, check=True).stdout.split(
                "\n"
            )
            source = next(name for name in ports if name.startswith("jack_midi_clock:"))
            target = next(name for name in ports if name.endswith(":improv in"))
            subprocess.run(["jack_connect", source, target], check=True)
            ear.open_port(
                [name.partition(":")[0] for name in ear.get_ports()].index("jack_midi_clock"), "ear"
            )
            time.sleep(_SETTLED_S)
            begin_s = time.monotonic()
            _transport("play")
            _eighths(player, begin_s, bpm, seconds)
            time.sleep(seconds)
            _transport("stop")
            stop_s = time.monotonic()
            time.sleep(4.0)
            _report(heard, [at_s for at_s, data in player.heard if data[0] == 0x91 and data[2]], bpm, stop_s)
    finally:
        ear.cancel_callback()
        time.sleep(0.05)
        ear.close_port()
        ear.delete()
        clock.terminate()
        clock.wait()


def _transport(command: str) -> None:
    subprocess.run(["jack_transport"], input=f"{command}\nquit\n", text=True, capture_output=True, check=True)


def _eighths(player: JackPlayer, begin_s: float, bpm: float, seconds: float) -> None:
    gap_s = 30 / bpm
    times = [begin_s + 0.3 + number * gap_s for number in range(int(seconds / gap_s))]
    on = [(at_s, (0x90, 60 + n % 8, 64)) for n, at_s in enumerate(times)]
    off = [(at_s + gap_s / 2, (0x80, 60 + n % 8, 0)) for n, at_s in enumerate(times)]
    player.play(sorted(on + off))


def _report(heard: list[tuple[float, int]], onsets_s: list[float], bpm: float, stop_s: float) -> None:
    kinds = {_START: "start", _CONTINUE: "continue", _STOP: "stop", 0xF2: "song position"}
    said = [f"{kinds[status]} after {at_s - heard[0][0]:.2f} s" for at_s, status in heard if status in kinds]
    pulses_s = [at_s for at_s, status in heard if status == _PULSE]
    begun = next(i for i, (_, status) in enumerate(heard) if status in (_START, _CONTINUE))
    song_s = [at_s for at_s, status in heard[begun:] if status == _PULSE]
    bar_s = 240 / bpm
    # JACK itself drops a message now and then.
    gaps = np.diff(song_s)
    numbers = np.concatenate(([0], np.cumsum(np.rint(gaps / np.median(gaps)))))
    lines_s = np.interp(np.arange(0, numbers[-1], _PULSES_A_BAR), numbers, song_s).tolist()
    firsts_s = [b for a, b in pairwise([float("-inf"), *onsets_s]) if b - a > bar_s / 2 and b < stop_s]
    errors_s = [min((at_s - line_s for line_s in lines_s), key=abs) for at_s in firsts_s]
    print(f"It sent {len(pulses_s)} pulses, {', '.join(said)}; load average {load_average()}.\n")
    print_table(
        ("trades", "p50 ms", "p99 ms", "max ms"), [(len(errors_s), *milliseconds([abs(e) for e in errors_s]))]
    )
    print(f"The last note began {onsets_s[-1] - stop_s:+.2f} s from the stop.\n")


if __name__ == "__main__":
    main()
