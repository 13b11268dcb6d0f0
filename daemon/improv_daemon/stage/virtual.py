"""A stage in memory, on the clock of the running event loop: for tests in virtual time and dry runs."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from improv_core.performer import Outcome, Performer
from improv_core.scheduler import Scheduler
from improv_daemon import wire
from improv_daemon.stage.loop import DEMO_SOURCE, rank_of

_CHANNEL = 1
_OUT = "virtual out"


class VirtualStage:
    """Plays what the real stage would play, at the same times, into a list.

    Attributes:
        ready: As the real stage's.
        sent: Every MIDI message that went out, with its time.
    """

    def __init__(self, channel: int = _CHANNEL) -> None:
        """
        Args:
            channel: improv's MIDI channel, 0..15.
        """
        self.ready = wire.Ready(("virtual in",), (_OUT,), None, ())
        self.sent: list[tuple[float, tuple[int, ...]]] = []
        self._performer = Performer((_OUT,), channel)
        self._hands: Scheduler[tuple[int, ...]] = Scheduler()
        self._events: deque[wire.Event] = deque()
        self._arrived = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def silent(self) -> bool:
        """Nothing sounds and no pedal is down."""
        return self._performer.silent

    async def __aenter__(self) -> Self:
        return self

    async def end(self) -> list[wire.Event]:
        """What it said last and nobody has read."""
        unread = list(self._events)
        self._events.clear()
        return unread

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.send(wire.Quit())

    def send(self, command: wire.Command) -> None:
        """Do what the real stage would do."""
        now_s = asyncio.get_running_loop().time()
        match command:
            case wire.PlayNote(turn, index, pitch, velocity, onset_s, release_s):
                self._performer.play_note(turn, index, pitch, velocity, onset_s, release_s)
            case wire.MovePedal(turn, value, at_s):
                self._performer.move_pedal(turn, value, at_s)
            case wire.CancelTurn(turn):
                self._carry_out(self._performer.cancel_turn(turn, now_s), now_s)
            case wire.FinishTurn(turn):
                self._carry_out(self._performer.finish_turn(turn, now_s), now_s)
            case wire.PressKey(data, at_s):
                self._hands.add(at_s, rank_of(data), "demo", data)
            case wire.Panic() | wire.Quit():
                self._hands.clear()
                self._carry_out(self._performer.panic(now_s), now_s)
        self._wait_for_deadline()

    async def events(self) -> AsyncIterator[wire.Event]:
        """What the stage says, in order; for one reader."""
        while True:
            while self._events:
                yield self._events.popleft()
            self._arrived.clear()
            await self._arrived.wait()

    def play(self, *data: int, source: str = "keyboard") -> None:
        """The player does this now."""
        self._say(wire.Played(data, asyncio.get_running_loop().time(), source))

    def _say(self, event: wire.Event) -> None:
        self._events.append(event)
        self._arrived.set()

    def _carry_out(self, outcome: Outcome, now_s: float) -> None:
        self.sent += [(now_s, sending.data) for sending in outcome.sendings]
        for acknowledgement in outcome.acknowledgements:
            self._say(acknowledgement)

    def _wait_for_deadline(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadlines = (self._performer.next_deadline_s(), self._hands.next_deadline_s())
        next_s = min((deadline_s for deadline_s in deadlines if deadline_s is not None), default=None)
        if next_s is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(next_s, self._perform, next_s)

    def _perform(self, deadline_s: float) -> None:
        # A loop may run a timer within its clock's resolution before the deadline.
        now_s = max(deadline_s, asyncio.get_running_loop().time())
        self._carry_out(self._performer.advance(now_s), now_s)
        for due in self._hands.due(now_s):
            self._say(wire.Played(due.item, now_s, DEMO_SOURCE))
        self._wait_for_deadline()
