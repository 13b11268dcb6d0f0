"""Folders of MIDI files to encoded arrays, split into train, validation and test."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from improv_core.errors import DataError, MidiFileError
from improv_core.midi_files import read_performance
from improv_core.representation import Notes, encode

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

ENCODING_VERSION = 1
"""Raise it when `Notes` or their encoding change; cached corpora of other versions are made again."""

_FIELDS = ("dt_ms", "pedal", "pitch", "velocity", "duration_ms")


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
        splits: A JSON file {path inside the folder: split}, or a folder that holds NAME.json for the
            corpus folder NAME, or None. Files it does not name, or all without one, are split by a hash
            of their path: 90 % train, 5 % validation, 5 % test; with a split file unnamed files are left out.
        cache: Folder for encoded corpora.
        workers: Processes that read.
        progress: Called with (files done, files in all).

    Raises:
        DataError: No such folder, no MIDI files, or a split file that cannot be used.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; name a folder of MIDI files.")
    chosen = _assign(folder, _find_files(folder), splits)
    cached = cache / f"{folder.name}-{_fingerprint(folder, chosen)}.npz"
    if cached.is_file():
        return _load(cached, folder.name)
    corpus = _encode_all(folder, chosen, workers, progress)
    cache.mkdir(parents=True, exist_ok=True)
    _save(corpus, cached)
    return corpus


def _find_files(folder: Path) -> list[str]:
    found = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in (".mid", ".midi") and path.is_file()
    )
    if not found:
        raise DataError(f"{folder} holds no .mid or .midi files.")
    return found


def _assign(folder: Path, files: Sequence[str], splits: Path | None) -> dict[str, Split]:
    if splits is not None and splits.is_dir():
        splits = splits / f"{folder.name}.json"
        if not splits.is_file():
            return dict.fromkeys(files, "train")
    if splits is None:
        return {name: _hashed_split(name) for name in files}
    try:
        named = json.loads(splits.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{splits} is not a readable split file ({error}).") from error
    if not isinstance(named, dict) or not set(named.values()) <= set(SPLITS):
        raise DataError(f"{splits} must map paths to train, validation or test.")
    chosen = {name: named[name] for name in files if name in named}
    if not chosen:
        raise DataError(f"{splits} names no file of {folder}.")
    return chosen


def _hashed_split(name: str) -> Split:
    percent = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % 100
    return "validation" if percent < 5 else "test" if percent < 10 else "train"


def _fingerprint(folder: Path, chosen: dict[str, Split]) -> str:
    digest = hashlib.sha256(f"{ENCODING_VERSION} {folder.resolve()}".encode())
    for name, split in chosen.items():
        stat = (folder / name).stat()
        digest.update(f"{name} {split} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _read(path: Path) -> NDArray[np.int32] | str:
    try:
        notes = encode(read_performance(path))
    except MidiFileError as error:
        return str(error)
    return np.stack([getattr(notes, name) for name in _FIELDS], axis=1).astype(np.int32)


def _encode_all(
    folder: Path, chosen: dict[str, Split], workers: int, progress: Callable[[int, int], None] | None
) -> Corpus:
    files: list[str] = []
    rows: list[NDArray[np.int32]] = []
    skipped: list[str] = []
    with ProcessPoolExecutor(workers) as pool:
        results = pool.map(_read, [folder / name for name in chosen], chunksize=4)
        for done, (name, result) in enumerate(zip(chosen, results, strict=True), start=1):
            if progress is not None:
                progress(done, len(chosen))
            if isinstance(result, str):
                skipped.append(result)
                continue
            files.append(name)
            rows.append(result)
    if not files:
        raise DataError(f"{folder}: none of {len(chosen)} MIDI files could be read; the first: {skipped[0]}")
    return Corpus(
        name=folder.name,
        files=tuple(files),
        split=tuple(chosen[name] for name in files),
        offsets=np.cumsum([0, *(len(piece) for piece in rows)]),
        rows=np.concatenate(rows),
        skipped=tuple(skipped),
    )


def _save(corpus: Corpus, path: Path) -> None:
    partial = path.with_suffix(".partial.npz")
    np.savez(
        partial,
        files=np.array(corpus.files),
        split=np.array(corpus.split),
        skipped=np.array(corpus.skipped, dtype=np.str_),
        offsets=corpus.offsets,
        rows=corpus.rows,
    )
    partial.replace(path)


def _load(path: Path, name: str) -> Corpus:
    with np.load(path) as stored:
        return Corpus(
            name=name,
            files=tuple(stored["files"].tolist()),
            split=tuple(stored["split"].tolist()),
            offsets=stored["offsets"],
            rows=stored["rows"],
            skipped=tuple(stored["skipped"].tolist()),
        )
