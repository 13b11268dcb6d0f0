from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_corpora import random_performance, require_training_extra
from tiny_models import PITCH_AND_STEP, saved, tiny_graph, tiny_network

from improv_core.errors import DataError
from improv_core.model import Model
from improv_core.representation import Notes, encode, joined

with contextlib.suppress(ImportError):
    from improv_export.live_nats import live_nats, nats_difference
    from improv_training.engine.network import laplace_nats


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def performance(notes: int) -> Notes:
    return encode(random_performance(notes))


def test_nats_of_heads_that_know_nothing_are_the_logs_of_their_classes(tmp_path: Path) -> None:
    model = Model.load(saved(tiny_graph(tiny_network(spread=0.0)), tmp_path / "a.onnx"))
    notes = performance(30)
    nats, count = live_nats(model, notes, np.ones(30, dtype=np.int64))
    assert count == 30
    assert nats == pytest.approx(30 * sum(math.log(size) for size in (96, 2, 128, 32, 128)))


def test_nats_of_a_regression_are_those_of_its_laplace_distribution(tmp_path: Path) -> None:
    model = Model.load(saved(tiny_graph(tiny_network(1, PITCH_AND_STEP, spread=0.0)), tmp_path / "a.onnx"))
    notes = performance(30)
    nats, _ = live_nats(model, notes, np.ones(30, dtype=np.int64))
    mean_error_s = float(notes.dt_ms.mean()) / 1000
    assert nats == pytest.approx(30 * (math.log(128) + laplace_nats(0.1, mean_error_s)))


def test_every_step_is_predicted_from_those_before_it(tmp_path: Path) -> None:
    model = Model.load(saved(tiny_graph(tiny_network()), tmp_path / "a.onnx"))
    notes, part = performance(20), np.arange(20) % 2
    whole, _ = live_nats(model, notes, part)
    assert whole == pytest.approx(nats_at_once(model, notes, part, 20), rel=1e-5)


def test_a_window_begins_from_an_empty_state(tmp_path: Path) -> None:
    model = Model.load(saved(tiny_graph(tiny_network(spread=1.0), window=7), tmp_path / "a.onnx"))
    notes, part = performance(20), np.ones(20, dtype=np.int64)
    nats, _ = live_nats(model, notes, part)
    assert nats == pytest.approx(nats_at_once(model, notes, part, 7), rel=1e-5)
    assert nats != pytest.approx(nats_at_once(model, notes, part, 20), rel=1e-5)


def nats_at_once(model: Model, notes: Notes, part: Any, window: int) -> float:
    """The body run over whole windows instead of step by step."""
    rows = model.representation.rows(notes, part)
    read = joined([model.representation.start(), rows.read])[:-1]
    total = 0.0
    for begin in range(0, len(rows), window):
        span = slice(begin, begin + window)
        columns, dense = read.columns[span, None], read.dense[span, None].astype(np.float32)
        projected, _ = model.run(columns, dense, model.initial_state())
        z, wanted = model.heads.begin(projected[:, 0], rows.asked[span]), rows.targets[span]
        for i in range(len(model.representation.attributes)):
            outputs = model.heads.outputs(i, z, list(wanted.T)).astype(np.float64)
            shares = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
            total -= float(np.log(shares[np.arange(len(wanted)), wanted[:, i]]).sum())
    return total


def test_a_model_does_not_differ_from_itself_and_progress_reaches_its_end(tmp_path: Path) -> None:
    model = Model.load(saved(tiny_graph(tiny_network()), tmp_path / "a.onnx"))
    seen: list[tuple[int, int]] = []
    assert nats_difference(model, model, performance(20), lambda *at: seen.append(at)) == 0.0
    assert seen == [(i, 40) for i in range(1, 41)]


def test_a_performance_without_notes_is_nothing_to_compare_on(tmp_path: Path) -> None:
    model = Model.load(saved(tiny_graph(tiny_network()), tmp_path / "a.onnx"))
    nothing = Notes(*(np.zeros(0, dtype=np.int64) for _ in range(5)))
    with pytest.raises(DataError, match="has no notes that the model can name"):
        nats_difference(model, model, nothing)
