"""Standard error without what C libraries write to it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep what C libraries write to standard error from the terminal."""
    try:
        saved = os.dup(2)
    except OSError:  # there is no standard error to keep quiet
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)
