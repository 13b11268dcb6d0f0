"""The model file: what is refused and how; states that are their own snapshots."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx_bytes import minimal_onnx, with_metadata
from playing import packaged_model, rounding
from tiny_corpora import require_training_extra
from tiny_models import saved, tiny_graph, tiny_network

from improv_core.errors import ModelFileError
from improv_core.model import METADATA_KEY, SCHEMA, Model, State
from improv_core.notes import Note, Part, Performance
from improv_core.representation import ATTRIBUTES, Piano, Steps, encode, start_steps, steps
from improv_core.representation.asking import ALONE, ASKED, FREE_DENSITY, FREE_LEFT, FREE_STYLE
from improv_daemon.models import model_path

NOTHING_ASKED = (int(Part.IMPROV), FREE_STYLE, FREE_DENSITY, FREE_LEFT, ALONE)
OURS = {"schema": SCHEMA, "representation": Piano().spec(), "name": "mine", "preset": "piano"}
SHAPE = {"layers": 2, "hidden": 8}


def some_steps(count: int) -> Steps:
    notes = [Note(40 + (i * 7) % 45, 30 + i % 80, 0.13 * i, 0.05 + 0.3 * (i % 4)) for i in range(count)]
    return steps(encode(Performance.of(notes)), np.array([Part(i // 5 % 2) for i in range(count)]))


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        Model.load(path)
    return str(caught.value)


def assert_one_sentence(message: str, path: Path) -> None:
    assert str(path) in message
    assert message.endswith(".")
    assert "\n" not in message


# --- files that are refused -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [b"", b"no model at all", b"\x08\x08" + b"\xff" * 400], ids=["empty", "text", "noise"]
)
def test_a_file_that_is_no_onnx_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.onnx"
    message = refusal(path, content)
    assert_one_sentence(message, path)
    assert "is not an ONNX model that can be read" in message


def test_a_model_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.onnx"
    message = refusal(path, model_path("default").read_bytes()[:-1000])
    assert_one_sentence(message, path)
    assert "may be damaged" in message


def test_an_onnx_model_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.onnx"
    message = refusal(path, minimal_onnx({"author": "somebody"}))
    assert_one_sentence(message, path)
    assert "is an ONNX model, but not one of improv's; make one with improv export" in message


def test_a_model_file_of_a_newer_improv_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "new.onnx"
    message = refusal(path, minimal_onnx({METADATA_KEY: json.dumps(OURS | {"schema": SCHEMA + 1})}))
    assert_one_sentence(message, path)
    assert f"newer improv (schema {SCHEMA + 1}; this one reads up to {SCHEMA}); update improv" in message


@pytest.mark.parametrize(
    ("representation", "named"),
    [
        ({"kind": "organ"}, "'organ'"),
        (Piano().spec() | {"columns": []}, "'piano'"),
        (Piano().spec() | {"asked": []}, "'piano'"),
        (Piano().spec() | {"asked": Piano().spec()["asked"][:3]}, "'piano'"),
        (Piano().spec() | {"asked": [["part", 2], ["style", 6], ["density", 20], ["left", 13]]}, "'piano'"),
        ([], "None"),
        (None, "None"),
    ],
)
def test_a_model_file_of_another_representation_is_refused(
    tmp_path: Path, representation: object, named: str
) -> None:
    path = tmp_path / "organ.onnx"
    metadata = OURS | {"representation": representation}
    message = refusal(path, minimal_onnx({METADATA_KEY: json.dumps(metadata)}))
    assert_one_sentence(message, path)
    assert message == (
        f"{path} uses the representation {named} in a form that this improv does not know; "
        "export it again with this improv."
    )


@pytest.mark.parametrize("older", range(1, SCHEMA))
def test_a_model_file_of_an_older_improv_is_to_be_exported_again(tmp_path: Path, older: int) -> None:
    path = tmp_path / "old.onnx"
    message = refusal(path, minimal_onnx({METADATA_KEY: json.dumps(OURS | {"schema": older})}))
    assert_one_sentence(message, path)
    assert f"made by an older improv (schema {older}; this one reads {SCHEMA}); export it again" in message


@pytest.mark.parametrize(
    "text", ["", "no json", "[]", "7", '{"schema": 2}', '{"schema": "one"}', '{"schema": null}']
)
def test_a_model_file_whose_metadata_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.onnx"
    message = refusal(path, minimal_onnx({METADATA_KEY: text}))
    assert_one_sentence(message, path)
    assert "metadata" in message or "not one of improv's" in message


@pytest.mark.parametrize("shape", [None, {}, {"layers": "two", "hidden": 8}, SHAPE], ids=str)
def test_a_graph_that_is_not_what_the_metadata_tells_of_is_refused(tmp_path: Path, shape: object) -> None:
    path = tmp_path / "liar.onnx"
    message = refusal(path, minimal_onnx({METADATA_KEY: json.dumps(OURS | {"shape": shape})}))
    assert_one_sentence(message, path)
    assert "is not the model that its metadata tells of; export it again" in message


def test_a_state_of_another_shape_than_the_graphs_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "liar.onnx"
    metadata = packaged_model().metadata | {"shape": packaged_model().metadata["shape"] | {"hidden": 3}}
    content = with_metadata(model_path("default").read_bytes(), {METADATA_KEY: json.dumps(metadata)})
    assert "is not the model that its metadata tells of" in refusal(path, content)


@pytest.mark.parametrize("window", [0, -1, "long", [7]], ids=str)
def test_a_window_that_cannot_be_is_refused(tmp_path: Path, window: object) -> None:
    path = tmp_path / "liar.onnx"
    metadata = packaged_model().metadata | {"window": window}
    content = with_metadata(model_path("default").read_bytes(), {METADATA_KEY: json.dumps(metadata)})
    assert "is not the model that its metadata tells of" in refusal(path, content)


def test_a_graph_whose_tables_of_what_is_asked_have_other_sizes_is_refused(tmp_path: Path) -> None:
    require_training_extra()
    import onnx
    from onnx import numpy_helper

    graph = tiny_graph(tiny_network())
    assert Model.load(saved(graph, tmp_path / "whole.onnx")).heads.asked[3].shape == (13, 10)
    (table,) = (one for one in graph.graph.initializer if one.name == "asked.left")
    shorter = numpy_helper.from_array(numpy_helper.to_array(table)[:-1], table.name)
    table.CopyFrom(shorter)
    (output,) = (one for one in graph.graph.output if one.name == "asked.left")
    output.type.tensor_type.shape.dim[0].dim_value = 12
    path = tmp_path / "shorter.onnx"
    onnx.save(graph, path)
    with pytest.raises(ModelFileError, match="is not the model that its metadata tells of"):
        Model.load(path)


def test_a_file_that_does_not_say_its_preset_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.onnx"
    metadata = {key: value for key, value in packaged_model().metadata.items() if key != "preset"}
    content = with_metadata(model_path("default").read_bytes(), {METADATA_KEY: json.dumps(metadata)})
    assert "is not the model that its metadata tells of" in refusal(path, content)


def test_the_same_graph_with_its_metadata_loads_under_any_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    metadata = packaged_model().metadata | {"name": "mine"}
    path.write_bytes(with_metadata(model_path("default").read_bytes(), {METADATA_KEY: json.dumps(metadata)}))
    assert Model.load(path).name == "mine"


def test_a_file_that_does_not_say_its_styles_and_beats_has_none(tmp_path: Path) -> None:
    path, content = tmp_path / "mine.onnx", model_path("default").read_bytes()
    said = {"styles": ["pop"], "beats": True}
    metadata = {key: value for key, value in packaged_model().metadata.items() if key not in said}
    path.write_bytes(with_metadata(content, {METADATA_KEY: json.dumps(metadata)}))
    assert (Model.load(path).styles, Model.load(path).beats) == ((), False)
    path.write_bytes(with_metadata(content, {METADATA_KEY: json.dumps(metadata | said)}))
    assert (Model.load(path).styles, Model.load(path).beats) == (("pop",), True)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.onnx", tmp_path):
        with pytest.raises(ModelFileError, match=rf"^There is no model file {path}\.$"):
            Model.load(path)


# --- the model in use -----------------------------------------------------------------------------


def test_the_packaged_model_is_of_this_schema_and_has_a_head_for_each_attribute() -> None:
    model = packaged_model()
    assert model.metadata["schema"] == SCHEMA
    assert [len(bias) for bias in model.heads.biases] == [a.binning.size for a in ATTRIBUTES]
    assert [table is None for table in model.heads.given] == [False] * 4 + [True]
    width = model.metadata["shape"]["projected"]
    assert [table.shape for table in model.heads.asked] == [(column.size, width) for column in ASKED]


def test_advancing_never_changes_an_older_state() -> None:
    model, window = packaged_model(), some_steps(12)
    states = [model.initial_state()]
    kept = [(states[0].hidden.copy(), states[0].cell.copy())]
    for i in range(12):
        _, state = model.advance(Steps(window.columns[i : i + 1], window.dense[i : i + 1]), states[-1])
        states.append(state)
        kept.append((state.hidden.copy(), state.cell.copy()))
    for state, (hidden, cell) in zip(states, kept, strict=True):
        np.testing.assert_array_equal(state.hidden, hidden)
        np.testing.assert_array_equal(state.cell, cell)


def test_going_on_from_a_snapshot_gives_the_same_again() -> None:
    model, window = packaged_model(), some_steps(8)
    _, snapshot = model.advance(window, model.initial_state())
    first, _ = model.advance(window, snapshot)
    again, _ = model.advance(window, snapshot)
    np.testing.assert_array_equal(first, again)


def test_a_window_in_one_call_equals_its_steps_one_by_one() -> None:
    model, window = packaged_model(), some_steps(60)
    whole, after_whole = model.run(
        window.columns[:, None], window.dense[:, None].astype(np.float32), model.initial_state()
    )
    state, one_by_one = model.initial_state(), []
    for i in range(60):
        projected, state = model.advance(Steps(window.columns[i : i + 1], window.dense[i : i + 1]), state)
        one_by_one.append(projected)
    np.testing.assert_allclose(whole[:, 0], np.stack(one_by_one), atol=1e-5 + rounding())
    np.testing.assert_allclose(after_whole.hidden, state.hidden, atol=1e-5 + rounding())
    # Cells are not bounded: a trained model's reach 40, where 32-bit floats lie 4e-6 apart.
    np.testing.assert_allclose(after_whole.cell, state.cell, rtol=1e-6, atol=1e-5 + 10 * rounding())


def test_voices_of_a_batch_do_not_hear_each_other() -> None:
    model, window = packaged_model(), some_steps(6)
    columns = np.stack([window.columns, window.columns[::-1]], axis=1)
    keys = np.stack([window.dense, window.dense[::-1]], axis=1).astype(np.float32)
    both, _ = model.run(columns, keys, model.initial_state(batch=2))
    alone, _ = model.run(columns[:, :1], keys[:, :1], model.initial_state())
    np.testing.assert_allclose(both[:, :1], alone, atol=1e-5 + rounding())


def test_every_head_gives_finite_logits_from_the_first_step_on() -> None:
    model = packaged_model()
    projected, state = model.advance(start_steps(), model.initial_state())
    assert isinstance(state, State)
    z = model.heads.begin(projected, NOTHING_ASKED)
    values: list[int] = []
    for i, attribute in enumerate(ATTRIBUTES):
        logits = model.heads.outputs(i, z, values)
        assert logits.shape == (attribute.binning.size,)
        assert np.isfinite(logits).all()
        values.append(int(logits.argmax()))


def test_who_plays_next_and_what_is_known_of_the_note_change_what_comes() -> None:
    heads = packaged_model().heads
    projected, _ = packaged_model().advance(some_steps(10), packaged_model().initial_state())
    improv, player = (heads.begin(projected, (int(part), *NOTHING_ASKED[1:])) for part in Part)
    assert not np.allclose(improv, player)
    assert not np.allclose(heads.outputs(1, improv, [0]), heads.outputs(1, improv, [50]))


def test_what_is_asked_is_looked_up_alike_for_one_step_and_for_many() -> None:
    heads, rng = packaged_model().heads, np.random.default_rng(0)
    tables = tuple(rng.normal(size=table.shape).astype(np.float32) for table in heads.asked)
    heads = replace(heads, asked=tables)
    projected = rng.normal(size=(30, tables[0].shape[1])).astype(np.float32)
    asked = np.stack([rng.integers(len(table), size=30) for table in tables], axis=1)
    many = heads.begin(projected, asked)
    for i, wanted in enumerate(asked.tolist()):
        expected = projected[i] + sum(table[k] for table, k in zip(tables, wanted, strict=True))
        np.testing.assert_allclose(many[i], expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(heads.begin(projected[i], wanted), many[i])
        np.testing.assert_array_equal(heads.begin(projected[i], asked[i]), many[i])


def test_a_model_of_which_nothing_can_be_asked_says_what_it_says() -> None:
    heads = replace(packaged_model().heads, asked=())
    projected = np.ones((3, heads.weights[0].shape[1]), dtype=np.float32)
    np.testing.assert_array_equal(heads.begin(projected, np.zeros((3, 0), dtype=np.int64)), projected)
    np.testing.assert_array_equal(heads.begin(projected[0], NOTHING_ASKED), projected[0])
