"""Folders of MIDI files to encoded arrays, split into train, validation and test."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from improv_core.errors import DataError
from improv_core.representation import Notes
from improv_training.encoding import Encoded, encode_folder

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True, slots=True)
class Corpus:
    """All pieces of one folder.

    Attributes:
        name: The folder's name.
        files: Path of each piece, relative to the folder.
        split: Where each piece belongs.
        offsets: Shape (pieces + 1,): piece ``i`` is rows ``offsets[i]:offsets[i + 1]``.
        rows: Shape (notes, 5), int32: dt_ms, pedal, pitch, velocity, duration_ms.
        skipped: What could not be read, a sentence each.
    """

    name: str
    files: tuple[str, ...]
    split: tuple[Split, ...]
    offsets: NDArray[np.int64]
    rows: NDArray[np.int32]
    skipped: tuple[str, ...] = ()

    def pieces(self, split: Split) -> Iterator[Notes]:
        """Every piece of a split, decoded."""
        for i, name in enumerate(self.split):
            if name == split:
                yield self.piece(i)

    def piece(self, index: int) -> Notes:
        """One piece."""
        span = slice(self.offsets[index], self.offsets[index + 1])
        return Notes(*self.rows[span].astype(np.int64).T)

    def note_count(self, split: Split) -> int:
        """Notes in a split."""
        lengths = np.diff(self.offsets)
        return int(sum(length for length, name in zip(lengths, self.split, strict=True) if name == split))

    def hours(self, split: Split) -> float:
        """Hours from first to last onset in a split."""
        return sum(float(piece.dt_ms.sum()) for piece in self.pieces(split)) / 3_600_000


def load_corpus(
    folder: Path,
    splits: Path | None,
    cache: Path,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Corpus:
    """Read a folder of MIDI files, from the cache where nothing changed.

    Args:
        folder: Searched at every depth for .mid and .midi.
        splits: A JSON file {path inside the folder: split}; files that it does not name are left out. Or
            a folder that holds such a NAME.json for the corpus folder NAME; without one all of NAME is for
            training. Or None: files are split by a hash of their path, 90 % train, 5 % validation, 5 % test.
        cache: Folder for encoded corpora.
        workers: Processes that read.
        progress: Called with (files done, files in all).

    Raises:
        DataError: No such folder, no MIDI files, or a split file that cannot be used.
        StorageError: The cache cannot be written.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; name a folder of MIDI files.")
    name = folder.name or folder.resolve().name
    assign = _assigner(splits, name)
    encoded = encode_folder(folder, name, cache, workers=workers, progress=progress)
    chosen = assign(encoded.files)
    if not chosen:
        raise DataError(f"{splits} names no file of {folder}.")
    return _corpus(name, encoded, chosen)


def _assigner(splits: Path | None, name: str) -> Callable[[Sequence[str]], dict[str, Split]]:
    if splits is None:
        return hashed_splits
    if splits.is_dir():
        splits = splits / f"{name}.json"
        if not splits.is_file():
            return lambda files: dict.fromkeys(files, "train")
    named = _read_splits(splits)
    return lambda files: {file: named[file] for file in files if file in named}


def _read_splits(path: Path) -> dict[str, Split]:
    try:
        named = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{path} is not a readable split file ({reason}).") from error
    if not isinstance(named, dict) or not all(value in SPLITS for value in named.values()):
        raise DataError(f"{path} must map paths to train, validation or test.")
    return named


def hashed_splits(files: Sequence[str]) -> dict[str, Split]:
    """A split that stays the same when files come or go.

    A file's place depends on its path alone; only where that leaves a small folder without validation or
    test, the files with the lowest hashes fill them.
    """
    percent = {name: _hash(name) % 100 for name in files}
    chosen: dict[str, Split] = {
        name: "validation" if value < 5 else "test" if value < 10 else "train"
        for name, value in percent.items()
    }
    lacking: list[Split] = [split for split in ("validation", "test") if split not in chosen.values()]
    spare = sorted((name for name in files if chosen[name] == "train"), key=_hash)
    chosen.update(zip(spare[:-1], lacking, strict=False))
    return chosen


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])


def _corpus(name: str, encoded: Encoded, chosen: Mapping[str, Split]) -> Corpus:
    kept = [i for i, file in enumerate(encoded.files) if file in chosen]
    offsets, rows = encoded.offsets, encoded.rows
    if len(kept) < len(encoded.files):
        pieces = [rows[offsets[i] : offsets[i + 1]] for i in kept]
        offsets = np.cumsum([0, *(len(piece) for piece in pieces)])
        rows = np.concatenate(pieces)
    files = tuple(encoded.files[i] for i in kept)
    return Corpus(name, files, tuple(chosen[file] for file in files), offsets, rows, encoded.skipped)
