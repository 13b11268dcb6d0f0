"""A session played again to real ports, at the pace at which it was played."""

from __future__ import annotations

import asyncio
import dataclasses
import heapq
import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Final, Self

from improv_daemon import wire
from improv_daemon.journal import Journal
from improv_daemon.replaying import Given
from improv_daemon.stage_link import Stage
from improv_daemon.wire import Command, PressKey

BEGIN_AFTER_S: Final = 0.5

AHEAD_S: Final = 0.25
"""The player's messages are handed over so long before they are due: they are known."""

_MOST_AHEAD: Final = 256
_TOLD_EVERY_S: Final = 0.25
_CHANNEL_MESSAGES: Final = range(0x80, 0xF0)

Progress = Callable[[float], None]


async def play_again(
    stage: Stage,
    journal: Journal,
    again: Iterable[Given],
    progress: Progress = lambda done: None,
    begin_after_s: float = BEGIN_AFTER_S,
) -> list[Given]:
    """Play a session through a stage, what the player did and what improv does now, until it is over.

    Args:
        stage: Where the ports are. What it says is for others to read.
        journal: The session's.
        again: What improv does, see `improv_daemon.replaying.replayed`; it is asked for in a thread, ahead of
            its time.
        progress: Called with 0..1.
        begin_after_s: So long after the first command is known the session begins.

    Returns:
        What improv has done.

    Raises:
        StageLost: The stage is gone.
        ImprovError: As ``again`` raises.
    """
    loop, done = asyncio.get_running_loop(), list[Given]()
    begun_s, length_s = journal.header.now_s, max(1e-3, journal.end_s - journal.header.now_s)
    shift_s: float | None = None

    async def wait_until(at_s: float) -> None:
        """The session's clock, which starts when there is something to do."""
        nonlocal shift_s
        if shift_s is None:
            shift_s = loop.time() + begin_after_s - begun_s
        while (left_s := at_s + shift_s - loop.time()) > 0:
            progress(min(1.0, max(0.0, loop.time() - shift_s - begun_s) / length_s))
            await asyncio.sleep(min(left_s, _TOLD_EVERY_S))

    with _Ahead(_in_order(presses_of(journal), again)) as steps:
        async for due_s, command, is_improvs in steps:
            await wait_until(due_s)
            stage.send(shifted(command, shift_s or 0.0))
            if is_improvs:
                done.append((due_s, command))
    # What improv had planned for later never sounded.
    await wait_until(journal.end_s)
    return done


def presses_of(journal: Journal) -> Iterator[tuple[float, PressKey]]:
    """What the player did, as messages that a stage plays, by when each is to be handed over."""
    begun_s = journal.header.now_s
    for entry in sorted(journal.entries, key=lambda entry: _played_s(entry.message)):
        match entry.message:
            case wire.Played(data, at_s) if data and data[0] in _CHANNEL_MESSAGES:
                at_s = max(begun_s, at_s)
                yield max(begun_s, at_s - AHEAD_S), PressKey(data, at_s)


def shifted(command: Command, by_s: float) -> Command:
    """The same so many seconds later."""
    match command:
        case wire.PlayNote(onset_s=onset_s, release_s=release_s):
            return dataclasses.replace(command, onset_s=onset_s + by_s, release_s=release_s + by_s)
        case wire.MovePedal(at_s=at_s) | wire.PressKey(at_s=at_s):
            return dataclasses.replace(command, at_s=at_s + by_s)
        case wire.KeepTime(origin_s, beat_s, _, from_s, until_s) if beat_s:
            return dataclasses.replace(
                command,
                origin_s=origin_s + by_s,
                click_from_s=from_s + by_s,
                click_until_s=until_s + by_s,
                source="",  # the clock that was followed then does not tick now
            )
    return command


_Step = tuple[float, Command, bool]
"""When it is due, what is to be done, and whether improv does it."""


def _in_order(presses: Iterable[tuple[float, PressKey]], again: Iterable[Given]) -> Iterator[_Step]:
    players = ((due_s, press, False) for due_s, press in presses)
    improvs = ((due_s, command, True) for due_s, command in again)
    return heapq.merge(players, improvs, key=lambda step: step[0])


def _played_s(message: object) -> float:
    return message.at_s if isinstance(message, wire.Played) else float("-inf")


class _Ahead:
    """Goes through something slow in a thread, some steps ahead of who reads it.

    Args:
        steps: Is gone through in the thread.
    """

    def __init__(self, steps: Iterator[_Step]) -> None:
        self._steps = steps
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[_Step | Exception | None] = asyncio.Queue()
        self._room = threading.Semaphore(_MOST_AHEAD)
        self._has_left = threading.Event()
        self._thread = threading.Thread(target=self._go, name="again", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The thread ends with the step that it is at."""
        self._has_left.set()
        self._room.release()
        self._thread.join()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _Step:
        step = await self._queue.get()
        if step is None:
            raise StopAsyncIteration
        if isinstance(step, Exception):
            raise step
        self._room.release()
        return step

    def _go(self) -> None:
        last: Exception | None = None
        try:
            for step in self._steps:
                self._room.acquire()
                if self._has_left.is_set():
                    return
                self._put(step)
        except Exception as failure:  # noqa: BLE001 - it is raised again where it can be answered
            last = failure
        self._put(last)

    def _put(self, step: _Step | Exception | None) -> None:
        if not self._has_left.is_set():
            self._loop.call_soon_threadsafe(self._queue.put_nowait, step)
