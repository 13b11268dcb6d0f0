from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_corpora import make_network, random_performance, require_training_extra

from improv_core.model import METADATA_KEY, SCHEMA, Model, State
from improv_core.notes import Part
from improv_core.representation import ATTRIBUTE_NAMES, KEYS, Piano, Steps, encode, steps
from improv_core.representation.piano import COLUMNS

with contextlib.suppress(ImportError):
    import onnx

    from improv_export.graph import build


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def metadata(layers: int) -> dict[str, Any]:
    shape = {"layers": layers, "hidden": 16, "projected": 10}
    return {
        "name": "a",
        "schema": SCHEMA,
        "preset": "piano",
        "representation": Piano().spec(),
        "shape": shape,
    }


def load(path: Path, layers: int) -> Model:
    onnx.save(build(make_network(layers), metadata(layers)), path)
    return Model.load(path)


def performance() -> Steps:
    notes = encode(random_performance(30))
    return steps(notes, np.full(len(notes), int(Part.IMPROV)))


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_graph_has_an_lstm_for_each_layer_and_the_heads_as_outputs(layers: int) -> None:
    graph = build(make_network(layers), metadata(layers)).graph
    assert [node.op_type for node in graph.node].count("LSTM") == layers
    assert [one.name for one in graph.input] == ["columns", "dense", "hidden", "cell"]
    outputs = {one.name for one in graph.output}
    assert outputs == {
        "projected",
        "next_hidden",
        "next_cell",
        *("asked.part", "asked.style", "asked.density", "asked.left", "asked.own"),
        *(f"head.{name}.{kind}" for name in ATTRIBUTE_NAMES for kind in ("weight", "bias")),
        *(f"given.{name}" for name in ATTRIBUTE_NAMES[:-1]),
    }


def test_each_table_of_what_is_asked_is_the_network_s(tmp_path: Path) -> None:
    network, model = make_network(1), load(tmp_path / "a.onnx", 1)
    for ours, theirs in zip(model.heads.asked, network.asked, strict=True):
        np.testing.assert_array_equal(ours, theirs.weight.detach().numpy())


def test_metadata_travel_as_json() -> None:
    (entry,) = build(make_network(1), metadata(1)).metadata_props
    assert entry.key == METADATA_KEY
    assert json.loads(entry.value) == metadata(1)


@pytest.mark.parametrize("layers", [1, 3])
def test_one_call_over_a_window_equals_a_call_for_each_step(tmp_path: Path, layers: int) -> None:
    model, read = load(tmp_path / "a.onnx", layers), performance()
    at_once, state_at_once = model.advance(read, model.initial_state())
    state = model.initial_state()
    for i in range(len(read.columns)):
        projected, state = model.advance(Steps(read.columns[i : i + 1], read.dense[i : i + 1]), state)
    np.testing.assert_allclose(projected, at_once, atol=1e-5)
    np.testing.assert_allclose(state.hidden, state_at_once.hidden, atol=1e-5)
    np.testing.assert_allclose(state.cell, state_at_once.cell, atol=1e-5)


def test_voices_of_a_batch_do_not_touch_one_another(tmp_path: Path) -> None:
    model, read = load(tmp_path / "a.onnx", 2), performance()
    alone, state = model.advance(read, model.initial_state())
    columns = np.zeros((len(read.columns), 2, len(COLUMNS)), dtype=np.int64)
    keys = np.zeros((len(read.columns), 2, KEYS), dtype=np.float32)
    columns[:, 1], keys[:, 1] = read.columns, read.dense
    projected, batched = model.run(columns, keys, model.initial_state(2))
    np.testing.assert_allclose(projected[-1, 1], alone, atol=1e-5)
    second = State(batched.hidden[:, 1:], batched.cell[:, 1:])
    np.testing.assert_allclose(second.hidden, state.hidden, atol=1e-5)
