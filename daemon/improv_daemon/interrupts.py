"""Ctrl-C while Python loads libraries, which break in unkind ways when they are interrupted."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType

INTERRUPTED = 130
"""The exit status of a program that Ctrl-C has ended."""


@contextlib.contextmanager
def leaving_at_once() -> Iterator[None]:
    """Within this, Ctrl-C ends the process without a word; for where nothing has begun that needs an end."""
    before = signal.signal(signal.SIGINT, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)
