"""What is typed at the terminal; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

UP, DOWN, LEFT, RIGHT, ESCAPE = "up", "down", "left", "right", "escape"
LEARN, HELP, QUIT = "l", "?", "q"

_ARROWS: Final = {"A": UP, "B": DOWN, "C": RIGHT, "D": LEFT}
_NAMED: Final = {"\r": "enter", "\n": "enter", "\t": "tab", " ": "space", "\x1b": ESCAPE}
_SEQUENCE: Final = re.compile(r"\x1b[\[O][0-9;?]*([ -/]*[@-~])|.", re.DOTALL)
_UNFINISHED: Final = re.compile(r"\x1b([\[O][0-9;?]*)?\Z")


@dataclass(frozen=True, slots=True)
class Binding:
    """A key that does something.

    Attributes:
        key: As `Keyboard` names it.
        label: As the screen shows it.
        cue: What it tells improv, as the settings call it; empty for what only the screen does.
        words: What it does, in short.
        help: The same at more length.
    """

    key: str
    label: str
    cue: str
    words: str
    help: str


BINDINGS: Final = (
    Binding("enter", "enter", "hand_over", "hand over", "your turn is over now (the space bar too)"),
    Binding("space", "space", "hand_over", "", ""),
    Binding("tab", "tab", "next_mode", "mode", "go on to the next mode"),
    Binding("p", "p", "panic", "panic", "silence everything at once"),
    Binding("m", "m", "mute", "mute", "improv keeps silent, or plays again"),
    Binding("a", "a", "again", "again", "the last answer once more"),
    Binding("n", "n", "another", "another", "a new answer to the same call"),
    Binding("o", "o", "loop", "loop", "what was played last goes round until stopped"),
    Binding("u", "u", "undo", "undo", "forget the last turn"),
    Binding("k", "k", "keep", "keep", "keep what was played in the last minutes"),
    Binding("t", "t", "tap", "tap", "tap the tempo, three times or more"),
    Binding("c", "c", "count_in", "count in", "a bar of clicks, then play"),
    Binding("s", "s", "next_preset", "preset", "the next of your presets"),
)
"""In the order of the line of keys; what comes first stays longest where room is short."""

CUES: Final = {binding.key: binding.cue for binding in BINDINGS}


class Keyboard:
    """Makes keys of the bytes that a terminal sends."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def is_waiting(self) -> bool:
        """Whether an escape sequence is not complete, or the escape key was pressed."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[str]:
        """The keys that are complete: a character each, or a name."""
        text = (self._rest + data).decode("utf-8", "ignore")
        unfinished = _UNFINISHED.search(text)
        self._rest = unfinished[0].encode() if unfinished else b""
        return _keys(text[: unfinished.start()] if unfinished else text)

    def flush(self) -> list[str]:
        """Nothing more has come: what looked like the beginning of a sequence was the escape key."""
        rest, self._rest = self._rest, b""
        return [ESCAPE] if rest else []


def _keys(text: str) -> list[str]:
    found = []
    for match in _SEQUENCE.finditer(text):
        if match[1] is not None:
            found += [_ARROWS[match[1]]] if match[1] in _ARROWS else []
        else:
            found.append(_NAMED.get(match[0][-1], match[0][-1].lower()))
    return found
