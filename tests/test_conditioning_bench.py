"""Every condition of the model that comes with improv, on two tiny corpora."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tiny_corpora import random_performance, require_training_extra, write_corpus

from improv_core.midi_files import Track, write_midi
from improv_core.notes import Note, Performance
from improv_core.representation import ATTRIBUTES

ROOT = Path(__file__).parents[1]
TOLD = ["nothing", "style", "beat", "density", "phrase left"]


def left_hand(seed: int) -> Performance:
    """The same some octaves lower, where nothing else is."""
    notes = random_performance(120, seed).notes
    return Performance.of(Note(21 + note.pitch % 12, note.velocity, note.onset_s, 0.1) for note in notes)


def test_all_figures_are_printed_and_kept(tmp_path: Path) -> None:
    require_training_extra()
    names = [f"{i}.mid" for i in range(5)]
    split = dict(zip(names, ("train", "train", "test", "test", "test"), strict=True))
    # The names are those of the mix, which says that one is jazz and one is classical.
    pieces = {name: random_performance(240, seed=i) for i, name in enumerate(names)}
    write_corpus(tmp_path / "data" / "wjazzd", pieces)
    (tmp_path / "data" / "piano_midi_de").mkdir()
    for i, name in enumerate(names):
        right, left = random_performance(120, seed=10 + i), left_hand(10 + i)
        tracks = [Track("right", right), Track("left", left, channel=1)]
        write_midi(tmp_path / "data" / "piano_midi_de" / name, tracks)
    (tmp_path / "splits").mkdir()
    for corpus in ("wjazzd", "piano_midi_de"):
        (tmp_path / "splits" / f"{corpus}.json").write_text(json.dumps(split), encoding="utf-8")
    command = (
        *(sys.executable, "-m", "bench.conditioning", "default", "--corpus", "wjazzd", "piano_midi_de"),
        *("--training", "wjazzd", "--data", tmp_path / "data", "--splits", tmp_path / "splits"),
        *("--cache", tmp_path / "cache", "--calls", "2", "-o", tmp_path / "told.json"),
    )
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    tables = [part for part in ran.stdout.split("\n\n") if part.startswith("| ")]
    assert [table.split("|")[1].strip() for table in tables] == [
        "corpus",
        "asked, times the call's",
        "asked",
        "corpus",
        "ends of",
        "corpus",
    ]
    told = json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))
    assert told["calls"] == 2
    assert {name: list(one) for name, one in told["told"].items()} == dict.fromkeys(
        ("wjazzd", "piano_midi_de"), TOLD
    )
    assert len(told["told"]["wjazzd"]["beat"]) == len(ATTRIBUTES)
    assert {name: len(ones) for name, ones in told["density"]["measured"].items()} == dict.fromkeys(
        ("free", "x0.5", "x1", "x2"), 2
    )
    assert set(told["style"]) == {"classical", "jazz line"}
    assert [(one["corpus"], one["name"]) for one in told["part"]] == [
        ("piano_midi_de", "upper"),
        ("piano_midi_de", "lower"),
    ]
    assert list(told["endings"]) == [
        "other real ends",
        "real music cut anywhere",
        "answers told their length",
        "answers not told",
    ]
    assert set(told["beat"]) == {"wjazzd", "piano_midi_de"}
    for places in told["beat"].values():
        assert list(places) == ["real", "told the beat", "not told"]
        assert sum(places["real"]) == 64  # the true notes of its one call
