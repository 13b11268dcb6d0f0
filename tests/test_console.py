from __future__ import annotations

import io
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tiny_corpora import make_corpus, random_pieces, scale, write_corpus

from improv_core.representation import ATTRIBUTES, Attribute, Symbols
from improv_core.representation.binning import Identity
from improv_core.representation.piano import DT
from improv_training.console import (
    load_with_progress,
    make_console,
    show_corpora,
    show_figures,
    show_presets,
    show_twins,
    show_verdict,
)
from improv_training.corpora.corpus import Split
from improv_training.corpora.near_duplicates import KeptOut
from improv_training.corpora.twins import Twin
from improv_training.evaluation.figures import Figures, mean_over_corpora
from improv_training.presets import load_preset


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


def test_twins_that_are_left_out_and_those_that_stay_are_counted() -> None:
    def twin(file: str, split: Split) -> Twin:
        return Twin("new", file, split, "old", file, "same work", 0.5)

    console, out = screen()
    left_out = (twin("a", "test"), twin("b", "test"))
    show_twins(console, KeptOut(corpora=(), left_out=left_out, stayed=(twin("c", "validation"),)))
    assert out.getvalue().splitlines() == [
        "Left out: 2 pieces of the test split of new, of which training has the same work in old; "
        "--keep-twins keeps them.",
        "Kept: 1 piece of the validation split of new, of which training has the same work in old; there are "
        "no others in that split, so its figures flatter.",
    ]


def figures(corpus: str = "a", **changes: Any) -> Figures:
    nats = {"model": (1.234,) * 5, "PPM-4": (2.0,) * 5, "bigram": (2.345,) * 5, "unigram": (3.456,) * 5}
    one = Figures(
        corpus=corpus,
        pieces=1,
        notes=1_234_567,
        steps=1_234_567,
        tokens=5_000_000,
        seconds=3600.0,
        attributes=ATTRIBUTES,
        nats=nats,
        per_step=nats["model"],
        right=(0.25,) * 5,
        width=0.5,
        lost=0.0,
        charge=0.0,
        bits_per_second=dict.fromkeys(nats, 98.7654),
        per_token=dict.fromkeys(nats, 1.87654),
        per_piece=dict.fromkeys(nats, (7.0,)),
    )
    return replace(one, **changes)


SYMBOLS = Symbols("pitches", 5, table=("C4",))
OF_SYMBOLS = {
    "attributes": SYMBOLS.attributes,
    "nats": {"model": (2.0,), "PPM-4": (2.5,), "bigram": (3.0,), "unigram": (4.0,)},
    "per_step": (4.0,),
    "notes": 2000,
    "tokens": 8000,
    "steps": 1000,
    "right": (0.125,),
    "width": 0.0,
    "lost": 0.05,
    "charge": 0.5,
}


@pytest.mark.parametrize("width", [160, 80, 60])
def test_no_figure_is_cut_off_however_narrow_the_terminal(width: int) -> None:
    console, file = screen(width)
    show_figures(console, [figures()], [mean_over_corpora([figures()])])
    output = file.getvalue()
    assert "…" not in output
    if width == 160:
        rows = [line.split() for line in output.splitlines()[2:8]]
        bits = f"{6.67 / math.log(2):.2f}"
        assert rows[0] == ["a", "model", *["1.234"] * 5, "6.170", "6.670", bits, "98.8", "1.877"]
        assert rows[1] == ["1", "piece", "PPM-4", *["2.000"] * 5, "10.000", "10.500", *rows[1][-3:]]
        assert rows[2][:3] == ["1,234,567", "notes", "bigram"]
        assert rows[3][:3] == ["1.0", "hours", "unigram"]
        assert rows[4] == ["4.05", "tokens", "difference", *["-1.111"] * 5, "-5.555"]
        assert rows[5] == ["accuracy", *["25.0%"] * 5]


def test_of_symbols_steps_are_shown_beside_notes_and_what_is_lost_is_said() -> None:
    console, file = screen()
    show_figures(console, [figures(**OF_SYMBOLS)], [])
    lines = file.getvalue().splitlines()
    assert lines[0].split() == ["nats", "a", "note", "of", "symbol", "sum", "bits", "bits/s", "token"]
    assert [line.split()[:7] for line in lines[2:9]] == [
        ["a", "model", "2.000", "2.500", f"{2.5 / math.log(2):.2f}", "98.8", "1.877"],
        ["1", "piece", "PPM-4", "2.500", "3.000", f"{3 / math.log(2):.2f}", "98.8"],
        ["2,000", "notes", "bigram", "3.000", "3.500", f"{3.5 / math.log(2):.2f}", "98.8"],
        ["1.0", "hours", "unigram", "4.000", "4.500", f"{4.5 / math.log(2):.2f}", "98.8"],
        ["1,000", "steps", "difference", "-1.000", "-1.000"],
        ["4.00", "tokens", "model,", "a", "step", "4.000", "5.000"],
        ["accuracy", "12.5%"],
    ]
    assert lines[-1] == (
        "a: 5.00% of the notes are not in the model's vocabulary; naming them is charged with 0.500 nats a "
        "note in every sum."
    )


def test_a_time_that_is_predicted_as_a_number_has_an_error_in_milliseconds() -> None:
    pitch, dt = Attribute("pitch", Identity(128)), Attribute("dt", DT, head="regression")
    nats = dict.fromkeys(("model", "PPM-4", "bigram", "unigram"), (1.0, 2.0))
    console, file = screen()
    show_figures(console, [figures(attributes=(pitch, dt), nats=nats, right=(0.5, 123.4), width=0.0)], [])
    output = file.getvalue()
    assert ["accuracy", "50.0%", "±", "123", "ms"] in [line.split() for line in output.splitlines()]
    assert "± ms: mean absolute error" in output
    assert "+ width" not in output


def test_means_are_shown_where_there_are_several_corpora() -> None:
    console, file = screen()
    both = [figures("a"), figures("b")]
    show_figures(console, both, [mean_over_corpora(both)])
    rows = [line.split() for line in file.getvalue().splitlines()]
    assert [row[0] for row in rows if "1.234" in row] == ["a", "b", "mean"]


def test_the_verdict_names_the_corpus_where_the_model_is_nearest_to_the_bigram() -> None:
    both = [
        figures(name, nats={"model": (0.0,) * 5, "bigram": (bigram,) * 5})
        for name, bigram in (("far", 1.0), ("near", 0.5))
    ]
    learned = [make_corpus({"1": scale(8)}, name=name) for name in ("a", "b")]
    console, file = screen()
    show_verdict(console, "m.onnx", "test", both, mean_over_corpora(both), learned)
    assert file.getvalue().splitlines() == [
        "Model: m.onnx; test split; baselines learned from the train split of a, b.",
        "Model less bigram: -3.750 nats a note on average over 2 corpora; nearest on near: -2.500.",
    ]


def test_presets_say_what_they_take_from_the_player() -> None:
    console, file = screen()
    show_presets(console, [load_preset(name) for name in ("piano", "symbols")])
    lines = file.getvalue().splitlines()
    assert lines[2].split()[0] == "piano"
    assert lines[2].rstrip().endswith("2 x 512")
    assert lines[3].split()[0] == "symbols"
    assert lines[3].rstrip().endswith("timing, note lengths, loudness, pedal")
