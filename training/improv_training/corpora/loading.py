"""Folders and archives of MIDI files to encoded arrays, split into train, validation and test."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from improv_core.errors import DataError
from improv_training.corpora.archives import Archive, is_archive
from improv_training.corpora.corpus import SPLITS, Corpus, Place, Split, Tracks
from improv_training.corpora.encoding import Progress, encode_source
from improv_training.corpora.sources import Folder, Source
from improv_training.mix import NO_MIX, Mix

HELD_OUT: Final = 10
"""Percent: half of them for validation, half for the test."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What of a corpus is read, and how.

    Attributes:
        tracks: Which voices are read, see `improv_training.corpora.tracks.chosen_rows`.
        mix: What is said of corpora: the style of each, and where its beats are known from.
        canonical: Whether notes take the form of `improv_training.corpora.canonical`.
        held_out: Percent that are not for training, where no splits are given; None: 10.
    """

    tracks: Tracks = "all"
    mix: Mix = NO_MIX
    canonical: bool = False
    held_out: int | None = None


AS_PLAYED: Final = Reading()
"""Every voice as it was played, and nothing said of it."""


def load_corpus(
    folder: Path,
    splits: Path | None,
    cache: Path,
    reading: Reading = AS_PLAYED,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> Corpus:
    """Read a folder or archive of MIDI files, from the cache where nothing changed.

    Args:
        folder: Searched at every depth for .mid and .midi; or a .zip, .tar, .tar.gz or .tar.xz archive,
            which is never unpacked.
        splits: A JSON file {path inside the folder: split}; files that it does not name are left out. Or
            a folder that holds such a NAME.json for the corpus folder NAME; without one all of NAME is for
            training. Or None: files are split by a hash of their path, 90 % train, 5 % validation, 5 % test.
        cache: Folder for encoded corpora.
        reading: What of it is read, and how.
        workers: Processes that read.
        progress: Called with how much is done and how much there is, files or bytes of an archive.

    Raises:
        DataError: No such folder, no MIDI files, no annotations where beats are to be read from such, or a
            split file or archive that cannot be used.
        StorageError: The cache cannot be written.
    """
    source = _source(folder)
    assign = _assigner(splits, source.name, reading.held_out or HELD_OUT)
    said = reading.mix.of(source.name)
    if said.beats == "annotations" and not isinstance(source, Folder):
        raise DataError(
            f"{folder} is an archive, and annotations of beats are read beside the files of a folder: "
            "unpack it, and name the folder."
        )
    encoded = encode_source(
        source,
        cache,
        tracks=reading.tracks,
        beats=said.beats,
        canonical=reading.canonical,
        workers=workers,
        progress=progress,
    )
    chosen = assign(encoded.files)
    if not chosen:
        raise DataError(f"{splits} names no file of {folder}.")
    split: list[Place] = [chosen.get(file, "left out") for file in encoded.files]
    return Corpus(
        source.name,
        encoded.files,
        tuple(split),
        encoded.offsets,
        encoded.rows,
        encoded.skipped,
        style=said.style,
    )


def _source(path: Path) -> Source:
    if path.is_dir():
        return Folder(path)
    if is_archive(path):
        return Archive(path)
    raise DataError(
        f"{path} is not a folder; name a folder of MIDI files or an archive of them (.zip, .tar, .tar.gz or "
        ".tar.xz)."
    )


def _assigner(splits: Path | None, name: str, held_out: int) -> Callable[[Sequence[str]], dict[str, Split]]:
    if splits is None:
        return lambda files: hashed_splits(files, held_out)
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


def hashed_splits(files: Sequence[str], held_out: int = HELD_OUT) -> dict[str, Split]:
    """A split that stays the same when files come or go.

    A file's place depends on its path alone; only where that leaves a small folder without validation or
    test, the files with the lowest hashes fill them.

    Args:
        files: Paths.
        held_out: Percent that are not for training; what is beyond 10 is for validation, so that the test
            is the same whatever was held out.
    """
    percent = {name: _hash(name) % 100 for name in files}
    chosen: dict[str, Split] = {
        name: "validation" if value < 5 else "test" if value < 10 else "train"
        for name, value in percent.items()
    }
    lacking: list[Split] = [split for split in ("validation", "test") if split not in chosen.values()]
    spare = sorted((name for name in files if chosen[name] == "train"), key=_hash)
    chosen.update(zip(spare[:-1], lacking, strict=False))
    more = [name for name in files if chosen[name] == "train" and percent[name] < held_out]
    left = list(chosen.values()).count("train")
    chosen.update(dict.fromkeys(more[: left - 1], "validation"))
    return chosen


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])
