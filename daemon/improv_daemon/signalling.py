"""What a terminal tells a program: Ctrl-C, Ctrl-Z, and that its window was closed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable

from improv_daemon.interrupts import INTERRUPTED


def stop_on_signals() -> asyncio.Event:
    """Set by Ctrl-C, a termination or a closed terminal; a second Ctrl-C ends the process at once.

    Ending at once is safe: the stage sees the end of its socket and lets go of everything.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def interrupted() -> None:
        if stop.is_set():
            os._exit(INTERRUPTED)
        stop.set()

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with contextlib.suppress(AttributeError, NotImplementedError):  # Windows has neither all nor handlers
            if name == "SIGHUP" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
                continue  # started with nohup, to go on when the terminal closes
            loop.add_signal_handler(getattr(signal, name), interrupted if name == "SIGINT" else stop.set)
    return stop


def around_suspension(before: Callable[[], None], after: Callable[[], None]) -> None:
    """Do this before Ctrl-Z stops the process, and that when it goes on."""

    def suspend() -> None:
        before()
        suspend_this_process()
        after()

    with contextlib.suppress(AttributeError, NotImplementedError):  # Windows knows no such thing
        asyncio.get_running_loop().add_signal_handler(signal.SIGTSTP, suspend)


def suspend_this_process() -> None:
    """Returns when it goes on."""
    os.kill(os.getpid(), signal.SIGSTOP)
