"""What there is to know of a model file."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from improv_daemon.model_facts import Facts, facts_in_lines, facts_of, figure_rows
from improv_daemon.models import load_model, model_path


@pytest.fixture
def facts() -> Facts:
    return facts_of(load_model("default"), model_path("default"))


def lines_of(facts: Facts) -> dict[str, str]:
    return dict(facts_in_lines(facts))


def test_the_file_is_known_by_size_and_hash(facts: Facts) -> None:
    data = model_path("default").read_bytes()
    assert (facts["bytes"], facts["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert lines_of(facts)["file"] == f"{model_path('default')}, {len(data) / 1e6:.1f} MB, int8"


def test_what_it_predicts_is_counted_in_classes(facts: Facts) -> None:
    assert facts["predicts"] == {"dt": 96, "pedal": 2, "pitch": 128, "velocity": 32, "duration": 128}


def test_weights_of_the_lstm_are_those_of_its_matrices_and_both_biases(facts: Facts) -> None:
    assert facts["lstm_weights"] == 4 * 512 * (256 + 512 + 2) + 4 * 512 * (512 + 512 + 2)


def test_a_model_that_heeds_nothing_and_one_that_lacks_something_say_so(facts: Facts) -> None:
    nothing = {"styles": [], "density": False, "tempo": False, "length": False, "roles": False}
    assert lines_of({**facts, "heeds": nothing})["heeds"] == "the notes before, and nothing else"
    assert "knows nothing of" not in lines_of(facts)
    lines = lines_of({**facts, "lacks": ["loudness", "pedal"], "bytes": 50_000})
    assert lines["knows nothing of"] == "loudness, pedal; takes them from what was played last"
    assert lines["file"] == f"{model_path('default')}, 50 kB, int8"


def test_a_window_openings_and_a_small_model_are_said(facts: Facts) -> None:
    shape = {"hidden": 16, "layers": 1, "inputs": 0}
    small = {**facts, "window": 64, "openings": 30, "shape": shape, "lstm_weights": None}
    lines = lines_of(small)
    assert lines["size"] == "LSTM, 1 layer of 16"
    assert lines["memory"] == "the latest 64 steps"
    assert lines["openings"] == "30 of training pieces, to begin from alone"
    assert lines_of({**small, "lstm_weights": 1200})["size"] == "LSTM, 1 layer of 16 (1,200 weights)"


def test_what_a_file_does_not_say_is_said(facts: Facts) -> None:
    silent = {**facts, "licence": None, "data": None, "figures": None, "trained": None, "date": None}
    lines = lines_of(silent)
    assert {lines[key] for key in ("licence", "data", "figures")} == {"not stated"}
    assert "trained" not in lines


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("my own playing", "my own playing"),
        (["a", "b"], "b"),
        ([{"name": "a", "what": "songs", "licence": "MIT"}], "a: songs; MIT"),
        ([{"files": 3}], '{"files": 3}'),
        ({"name": "a", "attribution": "me"}, "a: me"),
    ],
)
def test_data_may_be_described_in_any_way(facts: Facts, data: Any, line: str) -> None:
    assert lines_of({**facts, "data": data})["data"] == line


def test_figures_are_a_row_for_each_corpus() -> None:
    figures = {
        "split": "test",
        "unit": "nats",
        "a": {"model": 1.25, "PPM": 2},
        "b": {"model": 1.0, "x": None},
    }
    headings, rows = figure_rows(figures)
    assert headings == ("nats, test", "model", "PPM", "x")
    assert rows == [("a", "1.250", "2", ""), ("b", "1.000", "", "")]


@pytest.mark.parametrize("figures", [None, "good", 3, []])
def test_figures_that_are_no_table_are_none(figures: object) -> None:
    assert figure_rows(figures) == ((), [])
