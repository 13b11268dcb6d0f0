from __future__ import annotations

import contextlib
import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_corpora import random_performance, require_training_extra
from tiny_models import PITCH_AND_STEP, saved, tiny_graph, tiny_network

from improv_core.continuation import as_performance, hear, plan_for
from improv_core.errors import ModelFileError, StorageError
from improv_core.improviser import Improviser
from improv_core.model import METADATA_KEY, Model
from improv_core.representation import Events, Notes, Representation, encode
from improv_core.sampler import Sampling

with contextlib.suppress(ImportError):
    import onnx
    import torch
    from onnx import helper, numpy_helper

    from improv_export import quantising
    from improv_export.quantising import Recipe, quantise, write_quantised


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def graph(layers: int = 2) -> Any:
    return tiny_graph(tiny_network(layers))


def performance(notes: int = 40) -> Notes:
    return encode(random_performance(notes))


def operators(model: Any) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node)


def metadata_of(model: Any) -> dict[str, Any]:
    (entry,) = model.metadata_props
    assert entry.key == METADATA_KEY
    read: dict[str, Any] = json.loads(entry.value)
    return read


# --- the graph ------------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_every_lstm_becomes_a_dynamically_quantised_one_and_nothing_else_changes(layers: int) -> None:
    before = graph(layers)
    after = quantise(before)
    expected = operators(before)
    assert expected.pop("LSTM") == layers
    assert operators(after) == {**expected, "DynamicQuantizeLSTM": layers}
    assert [one.name for one in after.graph.input] == [one.name for one in before.graph.input]
    assert [one.name for one in after.graph.output] == [one.name for one in before.graph.output]


def test_the_weights_are_int8_with_a_scale_for_each_gate_of_each_cell() -> None:
    stored = {one.name: numpy_helper.to_array(one) for one in quantise(graph(1)).graph.initializer}
    assert stored["lstm.0.recurrent_quantized"].dtype == np.int8
    assert stored["lstm.0.recurrent_quantized"].shape == (1, 16, 64)
    assert stored["lstm.0.recurrent_scale"].shape == (1, 64)
    assert not stored["lstm.0.recurrent_zero_point"].any()


@pytest.mark.parametrize(("seven_bits", "largest"), [(False, 127), (True, 64)])
def test_a_recipe_may_leave_room_for_processors_that_add_in_sixteen_bits(
    seven_bits: bool, largest: int
) -> None:
    made = quantise(graph(2), Recipe(seven_bits=seven_bits))
    weights = [
        numpy_helper.to_array(one) for one in made.graph.initializer if one.name.endswith("_quantized")
    ]
    assert len(weights) == 4
    assert max(int(np.abs(one.astype(np.int16)).max()) for one in weights) == largest
    assert (255 * 2 * largest < 2**15) == seven_bits


def test_nothing_is_left_in_the_file_that_is_not_used() -> None:
    model = quantise(graph(2))
    used = {name for node in model.graph.node for name in node.input}
    used |= {one.name for one in model.graph.output}
    assert {one.name for one in model.graph.initializer} <= used
    assert not model.graph.value_info


def test_what_is_given_stays_as_it_is() -> None:
    before = graph()
    stored = before.SerializeToString()
    quantise(before)
    assert before.SerializeToString() == stored


def test_metadata_stay_and_say_int8() -> None:
    before = graph(3)
    after = quantise(before)
    assert metadata_of(after) == {**metadata_of(before), "precision": "int8"}
    assert after.producer_name == "improv"


def test_onnx_runtime_gives_no_advice(caplog: pytest.LogCaptureFixture) -> None:
    quantise(graph())
    assert caplog.messages == []


def test_a_recipe_may_take_the_other_matrices_too() -> None:
    after = operators(quantise(graph(), Recipe(operators=("LSTM", "MatMul"))))
    assert after["DynamicQuantizeLSTM"] == 2
    assert after["MatMulInteger"] == 2
    assert after["MatMul"] == 0


# --- what is refused ------------------------------------------------------------------------------


def test_an_lstm_whose_weights_are_not_plain_initializers_is_refused() -> None:
    model = graph(2)
    (node, *_) = (node for node in model.graph.node if node.op_type == "LSTM")
    model.graph.node.insert(0, helper.make_node("Identity", [node.input[1]], ["computed"]))
    node.input[1] = "computed"
    with pytest.raises(ModelFileError, match="Of the model's 2 LSTM layers only 1 became int8"):
        quantise(model)


def test_a_model_without_an_lstm_in_full_precision_is_refused() -> None:
    with pytest.raises(ModelFileError, match=r"Only a model of improv's in full precision can be made int8"):
        quantise(quantise(graph()))


def test_a_model_that_is_not_improvs_is_refused() -> None:
    model = graph()
    del model.metadata_props[:]
    with pytest.raises(ModelFileError, match=r"Only a model of improv's in full precision can be made int8"):
        quantise(model)


def test_lstms_whose_inputs_have_no_type_that_can_be_inferred_are_refused() -> None:
    model = graph(2)
    (gather,) = (node for node in model.graph.node if node.op_type == "Gather")
    gather.attribute[0].i = 9
    with pytest.raises(ModelFileError, match="Of the model's 2 LSTM layers only 0 became int8"):
        quantise(model)


def test_a_graph_that_onnx_runtime_cannot_take_is_refused_in_a_sentence() -> None:
    model = graph()
    del model.opset_import[:]
    with pytest.raises(
        ModelFileError, match=r"ONNX Runtime could not make the model int8; export it in full"
    ):
        quantise(model)


def test_a_folder_for_temporary_files_that_cannot_be_written_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no"))
    with pytest.raises(StorageError, match=r"temporary files cannot be written \(No such file .*set TMPDIR"):
        quantise(graph())


# --- the model in use -----------------------------------------------------------------------------


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_heads_are_the_same_and_the_logits_close(tmp_path: Path, layers: int) -> None:
    plain = graph(layers)
    full = Model.load(saved(plain, tmp_path / "full.onnx"))
    small = Model.load(saved(quantise(plain), tmp_path / "small.onnx"))
    assert small.metadata["precision"] == "int8"
    for name in ("weights", "biases"):
        for ours, theirs in zip(getattr(small.heads, name), getattr(full.heads, name), strict=True):
            np.testing.assert_array_equal(ours, theirs, strict=True)
    for ours, theirs in zip(small.heads.given, full.heads.given, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None and theirs is not None:
            np.testing.assert_array_equal(ours, theirs, strict=True)
    largest = largest_difference_of_a_logit(small, full)
    assert 0 < largest < 0.05


def largest_difference_of_a_logit(small: Model, full: Model) -> float:
    notes = performance()
    rows = full.representation.rows(notes, np.ones(len(notes), dtype=np.int64))
    states, largest = [small.initial_state(), full.initial_state()], 0.0
    for i in range(len(rows)):
        logits = []
        for which, model in enumerate((small, full)):
            projected, states[which] = model.advance(rows.read[i : i + 1], states[which])
            z = model.heads.begin(projected, rows.asked[i])
            logits.append([model.heads.outputs(a, z, rows.targets[i].tolist()) for a in range(5)])
        largest = max(largest, *(float(np.abs(a - b).max()) for a, b in zip(*logits, strict=True)))
    return largest


def test_a_quantised_model_plays(tmp_path: Path) -> None:
    model = Model.load(saved(quantise(graph()), tmp_path / "small.onnx"))
    improviser = Improviser(model, Sampling(), seed=1)
    answer = as_performance(plan_for(improviser, hear(improviser, random_performance()), 5.0))
    assert len(answer.notes) > 3
    assert answer.notes[0].onset_s == 0.0


@pytest.mark.parametrize(
    ("representation", "projected"), [(Events(), 0), (PITCH_AND_STEP, 10)], ids=["events", "regression"]
)
def test_other_representations_can_be_made_int8(
    tmp_path: Path, representation: Representation, projected: int
) -> None:
    made = tiny_network(2, representation, projected)
    source = saved(tiny_graph(made), tmp_path / "full.onnx")
    cost = write_quantised(source, tmp_path / "small.onnx", performance())
    assert 0 < abs(cost) < 0.01
    assert operators(onnx.load(tmp_path / "small.onnx"))["DynamicQuantizeLSTM"] == 2


# --- what it costs --------------------------------------------------------------------------------


def test_a_quantised_file_is_proved_and_may_take_its_sources_place(tmp_path: Path) -> None:
    path = saved(graph(), tmp_path / "a.onnx")
    assert 0 < abs(write_quantised(path, path, performance())) < quantising.NATS_TOLERANCE == 0.01
    assert Model.load(path).metadata["precision"] == "int8"
    assert [one.name for one in tmp_path.iterdir()] == ["a.onnx"]


@pytest.mark.parametrize("what", ["too strict", "not a number"])
def test_a_model_that_loses_too_much_is_not_kept_and_the_old_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    made = tiny_network()
    if what == "too strict":
        monkeypatch.setattr(quantising, "NATS_TOLERANCE", 0.0)
    else:
        with torch.no_grad():
            made.projection.bias[3] = torch.nan
    source = saved(tiny_graph(made), tmp_path / "a.onnx")
    (tmp_path / "b.onnx").write_bytes(b"the old one")
    with pytest.raises(
        ModelFileError, match=r"In int8 the model differs by .* nats per note .* was not kept"
    ):
        write_quantised(source, tmp_path / "b.onnx", performance())
    assert (tmp_path / "b.onnx").read_bytes() == b"the old one"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.onnx", "b.onnx"]


def test_an_output_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    source = saved(graph(), tmp_path / "a.onnx")
    with pytest.raises(StorageError, match=r"no/b\.onnx cannot be written \(No such file or directory\)\."):
        write_quantised(source, tmp_path / "no" / "b.onnx", performance())
