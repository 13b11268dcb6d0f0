"""What a sitting does beside the conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from improv_daemon.sitting import say_troubles
from improv_daemon.wire import Message


class FullDisk:
    """A journal that says its trouble when it is written to."""

    def __init__(self) -> None:
        self.said_at_s: list[float] = []

    def write(self, message: Message, now_s: float) -> None:
        self.write_batch((message,), now_s)

    def write_batch(self, messages: Iterable[Message], now_s: float) -> None:
        assert not list(messages)
        self.said_at_s.append(now_s)


@pytest.mark.virtual_time
async def test_the_journal_can_say_its_troubles_within_a_second_though_nobody_plays() -> None:
    journal = FullDisk()
    saying = asyncio.create_task(say_troubles(journal))
    await asyncio.sleep(3.5)
    saying.cancel()
    assert journal.said_at_s == pytest.approx([1.0, 2.0, 3.0])
