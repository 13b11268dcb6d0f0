"""Whoever shows a sitting: a terminal, a log, the live view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from improv_daemon.partner import Notice, Said
from improv_daemon.wire import Event, Ready, Trouble


@dataclass(frozen=True, slots=True)
class Opening:
    """What there is to say when improv is ready.

    Attributes:
        model: Its name.
        mode: Who plays when.
        ready: Where the stage listens and plays.
        asked: What is asked of the music.
        remarks: What there is to know of the model: a sentence each.
        hint: Whether to name the demo to those who have neither MIDI nor sound.
    """

    model: str
    mode: str
    ready: Ready
    asked: Sequence[str] = ()
    remarks: Sequence[str] = ()
    hint: bool = True


class Display(Protocol):
    """Is told what happens, never waits long and never raises."""

    def opening(self, opening: Opening) -> None:
        """The stage is up."""

    def line(self, text: str) -> None:
        """A sentence that is good to know."""

    def note(self, text: str) -> None:
        """A sentence about what is not as it should be."""

    def outcome(self, text: str) -> None:
        """A sentence about what came of the sitting."""

    def event(self, event: Event) -> None:
        """The stage has said something: notes sound, ports go."""

    def notice(self, notice: Notice) -> None:
        """The partner has something to tell."""

    def end(self) -> None:
        """Nothing more sounds."""


class Displays:
    """Several at once."""

    def __init__(self, *displays: Display) -> None:
        self._displays = displays

    def opening(self, opening: Opening) -> None:
        """See `Display`."""
        for display in self._displays:
            display.opening(opening)

    def line(self, text: str) -> None:
        """See `Display`."""
        for display in self._displays:
            display.line(text)

    def note(self, text: str) -> None:
        """See `Display`."""
        for display in self._displays:
            display.note(text)

    def outcome(self, text: str) -> None:
        """See `Display`."""
        for display in self._displays:
            display.outcome(text)

    def event(self, event: Event) -> None:
        """See `Display`."""
        for display in self._displays:
            display.event(event)

    def notice(self, notice: Notice) -> None:
        """See `Display`."""
        for display in self._displays:
            display.notice(notice)

    def end(self) -> None:
        """See `Display`."""
        for display in self._displays:
            display.end()


class Quiet:
    """Passes on only what goes wrong and what came of it.

    Args:
        display: To whom.
    """

    def __init__(self, display: Display) -> None:
        self._display = display

    def opening(self, opening: Opening) -> None:
        """Only what could not be opened."""
        for problem in opening.ready.problems:
            self._display.note(problem)

    def line(self, text: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """See `Display`."""
        self._display.note(text)

    def outcome(self, text: str) -> None:
        """See `Display`."""
        self._display.outcome(text)

    def event(self, event: Event) -> None:
        """Only trouble."""
        if isinstance(event, Trouble):
            self._display.event(event)

    def notice(self, notice: Notice) -> None:
        """Only sentences."""
        if isinstance(notice, Said):
            self._display.notice(notice)

    def end(self) -> None:
        """See `Display`."""
        self._display.end()
