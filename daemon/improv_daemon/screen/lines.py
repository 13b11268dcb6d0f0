"""Pieces of text that fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.text import Text

ELLIPSIS: Final = "…"

Piece = tuple[str, Style]


def printable(text: str) -> str:
    """With question marks for what is no letter: a port may be called anything, escape codes included."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def line_of(pieces: Iterable[Piece]) -> Text:
    """One line of these."""
    line = Text(no_wrap=True)
    for text, style in pieces:
        line.append(printable(text), style)
    return line


def first_that_fits(candidates: Sequence[Sequence[Piece]], columns: int) -> Text:
    """The first that is no wider than this, else the last one."""
    return next(
        (line for line in map(line_of, candidates) if line.cell_len <= columns), line_of(candidates[-1])
    )


def apart(left: Text, right: Text, columns: int) -> Text:
    """One at the left edge and one at the right, which goes where there is no room for both."""
    space = columns - left.cell_len - right.cell_len
    return left if space < 1 or not right else Text.assemble(left, " " * space, right)


def fitted(line: Text, columns: int) -> Text:
    """No wider than this; what is cut off is said by dots."""
    if line.cell_len > columns:
        line = line.copy()
        line.truncate(columns, overflow="ellipsis" if columns > 1 else "crop")
    return line


def padded(text: str, columns: int) -> str:
    """Exactly so wide, by blanks or by dots."""
    text = printable(text)
    if cell_len(text) > columns:
        short = Text(text)
        short.truncate(columns, overflow="ellipsis")
        text = short.plain
    return text + " " * (columns - cell_len(text))


def wrapped(text: str, style: Style, columns: int, rows: int) -> list[Text]:
    """Broken between words into so many lines at most."""
    lines = Text(printable(text), style).wrap(_WRAPPER, max(1, columns))
    shown = list(lines[:rows])
    for line in shown:
        line.rstrip()
    if len(lines) > rows and shown:
        shown[-1].append(ELLIPSIS)
    return shown


_WRAPPER: Final = Console(width=80, force_terminal=False, color_system=None)
