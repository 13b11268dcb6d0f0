"""A model file with its LSTM in int8: a third of the size, half the time a step."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import helper
from onnxruntime.quantization import quantize_dynamic

from improv_core.errors import ModelFileError, StorageError
from improv_core.model import METADATA_KEY, Model
from improv_core.representation import Notes
from improv_export.live_nats import NATS_TOLERANCE, Progress, nats_difference
from improv_export.proving import kept_when_proved

PRECISION = "precision"
"""Field of the metadata that says ``int8``; a model in full precision need not have it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What becomes int8, and how; the defaults are what measured best (docs/benchmarks.md).

    Attributes:
        operators: ONNX operators whose weights become int8. Beside the LSTM's there is little to save, and
            what is rounded after it goes straight into every head.
        per_channel: A scale for each gate of each cell instead of one for a whole matrix.
        seven_bits: Use 7 of the 8 bits, so that processors without VNNI, which add two products in 16 bits,
            cannot overflow. What overflows there costs less than the bit does.
        symmetric: No zero points; ONNX Runtime takes none in an LSTM with ``per_channel``.
    """

    operators: tuple[str, ...] = ("LSTM",)
    per_channel: bool = True
    seven_bits: bool = False
    symmetric: bool = True


def quantise(model: onnx.ModelProto, recipe: Recipe | None = None) -> onnx.ModelProto:
    """The same model with ``DynamicQuantizeLSTM`` nodes; what is given stays as it is.

    Activations are quantised as they come, so no music is needed for it. The heads are left alone.

    Args:
        model: A model file in full precision, from `improv_export.graph.build`.
        recipe: What becomes int8; None: what measured best.

    Raises:
        ModelFileError: There is no LSTM in full precision, or one of them would have stayed so.
        StorageError: The folder for temporary files cannot be written.
    """
    layers = _count(model, "LSTM")
    properties = {one.key: one.value for one in model.metadata_props}
    if not layers or METADATA_KEY not in properties:
        raise ModelFileError(
            "Only a model of improv's in full precision can be made int8; export it from its checkpoint."
        )
    quantised = _quantised(model, recipe or Recipe())
    # ONNX Runtime leaves an LSTM whose weights are not plain initializers as it is, without a word.
    if _count(quantised, "DynamicQuantizeLSTM") != layers or _count(quantised, "LSTM"):
        raise ModelFileError(
            f"Of the model's {layers} LSTM layers only {_count(quantised, 'DynamicQuantizeLSTM')} became "
            "int8; export it in full precision, without --int8."
        )
    metadata = {**json.loads(properties[METADATA_KEY]), PRECISION: "int8"}
    helper.set_model_props(quantised, {**properties, METADATA_KEY: json.dumps(metadata)})
    quantised.producer_name = model.producer_name
    del quantised.graph.value_info[:]
    return quantised


def _count(model: onnx.ModelProto, operator: str) -> int:
    return sum(node.op_type == operator for node in model.graph.node)


def _quantised(model: onnx.ModelProto, recipe: Recipe) -> onnx.ModelProto:
    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    # Keeps ONNX Runtime from asking for its preprocessing, which would find nothing to do in our graph.
    plain.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "int8.onnx")
            quantize_dynamic(
                plain,
                path,
                op_types_to_quantize=list(recipe.operators),
                per_channel=recipe.per_channel,
                reduce_range=recipe.seven_bits,
                extra_options={"WeightSymmetric": recipe.symmetric},
            )
            return onnx.load(path)
    except OSError as error:
        raise StorageError(
            f"The folder for temporary files cannot be written ({error.strerror or error}); set TMPDIR to "
            "one with room."
        ) from error
    except Exception as error:
        raise ModelFileError(
            "ONNX Runtime could not make the model int8; export it in full precision, without --int8."
        ) from error


def write_quantised(
    source: Path, output: Path, proof: Notes, progress: Progress = lambda done, total: None
) -> float:
    """Make a model file int8 and prove it; one that has lost too much is not kept.

    Args:
        source: A model file in full precision.
        output: The model file to write; may be ``source``.
        proof: A performance to compare on, step by step as in live playing.
        progress: Called with (steps done, steps in all).

    Returns:
        How many nats per note int8 costs; below zero it is better.

    Raises:
        ModelFileError: The model cannot be made int8, or differs by `NATS_TOLERANCE` or more.
        DataError: No note of the proof counts.
        StorageError: The output cannot be written.
    """
    reference = Model.load(source)
    quantised = quantise(onnx.load(source))
    with kept_when_proved(quantised, output) as partial:
        cost = nats_difference(Model.load(partial), reference, proof, progress)
        if not abs(cost) < NATS_TOLERANCE:
            raise ModelFileError(
                f"In int8 the model differs by {cost:.2g} nats per note (allowed: below {NATS_TOLERANCE:g}) "
                "and was not kept; export it in full precision, without --int8."
            )
    return cost
