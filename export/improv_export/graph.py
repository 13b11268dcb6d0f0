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
from torch import Tensor

from improv_core.model import METADATA_KEY
from improv_training.engine.network import Network

Constants = dict[str, NDArray[Any]]

OPSET = 17
IR_VERSION = 8


def build(network: Network, metadata: Mapping[str, Any]) -> onnx.ModelProto:
    """The model file of a trained network.

    Args:
        network: What was trained.
        metadata: Goes into the file as JSON.
    """
    heads = _head_constants(network)
    constants = {**_input_constants(network), **_body_constants(network), **heads}
    graph = helper.make_graph(
        _nodes(network),
        "improv",
        inputs=_inputs(network),
        outputs=_outputs(network, heads),
        initializer=[numpy_helper.from_array(np.ascontiguousarray(a), n) for n, a in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    model.producer_name = "improv"
    helper.set_model_props(model, {METADATA_KEY: json.dumps(metadata)})
    onnx.checker.check_model(model)
    return model


def _input_constants(network: Network) -> Constants:
    """One table with an offset for each column, so that all of a step's columns are one Gather."""
    tables = [_array(table) for table in network.column_tables()]
    constants: Constants = {
        "embeddings": np.concatenate(tables),
        "offsets": np.cumsum([0, *(len(table) for table in tables[:-1])]).astype(np.int64),
        "column_axis": np.array([2], dtype=np.int64),
    }
    numbers = network.dense_table()
    return constants if numbers is None else {**constants, "dense.weight": _array(numbers)}


def _body_constants(network: Network) -> Constants:
    weights = {name: _array(value) for name, value in network.state_dict().items()}
    constants: Constants = {"direction_axis": np.array([1], dtype=np.int64)}
    for i in range(network.shape.layers):
        bias = [_gates(weights[f"lstm.bias_{kind}_l{i}"]) for kind in ("ih", "hh")]
        constants[f"lstm.{i}.input"] = _gates(weights[f"lstm.weight_ih_l{i}"])[None]
        constants[f"lstm.{i}.recurrent"] = _gates(weights[f"lstm.weight_hh_l{i}"])[None]
        constants[f"lstm.{i}.bias"] = np.concatenate(bias)[None]
    if network.shape.projected:
        constants["projection.weight"] = weights["projection.weight"].T
        constants["projection.bias"] = weights["projection.bias"]
    return constants


def _head_constants(network: Network) -> Constants:
    constants: Constants = {}
    weights = {name: _array(value) for name, value in network.state_dict().items()}
    for i, column in enumerate(network.representation.asked):
        constants[f"asked.{column.name}"] = weights[f"asked.{i}.weight"]
    for i, attribute in enumerate(network.attributes):
        constants[f"head.{attribute.name}.weight"] = weights[f"heads.{i}.weight"]
        constants[f"head.{attribute.name}.bias"] = weights[f"heads.{i}.bias"]
        if attribute.name in network.given:
            constants[f"given.{attribute.name}"] = weights[f"given.{attribute.name}.weight"]
        if attribute.head == "regression":
            constants[f"scale.{attribute.name}"] = weights["scales"][i : i + 1]
    return constants


def _array(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().cpu().numpy()
    return array


def _gates(stacked: NDArray[np.float32]) -> NDArray[np.float32]:
    """From torch's order of gates (input, forget, cell, output) to ONNX's (input, output, forget, cell)."""
    i, f, g, o = np.split(stacked, 4)
    return np.concatenate([i, o, f, g])


def _nodes(network: Network) -> list[onnx.NodeProto]:
    make, layers = helper.make_node, network.shape.layers
    has_dense_layer = network.shape.projected > 0
    last = "outputs" if has_dense_layer else "projected"
    names = [*(f"layer.{i}" for i in range(layers)), last]
    nodes = _input_nodes(names[0], has_numbers=network.dense_table() is not None)
    for state in ("hidden", "cell"):
        parts = [f"{state}.{i}" for i in range(layers)]
        nodes.append(
            make("Split", [state], parts, axis=0) if layers > 1 else make("Identity", [state], parts)
        )
    for i in range(layers):
        constants = [f"lstm.{i}.{name}" for name in ("input", "recurrent", "bias")]
        inputs = [names[i], *constants, "", f"hidden.{i}", f"cell.{i}"]
        outputs = [f"directed.{i}", f"next_hidden.{i}", f"next_cell.{i}"]
        nodes.append(make("LSTM", inputs, outputs, hidden_size=network.shape.hidden))
        nodes.append(make("Squeeze", [f"directed.{i}", "direction_axis"], [names[i + 1]]))
    if has_dense_layer:
        nodes += [
            make("MatMul", [last, "projection.weight"], ["unbiased"]),
            make("Add", ["unbiased", "projection.bias"], ["projected"]),
        ]
    for state in ("next_hidden", "next_cell"):
        nodes.append(make("Concat", [f"{state}.{i}" for i in range(layers)], [state], axis=0))
    return nodes


def _input_nodes(output: str, *, has_numbers: bool) -> list[onnx.NodeProto]:
    make, summed = helper.make_node, "summed" if has_numbers else output
    nodes = [
        make("Add", ["columns", "offsets"], ["rows"]),
        make("Gather", ["embeddings", "rows"], ["embedded"], axis=0),
        make("ReduceSum", ["embedded", "column_axis"], [summed], keepdims=0),
    ]
    if has_numbers:
        nodes += [
            make("MatMul", ["dense", "dense.weight"], ["embedded_numbers"]),
            make("Add", [summed, "embedded_numbers"], [output]),
        ]
    return nodes


def _inputs(network: Network) -> list[onnx.ValueInfoProto]:
    info, shape = helper.make_tensor_value_info, network.shape
    columns, dense = len(network.representation.columns), network.representation.dense.width
    inputs = [info("columns", TensorProto.INT64, ["time", "batch", columns])]
    if dense:
        inputs.append(info("dense", TensorProto.FLOAT, ["time", "batch", dense]))
    return [
        *inputs,
        info("hidden", TensorProto.FLOAT, [shape.layers, "batch", shape.hidden]),
        info("cell", TensorProto.FLOAT, [shape.layers, "batch", shape.hidden]),
    ]


def _outputs(network: Network, heads: Constants) -> list[onnx.ValueInfoProto]:
    info, shape = helper.make_tensor_value_info, network.shape
    projected = shape.projected or shape.hidden
    return [
        info("projected", TensorProto.FLOAT, ["time", "batch", projected]),
        info("next_hidden", TensorProto.FLOAT, [shape.layers, "batch", shape.hidden]),
        info("next_cell", TensorProto.FLOAT, [shape.layers, "batch", shape.hidden]),
        *(info(name, TensorProto.FLOAT, list(array.shape)) for name, array in heads.items()),
    ]
