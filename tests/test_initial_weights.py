from __future__ import annotations

import contextlib
import json
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

    from improv_core.model import METADATA_KEY
    from improv_export.exporting import metadata
    from improv_export.graph import build
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


def test_an_int8_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = model_file(tmp_path / "a.onnx", make_network())
    model = onnx.load(path)
    model.graph.node.append(onnx.helper.make_node("DynamicQuantizeLSTM", [], [], domain="com.microsoft"))
    onnx.save(model, path)
    with pytest.raises(ModelFileError) as error:
        load_initial(path)
    assert str(error.value) == (
        f"{path} is in int8, which is too coarse to be trained further; name its checkpoint or its fp32 file."
    )


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


def test_the_network_says_the_same_with_the_weights_of_its_model_file(tmp_path: Path) -> None:
    from improv_core.model import Model
    from improv_training.engine.network import Network

    network = make_network()
    path = model_file(tmp_path / "a.onnx", network)
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
    np.testing.assert_allclose(ours.numpy(), projected, atol=1e-5)
