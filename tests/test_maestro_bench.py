from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from tiny_corpora import make_network, random_pieces, require_training_extra, write_checkpoint, write_corpus

from improv_core.representation import Events, Piano, Representation
from improv_training.plan import Plan

ROOT = Path(__file__).parents[1]


def table(part: str) -> dict[str, list[str]]:
    """The cells of each row but its name."""
    lines = [[cell.strip() for cell in row.split("|")[1:-1]] for row in part.splitlines()]
    return {line[0]: line[1:] for line in lines}


def checkpoint(path: Path, name: str, representation: Representation) -> Path:
    network = make_network(representation=representation)
    plan = Plan(preset=name, shape=network.shape, representation=representation.spec(), lanes=2, chunk=8)
    return write_checkpoint(path, network, plan=asdict(plan))


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "bench.maestro", *map(str, arguments))
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_words_and_notes_stand_side_by_side_with_what_each_piece_costs(tmp_path: Path) -> None:
    require_training_extra()
    pieces = random_pieces(6, notes=20)
    write_corpus(tmp_path / "data" / "maestro_v2", pieces)
    splits = ("train", "train", "test", "test", "test", "validation")
    (tmp_path / "maestro_v2.json").write_text(json.dumps(dict(zip(pieces, splits, strict=True))))
    models = [
        checkpoint(tmp_path / f"{name}.ckpt", name, one)
        for name, one in (("words", Events()), ("notes", Piano()))
    ]
    ran = run(
        *(*models, "--data", tmp_path / "data", "--splits", tmp_path, "--cache", tmp_path / "cache"),
        *("--limit-pieces", 2, "--json", tmp_path / "pieces.json"),
    )
    assert ran.returncode == 0, ran.stderr
    assert "  118 of 118 notes scored" in ran.stderr
    assert ran.stdout.startswith("maestro_v2, canonical: 2 pieces, 118 notes, 0.0 hours, ")
    first, words, notes = (part for part in ran.stdout.split("\n\n") if part.startswith("| "))
    rows = table(first)
    names = [
        f"{row}, as {name} reads" for name in ("notes", "words") for row in ("PPM-4", "bigram", "unigram")
    ]
    assert list(rows) == ["", "---", "words", "notes", *names]
    assert rows["words"][1:3] == ["", ""]
    assert rows["notes"][2] in ("0 of 2", "1 of 2", "2 of 2")
    assert rows["words"][9:] == ["7", "1"]
    assert rows["words"][8].startswith("30 minutes, 0.0 M notes")
    assert rows[names[0]][7:] == [""] * 4
    assert table(words)["model"][0] == table(words)["model"][1] == table(words)["model"][2]
    assert len(table(notes)["model"]) == 7

    stored = json.loads((tmp_path / "pieces.json").read_text())
    assert stored["files"] == ["02.mid", "04.mid"]
    totals = {name: stored["nats"][name]["model"] for name in ("words", "notes")}
    assert rows["words"][0] == f"{sum(totals['words']) / 2:,.0f}"
    assert rows["notes"][1] == f"{sum(totals['notes']) / sum(totals['words']) - 1:+.1%}"
    assert rows["notes"][3] == f"{sum(totals['notes']) / 118:.3f}"


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    require_training_extra()
    ran = run("gone.ckpt", "--data", tmp_path / "nowhere", "--splits", tmp_path)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[1:] == [
        f"{tmp_path / 'nowhere'} is not a folder; name a folder of MIDI files or an archive of them (.zip, "
        ".tar, .tar.gz or .tar.xz)."
    ]


def test_without_models_or_data_it_says_what_to_name() -> None:
    require_training_extra()
    ran = run()
    assert (ran.returncode, ran.stdout) == (
        0,
        "Name models, the corpus with --data and its split with --splits.\n\n",
    )
