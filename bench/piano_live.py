"""From a note-on that is sent to the live piano's process to its sound at its JACK port.

python -m bench.piano_live
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.tables import milliseconds, print_machine, print_table
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage.piano_voice import PianoVoice

_SERVER = "improv-bench"
_PERIODS = (64, 256)
_NOTES, _EVERY_S, _LENGTH_S = 60, 0.4, 0.08
_PITCHES = (60, 64, 67, 72, 76, 79)


@contextmanager
def _jack(period: int) -> Iterator[None]:
    told = [
        *["jackd", "-n"],
        _SERVER,
        *["--no-realtime", "-S", "-p", "128", "-d", "dummy", "-r", "48000", "-p"],
        str(period),
    ]
    with subprocess.Popen(told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        time.sleep(1.0)
        try:
            yield
        finally:
            server.terminate()


def _measured() -> tuple[list[float], int, str]:
    """Seconds to the sound, how many were silent, and the process's memory."""
    began_s = time.perf_counter()
    voice = PianoVoice.open(StageConfig(voice="piano", driver="jack", reverb=0.0))
    start_ms = (time.perf_counter() - began_s) * 1e3
    told = [sys.executable, "-m", "bench.rig_sound_ear", "improv.*:"]
    with subprocess.Popen(told, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as ear:
        assert ear.stdout is not None
        ear.stdout.readline()
        sent_s = [_note(voice, number) for number in range(_NOTES)]
        said, _ = ear.communicate("".join(f"{at_s:.6f}\n" for at_s in sent_s), 60)
    memory = _memory_mib(voice.pid)
    voice.close()
    heard = [(at_s, line) for at_s, line in zip(sent_s, said.split(), strict=True) if line != "none"]
    took_s = [float(line) - at_s for at_s, line in heard]
    return took_s, len(sent_s) - len(heard), f"{memory:.0f} MiB, started in {start_ms:.0f} ms"


def _note(voice: PianoVoice, number: int) -> float:
    pitch = _PITCHES[number % len(_PITCHES)]
    at_s = time.monotonic()
    voice.send((0x90, pitch, 110))
    time.sleep(_LENGTH_S)
    voice.send((0x80, pitch, 64))
    time.sleep(_EVERY_S - _LENGTH_S + 0.0013 * (number % 7))
    return at_s


def _memory_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return float("nan")


def main() -> None:
    os.environ["JACK_DEFAULT_SERVER"] = _SERVER
    print_machine()
    rows = []
    for period in _PERIODS:
        with _jack(period):
            took_s, silent, process = _measured()
        rows.append([period, len(took_s), silent, *milliseconds(took_s or [float("nan")]), process])
    print_table(["JACK period", "notes", "silent", "p50 ms", "p99 ms", "max ms", "process"], rows)


if __name__ == "__main__":
    main()
