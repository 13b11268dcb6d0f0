"""A model file in use: ONNX Runtime for the body, numpy for the heads.

The graph holds embeddings, LSTM and projection and has a time axis, so that one call takes one step or a
whole window. Head weights are constant outputs, read once; masks and sampling live outside the graph.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from improv_core.errors import ModelFileError
from improv_core.representation import Representation, Steps, from_spec

FloatArray = NDArray[np.float32]

METADATA_KEY: Final = "improv"
SCHEMA: Final = 3
"""Version of the graph's inputs and outputs and of the metadata."""


@dataclass(frozen=True, slots=True)
class State:
    """The LSTM's memory; advancing makes a new one, so that a state is its own snapshot.

    Attributes:
        hidden: Shape (layers, batch, width).
        cell: Shape (layers, batch, width).
    """

    hidden: FloatArray
    cell: FloatArray


@dataclass(frozen=True, slots=True)
class Heads:
    """The chained heads in numpy, see `improv_training.engine.network.Network`.

    Attributes:
        asked: For each thing that is asked of the next step its embedding, (classes, projected).
        weights: For each attribute (outputs, projected).
        biases: For each attribute (outputs,).
        given: For each attribute (classes, projected), None where no later one is told of it.
        conditions: For each attribute the indices of the earlier ones that its head is told.
        rectified: Whether the heads read only what is positive.
        scales: For each attribute predicted by regression the scale of its Laplace distribution in
            seconds, None for the others.
    """

    asked: tuple[FloatArray, ...]
    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]
    given: tuple[FloatArray | None, ...]
    conditions: tuple[tuple[int, ...], ...]
    rectified: bool
    scales: tuple[float | None, ...]

    def begin(self, projected: FloatArray, asked: Sequence[int] | NDArray[np.int64]) -> FloatArray:
        """The heads' input before the first attribute, (..., projected).

        Args:
            projected: The model's output, (..., projected).
            asked: What is asked of the next step, (..., asked).
        """
        for i, table in enumerate(self.asked):
            projected = projected + table[asked[i] if isinstance(asked, Sequence) else asked[..., i]]
        return projected

    def inputs(
        self, attribute: int, z: FloatArray, values: Sequence[int] | Sequence[NDArray[np.int64]]
    ) -> FloatArray:
        """What the head of an attribute reads, rectified, (..., projected); arguments as of `outputs`."""
        for earlier in self.conditions[attribute]:
            table = self.given[earlier]
            assert table is not None
            z = z + table[values[earlier]]
        return np.maximum(z, 0) if self.rectified else z

    def outputs(
        self, attribute: int, z: FloatArray, values: Sequence[int] | Sequence[NDArray[np.int64]]
    ) -> FloatArray:
        """Logits of an attribute, (..., classes); of a regression seconds, (..., 1).

        Args:
            attribute: Which one.
            z: From `begin`.
            values: The classes of the earlier attributes.
        """
        out: FloatArray = (
            self.inputs(attribute, z, values) @ self.weights[attribute].T + self.biases[attribute]
        )
        return out


class Model:
    """A loaded model file.

    Attributes:
        metadata: All that the file says about itself.
        name: What the model calls itself.
        preset: What it was trained as.
        window: Steps that it was trained to read from an empty state; None when it carries its state on.
        representation: What it reads and predicts.
        styles: Of the music that it was trained on; no other means anything to it.
        beats: Whether the beat was known of any of that music.
        heads: What turns its output into logits.
    """

    def __init__(self, session: onnxruntime.InferenceSession, metadata: dict[str, Any]) -> None:
        self._session = session
        self.metadata = metadata
        self.name, self.preset = str(metadata["name"]), str(metadata["preset"])
        self.representation = from_spec(metadata["representation"])
        self.styles = tuple(str(style) for style in metadata.get("styles", ()))
        self.beats = bool(metadata.get("beats", False))
        shape = metadata["shape"]
        window = metadata.get("window")
        self.window = None if window is None else int(window)
        if self.window is not None and self.window < 1:
            raise ValueError("a window of no steps")
        self._state_shape = (shape["layers"], 1, shape["hidden"])
        self.heads = self._read_heads()

    @classmethod
    def load(cls, path: Path) -> Model:
        """Open a model file on one thread.

        Raises:
            ModelFileError: Missing, not ours, damaged, or newer than this improv.
        """
        try:
            if not path.is_file():
                raise ModelFileError(f"There is no model file {path}.")
            session = onnxruntime.InferenceSession(path, _options(), providers=["CPUExecutionProvider"])
            text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        except ModelFileError:
            raise
        except Exception as error:
            raise ModelFileError(
                f"{path} is not an ONNX model that can be read; it may be damaged."
            ) from error
        if text is None:
            raise ModelFileError(
                f"{path} is an ONNX model, but not one of improv's; make one with improv export."
            )
        metadata = _checked(path, text)
        try:
            return cls(session, metadata)
        except Exception as error:
            raise ModelFileError(
                f"{path} is not the model that its metadata tells of; export it again."
            ) from error

    def initial_state(self, batch: int = 1) -> State:
        """A state that has heard nothing."""
        layers, _, width = self._state_shape
        zeros = np.zeros((layers, batch, width), dtype=np.float32)
        return State(zeros, zeros)

    def run(self, columns: NDArray[np.int64], dense: FloatArray, state: State) -> tuple[FloatArray, State]:
        """Advance a batch over a run of steps.

        Args:
            columns: (time, batch, columns of the representation).
            dense: (time, batch, dense inputs of the representation).
            state: State before the run.

        Returns:
            Projected state after each step, (time, batch, projected), and the new state.
        """
        feeds = self._feeds(columns, dense, state)
        projected, hidden, cell = self._session.run(["projected", "next_hidden", "next_cell"], feeds)
        return projected, State(hidden, cell)

    def advance(self, steps: Steps, state: State) -> tuple[FloatArray, State]:
        """Advance one voice over its steps.

        Returns:
            Projected state after the last step, (projected,), and the new state.
        """
        projected, state = self.run(
            steps.columns[:, None, :], steps.dense[:, None, :].astype(np.float32), state
        )
        return projected[-1, 0], state

    def _feeds(self, columns: NDArray[np.int64], dense: FloatArray, state: State) -> dict[str, NDArray[Any]]:
        feeds: dict[str, NDArray[Any]] = {"columns": columns, "hidden": state.hidden, "cell": state.cell}
        if self.representation.dense.width:
            feeds["dense"] = dense
        return feeds

    def _read_heads(self) -> Heads:
        there = {output.name for output in self._session.get_outputs()}
        names = sorted(there - {"projected", "next_hidden", "next_cell"})
        columns = np.zeros((1, 1, len(self.representation.columns)), dtype=np.int64)
        dense = np.zeros((1, 1, self.representation.dense.width), dtype=np.float32)
        feeds = self._feeds(columns, dense, self.initial_state())
        arrays = (np.ascontiguousarray(array) for array in self._session.run(names, feeds))
        constants = dict(zip(names, arrays, strict=True))
        heads = _heads(self.representation, constants, rectified=self.metadata["shape"]["projected"] > 0)
        sizes = [attribute.outputs for attribute in self.representation.attributes]
        fit = [len(bias) for bias in heads.biases] == sizes
        fit = fit and [len(t) for t in heads.asked] == [c.size for c in self.representation.asked]
        if not fit or not all(np.isfinite(array).all() for array in constants.values()):
            raise ValueError("heads of other sizes, or without finite numbers")
        return heads


def _heads(representation: Representation, constants: dict[str, FloatArray], *, rectified: bool) -> Heads:
    attributes = representation.attributes
    index = {attribute.name: i for i, attribute in enumerate(attributes)}
    return Heads(
        asked=tuple(constants[f"asked.{column.name}"] for column in representation.asked),
        weights=tuple(constants[f"head.{a.name}.weight"] for a in attributes),
        biases=tuple(constants[f"head.{a.name}.bias"] for a in attributes),
        given=tuple(constants.get(f"given.{a.name}") for a in attributes),
        conditions=tuple(tuple(index[name] for name in a.given) for a in attributes),
        rectified=rectified,
        scales=tuple(
            float(constants[f"scale.{a.name}"].item()) if a.head == "regression" else None for a in attributes
        ),
    )


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # measured: two threads raise p99 tenfold beside a busy neighbour
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # measured: it keeps 7 MiB and saves no time
    options.log_severity_level = 3
    return options


def _checked(path: Path, text: str) -> dict[str, Any]:
    try:
        metadata: dict[str, Any] = json.loads(text)
        schema, representation, _ = int(metadata["schema"]), metadata["representation"], metadata["name"]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{path} carries metadata that cannot be read; export it again.") from error
    if schema > SCHEMA:
        raise ModelFileError(
            f"{path} was made by a newer improv (schema {schema}; this one reads up to {SCHEMA}); "
            "update improv."
        )
    if schema < SCHEMA:
        raise ModelFileError(
            f"{path} was made by an older improv (schema {schema}; this one reads {SCHEMA}); "
            "export it again with this improv."
        )
    try:
        from_spec(representation)
    except ValueError as error:
        kind = representation.get("kind") if isinstance(representation, dict) else None
        raise ModelFileError(
            f"{path} uses the representation {kind!r} in a form that this improv does not know; "
            "export it again with this improv."
        ) from error
    return metadata
