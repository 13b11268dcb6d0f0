from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from rich.console import Console
from tiny_corpora import make_corpus, random_pieces, require_training_extra, scale, write_corpus

from improv_training.console import load_with_progress, make_console, show_corpora, show_figures, show_verdict


def screen(width: int = 160) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, width=width), file


def test_output_that_is_no_terminal_is_wide_enough_for_every_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.delenv("COLUMNS", raising=False)
    assert make_console().width == 120
    monkeypatch.setenv("COLUMNS", "70")
    assert make_console().width == 70


def test_corpora_are_shown_by_split() -> None:
    console, file = screen()
    show_corpora(console, [make_corpus({"a": scale(1200), "b": scale(8)}, {"b": "test"}, name="scales")])
    rows = [line.split() for line in file.getvalue().splitlines()]
    assert rows[2:5] == [
        ["scales", "train", "1", "1,200", "0.1"],
        ["validation", "0", "0", "0.0"],
        ["test", "1", "8", "0.0"],
    ]


def test_skipped_files_are_named_up_to_a_number(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "songs", random_pieces(1))
    for i in range(7):
        (folder / f"noise{i}.mid").write_bytes(b"noise")
    console, file = screen(width=20)
    load_with_progress(console, folder, None, tmp_path / "cache")
    lines = file.getvalue().splitlines()
    assert lines[0] == f"Skipped: {folder / 'noise0.mid'} is not a MIDI file."
    assert len(lines) == 6
    assert lines[-1] == "Skipped 2 more files."


@pytest.mark.parametrize("width", [160, 80, 60])
def test_no_figure_is_cut_off_however_narrow_the_terminal(width: int) -> None:
    require_training_extra()
    from improv_training.evaluation import Figures, mean_over_corpora

    nats = {"model": (1.234,) * 5, "bigram": (2.345,) * 5, "unigram": (3.456,) * 5}
    one = Figures("a", 1, 1_234_567, 3600.0, nats, 0.5)
    console, file = screen(width)
    show_figures(console, [one], [mean_over_corpora([one])])
    output = file.getvalue()
    assert "…" not in output
    if width == 160:
        rows = [line.split() for line in output.splitlines()[2:6]]
        assert rows[0] == ["a", "model", *["1.234"] * 5, "6.170", "6.670"]
        assert rows[1][:3] == ["1", "piece", "bigram"]
        assert rows[2][:3] == ["1,234,567", "notes", "unigram"]
        assert rows[3] == ["1.0", "hours", "difference", *["-1.111"] * 5, "-5.555"]


def test_the_verdict_names_the_corpus_where_the_model_is_nearest_to_the_bigram() -> None:
    require_training_extra()
    from improv_training.evaluation import Figures, mean_over_corpora

    both = [
        Figures(name, 1, 10, 1.0, {"model": (0.0,) * 5, "bigram": (bigram,) * 5}, 0.0)
        for name, bigram in (("far", 1.0), ("near", 0.5))
    ]
    learned = [make_corpus({"1": scale(8)}, name=name) for name in ("a", "b")]
    console, file = screen()
    show_verdict(console, "m.onnx", "test", both, mean_over_corpora(both), learned)
    assert file.getvalue().splitlines() == [
        "Model: m.onnx; test split; unigram and bigram learned from the train split of a, b.",
        "Model less bigram: -3.750 nats a note on average over 2 corpora; nearest on near: -2.500.",
    ]
