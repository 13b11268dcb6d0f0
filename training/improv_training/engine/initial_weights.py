"""Weights to begin with: from a checkpoint, or from a model file that was exported."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor

from improv_core.errors import ConfigError, ModelFileError
from improv_core.model import METADATA_KEY
from improv_core.representation import Representation, from_spec
from improv_training.engine.checkpoints import load_checkpoint
from improv_training.engine.dequantising import dequantised, is_readable, is_rounded
from improv_training.engine.network import Network
from improv_training.plan import Plan
from improv_training.presets import load_preset
from improv_training.shape import Shape

Arrays = dict[str, NDArray[Any]]

RATE: Final = 3e-4
"""Highest learning rate: what is known already is lost at a higher one."""
WARM_UP: Final = 50
HOURS: Final = 0.25


@dataclass(frozen=True, slots=True)
class Initial:
    """An existing model, to be trained further.

    Attributes:
        plan: Its representation and sizes, with rates and hours for training it further.
        weights: By their names in `improv_training.engine.network.Network`.
        rounded: Whether those of the LSTM were in 8 bits.
    """

    plan: Plan
    weights: dict[str, Tensor]
    rounded: bool = False


def load_initial(path: Path) -> Initial:
    """Read a checkpoint (.ckpt) or a model file (.onnx), in full precision or in int8.

    Raises:
        ModelFileError: Missing, damaged, or not one of ours.
    """
    if path.suffix == ".ckpt" or path.is_dir():
        checkpoint = load_checkpoint(path)
        return Initial(_further(checkpoint.plan), checkpoint.network.state_dict())
    if not path.is_file():
        raise ModelFileError(f"There is no model file {path}.")
    try:
        model = onnx.load(path)
        metadata = json.loads({entry.key: entry.value for entry in model.metadata_props}[METADATA_KEY])
    except Exception as error:  # onnx raises whatever its parser meets
        raise ModelFileError(f"{path} is damaged, or not a model file of improv.") from error
    if not is_readable(model):
        raise ModelFileError(
            f"More of {path} is in int8 than improv export puts there; name the checkpoint it was made from."
        )
    try:
        plan = _plan(metadata)
        network = Network(from_spec(plan.representation), plan.shape)
        arrays = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
        arrays |= dequantised(model, arrays)
        network.load_state_dict({**network.state_dict(), **_weights(arrays, network)})
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, IndexError) as error:
        raise ModelFileError(
            f"{path} is damaged, or from another improv; name the checkpoint it was made from."
        ) from error
    return Initial(plan, network.state_dict(), is_rounded(model))


def _further(plan: Plan) -> Plan:
    return replace(plan, rate=RATE, warm_up=WARM_UP, hours=HOURS, updates=None, epochs=None, seed=1)


def _plan(metadata: dict[str, Any]) -> Plan:
    """The preset's plan where it is one that comes with improv, on the model's own sizes."""
    name, window = str(metadata["preset"]), metadata.get("window")
    try:
        plan = load_preset(name).plan
    except ConfigError:
        plan = Plan(preset=name)
    sizes = {"representation": metadata["representation"], "shape": Shape(**metadata["shape"])}
    plan = replace(_further(plan), **sizes, stateful=window is None)
    plan = replace(
        plan,
        canonical=bool(metadata.get("canonical", False)),
        styles=tuple(metadata.get("styles", ())),
        beats=bool(metadata.get("beats", False)),
    )
    return plan if window is None else replace(plan, chunk=int(window))


def _weights(arrays: Arrays, network: Network) -> dict[str, Tensor]:
    """The inverse of how `improv_export.graph` lays weights out."""
    found = {
        **_inputs(arrays, network.representation, network.shape.inputs),
        **_body(arrays, network.shape),
    }
    for i, column in enumerate(network.representation.asked):
        found[f"asked.{i}.weight"] = arrays[f"asked.{column.name}"]
    scales = network.scales.numpy().copy()
    for i, attribute in enumerate(network.attributes):
        for kind in ("weight", "bias"):
            found[f"heads.{i}.{kind}"] = arrays[f"head.{attribute.name}.{kind}"]
        if attribute.name in network.given:
            found[f"given.{attribute.name}.weight"] = arrays[f"given.{attribute.name}"]
        if attribute.head == "regression":
            scales[i] = arrays[f"scale.{attribute.name}"].item()
    found["scales"] = scales
    return {name: torch.from_numpy(np.array(value, dtype=np.float32)) for name, value in found.items()}


def _inputs(arrays: Arrays, representation: Representation, width: int) -> Arrays:
    """Embedded columns out of the one table of all columns; one-hot ones hold nothing that was learned."""
    ends = np.cumsum([column.size for column in representation.columns])[:-1]
    tables = np.split(arrays["embeddings"], ends)
    learned = [
        table[:, :width]
        for column, table in zip(representation.columns, tables, strict=True)
        if column.form == "embedding"
    ]
    found = {f"columns.{i}.weight": table for i, table in enumerate(learned)}
    if representation.dense.width and representation.dense.form == "embedding":
        found["dense.weight"] = arrays["dense.weight"][:, :width].T
    return found


def _body(arrays: Arrays, shape: Shape) -> Arrays:
    found: Arrays = {}
    for i in range(shape.layers):
        for kind, name in (("ih", "input"), ("hh", "recurrent")):
            found[f"lstm.weight_{kind}_l{i}"] = _gates(arrays[f"lstm.{i}.{name}"][0])
        biases = np.split(arrays[f"lstm.{i}.bias"][0], 2)
        for kind, bias in zip(("ih", "hh"), biases, strict=True):
            found[f"lstm.bias_{kind}_l{i}"] = _gates(bias)
    if shape.projected:
        found["projection.weight"] = arrays["projection.weight"].T
        found["projection.bias"] = arrays["projection.bias"]
    return found


def _gates(stacked: NDArray[np.float32]) -> NDArray[np.float32]:
    """From ONNX's order of gates (input, output, forget, cell) to torch's (input, forget, cell, output)."""
    i, o, f, g = np.split(stacked, 4)
    return np.concatenate([i, f, g, o])
