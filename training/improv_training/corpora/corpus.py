"""Encoded pieces with their splits; needs numpy alone, so that fitting runs where no MIDI can be read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from improv_core.errors import DataError, StorageError
from improv_core.representation import STYLES, Notes, Setting
from improv_training.corpora.encoded import COLUMNS, RowsWriter, read_index, replacing, rows_path, write_index

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

Tracks = Literal["piano", "melody", "all"]
"""Which voices of a file are read, see `improv_training.corpora.tracks.chosen_rows`."""

TRACKS: tuple[Tracks, ...] = get_args(Tracks)

Place = Literal["train", "validation", "test", "left out"]
PLACES: tuple[Place, ...] = get_args(Place)

_DT_MS, _BEAT_MS = COLUMNS.index("dt_ms"), COLUMNS.index("beat_ms")


@dataclass(frozen=True, slots=True)
class Corpus:
    """All pieces of one folder.

    Attributes:
        name: The folder's name.
        files: Path of each piece, relative to the folder.
        split: Where each piece belongs; those "left out" count for nothing.
        offsets: Shape (pieces + 1,): piece ``i`` is rows ``offsets[i]:offsets[i + 1]``.
        rows: Shape (notes, 8), int32: `improv_training.corpora.encoded.COLUMNS`; read-only, mapped into
            memory where the corpus comes from a cache.
        skipped: What could not be read, a sentence each.
        style: Of all its pieces, one of `STYLES`; None: unknown.
    """

    name: str
    files: tuple[str, ...]
    split: tuple[Place, ...]
    offsets: NDArray[np.int64]
    rows: NDArray[np.int32]
    skipped: tuple[str, ...] = ()
    style: str | None = None

    def pieces(self, split: Split) -> Iterator[Notes]:
        """Every piece of a split, decoded."""
        for i, name in enumerate(self.split):
            if name == split:
                yield self.piece(i)

    def piece(self, index: int) -> Notes:
        """One piece."""
        span = slice(self.offsets[index], self.offsets[index + 1])
        columns = self.rows[span].astype(np.int64).T
        dt_ms, pedal, pitch, velocity, duration_ms, voice, beat_ticks, beat_ms = columns
        setting = Setting(voice, beat_ticks, beat_ms, self.style)
        return Notes(dt_ms, pedal, pitch, velocity, duration_ms, setting)

    def note_count(self, split: Split) -> int:
        """Notes in a split."""
        lengths = np.diff(self.offsets)
        return int(sum(length for length, name in zip(lengths, self.split, strict=True) if name == split))

    def hours(self, split: Split) -> float:
        """Hours from first to last onset in a split."""
        spans = [
            self.rows[begin:end, _DT_MS].sum(dtype=np.int64)
            for begin, end, name in zip(self.offsets, self.offsets[1:], self.split, strict=False)
            if name == split
        ]
        return float(sum(spans)) / 3_600_000

    def has_beats(self, split: Split) -> bool:
        """Whether the beat is known of any note in a split."""
        return any(
            bool((self.rows[begin:end, _BEAT_MS] > 0).any())
            for begin, end, name in zip(self.offsets, self.offsets[1:], self.split, strict=False)
            if name == split
        )


def save_corpus(corpus: Corpus, folder: Path) -> Path:
    """Write a corpus as NAME.json and its rows beside it, to be trained on elsewhere.

    Returns:
        The index, NAME.json.

    Raises:
        StorageError: The folder cannot be written.
    """
    index = folder / f"{corpus.name}.json"
    fingerprint = hashlib.sha256(np.ascontiguousarray(corpus.rows).data).hexdigest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(rows_path(index, fingerprint)) as file:
            writer = RowsWriter(file)
            writer.write(corpus.rows)
            writer.finish()
        write_index(
            index,
            fingerprint,
            list(corpus.files),
            corpus.offsets.tolist(),
            list(corpus.skipped),
            name=corpus.name,
            split=list(corpus.split),
            style=corpus.style,
        )
    except OSError as error:
        raise StorageError(f"{folder} cannot be written ({error.strerror or error}).") from error
    return index


def open_corpus(index: Path) -> Corpus:
    """What `save_corpus` wrote; the rows stay on disk until they are looked at.

    Raises:
        DataError: There is none, or it is damaged or of another version.
    """
    stored = read_index(index)
    if stored is None:
        raise DataError(f"{index} is no encoded corpus of this improv, or is damaged; encode it again.")
    encoded, content = stored
    split = content.get("split")
    named = isinstance(split, list) and len(split) == len(encoded.files) and set(split) <= set(PLACES)
    if not named:
        raise DataError(f"{index} does not say which pieces are for training; encode it again.")
    style = content.get("style")
    if style is not None and style not in STYLES:
        raise DataError(f"{index} has the style {style!r}, which is none of {', '.join(STYLES)}.")
    name = str(content.get("name", index.stem))
    return Corpus(
        name, encoded.files, tuple(content["split"]), encoded.offsets, encoded.rows, encoded.skipped, style
    )
