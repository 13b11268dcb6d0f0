"""The MIDI files of a folder as arrays of notes, kept in a cache until a file changes."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from improv_core.errors import DataError, MidiFileError, StorageError
from improv_core.midi_files import read_performance
from improv_core.representation import encode

ENCODING_VERSION = 2
"""Raise it when `Notes` or their encoding change; cached corpora of other versions are made again."""

_FIELDS = ("dt_ms", "pedal", "pitch", "velocity", "duration_ms")
_FEW_FILES = 64
"""Not worth other processes."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """All pieces of one folder, whatever split they belong to.

    Attributes:
        files: Path of each piece, relative to the folder.
        offsets: Shape (pieces + 1,): piece ``i`` is rows ``offsets[i]:offsets[i + 1]``.
        rows: Shape (notes, 5), int32: dt_ms, pedal, pitch, velocity, duration_ms.
        skipped: What could not be read, a sentence each.
    """

    files: tuple[str, ...]
    offsets: NDArray[np.int64]
    rows: NDArray[np.int32]
    skipped: tuple[str, ...]


def encode_folder(
    folder: Path,
    name: str,
    cache: Path,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Encoded:
    """Every MIDI file of a folder, from the cache where nothing changed.

    Args:
        folder: Searched at every depth for .mid and .midi.
        name: Of the corpus, for the cache.
        cache: Folder for encoded corpora; made when missing.
        workers: Processes that read.
        progress: Called with (files done, files in all).

    Raises:
        DataError: There are no MIDI files, or none can be read.
        StorageError: The cache cannot be written.
    """
    files = _find_files(folder)
    place = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    cached, fingerprint = cache / f"{name}-{place}.npz", _fingerprint(folder, files)
    encoded = _load(cached, fingerprint)
    if encoded is None:
        _make_writable(cache)
        encoded = _encode(folder, files, workers, progress)
        _save(encoded, cached, fingerprint)
    return encoded


def _find_files(folder: Path) -> list[str]:
    found = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in (".mid", ".midi") and path.is_file()
    )
    if not found:
        raise DataError(f"{folder} holds no .mid or .midi files.")
    return found


def _fingerprint(folder: Path, files: Sequence[str]) -> str:
    digest = hashlib.sha256(f"{ENCODING_VERSION}\n".encode())
    for name in files:
        stat = (folder / name).stat()
        digest.update(f"{name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _encode(
    folder: Path, files: Sequence[str], workers: int, progress: Callable[[int, int], None] | None
) -> Encoded:
    readable: list[str] = []
    rows: list[NDArray[np.int32]] = []
    skipped: list[str] = []
    with _reader(workers if len(files) > _FEW_FILES else 1) as read_all:
        results = read_all([folder / name for name in files])
        for done, (name, result) in enumerate(zip(files, results, strict=True), start=1):
            if progress is not None:
                progress(done, len(files))
            if isinstance(result, str):
                skipped.append(result)
            else:
                readable.append(name)
                rows.append(result)
    if not readable:
        raise DataError(f"{folder}: none of {len(files)} MIDI files could be read; the first: {skipped[0]}")
    offsets = np.cumsum([0, *(len(piece) for piece in rows)])
    return Encoded(tuple(readable), offsets, np.concatenate(rows), tuple(skipped))


_Read = NDArray[np.int32] | str


@contextmanager
def _reader(workers: int) -> Iterator[Callable[[Sequence[Path]], Iterator[_Read]]]:
    if workers == 1:
        yield lambda paths: map(_read, paths)
        return
    # Spawned, as forking a process that has threads (torch) may hang; Ctrl-C is for the parent alone.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, signal.signal, (signal.SIGINT, signal.SIG_IGN))
    try:
        yield lambda paths: pool.map(_read, paths, chunksize=4)
    finally:
        pool.shutdown(cancel_futures=True)


def _read(path: Path) -> _Read:
    try:
        notes = encode(read_performance(path))
    except MidiFileError as error:
        return str(error)
    return np.stack([getattr(notes, name) for name in _FIELDS], axis=1).astype(np.int32)


def _make_writable(cache: Path) -> None:
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(cache, error) from error
    if not os.access(cache, os.W_OK | os.X_OK):
        raise _unwritable(cache, PermissionError())


def _unwritable(cache: Path, error: OSError) -> StorageError:
    reason = error.strerror or "no permission"
    return StorageError(f"The folder {cache} for encoded corpora cannot be written ({reason}); use --cache.")


def _save(encoded: Encoded, path: Path, fingerprint: str) -> None:
    partial = path.with_suffix(f".{os.getpid()}.npz")
    try:
        np.savez(
            partial,
            fingerprint=np.array(fingerprint),
            files=np.array(encoded.files),
            skipped=np.array(encoded.skipped, dtype=np.str_),
            offsets=encoded.offsets,
            rows=encoded.rows,
        )
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise _unwritable(path.parent, error) from error


def _load(path: Path, fingerprint: str) -> Encoded | None:
    """What the cache holds, None when that is nothing, out of date or damaged."""
    try:
        with path.open("rb") as file, np.load(file) as stored:  # by path, numpy leaks the file when damaged
            if stored["fingerprint"].item() != fingerprint:
                return None
            return Encoded(
                files=tuple(stored["files"].tolist()),
                offsets=stored["offsets"],
                rows=stored["rows"],
                skipped=tuple(stored["skipped"].tolist()),
            )
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None
