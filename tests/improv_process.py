"""A real ``improv`` in a process of its own, as a musician starts it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Self

START_WITHIN_S = 30.0
_CLI = ("-m", "improv_daemon")


def environment(home: Path, **extra: str) -> dict[str, str]:
    """Our environment with a home folder of its own, and improv's packages importable from anywhere."""
    found = (find_spec(name) for name in ("improv_core", "improv_daemon"))
    roots = [str(Path(spec.origin).parents[1]) for spec in found if spec is not None and spec.origin]
    home.mkdir(exist_ok=True)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")}
    return {**kept, "HOME": str(home), "PYTHONPATH": os.pathsep.join(roots), "COLUMNS": "200", **extra}


def run_improv(
    *arguments: str, folder: Path, extra: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run improv to its end; its home is in the folder."""
    return subprocess.run(
        [sys.executable, *_CLI, *arguments],
        cwd=folder,
        env=environment(folder / "home", **(extra or {})),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class ImprovProcess:
    """One run of improv; a context manager that leaves no process behind.

    Args:
        arguments: Those after ``improv``.
        folder: Where it runs; its home is in there.
        program: What runs instead of ``-m improv_daemon``.
        extra: Variables for its environment.
    """

    def __init__(
        self,
        *arguments: str,
        folder: Path,
        program: Sequence[str] = _CLI,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self.lines: list[str] = []
        self._ended = False
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=environment(folder / "home", **(extra or {})),
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Kill it if it still runs; its stage lets go by itself."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self._stdout.close()

    @property
    def text(self) -> str:
        """Everything it has said so far, on standard output and standard error."""
        return "".join(self.lines)

    def wait_for_text(self, wanted: str, timeout_s: float = START_WITHIN_S) -> None:
        """Wait until it has said this.

        Raises:
            TimeoutError: It did not, or has ended without.
        """
        if not self._wait_for(lambda: wanted in self.text or self._ended, timeout_s):
            raise TimeoutError(f"not said within {timeout_s} s: {wanted}\nbut: {self.text}")
        if wanted not in self.text:
            raise TimeoutError(f"ended without saying: {wanted}\nbut: {self.text}")

    def wait_until_playing(self) -> None:
        """Wait until it has said how to stop."""
        self.wait_for_text("Ctrl-C stops.")

    def wait_for_stage(self) -> None:
        """Wait until its stage process is being started."""
        limit_s = time.monotonic() + START_WITHIN_S
        while self._stage() is None and time.monotonic() < limit_s:
            self._wait_for(lambda: self._ended, 0.01)

    def stage_pid(self) -> int:
        """The process number of its stage."""
        pid = self._stage()
        if pid is None:
            raise LookupError("improv has no stage")
        return pid

    def keeper_pid(self) -> int:
        """The process number of its keeper."""
        pid = self._child(b"improv_daemon.keeper")
        if pid is None:
            raise LookupError("improv has no keeper")
        return pid

    def stop(self, how: signal.Signals = signal.SIGINT, timeout_s: float = 10.0) -> tuple[int, float]:
        """Signal it and wait for its end: its exit status, and how many seconds it took."""
        begin_s = time.monotonic()
        self.process.send_signal(how)
        return self.wait(timeout_s), time.monotonic() - begin_s

    def wait(self, timeout_s: float) -> int:
        """Its exit status, once it has ended and said everything."""
        status = self.process.wait(timeout_s)
        self._reader.join(timeout_s)
        return status

    def _stage(self) -> int | None:
        return self._child(b"improv_daemon.stage")

    def _child(self, module: bytes) -> int | None:
        with contextlib.suppress(OSError):  # it may end while it is looked at
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
            for pid in map(int, children.split()):
                if module in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
        return None

    @property
    def _stdout(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def _wait_for(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(condition, timeout_s)

    def _read(self) -> None:
        with contextlib.suppress(ValueError):
            for line in self._stdout:
                with self._changed:
                    self.lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
