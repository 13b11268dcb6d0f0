"""What the live view costs: the mind, which plays meanwhile, and the process that draws.

    python -m bench.live_view [--rounds N] [--starts N]

A snapshot, at most eight a second, is built and encoded as in a sitting, with a full roll; the tempo is asked
for twice a second. A picture is drawn and painted whole. Starts are those of ``improv play`` in a terminal of
its own, without ports and sound, until the first picture has come.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pty
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable

from bench.tables import milliseconds, print_table
from improv_daemon.building import sitting_partner
from improv_daemon.display import Opening
from improv_daemon.models import load_model
from improv_daemon.screen.desk import Desk
from improv_daemon.screen.drawing import Look, draw
from improv_daemon.screen.painting import Painter
from improv_daemon.screen.snapshot import Snapshot, to_line
from improv_daemon.settings import Settings
from improv_daemon.sitting_state import NOTES_KEPT, SittingState
from improv_daemon.wire import Played, PlayNote, Ready, Released, Sounded, Woken

SIZES = ((60, 16), (80, 24), (120, 40))
FIRST_PICTURE = b"hand over"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--starts", type=int, default=5)
    arguments = parser.parse_args()
    state, partner = SittingState(), sitting_partner(Settings(), load_model("default"), 1)
    play(state, partner.handle)

    now_s = time.monotonic()

    def snapshot() -> Snapshot:
        return state.snapshot(partner, now_s)

    rows = [
        ("mind: snapshot built and encoded", timed(lambda n: to_line(snapshot()), arguments.rounds)),
        ("mind: tempo asked for", timed(lambda n: partner.tempo(now_s), arguments.rounds)),
    ]
    seen = snapshot()
    for columns, lines in SIZES:
        painter = Painter({"TERM": "xterm-256color"})

        def paint(number: int, size: tuple[int, int] = (columns, lines), painter: Painter = painter) -> None:
            painter.forget()
            painter.paint(draw(seen, Desk(), Look(*size), time.monotonic()), size)

        rows.append((f"screen: a picture of {columns} x {lines}", timed(paint, arguments.rounds // 5)))
    rows.append(("start to the first picture", [started_s() for _ in range(arguments.starts)]))
    print_table(("ms", "p50", "p99", "max"), [(name, *milliseconds(values)) for name, values in rows])
    print(f"{len(seen.notes)} notes on the roll; a snapshot is {len(to_line(seen)) / 1e3:.1f} kB.\n")


def play(state: SittingState, hear: Callable[[Played, float], object]) -> None:
    """Fill the roll."""
    dice = random.Random(1)
    state.opening(
        Opening("default", "answer", Ready(("improv in", "Keys"), ("improv out",), "FluidSynth", ()))
    )
    at_s = time.monotonic() - 0.2 * NOTES_KEPT
    for number in range(NOTES_KEPT):
        at_s += 0.2
        pitch = dice.randrange(40, 80)
        for event in (Played((0x90, pitch, 70), at_s, "Keys"), Played((0x80, pitch, 0), at_s + 0.15, "Keys")):
            hear(event, event.at_s)
            state.event(event)
        state.event(Sounded(1, number, pitch + 5, 60, at_s + 0.05, 1e-4))
        state.event(Released(1, number, pitch + 5, at_s + 0.1))
        state.saw(Woken(), [PlayNote(1, number, 60, 60, 0.0, 0.0)], at_s, at_s + 0.002)


def timed(work: Callable[[int], object], rounds: int) -> list[float]:
    found = []
    for number in range(max(1, rounds)):
        begin_s = time.perf_counter()
        work(number)
        found.append(time.perf_counter() - begin_s)
    return found


def started_s() -> float:
    """How long ``improv play`` takes until something is to be seen."""
    command = [
        sys.executable,
        "-m",
        "improv_daemon",
        "play",
        "-o",
        "ports.api=none",
        "-o",
        "sound.enabled=off",
    ]
    with tempfile.TemporaryDirectory() as home:
        begin_s = time.monotonic()
        pid, window = pty.fork()
        if not pid:
            with contextlib.suppress(OSError):
                os.execve(command[0], command, {**os.environ, "TERM": "xterm-256color", "HOME": home})
            os._exit(127)
        seen = b""
        with contextlib.suppress(OSError):
            while FIRST_PICTURE not in seen:
                seen += os.read(window, 1 << 16)
        took_s = time.monotonic() - begin_s
        os.kill(pid, signal.SIGTERM)
        with contextlib.suppress(OSError):
            while os.read(window, 1 << 16):
                pass
        os.waitpid(pid, 0)
        os.close(window)
    if FIRST_PICTURE not in seen:
        raise SystemExit(f"improv play showed nothing: {seen.decode(errors='replace')}")
    return took_s


if __name__ == "__main__":
    main()
