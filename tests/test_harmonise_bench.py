"""The whole measurement of harmonising, on tiny corpora."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tiny_corpora import random_performance, write_corpus

from improv_core.midi_files import Track, write_midi

ROOT = Path(__file__).parents[1]


def write_songs(folder: Path, count: int) -> list[str]:
    """Songs with a melody, a piano, one chord and one key."""
    files = []
    for number in range(count):
        home = folder / f"{number}"
        home.mkdir(parents=True)
        tracks = [
            Track(name, random_performance(30, seed=9 * number + i))
            for i, name in enumerate(("MELODY", "PIANO"))
        ]
        write_midi(home / f"{number}.mid", tracks)
        (home / "chord_midi.txt").write_text("0.0\t99.0\tC:maj\n", encoding="utf-8")
        (home / "key_audio.txt").write_text("0.0\t99.0\tC:maj\n", encoding="utf-8")
        files.append(f"{number}/{number}.mid")
    return files


def test_agreement_and_times_are_printed(tmp_path: Path) -> None:
    (tmp_path / "splits").mkdir()
    split = {"pop909_main": write_songs(tmp_path / "data" / "pop909_main", 2)}
    for begin, name in ((100, "piano_midi_de"), (200, "pianolatron_exp"), (300, "maestro_v2")):
        pieces = {f"{i}.mid": random_performance(200, seed=begin + i) for i in range(2)}
        write_corpus(tmp_path / "data" / name, pieces)
        split[name] = list(pieces)
    for name, files in split.items():
        places = json.dumps(dict.fromkeys(files, "test"))
        (tmp_path / "splits" / f"{name}.json").write_text(places, encoding="utf-8")
    command = (
        *(sys.executable, "-m", "bench.harmonise", "--training", "pop909_main"),
        *("--data", tmp_path / "data", "--splits", tmp_path / "splits", "--cache", tmp_path / "cache"),
    )
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    one, two = (part.splitlines() for part in ran.stdout.split("\n\n") if part.startswith("| "))
    rows = [line.split("|")[1].strip() for line in one]
    assert rows[:3] == ["1 voice below, % agreement", "---", "improv"]
    assert two[0].split("|")[1].strip() == "2 voices below, % agreement"
    assert {"parallel thirds in the annotated key", "improv, which hears its own voices too"} < set(rows)
    assert all(cell.strip() for cell in one[2].split("|")[2:-1])
    assert "µs at p50 / p99" in ran.stdout
