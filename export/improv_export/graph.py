"""The ONNX graph, built node by node from the weights.

torch's own exporter writes the LSTM's weights as Slice and Concat expressions that quantisers and shape
inference stumble over; this graph is a dozen nodes with plain initializers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from improv_core.model import METADATA_KEY
from improv_core.representation import ATTRIBUTE_NAMES, COLUMN_SIZES, KEYS

Weights = Mapping[str, NDArray[np.float32]]

OPSET = 17
IR_VERSION = 8


def build(weights: Weights, layers: int, metadata: Mapping[str, Any]) -> onnx.ModelProto:
    """The model file of a trained network.

    Args:
        weights: The network's state dict as arrays.
        layers: LSTM layers.
        metadata: Goes into the file as JSON.
    """
    hidden = weights["lstm.weight_hh_l0"].shape[1]
    constants = {**_body_constants(weights, layers), **_head_constants(weights)}
    graph = helper.make_graph(
        _nodes(layers, hidden),
        "improv",
        inputs=_inputs(layers, hidden),
        outputs=_outputs(layers, hidden, weights),
        initializer=[numpy_helper.from_array(np.ascontiguousarray(a), n) for n, a in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    model.producer_name = "improv"
    helper.set_model_props(model, {METADATA_KEY: json.dumps(metadata)})
    onnx.checker.check_model(model)
    return model


def _body_constants(weights: Weights, layers: int) -> dict[str, NDArray[Any]]:
    tables = [weights[f"columns.{i}.weight"] for i in range(len(COLUMN_SIZES))]
    constants: dict[str, NDArray[Any]] = {
        "embeddings": np.concatenate(tables),
        "offsets": np.cumsum([0, *COLUMN_SIZES[:-1]]).astype(np.int64),
        "column_axis": np.array([2], dtype=np.int64),
        "direction_axis": np.array([1], dtype=np.int64),
        "keys.weight": weights["keys.weight"].T,
        "projection.weight": weights["projection.weight"].T,
        "projection.bias": weights["projection.bias"],
    }
    for i in range(layers):
        bias = [_gates(weights[f"lstm.bias_{kind}_l{i}"]) for kind in ("ih", "hh")]
        constants[f"lstm.{i}.input"] = _gates(weights[f"lstm.weight_ih_l{i}"])[None]
        constants[f"lstm.{i}.recurrent"] = _gates(weights[f"lstm.weight_hh_l{i}"])[None]
        constants[f"lstm.{i}.bias"] = np.concatenate(bias)[None]
    return constants


def _gates(stacked: NDArray[np.float32]) -> NDArray[np.float32]:
    """From torch's order of gates (input, forget, cell, output) to ONNX's (input, output, forget, cell)."""
    i, f, g, o = np.split(stacked, 4)
    return np.concatenate([i, o, f, g])


def _head_constants(weights: Weights) -> dict[str, NDArray[Any]]:
    constants: dict[str, NDArray[Any]] = {"part": weights["part.weight"]}
    for i, name in enumerate(ATTRIBUTE_NAMES):
        constants[f"head.{name}.weight"] = weights[f"heads.{i}.weight"]
        constants[f"head.{name}.bias"] = weights[f"heads.{i}.bias"]
        if i < len(ATTRIBUTE_NAMES) - 1:
            constants[f"given.{name}"] = weights[f"given.{i}.weight"]
    return constants


def _nodes(layers: int, hidden: int) -> list[onnx.NodeProto]:
    make = helper.make_node
    nodes = [
        make("Add", ["columns", "offsets"], ["rows"]),
        make("Gather", ["embeddings", "rows"], ["embedded"], axis=0),
        make("ReduceSum", ["embedded", "column_axis"], ["summed"], keepdims=0),
        make("MatMul", ["keys", "keys.weight"], ["embedded_keys"]),
        make("Add", ["summed", "embedded_keys"], ["layer.0"]),
    ]
    for state in ("hidden", "cell"):
        parts = [f"{state}.{i}" for i in range(layers)]
        nodes.append(
            make("Split", [state], parts, axis=0) if layers > 1 else make("Identity", [state], parts)
        )
    for i in range(layers):
        constants = [f"lstm.{i}.{name}" for name in ("input", "recurrent", "bias")]
        inputs = [f"layer.{i}", *constants, "", f"hidden.{i}", f"cell.{i}"]
        outputs = [f"directed.{i}", f"next_hidden.{i}", f"next_cell.{i}"]
        nodes.append(make("LSTM", inputs, outputs, hidden_size=hidden))
        nodes.append(make("Squeeze", [f"directed.{i}", "direction_axis"], [f"layer.{i + 1}"]))
    nodes += [
        make("MatMul", [f"layer.{layers}", "projection.weight"], ["unbiased"]),
        make("Add", ["unbiased", "projection.bias"], ["projected"]),
    ]
    for state in ("next_hidden", "next_cell"):
        nodes.append(make("Concat", [f"{state}.{i}" for i in range(layers)], [state], axis=0))
    return nodes


def _inputs(layers: int, hidden: int) -> list[onnx.ValueInfoProto]:
    info = helper.make_tensor_value_info
    return [
        info("columns", TensorProto.INT64, ["time", "batch", len(COLUMN_SIZES)]),
        info("keys", TensorProto.FLOAT, ["time", "batch", KEYS]),
        info("hidden", TensorProto.FLOAT, [layers, "batch", hidden]),
        info("cell", TensorProto.FLOAT, [layers, "batch", hidden]),
    ]


def _outputs(layers: int, hidden: int, weights: Weights) -> list[onnx.ValueInfoProto]:
    info = helper.make_tensor_value_info
    projected = weights["projection.weight"].shape[0]
    heads = _head_constants(weights)
    return [
        info("projected", TensorProto.FLOAT, ["time", "batch", projected]),
        info("next_hidden", TensorProto.FLOAT, [layers, "batch", hidden]),
        info("next_cell", TensorProto.FLOAT, [layers, "batch", hidden]),
        *(info(name, TensorProto.FLOAT, list(array.shape)) for name, array in heads.items()),
    ]
