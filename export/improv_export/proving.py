"""How a model file is proved before it is kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from improv_core.errors import StorageError


@contextlib.contextmanager
def kept_when_proved(graph: onnx.ModelProto, output: Path) -> Iterator[Path]:
    """Write a model file beside its place; it goes there when the block ends without an error.

    Raises:
        StorageError: It cannot be written.
    """
    partial = output.with_suffix(".partial.onnx")
    try:
        onnx.save(graph, partial)
        yield partial
        partial.replace(output)
    except OSError as error:
        raise StorageError(f"{output} cannot be written ({error.strerror or error}).") from error
    finally:
        partial.unlink(missing_ok=True)


def in_turns(notes: int) -> NDArray[np.int64]:
    """Player and improv by turns of eight notes, so that every input of a model is in use; (notes,)."""
    return np.arange(notes) // 8 % 2
