"""Encoding in a thread, while the next of the sound is made."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

import numpy as np
import pytest

from improv_core.errors import StorageError
from improv_daemon.rendering.behind import Behind
from improv_daemon.rendering.options import Samples


class FakeWriter:
    """Writes where a test can look; fails at one of the pieces."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.seen: list[float | str] = []
        self.threads: set[str] = set()
        self._fails_at = fails_at

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def write(self, samples: Samples) -> None:
        self.threads.add(threading.current_thread().name)
        if len(self.seen) == self._fails_at:
            raise StorageError("The disk is full.")
        self.seen.append(float(samples[0, 0]))

    def flush(self) -> None:
        self.seen.append("flushed")

    def close(self) -> None:
        self.seen.append("closed")


def piece(level: float) -> Samples:
    return np.full((10, 2), level, np.float32)


def test_everything_is_written_in_order_by_another_thread() -> None:
    writer = FakeWriter()
    with Behind(writer) as behind:
        for level in (1.0, 2.0, 3.0):
            behind.write(piece(level))
        behind.flush()
        behind.write(piece(4.0))
    assert writer.seen == [1.0, 2.0, 3.0, "flushed", 4.0, "closed"]
    assert writer.threads == {"encoding_0"}
    assert "encoding_0" not in {thread.name for thread in threading.enumerate()}


def test_what_fails_is_raised_at_the_next_call() -> None:
    writer = FakeWriter(fails_at=1)
    behind = Behind(writer)
    behind.write(piece(1.0))
    behind.write(piece(2.0))
    with pytest.raises(StorageError, match="The disk is full"):
        behind.write(piece(3.0))
    behind.close()
    assert writer.seen == [1.0, "closed"]


def test_what_fails_last_is_raised_at_the_end_and_the_file_is_closed() -> None:
    writer = FakeWriter(fails_at=0)
    with pytest.raises(StorageError, match="The disk is full"), Behind(writer) as behind:
        behind.write(piece(1.0))
    assert writer.seen == ["closed"]
