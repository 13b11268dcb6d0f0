"""Says of a journal that it is being written, so that nobody takes it for one left by a crash."""

from __future__ import annotations

import contextlib
import sys


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


def unlock(fd: int) -> None:
    """Take the mark back."""
    if sys.platform == "win32":
        return
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.flock(fd, fcntl.LOCK_UN)
