"""The page of keys, and what was said of late."""

from __future__ import annotations

from typing import Final

from rich.text import Text

from improv_daemon.screen import colours
from improv_daemon.screen.keys import BINDINGS
from improv_daemon.screen.lines import line_of, wrapped
from improv_daemon.screen.snapshot import Snapshot

_KEY_COLUMNS: Final = 8
_OTHERS: Final = (
    ("↑ ↓", "choose a parameter"),
    ("← →", "change it"),
    ("l", "learn: the next controller that you move will turn it"),
    ("q", "quit; Ctrl-C does too"),
    ("?", "back"),
)

_ARROWS: Final = {"↑ ↓": "up down", "← →": "lt rt"}


def help_page(snapshot: Snapshot, columns: int, rows: int, *, ascii_only: bool) -> list[Text]:
    """Every key, and below them the latest sentences, as far as there is room."""
    keys = [(binding.label, binding.help) for binding in BINDINGS if binding.words]
    lines = [line_of([(" keys", colours.NAME)]), Text()]
    arrows = _ARROWS if ascii_only else {}
    lines += [_key(arrows.get(label, label), words) for label, words in (*keys, *_OTHERS)]
    said: list[Text] = []
    for one in reversed(snapshot.said):
        said = wrapped(one.text, colours.PROBLEM if one.is_problem else colours.QUIET, columns - 2, 3) + said
    room = rows - len(lines) - 1
    if room < 1 or not said:
        return lines
    return [*lines, Text(), *(Text.assemble("  ", line) for line in said[-room:])]


def _key(label: str, words: str) -> Text:
    return line_of([(f"  {label:<{_KEY_COLUMNS}}", colours.IMPROV), (words, colours.PLAIN)])
