"""A player at improv's JACK ports: a process of its own that plays on time and stamps what it hears.

Run as a script it is that process: commands come as JSON lines on standard input, what it sent and heard
goes out as it happens, stamped with ``time.monotonic()``, which every process of a computer shares.
`JackPlayer` is the test's end of it.
"""

from __future__ import annotations

import contextlib
import heapq
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import IO, Any, Self

Timed = tuple[float, tuple[int, ...]]
"""A message with its time: (monotonic seconds, bytes)."""

_CONNECT_WITHIN_S = 20.0
_SETTLED_AFTER_S = 0.1
_LOOK_EVERY_S = 0.002
_STALL_S = 0.002


class JackPlayer:
    """Plays into one port and listens to another; a context manager.

    Attributes:
        sent: Every message that was sent, with the time just before it was.
        heard: Every message that came, with the time of its arrival.
        stalls: When the whole machine stood still, as (start, end), as virtual ones do for a moment.
    """

    def __init__(self) -> None:
        self.sent: list[Timed] = []
        self.heard: list[Timed] = []
        self.stalls: list[tuple[float, float]] = []
        self._connected = False
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up; the process ends."""
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._stdout.close()

    def connect(self, name: str = "improv") -> None:
        """Find the ports "<name> in" and "<name> out" by the part after the colon, and connect."""
        self._command(connect=name)
        if not self.wait_for(lambda: self._connected, _CONNECT_WITHIN_S):
            raise TimeoutError(f"no JACK ports of {name}")
        # JACK does not say when a new connection carries its first message.
        self.wait_until(time.monotonic() + _SETTLED_AFTER_S)

    def play(self, messages: Iterable[Timed]) -> None:
        """Send these at their times; returns at once."""
        self._command(play=[(at_s, list(data)) for at_s, data in messages])

    def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until a condition on `sent` and `heard` holds; whether it does."""
        with self._changed:
            return self._changed.wait_for(condition, timeout_s)

    def wait_until(self, at_s: float) -> None:
        """Let the time pass."""
        self.wait_for(lambda: False, max(0.0, at_s - time.monotonic()))

    def wait_for_quiet(self, since_s: float, quiet_s: float, timeout_s: float) -> bool:
        """Wait until something was heard since then, and now nothing sounds or comes for a while."""
        from midi_checks import balance  # the process that plays does without

        limit_s = time.monotonic() + timeout_s
        while (now_s := time.monotonic()) < limit_s:
            last_s = self.heard[-1][0] if self.heard else 0.0
            if last_s > since_s and now_s >= last_s + quiet_s and not balance(self.heard).hanging:
                return True
            until_s = max(last_s + quiet_s, now_s + 0.02)
            self.wait_for(
                lambda last_s=last_s: bool(self.heard) and self.heard[-1][0] > last_s, until_s - now_s
            )
        return False

    @property
    def _stdin(self) -> IO[str]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _stdout(self) -> IO[str]:
        assert self._process.stdout is not None
        return self._process.stdout

    def _command(self, **fields: object) -> None:
        self._stdin.write(json.dumps(fields) + "\n")
        self._stdin.flush()

    def _read(self) -> None:
        for line in self._stdout:
            kind, *fields = line.split()
            with self._changed:
                if kind == "connected":
                    self._connected = True
                elif kind == "stalled":
                    self.stalls.append((float(fields[0]), float(fields[1])))
                else:
                    timed = (float(fields[0]), tuple(int(byte) for byte in fields[1:]))
                    (self.sent if kind == "sent" else self.heard).append(timed)
                self._changed.notify_all()


# --- the process ----------------------------------------------------------------------------------


class _Hands:
    def __init__(self) -> None:
        import rtmidi

        self._ear = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name="player-ear")
        self._hand = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="player-hand")
        self._ear.set_callback(self._hear)
        self._plan: list[tuple[float, int, list[int]]] = []
        self._serial = 0
        self._wanted: str | None = None

    def obey(self, command: dict[str, Any]) -> None:
        self._wanted = command.get("connect", self._wanted)
        for at_s, data in command.get("play", ()):
            self._serial += 1
            heapq.heappush(self._plan, (at_s, self._serial, data))

    def wait_s(self) -> float:
        """Until the next thing to do, or to see what time it is."""
        if self._wanted is not None:
            return 0.02
        next_s = self._plan[0][0] - time.monotonic() if self._plan else _LOOK_EVERY_S
        return min(_LOOK_EVERY_S, max(0.0, next_s))

    def advance(self) -> None:
        if self._wanted is not None:
            self._connect(self._wanted)
        while self._plan and self._plan[0][0] <= (now_s := time.monotonic()):
            data = heapq.heappop(self._plan)[2]
            self._hand.send_message(data)
            _look(now_s, 0.0, time.monotonic())
            _tell("sent", now_s, data)

    def close(self) -> None:
        # Closing holds the interpreter's lock: a callback that waits for it would never end.
        self._ear.cancel_callback()
        select.select([], [], [], 0.02)
        for port in (self._ear, self._hand):
            port.close_port()
            port.delete()

    def _connect(self, name: str) -> None:
        ways = ((self._ear, f"{name} out"), (self._hand, f"{name} in"))
        places = [(port, [n.partition(":")[2] for n in port.get_ports()], wanted) for port, wanted in ways]
        if all(wanted in names for _, names, wanted in places):
            for port, names, wanted in places:
                port.open_port(names.index(wanted), "player")
            self._wanted = None
            _tell("connected", time.monotonic(), [])

    def _hear(self, event: tuple[list[int], float], _: object) -> None:
        _tell("heard", time.monotonic(), event[0])


def _tell(kind: str, at_s: float, data: list[int]) -> None:
    # One small write to a pipe is whole, whichever thread it comes from.
    os.write(1, f"{kind} {at_s:.6f} {' '.join(map(str, data))}\n".encode())


def _wait(wait_s: float) -> bool:
    """Wait for a command, and watch whether time goes on."""
    begin_s = time.monotonic()
    readable, _, _ = select.select([0], [], [], wait_s)
    _look(begin_s, wait_s, time.monotonic())
    return bool(readable)


def _look(begin_s: float, wait_s: float, now_s: float) -> None:
    """Tell when more time has passed than should have; it is not known when in it time stood still."""
    if now_s > begin_s + wait_s + _STALL_S:
        os.write(1, f"stalled {begin_s:.6f} {now_s:.6f}\n".encode())


def _main() -> None:
    # A musician's hands and ears do not wait for other processes.
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    os.set_blocking(0, False)
    hands, unfinished = _Hands(), b""
    try:
        while True:
            readable = _wait(hands.wait_s())
            if readable:
                chunk = os.read(0, 1 << 20)
                if not chunk:
                    return
                *lines, unfinished = (unfinished + chunk).split(b"\n")
                for line in lines:
                    hands.obey(json.loads(line))
            hands.advance()
    finally:
        hands.close()


if __name__ == "__main__":
    _main()
