"""What it costs a model in nats per note to have its LSTM in int8; for time and size see bench.model_step.

    python -m bench.quantised --model FILE.onnx --corpus FOLDER [--corpus FOLDER ...] [--splits PATH]
        [--pieces 20] [--recipes]

Nats are measured one step at a time, as in live playing: int8 takes its scales from what shares a call.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from bench.model_step import durations_s, step
from bench.tables import milliseconds, print_table
from improv_core.model import Model
from improv_core.notes import Part
from improv_core.representation import Notes
from improv_daemon.models import model_path
from improv_export.live_nats import NATS_TOLERANCE, live_nats
from improv_export.quantising import Recipe, quantise
from improv_training.corpora.corpus import Corpus
from improv_training.corpora.loading import load_corpus

MATMUL = ("LSTM", "MatMul")

RECIPES: Mapping[str, Recipe] = {
    "as exported": Recipe(),
    "7 bits": Recipe(seven_bits=True),
    "one scale a matrix": Recipe(per_channel=False),
    "one scale a matrix, 7 bits": Recipe(per_channel=False, seven_bits=True),
    "one scale a matrix, zero points": Recipe(per_channel=False, symmetric=False),
    "and keys, projection": Recipe(operators=MATMUL),
    "and keys, projection, embeddings": Recipe(operators=(*MATMUL, "Gather")),
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A model in one of its forms."""

    model: Model
    size_mb: float

    @classmethod
    def load(cls, path: Path) -> Opened:
        return cls(Model.load(path), path.stat().st_size / 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="a model file in full precision")
    parser.add_argument("--corpus", type=Path, action="append", required=True, help="a folder of MIDI files")
    parser.add_argument("--splits", type=Path, help="a split file or a folder of them; test counts")
    parser.add_argument("--pieces", type=int, help="so many of a corpus, evenly spread; default: all")
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="folder for encoded corpora")
    parser.add_argument("--steps", type=int, default=4000, help="for the time of a step with --recipes")
    parser.add_argument("--recipes", action="store_true", help="other ways of making it int8, too")
    arguments = parser.parse_args()
    path = model_path(arguments.model)
    corpora = [load_corpus(folder, arguments.splits, arguments.cache) for folder in arguments.corpus]
    pieces = {corpus.name: chosen_pieces(corpus, arguments.pieces) for corpus in corpora}
    with tempfile.TemporaryDirectory() as folder:
        full, small = Opened.load(path), written(path, Recipe(), Path(folder))
        print_nats(full.model, small.model, pieces)
        if arguments.recipes:
            print_recipes(path, full, pieces, arguments.steps, Path(folder))


def written(path: Path, recipe: Recipe, folder: Path) -> Opened:
    """The model made int8."""
    output = folder / "int8.onnx"
    onnx.save(quantise(onnx.load(path), recipe), output)
    return Opened.load(output)


def chosen_pieces(corpus: Corpus, count: int | None) -> list[Notes]:
    """Of the test split; ``count`` of them, evenly spread."""
    of_test = [i for i, split in enumerate(corpus.split) if split == "test"]
    places = np.linspace(0, len(of_test) - 1, min(count or len(of_test), len(of_test))).round().astype(int)
    return [corpus.piece(of_test[place]) for place in places]


def print_nats(full: Model, small: Model, corpora: Mapping[str, list[Notes]]) -> None:
    headers = ("corpus", "pieces", "notes", "fp32", "int8", "difference")
    print_table(headers, compared(full, small, corpora))
    print(f"Nats per note; allowed: a difference below {NATS_TOLERANCE:g}.\n")


def compared(full: Model, small: Model, corpora: Mapping[str, list[Notes]]) -> Iterator[tuple[object, ...]]:
    for name, pieces in corpora.items():
        (at_full, count), (at_int8, _) = nats_per_note(full, pieces), nats_per_note(small, pieces)
        yield name, len(pieces), f"{count:,}", f"{at_full:.4f}", f"{at_int8:.4f}", f"{at_int8 - at_full:+.4f}"


def nats_per_note(model: Model, pieces: list[Notes]) -> tuple[float, int]:
    """Mean over all notes, each improv's own, and how many they are."""
    scored = [live_nats(model, piece, np.full(len(piece), int(Part.IMPROV))) for piece in pieces]
    count = sum(notes for _, notes in scored)
    return sum(nats for nats, _ in scored) / count, count


def print_recipes(
    path: Path, full: Opened, corpora: Mapping[str, list[Notes]], steps: int, folder: Path
) -> None:
    headers = ("recipe", "MB", "step back to back p50 ms", *(f"{name}, difference" for name in corpora))
    at_full = {name: nats_per_note(full.model, pieces)[0] for name, pieces in corpora.items()}
    rows: list[tuple[object, ...]] = []
    for name, recipe in RECIPES.items():
        one = written(path, recipe, folder)
        p50_ms, _, _ = milliseconds(durations_s(step(one.model), steps, 0.0))
        costs = (nats_per_note(one.model, pieces)[0] - at_full[corpus] for corpus, pieces in corpora.items())
        rows.append((name, f"{one.size_mb:.2f}", p50_ms, *(f"{cost:+.4f}" for cost in costs)))
    print_table(headers, rows)


if __name__ == "__main__":
    main()
