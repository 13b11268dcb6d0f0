"""The event loop's part: events in, commands out, and the partner's clock. As thin as it can be."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from improv_daemon.journal import Keeper
from improv_daemon.partner import Partner
from improv_daemon.stage_link import Stage
from improv_daemon.wire import (
    Command,
    Counts,
    Event,
    Message,
    PedalMoved,
    Released,
    Sounded,
    TurnCancelled,
    Wish,
    Woken,
)
from improv_daemon.witness import NoWitness, Witness

_LAST_KEPT: Final = (Sounded, Released, PedalMoved, TurnCancelled, Counts)
"""Acknowledgements: nothing is done upon them, so that a replay of the sitting ends as the sitting did."""


class Conversation:
    """Carries events from a stage to a partner, and its commands back, in the event loop's time.

    Args:
        stage: Where the ports are.
        partner: Who answers.
        journal: Keeps every event and command, when given.
        show: Called with each event.
        witness: Is told of each event, what was done upon it, and how long that took.
    """

    def __init__(
        self,
        stage: Stage,
        partner: Partner,
        journal: Keeper | None = None,
        show: Callable[[Event], None] = lambda event: None,
        witness: Witness | None = None,
    ) -> None:
        self._stage = stage
        self._partner = partner
        self._journal = journal
        self._show = show
        self._witness = NoWitness() if witness is None else witness
        self._changed = asyncio.Event()
        self._has_begun = False

    def wish(self, wish: Wish) -> None:
        """The musician wants something, by whatever way it came."""
        self._begin()
        self._take(wish, asyncio.get_running_loop().time())

    def keep_last(self, events: Iterable[Event]) -> None:
        """What the stage has said since `run` was cancelled, some last notes perhaps, is kept too."""
        last = [event for event in events if isinstance(event, _LAST_KEPT)]
        self._keep(last, asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Converse until cancelled.

        Raises:
            ExceptionGroup: With a `StageLost` when the stage is gone.
        """
        self._begin()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._keep_time())

    def _begin(self) -> None:
        """Once, before anything else: a wish may come before `run` does."""
        if self._has_begun:
            return
        self._has_begun, now_s = True, asyncio.get_running_loop().time()
        commands = self._partner.begin(now_s)
        self._carry_out(commands)
        self._keep(commands, now_s)

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        async for event in self._stage.events():
            self._take(event, loop.time())
            self._show(event)

    def _take(self, event: Event | Wish, now_s: float) -> None:
        with self._kept(event, now_s) as done:
            done += self._partner.handle(event, now_s)
            self._carry_out(done)
            self._witness.saw(event, done, now_s, asyncio.get_running_loop().time())
        self._changed.set()

    async def _keep_time(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            deadline_s = self._partner.next_wakeup_s()
            if deadline_s is not None and deadline_s <= (now_s := loop.time()):
                with self._kept(Woken(), now_s) as done:
                    done += self._partner.wake(now_s)
                    self._carry_out(done)
                    self._witness.saw(Woken(), done, now_s, loop.time())
                await asyncio.sleep(0)  # whatever was played meanwhile is heard first
                continue
            try:
                async with asyncio.timeout_at(deadline_s):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _carry_out(self, commands: Sequence[Command]) -> None:
        for command in commands:
            self._stage.send(command)

    @contextlib.contextmanager
    def _kept(self, message: Event | Wish | Woken, now_s: float) -> Iterator[list[Command]]:
        """A message is kept with what is done upon it, also if that fails: it may be what broke the mind."""
        done: list[Command] = []
        try:
            yield done
        finally:
            self._keep([message, *done], now_s)

    def _keep(self, messages: Sequence[Message], now_s: float) -> None:
        if self._journal is not None and messages:
            self._journal.write_batch(messages, now_s)
