"""One step of each model on one thread, and drawing a note after it: milliseconds, weights and size.

    python -m bench.model_step [--steps 4000] [--model FILE.onnx ...] [--sizes 2x512,2x768,...]

Back to back, everything is in the processor's caches; one note every 5 ms is what a fast passage asks for. A
model file in full precision is measured as it is and as improv export --int8 would store it. Sizes are layers
x width of the preset piano with random weights, which cost as much time as trained ones, in int8.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime

from bench.tables import load_average, milliseconds, print_table, print_threads
from improv_core.model import Model
from improv_core.notes import Part
from improv_core.representation import Notes, Piano, Steps
from improv_core.representation.asking import free
from improv_core.sampler import Sampling, draw_note
from improv_daemon.models import DEFAULT, model_path

EVERY_S = 0.005
WARM_UP = 200
SILENCE_MS = (0, 1500)
MOST_MS, MOST_MB = 1.0, 16.0
"""What the model that comes with improv may take: p99 of a step every 5 ms, and its file."""

HEADERS = (
    *("model", "layers", "precision", "weights", "MB"),
    *("step back to back p50 / p99 ms", "step every 5 ms p50 / p99 ms"),
    *("step and note back to back p50 / p99 ms", "step and note every 5 ms p50 / p99 ms"),
    "load average",
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--model", action="append", default=[], help=f"default: {DEFAULT!r}")
    parser.add_argument("--sizes", type=sizes, default=[], help="such as 2x512,3x512: which may be shipped?")
    arguments = parser.parse_args()
    given = arguments.model or ([] if arguments.sizes else [DEFAULT])
    with TemporaryDirectory() as folder:
        files = [form for name in given for form in forms(model_path(name), Path(folder))]
        files += [untrained(layers, hidden, Path(folder)) for layers, hidden in arguments.sizes]
        print_table(HEADERS, (measured(file, arguments.steps) for file in files))
    print(
        f"{arguments.steps:,} steps each; ONNX Runtime {onnxruntime.__version__} with one thread. Shipped is "
        f"what keeps p99 of a step every {EVERY_S * 1e3:.0f} ms below {MOST_MS:g} ms, and {MOST_MB:g} MB.\n"
    )
    print_threads()


def sizes(text: str) -> list[tuple[int, int]]:
    """Layers and width of each."""
    pairs = [one.split("x") for one in text.split(",")]
    return [(int(layers), int(hidden)) for layers, hidden in pairs]


def forms(path: Path, folder: Path) -> Iterator[Path]:
    """The file, and where it is in full precision and onnx is installed, the same in int8."""
    yield path
    if precision(Model.load(path)) != "int8" and importlib.util.find_spec("onnx") is not None:
        yield in_int8(path, folder / f"{path.stem}-int8.onnx")


def untrained(layers: int, hidden: int, folder: Path) -> Path:
    """The preset piano with so many layers of such a width, in int8."""
    from bench.untrained import write_untrained
    from improv_training.presets import load_preset

    preset = load_preset("piano")
    plan = replace(preset.plan, shape=replace(preset.plan.shape, layers=layers, hidden=hidden))
    path = write_untrained(folder / f"untrained-{layers}x{hidden}.onnx", preset.representation, plan)
    return in_int8(path, path)


def in_int8(source: Path, output: Path) -> Path:
    import onnx

    from improv_export.quantising import quantise

    onnx.save(quantise(onnx.load(source)), output)
    return output


def precision(model: Model) -> str:
    return str(model.metadata.get("precision", "fp32"))


def measured(path: Path, steps: int) -> tuple[object, ...]:
    """A row of the table."""
    model = Model.load(path)
    shape = model.metadata["shape"]
    return (
        *(model.name, f"{shape['layers']}x{shape['hidden']}", precision(model), weights(path)),
        f"{path.stat().st_size / 1e6:.1f}",
        *(" / ".join(milliseconds(taken_s)[:2]) if taken_s else "" for taken_s in timed(model, steps)),
        load_average(),
    )


def weights(path: Path) -> str:
    """How many numbers were learned; scales and zero points of int8 are none of them."""
    if importlib.util.find_spec("onnx") is None:
        return ""
    import onnx

    learned = (
        one
        for one in onnx.load(path).graph.initializer
        if not one.name.endswith(("_scale", "_zero_point", "_axis")) and one.name != "offsets"
    )
    return f"{sum(int(np.prod(one.dims)) for one in learned):,}"


def timed(model: Model, count: int) -> Iterator[list[float]]:
    """Seconds of each step, then of each step with a note drawn after it, in the table's order."""
    for every_s in (0.0, EVERY_S):
        yield durations_s(step(model), count, every_s)
    for every_s in (0.0, EVERY_S):
        # Other representations draw a note in more than one step, see bench.thinking.
        is_note = isinstance(model.representation, Piano)
        yield durations_s(step_and_draw(model), count, every_s) if is_note else []


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
    played, state = some_steps(model), model.initial_state()

    def act(index: int) -> None:
        nonlocal state
        _, state = model.advance(played[index % len(played)], state)

    return act


def step_and_draw(model: Model) -> Callable[[int], None]:
    played, state = some_steps(model), model.initial_state()
    sampling, asked = Sampling(), free(1, Part.IMPROV)[0].tolist()

    def act(index: int) -> None:
        nonlocal state
        projected, state = model.advance(played[index % len(played)], state)
        rng = np.random.default_rng((0, 1, index))
        draw_note(model.heads, projected, sampling, rng, asked=asked, dt_ms=SILENCE_MS)

    return act


def some_steps(model: Model, count: int = 512) -> list[Steps]:
    """A plausible passage, a step at a time."""
    rng = np.random.default_rng(0)
    notes = Notes(
        dt_ms=rng.integers(0, 300, count),
        pedal=rng.integers(0, 2, count),
        pitch=rng.integers(36, 90, count),
        velocity=rng.integers(30, 100, count),
        duration_ms=rng.integers(40, 800, count),
    )
    read = model.representation.rows(notes, np.full(count, int(Part.IMPROV))).read
    return [Steps(read.columns[i : i + 1], read.dense[i : i + 1]) for i in range(len(read.columns))]


if __name__ == "__main__":
    main()
