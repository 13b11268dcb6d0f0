"""One step of the model on one thread, and drawing a note after it.

    python -m bench.model_step [--steps 4000] [--model FILE.onnx]

Back to back, everything is in the processor's caches; one note every 5 ms is what a fast passage asks for.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

import numpy as np
import onnxruntime

from bench.tables import load_average, milliseconds, print_table, print_threads
from improv_core.model import Model
from improv_core.notes import Part
from improv_core.representation import Notes, Steps, steps
from improv_core.sampler import Sampling, draw_note
from improv_daemon.models import DEFAULT, model_path

EVERY_S = 0.005
WARM_UP = 200
SILENCE_MS = (0, 1500)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--model", default=DEFAULT)
    arguments = parser.parse_args()
    path = model_path(arguments.model)
    model = Model.load(path)
    print_table(
        ("what", "when", "steps", "p50 ms", "p99 ms", "max ms", "load average"),
        measure(model, arguments.steps),
    )
    shape = model.metadata["shape"]
    size_mb = path.stat().st_size / 1e6
    print(
        f"Model {model.name!r}: {shape['layers']} layers of {shape['hidden']}, {size_mb:.1f} MB; "
        f"ONNX Runtime {onnxruntime.__version__} with one thread.\n"
    )
    print_threads()


def measure(model: Model, count: int) -> Iterator[tuple[object, ...]]:
    for what, act in (("step", step(model)), ("step and drawn note", step_and_draw(model))):
        for when, every_s in (("back to back", 0.0), (f"every {EVERY_S * 1e3:.0f} ms", EVERY_S)):
            yield what, when, count, *milliseconds(durations_s(act, count, every_s)), load_average()


def durations_s(act: Callable[[int], None], count: int, every_s: float) -> list[float]:
    """How long each of ``count`` acts takes, begun every ``every_s``; 0 is back to back."""
    for index in range(WARM_UP):
        act(index)
    taken, due_s = [], time.perf_counter()
    for index in range(count):
        if every_s:
            due_s += every_s
            time.sleep(max(0.0, due_s - time.perf_counter()))
        begin_s = time.perf_counter()
        act(index)
        taken.append(time.perf_counter() - begin_s)
    return taken


def step(model: Model) -> Callable[[int], None]:
    played, state = some_steps(), model.initial_state()

    def act(index: int) -> None:
        nonlocal state
        _, state = model.advance(played[index % len(played)], state)

    return act


def step_and_draw(model: Model) -> Callable[[int], None]:
    played, state = some_steps(), model.initial_state()
    sampling = Sampling()

    def act(index: int) -> None:
        nonlocal state
        projected, state = model.advance(played[index % len(played)], state)
        draw_note(model.heads, projected, sampling, np.random.default_rng((0, 1, index)), dt_ms=SILENCE_MS)

    return act


def some_steps(count: int = 512) -> list[Steps]:
    """A plausible passage, a step at a time."""
    rng = np.random.default_rng(0)
    notes = Notes(
        dt_ms=rng.integers(0, 300, count),
        pedal=rng.integers(0, 2, count),
        pitch=rng.integers(36, 90, count),
        velocity=rng.integers(30, 100, count),
        duration_ms=rng.integers(40, 800, count),
    )
    read = steps(notes, np.full(count, int(Part.IMPROV)))
    return [Steps(read.columns[i : i + 1], read.dense[i : i + 1]) for i in range(count)]


if __name__ == "__main__":
    main()
