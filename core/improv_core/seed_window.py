"""The rolling seed window: what is remembered, from which the state is made anew now and then.

After hours of playing a state has read more than any piece it was trained on; a window is what the model
knows how to read. It is made anew in the background, in chunks, while the player plays.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from improv_core.heard import HeardNote
from improv_core.model import Model, State
from improv_core.notes import Part
from improv_core.representation import Steps, joined, start_steps

REBUILD_CHUNK: Final = 32
"""Steps of the window that are read in one go."""

STALE_SHARE: Final = 0.25
"""The state is made anew when it has read so much of a window's length that the window holds no more."""

_WEIGHING_KEY: Final = 1 << 40
"""Keys the choice of improv's turns that are kept apart from what is drawn in them.

NumPy reads it as two words, 0 and 1 << 8: a note and a lane of a rehearsal that there never is.
"""


@dataclass(slots=True)
class Remembered:
    """A note of either player, as it was read.

    Attributes:
        step: What the model read of it.
        note: What it was.
        turn: In which of improv's turns it was played; None for the player's.
    """

    step: Steps
    note: HeardNote
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class WindowMark:
    """What a window held, for `SeedWindow.go_back`.

    Attributes:
        kept: Oldest first.
        latest: The step of the latest, which may be read again; None in an empty window.
        count: How many notes it had taken.
        forgotten: How many of them the state has read and the window held no more.
    """

    kept: tuple[Remembered, ...]
    latest: Steps | None
    count: int
    forgotten: int


class SeedWindow:
    """The latest notes of both, oldest first, bounded in number and in time.

    Args:
        notes: How many at the most.
        seconds: How far back from the latest note.
        own_weight: What share of improv's own turns is read again when the state is made anew.
        seed: Of the choice of these.
    """

    def __init__(
        self, notes: int, seconds: float = float("inf"), own_weight: float = 1.0, *, seed: int = 0
    ) -> None:
        self.notes, self.seconds, self.own_weight = notes, seconds, own_weight
        self._seed = seed
        self._kept: deque[Remembered] = deque()
        self._count = 0
        self._forgotten = 0
        self._returns = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Remembered]:
        return iter(self._kept)

    @property
    def latest(self) -> Remembered | None:
        """What was remembered last."""
        return self._kept[-1] if self._kept else None

    def last(self, count: int) -> list[HeardNote]:
        """The latest notes of it, oldest first."""
        latest = [one.note for one, _ in zip(reversed(self._kept), range(count), strict=False)]
        return latest[::-1]

    @property
    def heard(self) -> list[HeardNote]:
        """The notes of it, oldest first."""
        return [one.note for one in self._kept]

    @property
    def is_stale(self) -> bool:
        """Whether the state has read much that the window holds no more."""
        return self._forgotten >= STALE_SHARE * self.notes

    def mark(self) -> WindowMark:
        """What it holds."""
        kept = tuple(self._kept)
        return WindowMark(kept, kept[-1].step if kept else None, self._count, self._forgotten)

    def since(self, mark: WindowMark) -> list[HeardNote]:
        """What was added after a mark and is remembered, oldest first."""
        return self.last(max(0, self._count - mark.count))

    def go_back(self, mark: WindowMark) -> None:
        """Hold again what it held."""
        self._kept = deque(mark.kept)
        if mark.latest is not None:
            self._kept[-1].step = mark.latest
        self._count, self._forgotten = mark.count, mark.forgotten
        self._returns += 1

    def read_again(self) -> None:
        """The state is to be made anew though nothing was forgotten."""
        self._forgotten = max(self._forgotten, self.notes)

    def add(self, one: Remembered) -> None:
        """Remember a note; the oldest make room."""
        self._kept.append(one)
        self._count += 1
        oldest_s = one.note.onset_s - self.seconds
        while len(self._kept) > self.notes or self._kept[0].note.onset_s < oldest_s:
            gone = self._kept.popleft()
            # What is left out on making anew is no loss worth making it anew for.
            self._forgotten += gone.turn is None or self._is_weighed_in(gone.turn)

    def release(self, pitch: int, at_s: float) -> None:
        """The player has let a key go."""
        for one in reversed(self._kept):
            note = one.note
            if note.pitch == pitch and note.part is Part.PLAYER:
                if note.duration_s is None:
                    one.note = replace(note, duration_s=max(0.0, at_s - note.onset_s))
                return

    def rebuild(self, model: Model) -> Iterator[tuple[State, Steps] | None]:
        """Read the window from an empty state, a chunk at each step of the iterator.

        What is added meanwhile is read too. The last thing given is the state before the latest step, and
        that step; until then None.
        """
        state, rows = model.initial_state(), [start_steps()]
        read = self._count - len(self._kept)
        forgotten = self._forgotten  # it counts until all is read: whoever gives up before begins again
        returns = self._returns
        while returns == self._returns:
            oldest = self._count - len(self._kept)
            read = max(read, oldest)
            for one in list(self._kept)[read - oldest : read - oldest + REBUILD_CHUNK]:
                read += 1
                if one.turn is None or read == self._count or self._is_weighed_in(one.turn):
                    rows.append(one.step)
            if len(rows) > 1:
                _, state = model.advance(joined(rows[:-1]), state)
                rows = rows[-1:]
            if read == self._count:
                self._forgotten -= forgotten
                yield state, rows[0]
                return
            yield None

    def _is_weighed_in(self, turn: int) -> bool:
        if self.own_weight >= 1.0:
            return True
        return float(np.random.default_rng((self._seed, turn, _WEIGHING_KEY)).random()) < self.own_weight
