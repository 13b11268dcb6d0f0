"""How a sitting is shown: which displays there are, and what they have in common."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from improv_daemon.display import Display, Displays, Quiet
from improv_daemon.live_view import LiveView
from improv_daemon.log_file import logging_to
from improv_daemon.quiet import quiet_stderr
from improv_daemon.screen_link import ScreenLink, can_show
from improv_daemon.showing import Showing
from improv_daemon.sitting_state import SittingState
from improv_daemon.view import View


@dataclass(frozen=True, slots=True)
class Shown:
    """Attributes:
    display: Is told everything.
    state: Knows how the sitting stands.
    live: The live view, where there is one.
    """

    display: Display
    state: SittingState
    live: LiveView | None


@contextlib.contextmanager
def shown(showing: Showing) -> Iterator[Shown]:
    """What is shown of a sitting, from before its start until its files are made.

    Args:
        showing: As asked for.
    """
    view, state = View(), SittingState()
    with contextlib.ExitStack() as stack:
        lines: Display = Quiet(view) if showing.quiet else view
        live = None
        if not showing.quiet and not showing.plain and can_show():
            with contextlib.suppress(OSError):  # no process to be had: lines are enough
                lines = live = LiveView(ScreenLink(), view, state)
        seen = Displays(state, lines)
        log = stack.enter_context(logging_to(showing.log, seen.note))
        yield Shown(Displays(seen, *log), state, live)


@contextlib.contextmanager
def while_live(live: LiveView | None) -> Iterator[None]:
    """While the live view has the terminal; at the end of this it is given back, whatever has happened."""
    if live is None:
        yield
        return
    with quiet_stderr():  # what libraries write there would stand in the picture
        try:
            yield
        finally:
            live.end()
