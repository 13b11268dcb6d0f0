"""``python -m improv_daemon.screen --fd N``: the process that draws the live view and reads the keys."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Sequence

from improv_daemon.screen.snapshot import Asked, to_line


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw until the socket's other end is closed; returns the exit status."""
    parser = argparse.ArgumentParser(prog="improv_daemon.screen")
    parser.add_argument("--fd", type=int, required=True)
    # These are the mind's to answer. TTOU: the terminal can be given back though a shell has it already.
    for name in ("SIGINT", "SIGTSTP", "SIGQUIT", "SIGHUP", "SIGTTOU"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    with socket.socket(fileno=parser.parse_args(arguments).fd) as mind:
        try:
            _run(mind)
        except Exception as error:  # noqa: BLE001 - the one boundary: the mind says it
            with contextlib.suppress(OSError):
                mind.send(to_line(Asked("failed", f"{type(error).__name__}: {error}")))
            return 1
    return 0


def _run(mind: socket.socket) -> None:
    from improv_daemon.screen.loop import Loop
    from improv_daemon.screen.terminal import Terminal

    with contextlib.suppress(OSError):
        os.nice(5)  # notes go before pictures
    terminal = Terminal.open()
    try:
        Loop(mind, terminal).run()
    finally:
        terminal.hide()


if __name__ == "__main__":
    sys.exit(main())
