"""How long an improviser that reads the window anew keeps the event loop, and the player waiting.

    python -m bench.thinking [--notes 300] [--model FILE.onnx ...]

Without a model: every preset but piano at its full size with random weights, which cost as much time as
trained ones. One go is what is read or drawn before whatever was played is heard. Time of this thread alone
stands beside the clock's, which contains what other programs take.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.tables import load_average, milliseconds, print_table
from bench.untrained import write_untrained
from improv_core.model import Model
from improv_core.representation import Notes, Piano
from improv_core.sampler import Sampling
from improv_core.window_improviser import WindowImproviser
from improv_training.presets import load_preset, preset_names

WINDOW_NOTES = 512
LATEST_S = 1.5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--notes", type=int, default=300)
    parser.add_argument("--model", type=Path, action="append")
    arguments = parser.parse_args()
    headers = ("model", "of", "goes", "p50 ms", "p99 ms", "max ms", "to the first note ms", "load average")
    with TemporaryDirectory() as folder:
        paths = arguments.model or list(untrained(Path(folder)))
        print_table(headers, (row for path in paths for row in measure(Model.load(path), arguments.notes)))


def measure(model: Model, notes: int) -> Iterator[tuple[object, ...]]:
    clock_s, thread_s, first = goes_s(model, notes)
    for of, values_s, waited_s in (
        ("the clock", clock_s, sum(clock_s[:first])),
        ("this thread", thread_s, sum(thread_s[:first])),
    ):
        yield (
            model.name,
            of,
            len(values_s),
            *milliseconds(values_s),
            f"{waited_s * 1e3:.0f}",
            load_average(),
        )


def goes_s(model: Model, notes: int) -> tuple[list[float], list[float], int]:
    """For each go its length by the clock and of this thread; and how many there were before a note."""
    representation = model.representation
    if isinstance(representation, Piano):
        raise SystemExit("A model of piano draws a note at a step; see bench.model_step.")
    improviser = WindowImproviser(model, representation, Sampling(), seed=1)
    at_s = hear_something(improviser)
    improviser.begin_turn(1, at_s)
    clock_s, thread_s, before_first, drawn = list[float](), list[float](), 0, 0
    while drawn < notes:
        begin_s, begin_thread_s = time.perf_counter(), time.thread_time()
        ready = improviser.prepare()
        clock_s.append(time.perf_counter() - begin_s)
        thread_s.append(time.thread_time() - begin_thread_s)
        if ready:
            before_first = before_first or len(clock_s)
            at_s = improviser.draw(at_s, at_s + LATEST_S).onset_s
            drawn += 1
    return clock_s, thread_s, before_first


def hear_something(improviser: WindowImproviser) -> float:
    """A window full of notes, four at a time; returns when it is over."""
    rng = np.random.default_rng(0)
    for i in range(WINDOW_NOTES):
        at_s, pitch = 0.4 * (i // 4), int(rng.integers(36, 90))
        improviser.press(pitch, 64, at_s)
        improviser.release(pitch, at_s + 0.3)
    return 0.1 * WINDOW_NOTES


def untrained(folder: Path) -> Iterator[Path]:
    """Model files of all presets but those of the representation piano."""
    for preset in (load_preset(name) for name in preset_names()):
        if preset.representation.kind != Piano.kind:
            representation = preset.representation.learned(some_pieces())
            yield write_untrained(folder / f"{preset.name}.onnx", representation, preset.plan)


def some_pieces() -> Iterator[Notes]:
    """Enough chords for a vocabulary of a usual size."""
    rng = np.random.default_rng(0)
    for _ in range(10):
        count = 2000
        yield Notes(
            dt_ms=rng.choice([0, 0, 250], count),
            pedal=np.zeros(count, dtype=np.int64),
            pitch=rng.integers(36, 90, count),
            velocity=np.full(count, 64),
            duration_ms=np.full(count, 240),
        )


if __name__ == "__main__":
    main()
