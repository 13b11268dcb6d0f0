"""improv as a musician starts it, at a terminal or with its lines in a pipe, and what its processes take."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from improv_process import environment

from bench.rig_rows import LARGE_SOUNDFONTS  # noqa: F401 - puts tests/ on the path

_WITHIN_S = 20.0
_SIZE = (24, 80)
_NOT_A_MUSICIANS = ("PYTHONDONTWRITEBYTECODE", "OMP_NUM_THREADS")
"""Variables of build machines that make Python compile at each start, and numpy other threads."""


class Improv:
    """One run of improv at a terminal of its own, 80x24; a context manager that leaves no process behind.

    Args:
        options: After ``improv play``.
        folder: Where it runs, its home in it.
        terminal: Whether its output is a terminal, or a pipe.

    Attributes:
        begun_s: When it was started.
        said: Everything written so far, with the time each piece came.
    """

    def __init__(self, *options: str, folder: Path, terminal: bool = True) -> None:
        self.said: list[tuple[float, bytes]] = []
        self._changed = threading.Condition()
        self._ours, theirs = os.openpty() if terminal else os.pipe()
        if terminal:
            termios.tcsetwinsize(theirs, _SIZE)
        variables = environment(folder / "home", TERM="xterm-256color", COLUMNS="80", LINES="24")
        for name in _NOT_A_MUSICIANS:
            variables.pop(name, None)
        self.begun_s = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "improv_daemon", "play", *options],
            stdin=theirs if terminal else subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=variables,
            start_new_session=terminal,
            # The live view is for who is in front at a terminal.
            preexec_fn=functools.partial(fcntl.ioctl, 0, termios.TIOCSCTTY, 0) if terminal else None,
        )
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()
        self._reader.join(1)
        os.close(self._ours)

    def said_by(self, wanted: bytes) -> float:
        """When this had been written.

        Raises:
            RuntimeError: It was not within 20 s.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: wanted in self._text, _WITHIN_S):
                raise RuntimeError(f"improv did not say {wanted.decode()!r}: {self._text[-2000:]!r}")
            so_far = b""
            for at_s, piece in self.said:
                so_far += piece
                if wanted in so_far:
                    return at_s
        raise AssertionError("it is there")

    @property
    def processes(self) -> list[int]:
        """The mind and every process it has started, by number."""
        return _with_children(self.process.pid)

    @property
    def _text(self) -> bytes:
        return b"".join(piece for _, piece in self.said)

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # a terminal that nobody has open any more
            while piece := os.read(self._ours, 1 << 16):
                with self._changed:
                    self.said.append((time.monotonic(), piece))
                    self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one process, in MiB.

    Attributes:
        rss: What is resident, with all that it shares.
        pss: Each shared page divided among those that share it.
        jack: How much of the first is JACK's shared memory, counted as often as it is mapped.
    """

    rss: float
    pss: float
    jack: float


def memory_of(pid: int) -> Memory:
    """What a process has resident now."""
    rss_kib, pss_kib, jack_kib, is_jack = 0, 0, 0, False
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        key, _, rest = line.partition(" ")
        if not key.endswith(":"):
            is_jack = "/dev/shm/jack" in line  # a mapping's first line
        elif key == "Rss:":
            rss_kib += int(rest.split()[0])
            jack_kib += int(rest.split()[0]) if is_jack else 0
        elif key == "Pss:":
            pss_kib += int(rest.split()[0])
    return Memory(rss_kib / 1024, pss_kib / 1024, jack_kib / 1024)


def cpu_s(pid: int, *, own: bool = False) -> float:
    """Seconds of processor that a process has had, or its first thread alone."""
    place = f"/proc/{pid}/task/{pid}/stat" if own else f"/proc/{pid}/stat"
    fields = Path(place).read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def name_of(pid: int) -> str:
    """``mind``, ``stage`` or ``screen``."""
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    names = ("stage", "screen")
    return next((name for name in names if f"improv_daemon.{name}".encode() in command), "mind")


def _with_children(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text(encoding="utf-8").split():
                found += _with_children(int(child))
    return found


def summed(memories: Sequence[Memory]) -> Memory:
    """Of several processes together."""
    return Memory(
        sum(one.rss for one in memories),
        sum(one.pss for one in memories),
        sum(one.jack for one in memories),
    )
