"""The whole evaluation of continuations, on a tiny corpus."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_corpora import random_performance, require_training_extra, write_corpus

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def test_all_figures_are_printed_and_kept(tmp_path: Path) -> None:
    pieces = {f"{i:02}.mid": random_performance(150, seed=i) for i in range(36)}
    write_corpus(tmp_path / "data" / "songs", pieces)
    (tmp_path / "splits").mkdir()
    split = {name: "train" if i < 12 else "test" for i, name in enumerate(pieces)}
    (tmp_path / "splits" / "songs.json").write_text(json.dumps(split), encoding="utf-8")
    command = (
        *(sys.executable, "-m", "bench.generation", "default", "--corpus", "songs", "--training", "songs"),
        *("--data", tmp_path / "data", "--splits", tmp_path / "splits", "--cache", tmp_path / "cache"),
        *("--calls", "24", "--call-notes", "16", "--notes", "70", "--sampling", "temperature_pitch=1.1"),
        *("-o", tmp_path / "told.json"),
    )
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    tables = [part for part in ran.stdout.split("\n\n") if part.startswith("| ")]
    assert [table.split("|")[1].strip() for table in tables] == [
        "feature",
        "calls of",
        "calls of",
        "notes",
        "classifier",
        "run of notes",
    ]
    told = json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))
    assert told["calls"] == 24
    assert told["sampling"]["temperature_pitch"] == 1.1
    assert 0 < told["headline"] < 1.2
    assert [block["begin"] for block in told["drift"]] == [0, 25]
    assert [one["name"] for one in told["classifiers"]] == ["logistic regression", "perceptron", "recurrent"]
    assert [(one["notes"], one["rhythm"]) for one in told["copies"]] == [
        (12, True),
        (20, True),
        (12, False),
        (20, False),
    ]
