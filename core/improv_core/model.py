"""A model file in use: ONNX Runtime for the body, numpy for the heads.

The graph holds embeddings, LSTM and projection and has a time axis, so that one call takes one step or a
whole window. Head weights are constant outputs, read once; masks and sampling live outside the graph.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from improv_core.errors import ModelFileError
from improv_core.notes import Part
from improv_core.representation import ATTRIBUTE_NAMES, ATTRIBUTES, COLUMNS, Steps
from improv_core.representation.piano import NAME as REPRESENTATION

FloatArray = NDArray[np.float32]

METADATA_KEY: Final = "improv"
SCHEMA: Final = 1
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
    """The chained heads in numpy, see `improv_training.network.PianoNetwork`.

    Attributes:
        part: Embedding of who plays the next note, (2, projected).
        weights: For each attribute (classes, projected).
        biases: For each attribute (classes,).
        given: For each attribute but the last (classes, projected).
    """

    part: FloatArray
    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]
    given: tuple[FloatArray, ...]

    def begin(self, projected: FloatArray, part: Part | NDArray[np.int64]) -> FloatArray:
        """The heads' input before the first attribute, (..., projected)."""
        chosen: FloatArray = projected + self.part[part]
        return chosen

    def logits(self, attribute: int, z: FloatArray) -> FloatArray:
        """Logits of an attribute, (..., classes)."""
        out: FloatArray = np.maximum(z, 0) @ self.weights[attribute].T + self.biases[attribute]
        return out

    def condition(self, attribute: int, z: FloatArray, value: int | NDArray[np.int64]) -> FloatArray:
        """The heads' input for the next attribute, this one's class being known."""
        if attribute == len(self.given):
            return z
        chosen: FloatArray = z + self.given[attribute][value]
        return chosen


class Model:
    """A loaded model file."""

    def __init__(self, session: onnxruntime.InferenceSession, metadata: dict[str, Any]) -> None:
        self._session = session
        self.metadata = metadata
        shape = metadata["shape"]
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

    @property
    def name(self) -> str:
        """What the model calls itself."""
        return str(self.metadata["name"])

    def initial_state(self, batch: int = 1) -> State:
        """A state that has heard nothing."""
        layers, _, width = self._state_shape
        zeros = np.zeros((layers, batch, width), dtype=np.float32)
        return State(zeros, zeros)

    def run(self, columns: NDArray[np.int64], keys: FloatArray, state: State) -> tuple[FloatArray, State]:
        """Advance a batch over a run of steps.

        Args:
            columns: (time, batch, len(COLUMNS)).
            keys: (time, batch, KEYS).
            state: State before the run.

        Returns:
            Projected state after each step, (time, batch, projected), and the new state.
        """
        feeds = {"columns": columns, "keys": keys, "hidden": state.hidden, "cell": state.cell}
        projected, hidden, cell = self._session.run(["projected", "next_hidden", "next_cell"], feeds)
        return projected, State(hidden, cell)

    def advance(self, steps: Steps, state: State) -> tuple[FloatArray, State]:
        """Advance one voice over its steps.

        Returns:
            Projected state after the last step, (projected,), and the new state.
        """
        projected, state = self.run(
            steps.columns[:, None, :], steps.keys[:, None, :].astype(np.float32), state
        )
        return projected[-1, 0], state

    def _read_heads(self) -> Heads:
        names = ["part"]
        names += [f"head.{name}.weight" for name in ATTRIBUTE_NAMES]
        names += [f"head.{name}.bias" for name in ATTRIBUTE_NAMES]
        names += [f"given.{name}" for name in ATTRIBUTE_NAMES[:-1]]
        empty = self.initial_state()
        feeds = {
            "columns": np.zeros((1, 1, len(COLUMNS)), dtype=np.int64),
            "keys": np.zeros((1, 1, 128), dtype=np.float32),
            "hidden": empty.hidden,
            "cell": empty.cell,
        }
        part, *rest = (np.ascontiguousarray(array) for array in self._session.run(names, feeds))
        count = len(ATTRIBUTE_NAMES)
        heads = Heads(part, tuple(rest[:count]), tuple(rest[count : 2 * count]), tuple(rest[2 * count :]))
        sizes = [attribute.binning.size for attribute in ATTRIBUTES]
        fit = [len(bias) for bias in heads.biases] == sizes
        if not fit or not all(np.isfinite(array).all() for array in (part, *rest)):
            raise ValueError("heads of other sizes, or without finite numbers")
        return heads


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # measured: two threads raise p99 tenfold beside a busy neighbour
    options.inter_op_num_threads = 1
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
    expected = representation_spec()
    if representation != expected:
        name = representation.get("name") if isinstance(representation, dict) else None
        raise ModelFileError(
            f"{path} uses the representation {name!r} in a form that this improv does not know; "
            "export it again with this improv."
        )
    return metadata


def representation_spec() -> dict[str, Any]:
    """How the default representation describes itself in a model file."""
    return {
        "name": REPRESENTATION,
        "attributes": [{"name": a.name, "binning": a.binning.spec()} for a in ATTRIBUTES],
        "columns": [list(column) for column in COLUMNS],
    }
