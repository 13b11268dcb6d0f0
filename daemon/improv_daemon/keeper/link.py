"""The mind's end of the keeper: starts its process, and learns what came of it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Final

from improv_daemon.keeper.kept import Kept
from improv_daemon.keeper.options import KeepOptions
from improv_daemon.keeper.telling import Done, Refused, from_line
from improv_daemon.sessions.folder import SessionFolder

ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""The keeper computes on one core at most."""


class KeeperLink:
    """One keeper's process, which finishes its session whatever becomes of us.

    Args:
        folder: The session's; its journal has begun.
        options: What is wanted.
        low: Whether somebody plays on when the session is over.

    Raises:
        OSError: There is no process to be had.
    """

    def __init__(self, folder: SessionFolder, options: KeepOptions, *, low: bool = False) -> None:
        self.folder = folder
        # A session of its own: Ctrl-C in the terminal is the mind's to answer.
        self._process = subprocess.Popen(
            [
                # -P: a random.py in the folder where improv is started must not come before Python's.
                *(sys.executable, "-P", "-m", "improv_daemon.keeper", "--options", options.to_json()),
                *(["--low"] if low else []),
                *("--", str(folder.path)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, **ONE_THREAD},
        )

    @property
    def pid(self) -> int:
        """The process number."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def finish(self, progress: Callable[[float], None] = lambda done: None) -> Kept | Refused | None:
        """Tell it that the session is over, and wait until its files are made.

        Args:
            progress: Called with 0..1.

        Returns:
            What came of it; None when the process has died.
        """
        self._close_input()
        outcome = self._outcome(progress)
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return outcome

    def leave(self) -> None:
        """End it at once; what it has made stays, and the rest can be made later."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _outcome(self, progress: Callable[[float], None]) -> Kept | Refused | None:
        if self._process.stdout is None:
            return None
        for line in self._process.stdout:
            with contextlib.suppress(ValueError, TypeError, KeyError):
                match from_line(line):
                    case Done(share):
                        progress(share)
                    case outcome:
                        return outcome
        return None

    def _close_input(self) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
