"""The whole evaluation of answers, on a tiny corpus."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_corpora import write_corpus

from improv_core.notes import Note, Performance
from improv_core.ranking import TYPICAL

ROOT = Path(__file__).parents[1]


def song(seed: int, phrases: int = 4) -> Performance:
    """Phrases of ten notes, 0.25 s apart, with a rest of 1.5 s between them."""
    rng = np.random.default_rng(seed)
    return Performance.of(
        Note(int(rng.integers(55, 80)), int(rng.integers(40, 90)), 4.0 * phrase + 0.25 * i, 0.2)
        for phrase in range(phrases)
        for i in range(10)
    )


@pytest.fixture
def corpus(tmp_path: Path) -> tuple[str, ...]:
    """Options that name a corpus of songs, some for training and some for the test."""
    pieces = {f"{i}.mid": song(i) for i in range(9)}
    write_corpus(tmp_path / "data" / "songs", pieces)
    (tmp_path / "splits").mkdir()
    split = {name: "train" if i < 6 else "test" for i, name in enumerate(pieces)}
    (tmp_path / "splits" / "songs.json").write_text(json.dumps(split), encoding="utf-8")
    folders = {"data": tmp_path / "data", "splits": tmp_path / "splits", "cache": tmp_path / "cache"}
    named = ("--corpus", "songs", "--training", "songs")
    return (*named, *(str(word) for name, folder in folders.items() for word in (f"--{name}", folder)))


def printed(*options: str) -> str:
    command = (sys.executable, "-m", "bench.musicality", "default", *options)
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_all_figures_are_printed_and_kept(tmp_path: Path, corpus: tuple[str, ...]) -> None:
    told_at = tmp_path / "told.json"
    options = ("--calls", "6", "--minutes", "0.5", "--set", "answer.candidates=2", "-o", str(told_at))
    said = printed(*corpus, *options)
    assert "6 calls, 6 answered" in said
    tables = [part for part in said.split("\n\n") if part.startswith("| ")]
    assert [table.split("|")[1].strip() for table in tables] == [
        "Relation to the call",
        "Endings",
        "share of motifs found in",
        "phrases",
    ]
    told = json.loads(told_at.read_text(encoding="utf-8"))
    assert told["settings"]["answer"]["candidates"] == 2
    assert told["answered"] == 6
    assert [one["name"] for one in told["standings"]["improv"]] == list(TYPICAL)
    assert 0.8 < told["lengths"]["median"] < 1.25
    assert told["sitting"]["improv's answers"]["phrases"] == told["sitting"]["the calls"]["phrases"] >= 4
    assert told["sitting"]["improv's answers"]["rest_s"] < 2.5


def test_what_ranking_takes_for_usual_can_be_counted_again(corpus: tuple[str, ...]) -> None:
    lines = printed(*corpus, "--refit").splitlines()
    assert [line.split('"')[1] for line in lines] == list(TYPICAL)
    assert lines[4].endswith("weight=8),")
