"""What is to happen when: a bounded heap of absolute deadlines, without a clock of its own."""

from __future__ import annotations

import enum
import heapq
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class Rank(enum.IntEnum):
    """The order of what falls due at the same instant."""

    OFF = 0
    PEDAL = 1
    ON = 2


@dataclass(frozen=True, slots=True)
class Due(Generic[T]):
    """An item whose time has come."""

    deadline_s: float
    rank: Rank
    item: T


@dataclass(order=True, slots=True)
class _Entry(Generic[T]):
    deadline_s: float
    rank: Rank
    serial: int
    key: Hashable
    item: T


class Scheduler(Generic[T]):
    """Items by deadline; at equal deadlines offs, then pedal, then ons, each in order of arrival.

    Holds at most `capacity` items. When full, everything but a note-off is refused and counted in
    `refused`; a note-off is always taken.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._capacity = capacity
        self._heap: list[_Entry[T]] = []
        self._live: dict[Hashable, dict[int, _Entry[T]]] = {}
        self._size = 0
        self._serial = 0
        self.refused = 0

    def __len__(self) -> int:
        return self._size

    def add(self, deadline_s: float, rank: Rank, key: Hashable, item: T) -> bool:
        """Plan an item under a key that cancels it.

        Returns:
            False when it was refused.
        """
        if self._size >= self._capacity and rank is not Rank.OFF:
            self.refused += 1
            return False
        self._serial += 1
        entry = _Entry(deadline_s, rank, self._serial, key, item)
        heapq.heappush(self._heap, entry)
        self._live.setdefault(key, {})[entry.serial] = entry
        self._size += 1
        return True

    def next_deadline_s(self) -> float | None:
        """The earliest deadline, None when nothing is planned."""
        self._drop_dead()
        return self._heap[0].deadline_s if self._heap else None

    def due(self, now_s: float) -> list[Due[T]]:
        """Remove and return every item whose deadline is not after `now_s`, in order."""
        items: list[Due[T]] = []
        while (one := self.pop_due(now_s)) is not None:
            items.append(one)
        return items

    def pop_due(self, now_s: float) -> Due[T] | None:
        """Remove and return the first item whose deadline is not after `now_s`."""
        self._drop_dead()
        if not self._heap or self._heap[0].deadline_s > now_s:
            return None
        entry = heapq.heappop(self._heap)
        self._forget(entry)
        return Due(entry.deadline_s, entry.rank, entry.item)

    def cancel(self, key: Hashable) -> list[Due[T]]:
        """Remove and return everything planned under a key, in order of its deadlines."""
        entries = sorted(self._live.pop(key, {}).values())
        self._size -= len(entries)
        if len(self._heap) > 64 and len(self._heap) > 2 * self._size:
            self._heap = [entry for entry in self._heap if self._is_live(entry)]
            heapq.heapify(self._heap)
        return [Due(entry.deadline_s, entry.rank, entry.item) for entry in entries]

    def clear(self) -> None:
        """Forget everything."""
        self._heap.clear()
        self._live.clear()
        self._size = 0

    def _is_live(self, entry: _Entry[T]) -> bool:
        return entry.serial in self._live.get(entry.key, {})

    def _drop_dead(self) -> None:
        while self._heap and not self._is_live(self._heap[0]):
            heapq.heappop(self._heap)

    def _forget(self, entry: _Entry[T]) -> None:
        under_key = self._live[entry.key]
        del under_key[entry.serial]
        if not under_key:
            del self._live[entry.key]
        self._size -= 1
