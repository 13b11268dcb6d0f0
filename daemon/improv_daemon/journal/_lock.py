"""Says of a journal that it is being written, so that nobody takes it for one left by a crash."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Final

_TRIES: Final = 50
_TRY_EVERY_S: Final = 0.002


def try_lock(fd: int) -> bool:
    """Mark an open file as in use until it is closed (or its process dies); False when another did.

    Where the platform or file system knows no such locks, nothing is marked and the answer is True.
    """
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def lock(fd: int) -> bool:
    """The same, with some patience: whoever only asks whether a file is in use marks it for a moment."""
    for _ in range(_TRIES):
        if try_lock(fd):
            return True
        time.sleep(_TRY_EVERY_S)
    return False


def is_locked(fd: int) -> bool | None:
    """Whether another has marked an open file as in use; None where nobody can."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: who asks at the same time is no writer
    except BlockingIOError:
        return True
    except OSError:
        return None
    unlock(fd)
    return False


def unlock(fd: int) -> None:
    """Take the mark back."""
    if sys.platform == "win32":
        return
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.flock(fd, fcntl.LOCK_UN)
