"""The mind's end: starts the stage process, talks to it without waiting, notices when it is gone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Protocol, Self

from improv_core.errors import ImprovError, PortError, SoundError
from improv_daemon.stage.config import StageConfig
from improv_daemon.wire import Command, Counts, Event, LineBuffer, Quit, Ready, Trouble, encode

_READY_WITHIN_S = 15.0  # a large soundfont on a slow disk
_QUIT_WITHIN_S = 0.5
_LARGEST_UNSENT = 1 << 20
_LARGEST_UNREAD = 4096
_REFUSED_WITH: dict[int, type[ImprovError]] = {2: PortError, 3: SoundError}


class StageLost(ImprovError):  # noqa: N818 - what has happened, said as in a sentence
    """The stage process has ended, or does not listen any more, while it was needed."""


class Stage(Protocol):
    """What the mind needs of a stage. Times in commands and events are the event loop's."""

    @property
    def ready(self) -> Ready:
        """What the stage said when it was up."""

    def send(self, command: Command) -> None:
        """Tell the stage something; never waits.

        Raises:
            StageLost: The stage is gone.
        """

    def events(self) -> AsyncIterator[Event]:
        """What the stage says, in order; for one reader.

        Raises:
            StageLost: The stage is gone; every event before that was given.
        """


class StageLink:
    """The stage process, as an async context manager; see `Stage`.

    Events that are not read wait, 4096 of them; then the stage's side fills up, and counts what it drops.
    """

    def __init__(self, config: StageConfig) -> None:
        self._config = config
        self._lines = LineBuffer()
        self._events: deque[Event] = deque()
        self._arrived = asyncio.Event()
        self._unsent = bytearray()
        self._ended = False
        self._closed = False
        self._reading = False
        self._ready: Ready | None = None
        self.counts: Counts | None = None
        """What the stage had to drop; None until it has ended in good order."""

    @property
    def ready(self) -> Ready:
        """What the stage said when it was up."""
        if self._ready is None:
            raise RuntimeError("the stage is not started")
        return self._ready

    @property
    def pid(self) -> int:
        """The stage's process number."""
        return self._process.pid

    async def __aenter__(self) -> Self:
        """Start the stage and wait until it is up.

        Raises:
            PortError: A named port is not there.
            SoundError: Sound is required and cannot be had.
            StageLost: The stage does not come up.
        """
        if os.name != "posix":  # the socket is inherited by number, which only POSIX systems do
            raise PortError(
                "improv cannot play live on this system yet: it needs Linux or macOS "
                "(on Windows the Linux subsystem does); improv generate works here."
            )
        ours, theirs = socket.socketpair()
        with theirs:
            self._connection = ours
            ours.setblocking(False)
            # A session of its own: Ctrl-C in the terminal is the mind's to answer.
            self._process = subprocess.Popen(  # noqa: ASYNC220 - it forks, which is quick
                [
                    # -P: a random.py in the folder where improv is started must not come before Python's.
                    *(sys.executable, "-P", "-m", "improv_daemon.stage"),
                    *("--fd", str(theirs.fileno()), "--config", self._config.to_json()),
                ],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._read_on()
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                self._ready = await self._wait_until_ready()
        except BaseException as error:
            await self._end()
            if isinstance(error, TimeoutError):
                raise StageLost(
                    f"The stage process was not ready within {_READY_WITHIN_S:.0f} s; "
                    "is a MIDI or audio device stuck?"
                ) from None
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the stage release everything and exit; end it if it does not."""
        await self._end()

    def send(self, command: Command) -> None:
        """Tell the stage something; never waits.

        Raises:
            StageLost: The stage is gone, or has not read for a mebibyte.
        """
        if self._ended:
            raise self._lost()
        if len(self._unsent) > _LARGEST_UNSENT:
            raise StageLost("The stage process does not listen any more; start improv again.")
        was_empty = not self._unsent
        self._unsent += encode(command)
        self._write()
        if self._unsent and was_empty and not self._ended:
            asyncio.get_running_loop().add_writer(self._connection, self._write_on)

    async def events(self) -> AsyncIterator[Event]:
        """What the stage says, in order; for one reader.

        Raises:
            StageLost: The stage is gone; every event before that was given.
        """
        while True:
            while self._events:
                yield self._events.popleft()
            if self._ended:
                raise self._lost()
            self._read_on()
            self._arrived.clear()
            await self._arrived.wait()

    async def _wait_until_ready(self) -> Ready:
        refusal = ""
        try:
            async for event in self.events():
                match event:
                    case Ready():
                        return event
                    case Trouble(text):
                        refusal = text
        except StageLost:
            status = await self._exit_status(_QUIT_WITHIN_S)
            if status in _REFUSED_WITH and refusal:
                raise _REFUSED_WITH[status](refusal) from None
            raise StageLost(refusal or f"The stage process ended at once (status {status}).") from None
        raise AssertionError("events() only ends by raising")

    def _read_on(self) -> None:
        if not self._reading and not self._ended:
            self._reading = True
            asyncio.get_running_loop().add_reader(self._connection, self._read)

    def _read(self) -> bool:
        """Take what has come; False when nothing has."""
        try:
            chunk = self._connection.recv(1 << 16)
        except BlockingIOError:
            return False
        except OSError:
            chunk = b""
        if not chunk:
            self._ended = True
            self._stop_reading()
        for message in self._lines.feed(chunk):
            if isinstance(message, Counts):
                self.counts = message
            self._events.append(message)  # type: ignore[arg-type]  # the stage says events only
        if len(self._events) > _LARGEST_UNREAD:
            self._stop_reading()
        self._arrived.set()
        return True

    def _stop_reading(self) -> None:
        if self._reading:
            self._reading = False
            asyncio.get_running_loop().remove_reader(self._connection)

    def _write(self) -> None:
        try:
            while self._unsent:
                sent = self._connection.send(self._unsent)
                del self._unsent[:sent]
        except BlockingIOError:
            pass
        except OSError:
            # The stage is gone; what it said last is still there, and then comes the end of file.
            self._unsent.clear()

    def _write_on(self) -> None:
        self._write()
        if not self._unsent:
            asyncio.get_running_loop().remove_writer(self._connection)

    def _lost(self) -> StageLost:
        status = self._process.poll()
        how = f" (status {status})" if status is not None else ""
        return StageLost(
            f"The stage process, which holds the MIDI ports, has ended{how}; start improv again."
        )

    async def end(self) -> list[Event]:
        """Let the stage release everything and exit.

        Returns:
            What it said last and nobody has read.
        """
        await self._end()
        unread = list(self._events)
        self._events.clear()
        return unread

    async def _end(self) -> None:
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(StageLost):
            self.send(Quit())
        if await self._exit_status(_QUIT_WITHIN_S) is None:
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_QUIT_WITHIN_S)  # by the clock: a killed process goes in no time
        while self._read() and not self._ended:
            pass  # its last words
        self._ended = True
        self._stop_reading()
        asyncio.get_running_loop().remove_writer(self._connection)
        self._connection.close()

    async def _exit_status(self, within_s: float) -> int | None:
        """The exit status, None when it has not exited by then; events are still read meanwhile."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while self._process.poll() is None and loop.time() < until_s:
            self._read_on()
            await asyncio.sleep(0.005)
        return self._process.poll()
