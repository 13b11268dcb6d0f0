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
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from improv_core.errors import DataError, MidiFileError, StorageError
from improv_training.corpora.beats import ANNOTATIONS, BeatMap, Beats, read_annotations
from improv_training.corpora.canonical import canonical_rows
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
from improv_training.corpora.fast_midi import read_beats, read_voices
from improv_training.corpora.sources import Folder, Member, Source, load_member
from improv_training.corpora.tracks import chosen_rows

Progress = Callable[[int, int], None]

_FEW_FILES = 64
"""Not worth other processes."""

_BATCH = 16
"""Members that a process reads at a time."""

_WAITING = 4
"""Batches for each process, so that of an archive little is in memory at once."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is read of each file."""

    tracks: Tracks
    beats: Beats
    canonical: bool


def encode_source(
    source: Source | Path,
    cache: Path,
    *,
    tracks: Tracks = "all",
    beats: Beats = "none",
    canonical: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> Encoded:
    """Every MIDI file of a folder or archive, from the cache where nothing changed.

    Args:
        source: What holds them; a path means a folder.
        cache: Folder for encoded corpora; made when missing.
        tracks: Which voices are read, see `improv_training.corpora.tracks.chosen_rows`.
        beats: Where the beats of each file are known from.
        canonical: Whether notes take the form of `improv_training.corpora.canonical`.
        workers: Processes that read.
        progress: Called with how much is done and how much there is, files or bytes of an archive.

    Raises:
        DataError: There are no MIDI files, or none can be read; or beats are to be read from annotations and
            there are none.
        StorageError: The cache cannot be written.
    """
    if isinstance(source, Path):
        source = Folder(source)
    form = "canonical" if canonical else "as played"
    place = hashlib.sha256(f"{tracks} {beats} {form} {source.path.resolve()}".encode()).hexdigest()[:12]
    index = cache / f"{source.name}-{place}.json"
    fingerprint = hashlib.sha256(f"{ENCODING_VERSION}\n{source.state}".encode()).hexdigest()
    stored = read_index(index, fingerprint)
    if stored is None:
        _make_writable(cache)
        try:
            _encode(source, index, fingerprint, _Wanted(tracks, beats, canonical), workers, progress)
        except OSError as error:
            raise _unwritable(cache, error) from error
        stored = read_index(index, fingerprint)
        if stored is None:
            raise DataError(f"{index} was written and cannot be read again; check the disk, or use --cache.")
    return stored[0]


def _encode(
    source: Source, index: Path, fingerprint: str, wanted: _Wanted, workers: int, progress: Progress | None
) -> None:
    readable: list[str] = []
    offsets = [0]
    skipped: list[str] = []
    annotated = False
    with replacing(rows_path(index, fingerprint)) as file, _reader(workers, wanted) as read_all:
        writer = RowsWriter(file)
        for member, (rows, sentence) in read_all(source.members()):
            if progress is not None:
                progress(member.done, member.total)
            if sentence is not None:
                skipped.append(sentence)
            if rows is not None:
                readable.append(member.name)
                offsets.append(offsets[-1] + len(rows))
                writer.write(rows)
                annotated |= member.beats is not None
        if not readable:
            raise _nothing_readable(source, skipped)
        if wanted.beats == "annotations" and not annotated:
            raise DataError(
                f"{source.path}: none of its files has beats annotated in a {ANNOTATIONS} beside it."
            )
        writer.finish()
    write_index(index, fingerprint, readable, offsets, skipped)


def _nothing_readable(source: Source, skipped: Sequence[str]) -> DataError:
    if not skipped:
        return DataError(f"{source.path} holds no .mid or .midi files.")
    files = "1 MIDI file" if len(skipped) == 1 else f"{len(skipped)} MIDI files"
    return DataError(f"{source.path}: none of {files} could be read; the first: {skipped[0]}")


_Read = tuple[NDArray[np.int32] | None, str | None]
"""The rows of a file, and a sentence on what could not be read."""

_Task = tuple[str, Path | bytes | str, Path | None]


@contextmanager
def _reader(
    workers: int, wanted: _Wanted
) -> Iterator[Callable[[Iterable[Member]], Iterator[tuple[Member, _Read]]]]:
    if workers == 1:
        yield lambda members: _alone(members, wanted)
        return
    # Spawned, as forking a process that has threads (torch) may hang.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin_worker)
    try:
        yield lambda members: _together(pool, members, wanted, workers * _WAITING)
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


def _alone(members: Iterable[Member], wanted: _Wanted) -> Iterator[tuple[Member, _Read]]:
    return ((member, _read(_task(member), wanted)) for member in members)


def _task(member: Member) -> _Task:
    return member.label, member.content, member.beats


def _together(
    pool: ProcessPoolExecutor, members: Iterable[Member], wanted: _Wanted, most: int
) -> Iterator[tuple[Member, _Read]]:
    members = iter(members)
    first = list(itertools.islice(members, _FEW_FILES))
    if len(first) < _FEW_FILES:
        return _alone(first, wanted)
    return _in_order(pool, itertools.chain(first, members), wanted, most)


def _in_order(
    pool: ProcessPoolExecutor, members: Iterable[Member], wanted: _Wanted, most: int
) -> Iterator[tuple[Member, _Read]]:
    """Each member with what was read of it, few at a time."""
    waiting: deque[tuple[list[Member], Future[list[_Read]]]] = deque()
    members = iter(members)
    while True:
        batch = list(itertools.islice(members, _BATCH))
        if batch:
            tasks = [_task(member) for member in batch]
            waiting.append((_without_content(batch), pool.submit(_read_batch, tasks, wanted)))
        if waiting and (not batch or len(waiting) >= most):
            done, future = waiting.popleft()
            yield from zip(done, future.result(), strict=True)
        if not batch and not waiting:
            return


def _without_content(batch: Sequence[Member]) -> list[Member]:
    return [replace(one, content="") for one in batch]


def _read_batch(tasks: Sequence[_Task], wanted: _Wanted) -> list[_Read]:
    return [_read(task, wanted) for task in tasks]


def _read(task: _Task, wanted: _Wanted) -> _Read:
    label, content, annotations = task
    if isinstance(content, str):
        return None, content
    try:
        data = load_member(content)
        voices = read_voices(data, label)
        beats, sentence = _beats(data, annotations, wanted.beats)
        read = canonical_rows if wanted.canonical else chosen_rows
        return read(voices, wanted.tracks, label, beats), sentence
    except MidiFileError as error:
        return None, str(error)


def _beats(data: bytes, annotations: Path | None, source: Beats) -> tuple[BeatMap | None, str | None]:
    """Where the beats of a file are, and a sentence on what could not be read."""
    if source == "ticks":
        return read_beats(data), None
    if source == "none" or annotations is None:
        return None, None
    try:
        return read_annotations(annotations), None
    except DataError as error:
        return None, f"{error}; its music is read without beats."


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
