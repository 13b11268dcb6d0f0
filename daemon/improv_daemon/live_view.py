"""The live view as a display: keeps the screen up to date, and goes on in lines where there is none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from improv_daemon.display import Display, Opening
from improv_daemon.notches import turned
from improv_daemon.partner import Notice
from improv_daemon.screen.snapshot import PROBLEM_SHOWN_S, Asked, Snapshot
from improv_daemon.screen_link import Screen
from improv_daemon.settings import Settings
from improv_daemon.settings.layers import value_of
from improv_daemon.sitting_state import SittingState
from improv_daemon.wire import Change, Command, Cue, Event, Learn, Wish, Woken

EACH_S: Final = 0.125
"""The screen is told no oftener than this ..."""

AT_LEAST_EACH_S: Final = 1.0
"""... and this often when nothing happens, since a tempo may be lost by that."""


class LiveView:
    """See `improv_daemon.display.Display`; a witness too, for whatever the mind does may be seen.

    Args:
        screen: Draws.
        lines: Is told instead before the screen is up, and after it.
        state: Knows how things stand.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        screen: Screen,
        lines: Display,
        state: SittingState,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._screen, self._lines, self._state = screen, lines, state
        self._snapshot: Callable[[float], Snapshot] | None = None
        self._told: Snapshot | None = None
        self._told_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = 0.0
        self._opening: Opening | None = None

    def begin(
        self,
        snapshot: Callable[[float], Snapshot],
        settings: Callable[[], Settings],
        wish: Callable[[Wish], None],
        stop: Callable[[], None],
    ) -> None:
        """Take the terminal over.

        Args:
            snapshot: How things stand at a time.
            settings: As they are now.
            wish: What the musician wants goes there.
            stop: The musician has had enough.
        """

        def on_asked(asked: Asked) -> None:
            match asked.what:
                case "cue":
                    wish(Cue(asked.name))
                case "learn":
                    wish(Learn(asked.name))
                case "turn":
                    value = turned(asked.name, value_of(settings(), asked.name), asked.steps)
                    if value is not None:
                        wish(Change(asked.name, value))
                case "quit":
                    stop()

        self._snapshot = snapshot
        self._screen.attach(on_asked, self._lost)
        self._due(0.0)

    # --- display --------------------------------------------------------------------------------------

    def opening(self, opening: Opening) -> None:
        """See `Display`; to be told after `begin`."""
        self._opening = opening
        if not self._is_live:
            self._lines.opening(opening)
        self._touch()

    def line(self, text: str) -> None:
        """See `Display`."""
        if not self._is_live:
            self._lines.line(text)
        self._touch()

    def note(self, text: str) -> None:
        """See `Display`."""
        if not self._is_live:
            self._lines.note(text)
        self._touch()

    def outcome(self, text: str) -> None:
        """See `Display`."""
        self._lines.outcome(text)

    def event(self, event: Event) -> None:
        """See `Display`."""
        if not self._is_live:
            self._lines.event(event)
        self._touch()

    def notice(self, notice: Notice) -> None:
        """See `Display`."""
        if not self._is_live:
            self._lines.notice(notice)
        self._touch()

    def saw(
        self, message: Event | Wish | Woken, commands: Sequence[Command], begun_s: float, ended_s: float
    ) -> None:
        """See `improv_daemon.witness.Witness`."""
        self._touch()

    def suspend(self) -> None:
        """Ctrl-Z."""
        self._screen.suspend()

    def resume(self) -> None:
        """Back again."""
        self._screen.resume()
        self._touch()

    def end(self) -> None:
        """The terminal is as it was; what went wrong a moment ago stands there, too."""
        was_live = self._is_live
        self._snapshot = None
        if self._timer is not None:
            self._timer.cancel()
        self._screen.end()
        now_s = self._clock()
        for said in self._state.problems if was_live else ():
            if now_s - said.at_s < PROBLEM_SHOWN_S:
                self._lines.note(said.text)
        self._lines.end()

    # --- telling the screen ---------------------------------------------------------------------------

    @property
    def _is_live(self) -> bool:
        return self._snapshot is not None and self._screen.is_up

    def _lost(self, reason: str) -> None:
        self._snapshot = None
        if self._opening is not None:
            self._lines.opening(self._opening)
        because = f" ({reason})" if reason else ""
        self._lines.note(f"The live view has ended{because}; improv plays on and goes on in lines.")

    def _touch(self) -> None:
        """Something has happened: the screen is told soon."""
        if self._snapshot is not None:
            self._due(self._told_s + EACH_S)

    def _due(self, at_s: float) -> None:
        if self._timer is not None and (self._due_s <= at_s or self._timer.cancelled()):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due_s = at_s
        self._timer = asyncio.get_running_loop().call_at(at_s, self._tell)

    def _tell(self) -> None:
        self._timer = None
        if self._snapshot is None or not self._screen.is_up:
            return
        now_s = asyncio.get_running_loop().time()
        snapshot = self._snapshot(now_s)
        if snapshot != self._told and self._screen.tell(snapshot):
            self._told = snapshot
        self._told_s = now_s
        self._due(now_s + AT_LEAST_EACH_S)
