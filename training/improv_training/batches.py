"""Lanes of whole pieces cut into chunks, for stateful truncated backpropagation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from improv_core.notes import Part
from improv_core.representation import ATTRIBUTES, COLUMNS, KEYS, Notes, start_steps, steps, targets
from improv_training.augment import Augmentation, augmented, random_parts
from improv_training.corpora import Corpus, Split


class Batch(NamedTuple):
    """One chunk of every lane, time first (a tuple, as lightning moves no frozen dataclass to a device).

    Attributes:
        columns: (time, lanes, len(COLUMNS)), what is read before each note.
        keys: (time, lanes, KEYS), uint8.
        next_part: (time, lanes), who plays the note to predict.
        targets: (time, lanes, len(ATTRIBUTES)), the note to predict.
        mask: (time, lanes), bool; False pads the end of a piece.
        fresh: (lanes,), bool; the lane begins a piece: its state starts at zero.
    """

    columns: Tensor
    keys: Tensor
    next_part: Tensor
    targets: Tensor
    mask: Tensor
    fresh: Tensor


@dataclass(slots=True)
class _Lane:
    """The piece a lane is in, padded to whole chunks, and the place in it."""

    columns: np.ndarray
    keys: np.ndarray
    next_part: np.ndarray
    targets: np.ndarray
    count: int
    place: int = 0

    @classmethod
    def of(cls, notes: Notes, part: np.ndarray, chunk: int) -> _Lane:
        count = len(notes)
        padding = -count % chunk
        read, start = steps(notes, part), start_steps()
        columns = np.concatenate([start.columns, read.columns[:-1]])
        keys = np.concatenate([start.keys, read.keys[:-1]]).astype(np.uint8)
        return cls(
            np.pad(columns, ((0, padding), (0, 0))),
            np.pad(keys, ((0, padding), (0, 0))),
            np.pad(part, (0, padding)),
            np.pad(targets(notes), ((0, padding), (0, 0))),
            count,
        )

    @property
    def done(self) -> bool:
        return self.place >= self.count


class LaneBatches(IterableDataset[Batch]):
    """Chunks of ``chunk`` notes from ``lanes`` pieces at once, each lane going on where it was.

    Args:
        corpora: Where the pieces are.
        repeats: How often each corpus comes in one epoch.
        split: Which pieces.
        lanes: Pieces side by side.
        chunk: Notes in a chunk.
        seed: Order and augmentation are keyed by (seed, start, how many passes there were before).
        start: Updates made before the first pass, so that a resumed run meets a new order.
        how: Random changes and random parts; without, the notes are as recorded and improv's own.
    """

    def __init__(
        self,
        corpora: Sequence[Corpus],
        repeats: Sequence[int],
        split: Split,
        *,
        lanes: int,
        chunk: int,
        seed: int = 0,
        start: int = 0,
        how: Augmentation | None = None,
    ) -> None:
        self._pieces = [
            (corpus, i)
            for corpus, repeat in zip(corpora, repeats, strict=True)
            for i, name in enumerate(corpus.split)
            if name == split
            for _ in range(repeat)
        ]
        self._lanes, self._chunk, self._key, self._how = lanes, chunk, (seed, start), how
        self._lengths = [int(c.offsets[i + 1] - c.offsets[i]) for c, i in self._pieces]
        self._passes = 0

    @property
    def notes(self) -> int:
        """Notes in one epoch.

        There is no ``__len__``: how many batches hold them depends on when each lane runs dry, and
        lightning cuts an epoch off at the length it is told.
        """
        return sum(self._lengths)

    def __iter__(self) -> Iterator[Batch]:
        """One epoch; while training it ends when fewer than half of the lanes have anything left."""
        rng = np.random.default_rng((*self._key, self._passes))
        self._passes += 1
        queue = list(range(len(self._pieces)))
        if self._how is not None:
            rng.shuffle(queue)
        else:
            queue.sort(key=lambda i: self._lengths[i])  # pops the longest first: lanes end together
        lanes: list[_Lane | None] = [None] * self._lanes
        least = self._lanes // 2 if self._how is not None and len(queue) > self._lanes else 0
        while True:
            fresh = np.zeros(self._lanes, dtype=np.bool_)
            for i, lane in enumerate(lanes):
                if lane is None or lane.done:
                    lanes[i] = self._next_lane(queue, rng)
                    fresh[i] = True
            if sum(lane is not None for lane in lanes) <= least:
                return
            yield self._cut(lanes, fresh)

    def _next_lane(self, queue: list[int], rng: np.random.Generator) -> _Lane | None:
        if not queue:
            return None
        corpus, index = self._pieces[queue.pop()]
        notes = corpus.piece(index)
        if self._how is None:
            return _Lane.of(notes, np.full(len(notes), int(Part.IMPROV)), self._chunk)
        return _Lane.of(augmented(notes, self._how, rng), random_parts(len(notes), rng), self._chunk)

    def _cut(self, lanes: list[_Lane | None], fresh: np.ndarray) -> Batch:
        shape = (self._chunk, self._lanes)
        columns = np.zeros((*shape, len(COLUMNS)), dtype=np.int64)
        keys = np.zeros((*shape, KEYS), dtype=np.uint8)
        next_part = np.zeros(shape, dtype=np.int64)
        wanted = np.zeros((*shape, len(ATTRIBUTES)), dtype=np.int64)
        mask = np.zeros(shape, dtype=np.bool_)
        for i, lane in enumerate(lanes):
            if lane is None:
                continue
            span = slice(lane.place, lane.place + self._chunk)
            columns[:, i], keys[:, i] = lane.columns[span], lane.keys[span]
            next_part[:, i], wanted[:, i] = lane.next_part[span], lane.targets[span]
            mask[: lane.count - lane.place, i] = True
            lane.place += self._chunk
        arrays = (columns, keys, next_part, wanted, mask, fresh)
        return Batch(*(torch.from_numpy(array) for array in arrays))
