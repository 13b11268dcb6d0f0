"""Lanes of whole pieces cut into chunks, for stateful truncated backpropagation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from improv_core.errors import DataError
from improv_core.notes import Part
from improv_core.representation import NoteAttributes, Notes, Piano, Representation, Rows, joined
from improv_training.augment import Augmentation, augmented, random_cast
from improv_training.wishes import random_wishes


class Pieces(Protocol):
    """A corpus, as what is needed of it here."""

    @property
    def split(self) -> tuple[str, ...]:
        """Where each piece belongs."""
        ...

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Piece ``i`` has the notes ``offsets[i]:offsets[i + 1]``."""
        ...

    def piece(self, index: int) -> Notes:
        """One piece."""
        ...


class Batch(NamedTuple):
    """One chunk of every lane, time first (a tuple, as lightning moves no frozen dataclass to a device).

    Attributes:
        columns: (time, lanes, columns), what is read before each step.
        dense: (time, lanes, dense), likewise; uint8 or float.
        asked: (time, lanes, asked), what is asked of the step to predict.
        targets: (time, lanes, attributes), the step to predict.
        mask: (time, lanes), bool; False pads the end of a piece.
        fresh: (lanes,), bool; the lane's state starts at zero.
        total: How many steps count, those in the lanes of other processes included.
        position: The `Position` that is reached with it; a plain tuple, as it goes to no device.
    """

    columns: Tensor
    dense: Tensor
    asked: Tensor
    targets: Tensor
    mask: Tensor
    fresh: Tensor
    total: int
    position: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Position:
    """How far a run has come in its data: what a resumed run goes on from.

    Attributes:
        passes: Whole passes over the training split.
        batches: Batches of the pass that is under way.
    """

    passes: int = 0
    batches: int = 0


@dataclass(frozen=True, slots=True)
class Lanes:
    """How pieces become batches.

    Attributes:
        lanes: Pieces side by side, in all processes together.
        chunk: Steps between two updates of a lane.
        stateful: Whether a lane goes on with its state; otherwise each chunk starts from an empty one.
        rank: Which process this is.
        world: How many there are; each takes every ``world``-th lane.
    """

    lanes: int
    chunk: int
    stateful: bool = True
    rank: int = 0
    world: int = 1


class _Lane:
    """The piece a lane is in, padded to whole chunks, and the place in it.

    Its arrays are made when they are first needed: another process' lane may only have to be counted.
    """

    def __init__(self, make: Callable[[], Rows], count: int | None) -> None:
        self._make = make
        self._rows: Rows | None = None
        self.count = len(self.rows) if count is None else count
        self.place = 0

    @property
    def rows(self) -> Rows:
        """The piece; its steps shifted by one, so that each row holds what is read before it."""
        if self._rows is None:
            self._rows = self._make()
        return self._rows

    @property
    def done(self) -> bool:
        return self.place >= self.count

    def scored(self, chunk: int) -> int:
        """How many steps of the next chunk count."""
        if self._rows is None:
            return min(chunk, self.count - self.place)
        return int(self._rows.scored[self.place : self.place + chunk].sum())


class LaneBatches:
    """Chunks of every lane, each lane going on where it was, a new piece in it when one is over.

    Args:
        corpora: Where the pieces are.
        repeats: How often each corpus comes in one epoch.
        split: Which pieces.
        representation: How they become steps.
        how: Lanes and chunks.
        seed: Order and augmentation are keyed by (seed, pass, place in the order).
        start: Where the first pass begins.
        augmentation: Random changes and random parts; without, the notes are as recorded and improv's own.
    """

    def __init__(
        self,
        corpora: Sequence[Pieces],
        repeats: Sequence[int],
        split: str,
        representation: Representation,
        how: Lanes,
        *,
        seed: int = 0,
        start: Position | None = None,
        augmentation: Augmentation | None = None,
    ) -> None:
        self._pieces = [
            (corpus, i)
            for corpus, repeat in zip(corpora, repeats, strict=True)
            for i, name in enumerate(corpus.split)
            if name == split
            for _ in range(repeat)
        ]
        self._representation, self._how = representation, how
        self._seed, self._augmentation = seed, augmentation
        self._lengths = [int(c.offsets[i + 1] - c.offsets[i]) for c, i in self._pieces]
        start = start or Position()
        self._passes, self._skip = start.passes, start.batches
        # What a step is to a note is known beforehand only where they are the same.
        self._counted = isinstance(representation, Piano | NoteAttributes) and how.stateful

    @property
    def notes(self) -> int:
        """Notes in one pass; into how many batches they go is only known when each lane has run dry."""
        return sum(self._lengths)

    def __iter__(self) -> Iterator[Batch]:
        """One pass; in training it ends when fewer than half of the lanes have anything left."""
        passed, skip = self._passes, self._skip
        self._passes, self._skip = passed + 1, 0
        training = self._augmentation is not None
        queue = self._queue(passed)
        lanes: list[_Lane | None] = [None] * self._how.lanes
        least = len(lanes) // 2 if training and len(queue) > len(lanes) else 0
        fresh, batches, over = self._fill(lanes, queue, passed), 0, not any(lanes)
        while not over:
            batch = self._cut(lanes, fresh) if batches >= skip else None
            for lane in filter(None, lanes):
                lane.place += self._how.chunk
            fresh = self._fill(lanes, queue, passed)
            batches += 1
            over = sum(lane is not None for lane in lanes) <= least
            if batch is not None:
                yield batch._replace(position=(passed + 1, 0) if over else (passed, batches))

    def _queue(self, passed: int) -> list[int]:
        """The pieces of a pass, the first one last."""
        queue = list(range(len(self._pieces)))
        if self._augmentation is not None:
            np.random.default_rng((self._seed, passed)).shuffle(queue)
        else:
            queue.sort(key=lambda i: self._lengths[i])  # the longest first: lanes end together
        return queue

    def _fill(self, lanes: list[_Lane | None], queue: list[int], passed: int) -> NDArray[np.bool_]:
        """Put a new piece into each lane that has none left.

        Returns:
            Which lanes begin anew.
        """
        fresh = np.full(len(lanes), self._augmentation is not None and not self._how.stateful)
        for i, lane in enumerate(lanes):
            while (lane is None or lane.done) and queue:
                lane = self._next_lane(queue, passed)
                fresh[i] = True
            lanes[i] = None if lane is None or lane.done else lane
        return fresh

    def _next_lane(self, queue: list[int], passed: int) -> _Lane:
        place = len(queue)
        index = queue.pop()
        count = self._lengths[index] if self._counted else None
        return _Lane(lambda: self._rows(index, (self._seed, passed, place)), count)

    def _rows(self, index: int, key: tuple[int, ...]) -> Rows:
        corpus, piece = self._pieces[index]
        notes = corpus.piece(piece)
        if self._augmentation is None:
            return _shifted(own_rows(self._representation, notes), self._representation)
        rng = np.random.default_rng(key)
        notes = augmented(notes, self._augmentation, rng)
        rows = self._cast(notes, rng) if self._augmentation.cast else own_rows(self._representation, notes)
        shifted = _shifted(rows, self._representation)
        if self._how.stateful:
            return shifted
        return shifted[int(rng.integers(max(1, min(self._how.chunk, len(shifted) // 2)))) :]

    def _cast(self, notes: Notes, rng: np.random.Generator) -> Rows:
        cast = random_cast(notes, rng)
        wishes = random_wishes(notes, cast.group, rng) if self._representation.asked else None
        return self._representation.rows(notes, cast.part, wishes)

    def _cut(self, lanes: list[_Lane | None], fresh: NDArray[np.bool_]) -> Batch:
        how, representation = self._how, self._representation
        total = sum(lane.scored(how.chunk) for lane in lanes if lane is not None)
        mine = lanes[how.rank :: how.world]
        shape = (how.chunk, len(mine))
        start = representation.start()
        columns = np.zeros((*shape, len(representation.columns)), dtype=np.int64)
        kind = np.uint8 if start.dense.dtype == np.bool_ else np.float32
        dense = np.zeros((*shape, representation.dense.width), dtype=kind)
        asked = np.zeros((*shape, len(representation.asked)), dtype=np.int64)
        wanted = np.zeros((*shape, len(representation.attributes)), dtype=np.int64)
        mask = np.zeros(shape, dtype=np.bool_)
        for i, lane in enumerate(mine):
            if lane is None:
                continue
            rows, span = lane.rows, slice(lane.place, lane.place + how.chunk)
            here = min(how.chunk, lane.count - lane.place)
            columns[:here, i], dense[:here, i] = rows.read.columns[span], rows.read.dense[span]
            asked[:here, i], wanted[:here, i] = rows.asked[span], rows.targets[span]
            mask[:here, i] = rows.scored[span]
        return Batch(
            columns=torch.from_numpy(columns),
            dense=torch.from_numpy(dense),
            asked=torch.from_numpy(asked),
            targets=torch.from_numpy(wanted),
            mask=torch.from_numpy(mask),
            fresh=torch.from_numpy(fresh[how.rank :: how.world].copy()),
            total=total,
            position=(0, 0),
        )


def own_rows(representation: Representation, notes: Notes) -> Rows:
    """A piece as steps, all improv's own, of which nothing is known and nothing asked."""
    return representation.rows(replace(notes, setting=None), np.full(len(notes), int(Part.IMPROV)))


def _shifted(rows: Rows, representation: Representation) -> Rows:
    """Each row with what is read before it."""
    return replace(rows, read=joined([representation.start(), rows.read[:-1]]))


class Endless:
    """Pass after pass, so that lightning sees one epoch that only the plan ends.

    Args:
        batches: One pass each time it is gone through.
    """

    def __init__(self, batches: LaneBatches) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[Batch]:
        """Every pass, one after the other.

        Raises:
            DataError: Passes are empty.
        """
        empty = 0
        while empty < 2:  # one may be: of a run that goes on at the end of its pass
            empty += 1
            for batch in self._batches:
                empty = 0
                yield batch
        raise DataError("The pieces to train on hold nothing that the model could read.")
