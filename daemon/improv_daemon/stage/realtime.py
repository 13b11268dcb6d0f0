"""What the operating system can do for a process that must be on time."""

from __future__ import annotations

import contextlib
import gc
import os

_PRIORITY = 20  # above all ordinary processes, below what audio servers use for themselves


def claim_priority() -> bool:
    """Ask for real-time scheduling of this thread and those it starts; whether it was granted.

    With IMPROV_NO_REALTIME in the environment it does without, as where it is not allowed.
    """
    if os.environ.get("IMPROV_NO_REALTIME"):
        return False
    with contextlib.suppress(AttributeError, OSError):  # not on this system, or not allowed
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
        return True
    return False


def stop_collecting() -> None:
    """No garbage collection from now on: the stage makes no reference cycles worth a pause."""
    gc.collect()
    gc.freeze()
    gc.disable()


def keep_stderr_quiet() -> None:
    """Send what C libraries write to standard error nowhere, for good; Python's own still shows."""
    import sys

    with contextlib.suppress(OSError):
        sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 2)
        os.close(sink)
