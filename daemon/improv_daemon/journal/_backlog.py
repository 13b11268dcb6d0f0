"""What waits to be kept: the event loop puts it there without waiting, a thread takes it."""

from __future__ import annotations

import contextlib
import math
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from improv_daemon import wire

MOST_WAITING: Final = 100_000
"""Messages; of more, the newest are left out. A clock and a wheel that is moved make some 300 a second."""

_MOST_AT_ONCE: Final = 1024
_RATION: Final = 64
"""Messages; so many are encoded in less than a millisecond, after which the mind may have the processor."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What came in at one moment, and what was done upon it."""

    messages: tuple[wire.Message, ...]
    now_s: float


@dataclass(frozen=True, slots=True)
class Settled:
    """Settings that are in force from now on, a dataclass of dataclasses."""

    settings: object
    now_s: float


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Messages for which there was no room."""

    count: int
    from_s: float
    now_s: float


@dataclass(frozen=True, slots=True)
class Reached:
    """Somebody wants to know when all before it is kept."""

    event: threading.Event


Item = Batch | Settled | LeftOut | Reached


class Backlog:
    """A bounded queue from one thread to another.

    Args:
        most: Messages that may wait.
        settings_now: The settings in force; always the same object while they are the same.

    Attributes:
        left_out: Messages for which there was no room.
        ending: Set when nothing comes any more.
    """

    def __init__(self, most: int, settings_now: Callable[[], object] | None) -> None:
        self._most, self._settings_now = most, settings_now
        self._settings: object = None
        self._items: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._given = self._done = 0  # each is counted up by one thread
        self._gap: LeftOut | None = None
        self._has_more = self._is_over = False
        self._took_s = -math.inf
        self.left_out = 0
        self.ending = threading.Event()

    # --- the event loop's side ------------------------------------------------------------------------

    def give(self, messages: tuple[wire.Message, ...], now_s: float) -> None:
        """Have them kept; costs microseconds."""
        if not messages:
            return
        if self._given - self._done + len(messages) > self._most or self.ending.is_set():
            self._leave_out(len(messages), now_s)
            return
        self._tell_gap()
        if self._settings_now is not None and (settings := self._settings_now()) is not self._settings:
            self._settings = settings
            self._items.put(Settled(settings, now_s))
        self._items.put(Batch(messages, now_s))
        self._given += len(messages)

    def wait(self, within_s: float) -> bool:
        """Wait until all that was given is kept; False where that takes longer. Any thread may."""
        reached = Reached(threading.Event())
        self._items.put(reached)
        return reached.event.wait(within_s)

    def end(self) -> None:
        """Nothing comes any more."""
        self._tell_gap()
        self.ending.set()
        self._items.put(None)

    def _leave_out(self, count: int, now_s: float) -> None:
        self.left_out += count
        before = self._gap or LeftOut(0, now_s, now_s)
        self._gap = LeftOut(before.count + count, before.from_s, now_s)

    def _tell_gap(self) -> None:
        if self._gap is not None:
            self._items.put(self._gap)
            self._gap = None

    # --- the thread's side ----------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Messages that are not kept yet."""
        return self._given - self._done

    def take(self, gather_s: float, within_s: float | None = None) -> list[Item] | None:
        """What waits, at most some thousand messages, in order; None: the end.

        Waits for something to come, at most ``within_s``, and until ``gather_s`` have passed since the last
        time: what comes after a pause is here at once, and nobody wakes up for each of what comes together.
        """
        items: list[Item] = []
        if not (self._has_more or self._is_over):
            try:
                self._collect(items, self._items.get(timeout=within_s))
            except queue.Empty:
                return items
            self.ending.wait(max(0.0, self._took_s + gather_s - time.monotonic()))
        self._took_s = time.monotonic()
        self._has_more = False
        count = sum(map(_size, items))
        with contextlib.suppress(queue.Empty):
            while not self._is_over and count < _MOST_AT_ONCE:
                self._collect(items, self._items.get_nowait())
                count += _size(items[-1]) if items else 0
            self._has_more = not self._is_over
        return None if self._is_over and not items else items

    def _collect(self, items: list[Item], item: Item | None) -> None:
        if item is None:
            self._is_over = True
        else:
            items.append(item)

    def done(self, items: list[Item]) -> int:
        """These are kept, or nobody can; returns how many messages they are."""
        count = sum(_size(item) for item in items)
        self._done += count
        for item in items:
            if isinstance(item, Reached):
                item.event.set()
        return count


def rationed(items: Iterable[Item]) -> Iterator[Item]:
    """The same, for a thread that works on them: now and then it lets the event loop have the interpreter."""
    count = 0
    for item in items:
        count += 1 + _size(item)
        if count > _RATION:
            count = 0
            time.sleep(0)
        yield item


def _size(item: Item) -> int:
    return len(item.messages) if isinstance(item, Batch) else 0


def start_thread(work: Callable[[], None], name: str) -> threading.Thread:
    """A thread that no exit waits for."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
