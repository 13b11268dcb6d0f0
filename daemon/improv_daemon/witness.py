"""Who watches a sitting from the mind's side, beside the musician: for tracing and measuring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from improv_daemon.partner import Notice
from improv_daemon.wire import Command, Event, Wish, Woken


class Witness(Protocol):
    """Is told in the mind, between two notes: it must be quick, never wait and never raise."""

    def saw(
        self, message: Event | Wish | Woken, commands: Sequence[Command], begun_s: float, ended_s: float
    ) -> None:
        """The mind has taken a message, and the stage has what it is to do.

        Args:
            message: `Woken`: its clock had come to something that was due.
            commands: What the stage was told.
            begun_s: When the mind had the message (monotonic).
            ended_s: When the last command was handed over.
        """

    def notice(self, notice: Notice) -> None:
        """The partner tells of something while it takes a message, before `saw` tells of that."""


class NoWitness:
    """Looks away."""

    def saw(
        self, message: Event | Wish | Woken, commands: Sequence[Command], begun_s: float, ended_s: float
    ) -> None:
        """See `Witness`."""

    def notice(self, notice: Notice) -> None:
        """See `Witness`."""


class Witnesses:
    """Several at once.

    Args:
        witnesses: In the order in which they are told.
    """

    def __init__(self, *witnesses: Witness) -> None:
        self._witnesses = witnesses

    def saw(
        self, message: Event | Wish | Woken, commands: Sequence[Command], begun_s: float, ended_s: float
    ) -> None:
        """See `Witness`."""
        for witness in self._witnesses:
            witness.saw(message, commands, begun_s, ended_s)

    def notice(self, notice: Notice) -> None:
        """See `Witness`."""
        for witness in self._witnesses:
            witness.notice(notice)
