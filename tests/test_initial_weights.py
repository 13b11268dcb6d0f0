from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_corpora import make_network, require_training_extra, write_checkpoint

from improv_core.errors import ModelFileError
from improv_core.representation import Events, NoteAttributes, Piano, Symbols
from improv_training.presets import load_preset

with contextlib.suppress(ImportError):
    import onnx
    import torch
    from onnx import numpy_helper

    from improv_core.model import METADATA_KEY
    from improv_export.exporting import metadata
    from improv_export.graph import build
    from improv_export.quantising import Recipe, quantise
    from improv_training.engine.checkpoints import load_checkpoint
    from improv_training.engine.initial_weights import load_initial


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def representations() -> dict[str, Any]:
    return {
        "piano": Piano(),
        "events": Events(),
        "symbols": Symbols("pitches", 1, "one-hot", ("C4", "C4.E4")),
        "one-hot": load_preset("pitch-onehot").representation,
        "regression": load_preset("pitch-step-duration").representation,
    }


def model_file(path: Path, network: Any, **changes: Any) -> Path:
    checkpoint = load_checkpoint(write_checkpoint(path.with_suffix(".ckpt"), network))
    onnx.save(build(network, {**metadata(checkpoint, {"name": "a"}), **changes}), path)
    return path


@pytest.mark.parametrize("projected", [0, 10])
@pytest.mark.parametrize("name", ["piano", "events", "symbols", "one-hot", "regression"])
def test_a_model_file_gives_the_weights_that_it_was_made_of(
    tmp_path: Path, name: str, projected: int
) -> None:
    network = make_network(representation=representations()[name], projected=projected)
    initial = load_initial(model_file(tmp_path / "a.onnx", network))
    assert initial.plan.representation == network.representation.spec()
    assert initial.plan.shape == network.shape
    expected = network.state_dict()
    assert initial.weights.keys() == expected.keys()
    scales = initial.weights.pop("scales")
    for i, attribute in enumerate(network.attributes):
        assert scales[i] == (expected["scales"][i] if attribute.head == "regression" else 0.1)
    for key, value in initial.weights.items():
        assert torch.equal(value, expected[key]), key


def test_a_checkpoint_gives_its_averaged_weights(tmp_path: Path) -> None:
    network = make_network()
    initial = load_initial(write_checkpoint(tmp_path / "a.ckpt", network))
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in initial.weights.items())
    assert initial.plan.shape == network.shape


def test_what_is_known_already_is_trained_further_at_a_lower_rate_and_for_less_long(tmp_path: Path) -> None:
    for file in (
        model_file(tmp_path / "a.onnx", make_network()),
        write_checkpoint(tmp_path / "b.ckpt", make_network()),
    ):
        plan = load_initial(file).plan
        assert (plan.rate, plan.warm_up, plan.hours) == (3e-4, 50, 0.25)


def test_styles_and_beats_of_a_model_are_known_to_what_is_trained_further(tmp_path: Path) -> None:
    told = model_file(tmp_path / "told.onnx", make_network(), styles=["pop", "jazz line"], beats=True)
    plain = model_file(tmp_path / "plain.onnx", make_network())
    checkpoint = load_checkpoint(write_checkpoint(tmp_path / "c.ckpt", make_network()))
    kept = write_checkpoint(
        tmp_path / "c.ckpt",
        make_network(),
        plan=asdict(replace(checkpoint.plan, styles=("pop",), beats=True)),
    )
    said = [(plan.styles, plan.beats) for plan in (load_initial(file).plan for file in (told, plain, kept))]
    assert said == [(("pop", "jazz line"), True), ((), False), (("pop",), True)]


def test_a_window_is_trained_further_on_windows(tmp_path: Path) -> None:
    plan = load_initial(model_file(tmp_path / "a.onnx", make_network(), window=25)).plan
    assert (plan.stateful, plan.chunk) == (False, 25)
    assert load_initial(model_file(tmp_path / "b.onnx", make_network())).plan.stateful


def test_the_plan_is_that_of_the_preset_where_there_is_one_of_its_name(tmp_path: Path) -> None:
    preset = load_preset("pitch-onehot")
    assert isinstance(preset.representation, NoteAttributes)
    network = make_network(representation=preset.representation)
    for name, lanes in (("pitch-onehot", preset.plan.lanes), ("mine", 32)):
        plan = load_initial(model_file(tmp_path / "a.onnx", network, preset=name)).plan
        assert (plan.preset, plan.lanes) == (name, lanes)


def int8_file(source: Path, path: Path, **recipe: Any) -> Path:
    onnx.save(quantise(onnx.load(source), Recipe(**recipe)), path)
    return path


@pytest.mark.parametrize(
    "recipe",
    [{}, {"seven_bits": True}, {"per_channel": False}, {"per_channel": False, "symmetric": False}],
    ids=["as exported", "7 bits", "one scale a matrix", "zero points"],
)
@pytest.mark.parametrize("layers", [1, 3])
def test_an_int8_file_gives_weights_within_half_a_step_of_the_quantisation(
    tmp_path: Path, layers: int, recipe: dict[str, bool]
) -> None:
    network = make_network(layers)
    with torch.no_grad():  # each gate of each cell has a range of its own
        for name, parameter in network.lstm.named_parameters():
            if name.startswith("weight"):
                parameter.mul_(torch.linspace(0.1, 1.0, len(parameter))[:, None])
    full = load_initial(model_file(tmp_path / "full.onnx", network))
    small = load_initial(int8_file(tmp_path / "full.onnx", tmp_path / "small.onnx", **recipe))
    assert (full.rounded, small.rounded) == (False, True)
    assert small.plan == full.plan
    assert small.weights.keys() == full.weights.keys()
    for name, ours in small.weights.items():
        theirs = full.weights[name]
        if not name.startswith("lstm.weight"):
            assert torch.equal(ours, theirs), name
            continue
        largest = theirs.abs().amax(dim=1, keepdim=True)
        if not recipe.get("per_channel", True):
            largest = largest.max()
        # Without zero points 127 steps (64 of 7 bits) reach from zero to the largest weight.
        step = largest / (64 if recipe.get("seven_bits") else 127)
        assert ((ours - theirs).abs() <= 0.501 * step).all(), name
        assert not torch.equal(ours, theirs), name


def test_weights_out_of_an_int8_file_become_the_same_int8_again(tmp_path: Path) -> None:
    network = make_network()
    first = int8_file(model_file(tmp_path / "full.onnx", network), tmp_path / "small.onnx")
    network.load_state_dict(load_initial(first).weights)
    again = int8_file(model_file(tmp_path / "again.onnx", network), tmp_path / "smaller.onnx")
    stored = [
        {one.name: numpy_helper.to_array(one) for one in onnx.load(file).graph.initializer}
        for file in (first, again)
    ]
    matrices = [name for name in stored[0] if name.endswith("_quantized")]
    assert len(matrices) == 4
    for name in matrices:
        np.testing.assert_array_equal(stored[0][name], stored[1][name], strict=True)


def test_more_in_int8_than_the_lstm_is_refused_in_one_sentence(tmp_path: Path) -> None:
    source = model_file(tmp_path / "a.onnx", make_network())
    path = int8_file(source, tmp_path / "b.onnx", operators=("LSTM", "MatMul"))
    with pytest.raises(ModelFileError) as error:
        load_initial(path)
    assert str(error.value) == (
        f"More of {path} is in int8 than improv export puts there; name the checkpoint it was made from."
    )


@pytest.mark.parametrize("lost", ["quantized", "scale", "zero_point"])
def test_an_int8_file_that_lacks_something_is_refused_as_damaged(tmp_path: Path, lost: str) -> None:
    path = int8_file(model_file(tmp_path / "a.onnx", make_network()), tmp_path / "b.onnx")
    model = onnx.load(path)
    (one,) = (one for one in model.graph.initializer if one.name == f"lstm.1.recurrent_{lost}")
    model.graph.initializer.remove(one)
    onnx.save(model, path)
    with pytest.raises(
        ModelFileError, match=r"b\.onnx is damaged, or from another improv; name the checkpoint"
    ):
        load_initial(path)


@pytest.mark.parametrize("damage", ["gone", "noise", "foreign", "other sizes", "without weights"])
def test_what_is_no_model_file_of_ours_is_refused_in_one_sentence(tmp_path: Path, damage: str) -> None:
    path = model_file(tmp_path / "a.onnx", make_network())
    model = onnx.load(path)
    if damage == "gone":
        path.unlink()
    elif damage == "noise":
        path.write_bytes(b"noise")
    elif damage == "foreign":
        del model.metadata_props[:]
        onnx.save(model, path)
    elif damage == "other sizes":
        (entry,) = model.metadata_props
        values = json.loads(entry.value)
        values["shape"]["hidden"] = 99
        onnx.helper.set_model_props(model, {METADATA_KEY: json.dumps(values)})
        onnx.save(model, path)
    else:
        del model.graph.initializer[:]
        onnx.save(model, path)
    sentences = {
        "gone": f"There is no model file {path}.",
        "noise": f"{path} is damaged, or not a model file of improv.",
        "foreign": f"{path} is damaged, or not a model file of improv.",
    }
    other = f"{path} is damaged, or from another improv; name the checkpoint it was made from."
    with pytest.raises(ModelFileError) as error:
        load_initial(path)
    assert str(error.value) == sentences.get(damage, other)


@pytest.mark.parametrize(("int8", "closeness"), [(False, 1e-5), (True, 0.1)])
def test_the_network_says_the_same_with_the_weights_of_its_model_file(
    tmp_path: Path, int8: bool, closeness: float
) -> None:
    from improv_core.model import Model
    from improv_training.engine.network import Network

    network = make_network()
    path = model_file(tmp_path / "a.onnx", network)
    if int8:
        path = int8_file(path, tmp_path / "b.onnx")
    initial = load_initial(path)
    again = Network(network.representation, initial.plan.shape).eval()
    again.load_state_dict(initial.weights)
    rng = np.random.default_rng(0)
    sizes = [column.size for column in network.representation.columns]
    columns = rng.integers(0, sizes, (20, 1, len(sizes)))
    dense = rng.integers(0, 2, (20, 1, network.representation.dense.width)).astype(np.float32)
    model = Model.load(path)
    projected, _ = model.run(columns, dense, model.initial_state())
    with torch.inference_mode():
        ours, _ = again(torch.from_numpy(columns), torch.from_numpy(dense), again.zero_state(1))
    # In int8 what the LSTM reads is rounded as well, in ONNX Runtime alone.
    np.testing.assert_allclose(ours.numpy(), projected, atol=closeness)
