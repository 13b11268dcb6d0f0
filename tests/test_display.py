"""Displays together, and one that is quiet."""

from __future__ import annotations

import io

from improv_daemon.display import Display, Displays, Opening, Quiet
from improv_daemon.partner import ModeChanged, Said
from improv_daemon.view import View
from improv_daemon.wire import Played, Ready, Trouble

OPENING = Opening("default", "answer", Ready((), (), None, ("A pedal is missing.",)))


def show_all(display: Display) -> None:
    display.opening(OPENING)
    display.line("OSC messages are taken.")
    display.event(Played((0x90, 60, 64), 1.0, "keys"))
    display.event(Trouble("The Roland is gone."))
    display.notice(ModeChanged("listen"))
    display.notice(Said("That cannot be."))
    display.note("The log is full.")
    display.end()
    display.outcome("Kept it.")


def test_several_displays_are_told_the_same() -> None:
    outs = [io.StringIO() for _ in range(3)]
    show_all(Displays(View(outs[0]), View(outs[1])))
    show_all(View(outs[2]))
    assert outs[0].getvalue() == outs[1].getvalue() == outs[2].getvalue()
    assert len(outs[0].getvalue().splitlines()) == 12


def test_quiet_says_what_goes_wrong_and_what_was_kept() -> None:
    out = io.StringIO()
    show_all(Quiet(View(out)))
    assert out.getvalue().splitlines() == [
        "Note: A pedal is missing.",
        "Note: The Roland is gone.",
        "Note: That cannot be.",
        "Note: The log is full.",
        "Kept it.",
    ]
