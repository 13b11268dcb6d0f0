"""Who is told all that happens in a sitting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from improv_daemon import wire


class Keeper(Protocol):
    """Keeps what mind and stage say; never waits and never raises."""

    def write(self, message: wire.Message, now_s: float) -> None:
        """Keep one message as the mind saw it at ``now_s`` (monotonic seconds)."""

    def write_batch(self, messages: Iterable[wire.Message], now_s: float) -> None:
        """Keep several: one that came in, say, and what was done upon it."""
