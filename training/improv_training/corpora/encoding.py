"""MIDI files as arrays of notes, read on all cores and kept in a cache until a file changes."""

from __future__ import annotations

import hashlib
import itertools
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from improv_core.errors import DataError, MidiFileError, StorageError
from improv_training.corpora.corpus import Tracks
from improv_training.corpora.encoded import (
    ENCODING_VERSION,
    Encoded,
    RowsWriter,
    read_index,
    replacing,
    rows_path,
    write_index,
)
from improv_training.corpora.fast_midi import read_voices
from improv_training.corpora.sources import Folder, Member, Source, load_member
from improv_training.corpora.tracks import chosen_rows

Progress = Callable[[int, int], None]

_FEW_FILES = 64
"""Not worth other processes."""

_BATCH = 16
"""Members that a process reads at a time."""

_WAITING = 4
"""Batches for each process, so that of an archive little is in memory at once."""


def encode_source(
    source: Source | Path,
    cache: Path,
    *,
    tracks: Tracks = "all",
    workers: int = 1,
    progress: Progress | None = None,
) -> Encoded:
    """Every MIDI file of a folder or archive, from the cache where nothing changed.

    Args:
        source: What holds them; a path means a folder.
        cache: Folder for encoded corpora; made when missing.
        tracks: Which voices are read, see `improv_training.corpora.tracks.chosen_rows`.
        workers: Processes that read.
        progress: Called with how much is done and how much there is, files or bytes of an archive.

    Raises:
        DataError: There are no MIDI files, or none can be read.
        StorageError: The cache cannot be written.
    """
    if isinstance(source, Path):
        source = Folder(source)
    place = hashlib.sha256(f"{tracks} {source.path.resolve()}".encode()).hexdigest()[:12]
    index = cache / f"{source.name}-{place}.json"
    fingerprint = hashlib.sha256(f"{ENCODING_VERSION}\n{source.state}".encode()).hexdigest()
    stored = read_index(index, fingerprint)
    if stored is None:
        _make_writable(cache)
        try:
            _encode(source, index, fingerprint, tracks, workers, progress)
        except OSError as error:
            raise _unwritable(cache, error) from error
        stored = read_index(index, fingerprint)
        if stored is None:
            raise DataError(f"{index} was written and cannot be read again; check the disk, or use --cache.")
    return stored[0]


def _encode(
    source: Source, index: Path, fingerprint: str, tracks: Tracks, workers: int, progress: Progress | None
) -> None:
    readable: list[str] = []
    offsets = [0]
    skipped: list[str] = []
    with replacing(rows_path(index, fingerprint)) as file, _reader(workers, tracks) as read_all:
        writer = RowsWriter(file)
        for member, result in read_all(source.members()):
            if progress is not None:
                progress(member.done, member.total)
            if isinstance(result, str):
                skipped.append(result)
            else:
                readable.append(member.name)
                offsets.append(offsets[-1] + len(result))
                writer.write(result)
        if not readable:
            raise _nothing_readable(source, skipped)
        writer.finish()
    write_index(index, fingerprint, readable, offsets, skipped)


def _nothing_readable(source: Source, skipped: Sequence[str]) -> DataError:
    if not skipped:
        return DataError(f"{source.path} holds no .mid or .midi files.")
    files = "1 MIDI file" if len(skipped) == 1 else f"{len(skipped)} MIDI files"
    return DataError(f"{source.path}: none of {files} could be read; the first: {skipped[0]}")


_Read = NDArray[np.int32] | str
_Task = tuple[str, Path | bytes | str]


@contextmanager
def _reader(
    workers: int, tracks: Tracks
) -> Iterator[Callable[[Iterable[Member]], Iterator[tuple[Member, _Read]]]]:
    if workers == 1:
        yield lambda members: _alone(members, tracks)
        return
    # Spawned, as forking a process that has threads (torch) may hang.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin_worker)
    try:
        yield lambda members: _together(pool, members, tracks, workers * _WAITING)
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent alone
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # Killed, the parent cannot tell its pool, and a worker that waits for tasks would wait for ever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _alone(members: Iterable[Member], tracks: Tracks) -> Iterator[tuple[Member, _Read]]:
    return ((member, _read((member.label, member.content), tracks)) for member in members)


def _together(
    pool: ProcessPoolExecutor, members: Iterable[Member], tracks: Tracks, most: int
) -> Iterator[tuple[Member, _Read]]:
    members = iter(members)
    first = list(itertools.islice(members, _FEW_FILES))
    if len(first) < _FEW_FILES:
        return _alone(first, tracks)
    return _in_order(pool, itertools.chain(first, members), tracks, most)


def _in_order(
    pool: ProcessPoolExecutor, members: Iterable[Member], tracks: Tracks, most: int
) -> Iterator[tuple[Member, _Read]]:
    """Each member with what was read of it, few at a time."""
    waiting: deque[tuple[list[Member], Future[list[_Read]]]] = deque()
    members = iter(members)
    while True:
        batch = list(itertools.islice(members, _BATCH))
        if batch:
            tasks = [(member.label, member.content) for member in batch]
            waiting.append((_without_content(batch), pool.submit(_read_batch, tasks, tracks)))
        if waiting and (not batch or len(waiting) >= most):
            done, future = waiting.popleft()
            yield from zip(done, future.result(), strict=True)
        if not batch and not waiting:
            return


def _without_content(batch: Sequence[Member]) -> list[Member]:
    return [Member(one.name, one.label, "", one.done, one.total) for one in batch]


def _read_batch(tasks: Sequence[_Task], tracks: Tracks) -> list[_Read]:
    return [_read(task, tracks) for task in tasks]


def _read(task: _Task, tracks: Tracks) -> _Read:
    label, content = task
    if isinstance(content, str):
        return content
    try:
        return chosen_rows(read_voices(load_member(content), label), tracks, label)
    except MidiFileError as error:
        return str(error)


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
