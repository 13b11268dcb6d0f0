"""The bench of the beat, on a tiny corpus."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tiny_corpora import require_training_extra, write_corpus

from improv_core.notes import Note, Performance

ROOT = Path(__file__).parents[1]


def test_figures_of_each_corpus_are_printed(tmp_path: Path) -> None:
    require_training_extra()
    pieces = {
        f"{one}.mid": Performance.of(Note(60, 80, i * 0.3, 0.2) for i in range(200)) for one in range(3)
    }
    for name in ("piano_midi_de", "maestro_v2"):
        write_corpus(tmp_path / "data" / name, pieces)
        (tmp_path / f"{name}.json").write_text(json.dumps(dict.fromkeys(pieces, "test")), encoding="utf-8")
    command = (sys.executable, "-m", "bench.pulse", "--data", tmp_path / "data", "--splits", tmp_path)
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    tables = [part.splitlines() for part in ran.stdout.split("\n\n") if part.startswith("| ")]
    assert [len(table) - 2 for table in tables[:2]] == [2, 6]
    assert [table[0].split("|")[1].strip() for table in tables] == ["corpus", "corpus", "confidence", ""]
    assert tables[0][3].split("|")[3].strip() == "–"  # nobody has annotated the recitals
