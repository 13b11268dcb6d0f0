"""Makes the sound of a session while it is played, in small steps and out of everybody's way."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from improv_core.errors import ImprovError
from improv_daemon.journal import Entry, JournalFollower
from improv_daemon.keeper.growing import GrowingSound
from improv_daemon.keeper.options import KeepOptions
from improv_daemon.sessions.folder import SessionFolder

STEP_S: Final = 1.0
"""So often there is a look at the journal."""

MOST_S: Final = 10.0
"""So much sound is made at each look, at most: a long silence is made up for little by little."""

BEHIND_S: Final = 2.0
"""The sound stays so far behind what the journal knows, for what it learns late."""

NICENESS: Final = 15

_THREADS_HAVE_THEIRS: Final = sys.platform == "linux"

OVER_WITHIN_S: Final = 3.0
_LOOK_AGAIN_S: Final = 0.02


class Ending:
    """Whether improv has said that the session is over, or is gone.

    Args:
        wait: Waits for that, so many seconds at most; returns whether it has come.
    """

    def __init__(self, wait: Callable[[float], bool]) -> None:
        self._wait = wait
        self._has_come = False

    def has_come(self, within_s: float) -> bool:
        """Wait for it."""
        self._has_come = self._has_come or self._wait(within_s)
        return self._has_come


def follow(folder: SessionFolder, options: KeepOptions, ending: Ending) -> GrowingSound | None:
    """Follow a session until it is over.

    Args:
        folder: The session's.
        options: What is wanted.
        ending: Says when there is no need to wait any longer.

    Returns:
        Its sound up to about the end; None where it could not be made meanwhile, or is not wanted.
    """
    with JournalFollower(folder.journal) as follower:
        sound, latest_s, given_up_s = _opened(folder, follower, options), -math.inf, math.inf
        while not follower.is_over() and time.monotonic() < given_up_s:
            entries = follower.more()
            latest_s = max((latest_s, *(entry.now_s for entry in entries)))
            if sound is not None:
                sound = _grown(sound, entries, latest_s - BEHIND_S)
            if given_up_s < math.inf:
                time.sleep(_LOOK_AGAIN_S)
            elif ending.has_come(STEP_S):
                # Only for a while is it waited for a journal whose end was told: its disk may hang.
                given_up_s = time.monotonic() + OVER_WITHIN_S
        return sound


def _opened(folder: SessionFolder, follower: JournalFollower, options: KeepOptions) -> GrowingSound | None:
    if not options.suffix or folder.sound is not None:
        return None
    with contextlib.suppress(ImprovError):  # it is said at the end, when it is tried again
        return GrowingSound(folder.audio(options.suffix), follower.header(), options)
    return None


def _grown(sound: GrowingSound, entries: list[Entry], to_s: float) -> GrowingSound | None:
    sound.take(entries)
    try:
        sound.advance(to_s, MOST_S)
    except ImprovError:  # no room for it: perhaps there is at the end
        sound.abandon()
        return None
    return sound


def aside(work: Callable[[], GrowingSound | None]) -> GrowingSound | None:
    """Do something with low priority in a thread, and wait for it.

    On Linux a priority is a thread's own: what is done afterwards, when nobody plays any more, has its usual
    one back. Where it is the whole process's, it stays low.
    """
    result: list[GrowingSound | None] = []

    def run() -> None:
        if sys.platform != "win32":
            with contextlib.suppress(OSError):
                os.setpriority(
                    os.PRIO_PROCESS, threading.get_native_id() if _THREADS_HAVE_THEIRS else 0, NICENESS
                )
        result.append(work())

    thread = threading.Thread(target=run, name="following")
    thread.start()
    thread.join()
    return result[0] if result else None
