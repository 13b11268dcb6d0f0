from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from tiny_corpora import make_network, random_pieces, require_training_extra, write_checkpoint, write_corpus

from improv_core.representation import (
    Attribute,
    Events,
    Frames,
    NoteAttributes,
    Piano,
    Representation,
    Symbols,
    encode,
)
from improv_core.representation.binning import Identity
from improv_training.plan import Plan

ROOT = Path(__file__).parents[1]


def test_every_preset_stands_beside_piano_and_the_baselines_but_for_frames(tmp_path: Path) -> None:
    require_training_extra()
    pieces = random_pieces(4, notes=25)
    train = [encode(performance) for performance in list(pieces.values())[:2]]
    representations: dict[str, Representation] = {
        "piano": Piano(),
        "onehot": NoteAttributes((Attribute("pitch", Identity(128), form="one-hot"),)),
        "symbols": Symbols("pitches", 1).learned(train),
        "normal-order": Symbols("normal-order", 1).learned(train),
        "events": Events(),
        "frames": Frames(),
    }
    models = []
    for name, one in representations.items():
        network = make_network(representation=one)
        plan = Plan(preset=name, shape=network.shape, representation=one.spec())
        models.append(write_checkpoint(tmp_path / f"{name}.ckpt", network, plan=asdict(plan)))
    splits = tmp_path / "splits.json"
    splits.write_text(
        json.dumps(dict(zip(pieces, ("train", "train", "validation", "test"), strict=True))), encoding="utf-8"
    )
    command = (
        *(sys.executable, "-m", "bench.presets_table", "--corpus", write_corpus(tmp_path / "songs", pieces)),
        *("--splits", splits, "--cache", tmp_path / "cache", "--models", *models),
    )
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("songs: 1 test pieces, 64 notes.")
    tables = [part.splitlines()[2:] for part in ran.stdout.split("\n\n") if part.startswith("| ")]
    own, shared = ([[cell.strip() for cell in row.split("|")[1:-1]] for row in table] for table in tables)
    assert [row[0] for row in own] == list(representations)
    assert [(row[0], row[1]) for row in shared] == [
        ("piano", "the past"),
        ("piano", "the past and the grouping"),
        ("piano", "the past, time and pedal"),
        ("onehot", "the past"),
        ("symbols", "the past and the grouping"),
        ("normal-order", "the past and the grouping"),
        ("events", "the past, time and pedal"),
        ("symbols, onsets in its vocabulary", "the past and the grouping"),
        ("normal-order, onsets in its vocabulary", "the past and the grouping"),
    ]
    of_piano = {row[1]: row[3] for row in shared[:3]}
    assert all(row[4] == of_piano[row[1]] for row in shared[3:7])
    assert all(float(cell) > 0 for row in shared for cell in row[3:])
