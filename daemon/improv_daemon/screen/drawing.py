"""A sitting as lines of text, for a terminal of any size; pure.

What there is no room for is left out, the least important first: at last a line remains that says whose turn
it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from improv_daemon.screen import parts
from improv_daemon.screen.desk import Desk
from improv_daemon.screen.help_page import help_page
from improv_daemon.screen.lines import ELLIPSIS, fitted
from improv_daemon.screen.parts import Frame
from improv_daemon.screen.roll_lines import roll_lines
from improv_daemon.screen.snapshot import Snapshot

_MARGIN: Final = 1
_LEAST_ROLL, _MOST_ROLL = 3, 24
_NARROWEST_ROLL: Final = 16
_CALM_ROLL: Final = 6  # from so many lines on there is room for blank lines

_Part = Callable[[Frame], list[Text]]
_BY_WEIGHT: Final[tuple[_Part, ...]] = (
    *(parts.turn, parts.said, parts.keys, parts.dials, parts.rig, parts.about),
)
_BELOW: Final[tuple[tuple[_Part, ...], ...]] = (
    (parts.dials, parts.about),
    (parts.rig,),
    (parts.said,),
    (parts.keys,),
)
"""From the roll down; a blank line comes before each group where there is room."""


@dataclass(frozen=True, slots=True)
class Look:
    """How the terminal is.

    Attributes:
        columns: Its width.
        rows: Its height.
        colour: Whether it has colours, and they are wanted.
        ascii_only: Whether it has ASCII letters only.
    """

    columns: int
    rows: int
    colour: bool = True
    ascii_only: bool = False


def draw(snapshot: Snapshot, desk: Desk, look: Look, now_s: float) -> list[Text]:
    """As many lines as the terminal has, none wider than it is.

    Args:
        snapshot: The sitting.
        desk: What is open at the terminal.
        look: How the terminal is.
        now_s: What time it is now.
    """
    columns = max(1, look.columns - 2 * _MARGIN)
    frame = Frame(snapshot, desk, columns, look.rows, look.colour, look.ascii_only, now_s)
    lines = (
        help_page(snapshot, columns, look.rows, ascii_only=look.ascii_only) if desk.help else _sitting(frame)
    )
    shown = [_inset(fitted(line, columns), look) for line in lines[: look.rows]]
    return shown + [Text()] * (look.rows - len(shown))


def _inset(line: Text, look: Look) -> Text:
    if look.ascii_only and not line.plain.isascii():
        line = line.copy()
        line.plain = line.plain.replace(ELLIPSIS, "~")
    return Text.assemble(" " * _MARGIN, line) if look.columns > 2 * _MARGIN and line else line


def _sitting(frame: Frame) -> list[Text]:
    """The parts there is room for, in their places; the roll takes what is left."""
    with_roll = frame.rows > _LEAST_ROLL + 1 and frame.columns >= _NARROWEST_ROLL
    room = frame.rows - _LEAST_ROLL * with_roll
    kept: dict[_Part, list[Text]] = {}
    for part in _BY_WEIGHT:
        kept[part] = part(frame)[:room]
        room -= len(kept[part])
    groups = [[line for part in group for line in kept[part]] for group in _BELOW]
    gaps = 0
    for _ in range(1 + sum(map(bool, groups))):
        if room + _LEAST_ROLL > _CALM_ROLL:
            room, gaps = room - 1, gaps + 1
    lines, gaps = _after_a_gap(kept[parts.turn], _roll(frame, room) if with_roll else [], gaps)
    for group in groups:
        lines, gaps = _after_a_gap(lines, group, gaps)
    return lines


def _after_a_gap(above: list[Text], group: list[Text], gaps: int) -> tuple[list[Text], int]:
    is_gap = bool(group) and gaps > 0
    return [*above, *[Text()] * is_gap, *group], gaps - is_gap


def _roll(frame: Frame, more: int) -> list[Text]:
    """The roll; what is left of a very tall terminal is blank."""
    rows = _LEAST_ROLL + more
    drawn = roll_lines(
        frame.snapshot,
        rows=min(rows, _MOST_ROLL),
        columns=frame.columns,
        now_s=frame.now_s,
        colour=frame.colour,
        ascii_only=frame.ascii_only,
    )
    return drawn + [Text()] * (rows - len(drawn))
