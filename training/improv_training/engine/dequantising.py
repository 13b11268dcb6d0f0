"""The LSTM weights of a model file in int8, as the numbers they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

_OPERATOR: Final = "DynamicQuantizeLSTM"
_WEIGHTS: Final = {1: (8, 9), 2: (10, 11)}
"""Where the operator takes a matrix, and where that matrix's scales and zero points."""
_SUFFIX: Final = "_quantized"


def is_rounded(model: onnx.ModelProto) -> bool:
    """Whether there are LSTM weights in 8 bits."""
    return any(node.op_type == _OPERATOR for node in model.graph.node)


def is_readable(model: onnx.ModelProto) -> bool:
    """Whether nothing but LSTM weights is in 8 bits."""
    others = {node.op_type for node in model.graph.node} - {_OPERATOR}
    return not any("Quantize" in name or "Integer" in name for name in others)


def dequantised(model: onnx.ModelProto, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    """The LSTM matrices as they were before `improv_export.quantising`, but for the rounding.

    Args:
        model: The model file.
        arrays: Its initializers.

    Returns:
        By the names and in the layout of an LSTM in full precision, (1, 4 x hidden, inputs); nothing for a
        model in full precision.

    Raises:
        KeyError: An initializer is missing.
        ValueError: The sizes do not belong together.
    """
    found = {}
    for node in model.graph.node:
        if node.op_type != _OPERATOR:
            continue
        for place, (scale_place, zero_place) in _WEIGHTS.items():
            name, scale, zero = (node.input[i] for i in (place, scale_place, zero_place))
            steps = arrays[name].astype(np.float32) - _by_channel(arrays[zero])
            # The operator has its matrices the other way round: (1, inputs, 4 x hidden).
            found[name.removesuffix(_SUFFIX)] = (steps * _by_channel(arrays[scale])).swapaxes(1, 2)
    return found


def _by_channel(values: NDArray[Any]) -> NDArray[np.float32]:
    """One for each gate of each cell, or one for them all."""
    return values.astype(np.float32).reshape(1, 1, -1)
