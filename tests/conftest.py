"""Virtual time, real JACK ports, and skips that fail where everything must be there."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import fcntl
import inspect
import os
import queue
import select
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar

import pytest

_T = TypeVar("_T")
_JACK_SERVER = "improv-test"  # always the same name: JACK has 8 slots, and a new name leaks one
_JACK_LIMIT_S = 240


def require(available: object, reason: str) -> None:
    """Skip the test with a reason; with IMPROV_TESTS_STRICT=1 fail it instead."""
    if available:
        return
    if os.environ.get("IMPROV_TESTS_STRICT") == "1":
        pytest.fail(f"IMPROV_TESTS_STRICT=1, but: {reason}")
    pytest.skip(reason)


# --- virtual time ---------------------------------------------------------------------------------


class _JumpingSelector(selectors.SelectSelector):
    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout is not None and timeout > 0:
            self.now_s += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time starts at 0 and jumps to the next timer when there is nothing to do."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s


def run_virtual(main: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


_STDERR = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without-torch",
        action="store_true",
        help="run as on a machine without the training extra: torch, lightning and onnx cannot be imported",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--without-torch"):
        sys.modules.update(dict.fromkeys(("torch", "lightning", "onnx")))  # None makes an import fail
    config.stash[_STDERR] = os.dup(2)  # while tests run, 2 is captured
    config.addinivalue_line("markers", "virtual_time: run this async test on a loop whose time jumps")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object | None:
    """Run async tests marked ``virtual_time`` (others are pytest-asyncio's, marked ``asyncio``)."""
    if pyfuncitem.get_closest_marker("virtual_time") is None:
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    run_virtual(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in wanted}))
    return True


# --- JACK -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Heard:
    """A MIDI message that came in on a real port, with the monotonic time of its arrival."""

    data: tuple[int, ...]
    at_s: float


class JackPeer:
    """Another program on the same JACK server: sends to one port, listens to another."""

    def __init__(self) -> None:
        self._heard: queue.Queue[Heard] = queue.Queue()
        self._ports: list[Any] = []
        self._ears: list[Any] = []
        self._out: Any = None

    def _open(self, kind: str, suffix: str, name: str) -> Any:
        import rtmidi

        port = getattr(rtmidi, kind)(rtmidi.API_UNIX_JACK, name=name)
        self._ports.append(port)
        names = port.get_ports()
        index = next(i for i, n in enumerate(names) if n.partition(":")[2] == suffix)
        port.open_port(index, "peer")
        # JACK does not say when a new connection carries its first message; before that they are lost.
        threading.Event().wait(0.1)
        return port

    def listen(self, suffix: str) -> None:
        """Connect to the output port whose name after the colon is this."""
        port = self._open("MidiIn", suffix, "peer-ear")
        self._ears.append(port)
        port.set_callback(lambda event, _: self._heard.put(Heard(tuple(event[0]), time.monotonic())))

    def connect(self, suffix: str) -> None:
        """Connect to the input port whose name after the colon is this."""
        self._out = self._open("MidiOut", suffix, "peer-hand")

    def send(self, *data: int) -> None:
        self._out.send_message(data)

    def hear(self, timeout_s: float = 5.0) -> Heard:
        """The next message.

        Raises:
            queue.Empty: Nothing came in time.
        """
        return self._heard.get(timeout=timeout_s)

    def hear_until(self, enough: Callable[[list[Heard]], bool], timeout_s: float = 5.0) -> list[Heard]:
        """Messages until there are enough of them, or until nothing has come for a while."""
        heard: list[Heard] = []
        with contextlib.suppress(queue.Empty):
            while not enough(heard):
                heard.append(self.hear(timeout_s))
        return heard

    def close(self) -> None:
        # Closing holds the interpreter's lock: a callback that waits for the lock would never end.
        for ear in self._ears:
            ear.cancel_callback()
        threading.Event().wait(0.02)
        for port in self._ports:
            port.close_port()
            port.delete()


@pytest.fixture(scope="module")
def jack_server(jack_process: subprocess.Popen[bytes]) -> str:
    """A JACK server without hardware; its name."""
    return _JACK_SERVER


@pytest.fixture(scope="module")
def jack_process(
    request: pytest.FixtureRequest, pytestconfig: pytest.Config
) -> Iterator[subprocess.Popen[bytes]]:
    """The JACK server's process. One at a time on a computer, and never for long.

    A module whose sittings need more than 40 seconds sets ``JACK_LIMIT_S``.
    """
    limit_s = getattr(request.module, "JACK_LIMIT_S", _JACK_LIMIT_S)
    require(shutil.which("jackd"), "no jackd: apt install jackd2")
    require(_imports("rtmidi"), "no rtmidi: pip install python-rtmidi")
    # With real-time priority where that is allowed: else a busy machine makes JACK itself late by 20 ms.
    command = ["jackd", "-n", _JACK_SERVER, "--realtime", "-S", "-p", "128"]
    command += ["-d", "dummy", "-r", "48000", "-p", "64"]
    lock = Path(tempfile.gettempdir(), "improv-test-jack.lock")
    with lock.open("a+") as held, pytest.MonkeyPatch.context() as patch:
        fcntl.flock(held, fcntl.LOCK_EX)
        _end_orphan(held)
        # JACK opens a killed client's semaphore again as it was left, and then waits for ever.
        for left in Path("/dev/shm").glob(f"jack_sem.*_{_JACK_SERVER}_*"):
            left.unlink(missing_ok=True)
        patch.setenv("JACK_DEFAULT_SERVER", _JACK_SERVER)
        patch.setenv("JACK_NO_START_SERVER", "1")
        faulthandler.dump_traceback_later(limit_s, exit=True, file=pytestconfig.stash[_STDERR])
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        print(server.pid, file=held, flush=True)
        try:
            waited = subprocess.run(
                ["jack_wait", "-s", _JACK_SERVER, "-w", "-t", "10"], capture_output=True, check=False
            )
            require(waited.returncode == 0 and server.poll() is None, "jackd does not start")
            yield server
        finally:
            server.terminate()
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            faulthandler.cancel_dump_traceback_later()
            held.truncate(0)


def _end_orphan(held: TextIO) -> None:
    """End the server of a test run that was itself ended; we hold its lock, so nobody uses it."""
    held.seek(0)
    pid = held.read().strip()
    held.truncate(0)
    with contextlib.suppress(OSError, ValueError):
        if _JACK_SERVER.encode() in Path(f"/proc/{int(pid)}/cmdline").read_bytes():
            orphan = os.pidfd_open(int(pid))
            signal.pidfd_send_signal(orphan, signal.SIGTERM)
            select.select([orphan], [], [], 5.0)
            os.close(orphan)


@pytest.fixture
def jack_peer(jack_server: str) -> Iterator[JackPeer]:
    """A second program on the JACK server."""
    peer = JackPeer()
    yield peer
    peer.close()


def _imports(name: str) -> bool:
    try:
        __import__(name)
    except ImportError:
        return False
    return True
