"""Encoded pieces on disk: rows of notes that are mapped into memory, and an index beside them.

This module and `improv_training.corpora.corpus` read what was encoded with numpy alone.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

ENCODING_VERSION = 4
"""Raise it when `Notes` or their encoding change; what has another version is made again."""

FIELDS = ("dt_ms", "pedal", "pitch", "velocity", "duration_ms")
"""What `improv_core.representation.encode` gives."""

COLUMNS = (*FIELDS, "voice", "beat_ticks", "beat_ms")
"""Of rows; those after the fields are of `improv_core.representation.Setting`."""

_DTYPE = np.dtype("<i4")


@dataclass(frozen=True, slots=True)
class Encoded:
    """All pieces of one folder or archive, whatever split they belong to.

    Attributes:
        files: Path of each piece, relative to the folder.
        offsets: Shape (pieces + 1,): piece ``i`` is rows ``offsets[i]:offsets[i + 1]``.
        rows: Shape (notes, 8), int32: `COLUMNS`; read from the disk where and when they are looked at.
        skipped: What could not be read, a sentence each.
    """

    files: tuple[str, ...]
    offsets: NDArray[np.int64]
    rows: NDArray[np.int32]
    skipped: tuple[str, ...]


class RowsWriter:
    """Writes the rows of one piece after the other to a .npy file whose length is not known yet."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._count = 0
        self._write_header()

    def write(self, rows: NDArray[np.int32]) -> None:
        """Append rows of shape (notes, 8)."""
        self._file.write(np.ascontiguousarray(rows, dtype=_DTYPE).data)
        self._count += len(rows)

    def finish(self) -> None:
        """Say at the file's begin how long it has become, and bring it to the disk."""
        self._file.seek(0)
        self._write_header()  # of the same length: numpy leaves room for the first axis to grow
        self._file.flush()
        os.fsync(self._file.fileno())

    def _write_header(self) -> None:
        header = {"descr": _DTYPE.str, "fortran_order": False, "shape": (self._count, len(COLUMNS))}
        np.lib.format.write_array_header_1_0(self._file, header)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of ``path`` when all went well, and else leaves nothing."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with partial.open("w+b") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def rows_path(index: Path, fingerprint: str) -> Path:
    """Where the rows of an index are; of each fingerprint in a file of their own.

    So the index, which is written last, never names rows of another time.
    """
    return index.with_name(f"{index.stem}-{fingerprint[:12]}.npy")


def write_index(
    index: Path,
    fingerprint: str,
    files: list[str],
    offsets: list[int],
    skipped: list[str],
    **more: Any,
) -> None:
    """Write what belongs to rows that are written, and remove rows that it replaces."""
    content = {
        "improv_encoding": ENCODING_VERSION,
        "fingerprint": fingerprint,
        "files": files,
        "offsets": offsets,
        "skipped": skipped,
        **more,
    }
    with replacing(index) as file:
        file.write(json.dumps(content, ensure_ascii=False).encode())
    current = rows_path(index, fingerprint)
    for old in index.parent.glob(f"{index.stem}-{'[0-9a-f]' * 12}.npy"):
        if old != current:
            with contextlib.suppress(OSError):  # some systems keep files that are mapped
                old.unlink()


def read_index(index: Path, fingerprint: str | None = None) -> tuple[Encoded, dict[str, Any]] | None:
    """What is stored, and the index itself; None where nothing is, or it is out of date or damaged.

    Args:
        index: The .json file.
        fingerprint: What it must have been made of; None for anything.
    """
    try:
        content = json.loads(index.read_bytes())
        if content["improv_encoding"] != ENCODING_VERSION:
            return None
        if fingerprint is not None and content["fingerprint"] != fingerprint:
            return None
        offsets = np.array(content["offsets"], dtype=np.int64)
        rows = _map_rows(rows_path(index, content["fingerprint"]))
        files, skipped = tuple(content["files"]), tuple(content["skipped"])
        if len(offsets) != len(files) + 1 or offsets[0] != 0 or offsets[-1] != len(rows):
            return None
        return Encoded(files, offsets, rows, skipped), content
    except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError):
        return None


def _map_rows(path: Path) -> NDArray[np.int32]:
    """Rows that are read when they are looked at."""
    with path.open("rb") as file:  # by path, numpy leaks the file when damaged
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{path} is of another version")
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
        if dtype != _DTYPE or fortran_order or len(shape) != 2 or shape[1] != len(COLUMNS):
            raise ValueError(f"{path} holds no rows")
        if os.fstat(file.fileno()).st_size != file.tell() + shape[0] * len(COLUMNS) * _DTYPE.itemsize:
            raise ValueError(f"{path} is cut short")
        return np.asarray(np.memmap(file, dtype=_DTYPE, mode="r", offset=file.tell(), shape=shape))
