"""False hand-overs against waiting time, on a tiny corpus."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from tiny_corpora import require_training_extra, write_corpus

from improv_core.notes import Note, Performance

ROOT = Path(__file__).parents[1]


def phrases(seed: int) -> Performance:
    """Some phrases of some seconds, with pauses of one to two seconds between them."""
    rng = np.random.default_rng(seed)
    notes, onset_s = [], 0.0
    for _ in range(12):
        for _ in range(25):
            pitch = int(rng.integers(50, 80))
            notes.append(Note(pitch, 64, onset_s, 0.1))
            onset_s += float(rng.choice([0.15, 0.2, 0.3, 0.8], p=[0.4, 0.3, 0.2, 0.1]))
        onset_s += float(rng.uniform(1.0, 2.0))
    return Performance.of(notes)


def run_bench(folder: Path, *options: str) -> str:
    names = [f"{i}.mid" for i in range(6)]
    write_corpus(folder / "data" / "wjazzd", {name: phrases(i) for i, name in enumerate(names)})
    (folder / "splits").mkdir()
    places = ("train", "train", "validation", "validation", "test", "test")
    split = json.dumps(dict(zip(names, places, strict=True)))
    (folder / "splits" / "wjazzd.json").write_text(split, encoding="utf-8")
    command = (
        *(sys.executable, "-m", "bench.turn_taking", "--corpus", "wjazzd", "--training", "wjazzd"),
        *("--data", folder / "data", "--splits", folder / "splits", "--cache", folder / "cache"),
        *("--calls", "4", *options),
    )
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def first_cells(table: str) -> list[str]:
    return [line.split("|")[1].strip() for line in table.splitlines()]


def test_every_rule_stands_in_the_table(tmp_path: Path) -> None:
    require_training_extra()
    printed = run_bench(tmp_path)
    rules, corpora, curve, costs = (part for part in printed.split("\n\n") if part.startswith("| "))
    assert first_cells(rules) == [
        *("rule", "---", "0.1 s", "0.3 s", "0.6 s", "1 s", "2 s", "one bar"),
        *("improv, the pace alone", "improv"),
    ]
    assert first_cells(corpora) == ["calls of", "---", "wjazzd"]
    assert len(first_cells(curve)) == 8
    assert first_cells(costs) == ["microseconds", "---", "expectation after a press", "deadline"]


def test_constants_are_fitted_on_training_and_validation(tmp_path: Path) -> None:
    require_training_extra()
    printed = run_bench(tmp_path, "--fit", "--rests")
    assert "LONGEST_POWER" in printed
    assert "| improv, validation |" in printed
