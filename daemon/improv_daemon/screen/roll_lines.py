"""The roll as lines of text."""

from __future__ import annotations

import itertools
import operator
from typing import Final

from rich.style import Style
from rich.text import Text

from improv_daemon.screen import colours
from improv_daemon.screen.lines import Piece
from improv_daemon.screen.roll import Cell, roll
from improv_daemon.screen.snapshot import Snapshot

GUTTER: Final = 4
"""Columns for the names of the Cs."""

_UPPER, _LOWER, _FULL = "▀", "▄", "█"
_FORMS: Final = (("━●", "─○"), ("=O", "-o"))
"""Without colours: held and onset, of the player and of improv; the second is ASCII."""

_BAR_LINE: Final = ("┊", ":")


def roll_lines(
    snapshot: Snapshot, *, rows: int, columns: int, now_s: float, colour: bool, ascii_only: bool
) -> list[Text]:
    """So many lines, of so many columns.

    Args:
        snapshot: Whose notes.
        rows: Lines.
        columns: Of a line.
        now_s: What still sounds lasts until then.
        colour: In two colours, two rows to a line; else in two forms, a row to a line.
        ascii_only: With ASCII alone.
    """
    halves = colour and not ascii_only
    drawn = roll(
        snapshot.notes,
        snapshot.tempo,
        rows=2 * rows if halves else rows,
        columns=columns - GUTTER,
        now_s=now_s,
    )
    per_line = 2 if halves else 1
    lines = []
    for number in range(rows):
        here = drawn.cells[per_line * number : per_line * (number + 1)]
        names = (drawn.labels.get(row) for row in range(per_line * number, per_line * (number + 1)))
        line = Text(next((name for name in names if name), "").rjust(GUTTER - 1) + " ", colours.FAINT)
        pieces: list[Piece] = []
        for column, cells in enumerate(zip(*here, strict=True)):
            if not any(cells):
                is_bar = column in drawn.bar_lines
                pieces.append((_BAR_LINE[ascii_only] if is_bar else " ", colours.FAINT))
            elif halves:
                pieces.append(_half_blocks(cells[0], cells[1]))
            else:
                pieces.append(_form(cells[0], colour=colour, ascii_only=ascii_only))
        for style, run in itertools.groupby(pieces, key=operator.itemgetter(1)):
            line.append("".join(text for text, _ in run), style)
        lines.append(line)
    return lines


def _half_blocks(upper: Cell | None, lower: Cell | None) -> tuple[str, Style]:
    if upper is None or lower is None:
        return (_UPPER if lower is None else _LOWER), _colour(upper or lower)
    if upper == lower:
        return _FULL, _colour(upper)
    return _UPPER, _colour(upper) + Style(bgcolor=_colour(lower).color)


def _form(cell: Cell | None, *, colour: bool, ascii_only: bool) -> tuple[str, Style]:
    if cell is None:
        return " ", colours.PLAIN
    return _FORMS[ascii_only][cell.who][cell.onset], _colour(cell) if colour else colours.PLAIN


def _colour(cell: Cell | None) -> Style:
    return colours.PLAIN if cell is None else colours.NOTES[cell.who][cell.onset]
