"""The parts of the live view, a few lines each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from improv_daemon.screen import colours
from improv_daemon.screen.desk import Desk
from improv_daemon.screen.keys import BINDINGS
from improv_daemon.screen.lines import Piece, apart, first_that_fits, line_of, padded, wrapped
from improv_daemon.screen.snapshot import PROBLEM_SHOWN_S, SAID_SHOWN_S, Dial, Sentence, Snapshot, Tempo

_TURNS: Final = {
    "listening": (" YOU ", colours.YOU_BADGE),
    "yielding": (" YOU ", colours.YOU_BADGE),
    "answering": (" IMPROV ", colours.IMPROV_BADGE),
    "together": (" TOGETHER ", colours.TOGETHER_BADGE),
}
_BEATS: Final = (("●", "○"), ("#", "."))
_BETWEEN: Final = ("  ·  ", "  -  ")
_ENTER: Final = ("⏎", "enter")
_SLIDERS: Final = (("━", "─"), ("=", "-"))
_SLIDER_COLUMNS: Final = (4, 10)
_NAME_COLUMNS: Final = 14
_VALUE_COLUMNS: Final = 9
_CHOSEN: Final = ("› ", "> ")
_TWO_FROM, _THREE_FROM = 56, 108
_ROWS_FOR_A_DIAL: Final = 5
_SENTENCES, _SENTENCE_LINES = 2, 2
_TALL: Final = 20


@dataclass(frozen=True, slots=True)
class Frame:
    """What all parts are drawn from.

    Attributes:
        snapshot: The sitting.
        desk: What is open at the terminal.
        columns: There are for a line.
        rows: Of the whole terminal.
        colour: Whether there are colours.
        ascii_only: Whether there are ASCII letters only.
        now_s: What time it is now.
    """

    snapshot: Snapshot
    desk: Desk
    columns: int
    rows: int
    colour: bool
    ascii_only: bool
    now_s: float


def turn(frame: Frame) -> list[Text]:
    """Whose turn it is, the mode, what else is the case; at the right the tempo."""
    snapshot = frame.snapshot
    who, badge = _TURNS.get(snapshot.phase, _TURNS["listening"])
    if not frame.colour:
        who = f"[{who.strip()}]"
    begin: list[Piece] = [(who, badge if frame.colour else colours.NAME), ("  ", colours.PLAIN)]
    mode: list[Piece] = [(snapshot.mode, colours.NAME)]
    words: list[Piece] = [(f": {snapshot.mode_words}", colours.QUIET)] if snapshot.mode_words else []
    states: list[Piece] = [(f"  {state}", colours.PROBLEM) for state in snapshot.states]
    preset: list[Piece] = [(f"  preset {snapshot.preset}", colours.QUIET)] if snapshot.preset else []
    lefts = [
        [*begin, *mode, *words, *preset, *states],
        [*begin, *mode, *preset, *states],
        [*begin, *mode, *states],
        [*begin, *mode],
        begin[:1],
    ]
    rights = _tempo(frame, snapshot.tempo)
    for left in lefts:
        for right in rights:
            if line_of([*left, *right]).cell_len + 2 <= frame.columns:
                return [apart(line_of(left), line_of(right), frame.columns)]
    return [first_that_fits(lefts, frame.columns)]


def _tempo(frame: Frame, tempo: Tempo | None) -> list[list[Piece]]:
    """The tempo at more or less length."""
    if tempo is None:
        return [[("no tempo", colours.FAINT)], []]
    bpm: Piece = (f"{60 / tempo.beat_s:.0f} bpm", colours.NAME)
    source: Piece = (f"  {tempo.source}", colours.QUIET)
    if not tempo.steady:
        return [[bpm, source], [bpm], []]
    on, off = _BEATS[frame.ascii_only]
    beat = math.floor((frame.now_s - tempo.origin_s) / tempo.beat_s) % tempo.beats_per_bar
    dots = "".join(on if number == beat else off for number in range(tempo.beats_per_bar))
    lamp: Piece = (f"  {dots}", colours.QUIET)
    return [[bpm, source, lamp], [bpm, lamp], [bpm], []]


def said(frame: Frame) -> list[Text]:
    """The latest sentences, for as long as they matter; what is awaited of the musician first."""
    snapshot = frame.snapshot
    if snapshot.learning:
        name = next(
            (dial.name for dial in snapshot.dials if dial.key == snapshot.learning), snapshot.learning
        )
        text = f"Move the knob, fader or pedal that is to be for {name} (Esc: none)."
        return wrapped(text, colours.NAME, frame.columns, _SENTENCE_LINES)
    standing = [one for one in snapshot.said if _stands(one, frame.now_s)]
    shown = [one for one in standing if one.is_problem or one is standing[-1]]
    lines: list[Text] = []
    for one in shown[-_SENTENCES if frame.rows >= _TALL else -1 :]:
        style = colours.PROBLEM if one.is_problem else colours.PLAIN
        lines += wrapped(one.text, style, frame.columns, _SENTENCE_LINES)
    return lines


def _stands(one: Sentence, now_s: float) -> bool:
    return now_s - one.at_s < (PROBLEM_SHOWN_S if one.is_problem else SAID_SHOWN_S)


def keys(frame: Frame) -> list[Text]:
    """As many keys as there is room for."""
    always = [("?", "help"), ("q", "quit")]
    enter = _ENTER[frame.ascii_only]
    named = [(enter if b.label == "enter" else b.label, b.words) for b in BINDINGS if b.words]
    shorter = (line_of(_keys([*named[:count], *always])) for count in range(len(named), 0, -1))
    fitting = (line for line in shorter if line.cell_len <= frame.columns)
    return [next(fitting, line_of(_keys(always)))]


def _keys(pairs: list[tuple[str, str]]) -> list[Piece]:
    pieces: list[Piece] = []
    for key, words in pairs:
        gap = "   " if pieces else ""
        pieces += [(f"{gap}{key}", colours.NAME), (f" {words}", colours.QUIET)]
    return pieces


def dials(frame: Frame) -> list[Text]:
    """The parameters, side by side where there is room; those about the chosen one where there is none."""
    every = frame.snapshot.dials
    if not every:
        return []
    side_by_side = 1 + (frame.columns >= _TWO_FROM) + (frame.columns >= _THREE_FROM)
    width = frame.columns // side_by_side
    rows = math.ceil(len(every) / side_by_side)
    shown = max(1, min(rows, frame.rows // _ROWS_FOR_A_DIAL))
    chosen = frame.desk.in_reach(frame.snapshot)
    first = max(0, min(chosen % rows - shown // 2, rows - shown))
    lines = []
    for row in range(first, first + shown):
        here = range(row, len(every), rows)  # down the columns, as the arrows go
        pieces = [piece for n in here for piece in _dial(frame, every[n], width, is_chosen=n == chosen)]
        lines.append(line_of(pieces))
    return lines


def _dial(frame: Frame, dial: Dial, width: int, *, is_chosen: bool) -> list[Piece]:
    mark = _CHOSEN[frame.ascii_only] if is_chosen else "  "
    room = width - len(mark) - _NAME_COLUMNS - _VALUE_COLUMNS - 2
    name_columns = min(_NAME_COLUMNS, max(1, (width - len(mark)) // 2))
    least, most = _SLIDER_COLUMNS
    name_style = colours.NAME if is_chosen else colours.QUIET
    begin: list[Piece] = [
        (mark, colours.NAME),
        (padded(dial.name, name_columns) + " ", name_style),
    ]
    if dial.share is None or room < least:
        rest = max(1, width - len(mark) - name_columns - 1)
        return [*begin, (padded(dial.value, rest - 1) + " ", colours.PLAIN)]
    full, empty = _SLIDERS[frame.ascii_only]
    columns = min(most, room)
    filled = round(dial.share * columns)
    slack = " " * (room - columns + 1)
    return [
        *begin,
        (padded(dial.value, _VALUE_COLUMNS), colours.PLAIN),
        (full * filled, colours.NAME if is_chosen else colours.QUIET),
        (empty * (columns - filled), colours.FAINT),
        (slack, colours.PLAIN),
    ]


def about(frame: Frame) -> list[Text]:
    """What the chosen parameter does, and which controller turns it."""
    every = frame.snapshot.dials
    if not every or frame.rows < _TALL:
        return []
    dial = every[frame.desk.in_reach(frame.snapshot)]
    knob = f" ({dial.knob})" if dial.knob else ""
    return wrapped(f"  {dial.key}{knob}: {dial.help}", colours.HELP, frame.columns, 1)


def rig(frame: Frame) -> list[Text]:
    """Ports and sound; how late notes are and how long the model thinks."""
    snapshot, between = frame.snapshot, _BETWEEN[frame.ascii_only]
    places = [*snapshot.outputs, *([snapshot.sound] if snapshot.sound else [])]
    ports: list[Piece] = [
        ("hears ", colours.FAINT),
        (", ".join(snapshot.inputs) or "nothing yet", colours.QUIET),
        (f"{between}plays ", colours.FAINT),
        (", ".join(places) or "nothing yet", colours.QUIET),
    ]
    timing = snapshot.timing
    told = [f"model {snapshot.model}"]
    if timing.model_ms is not None:
        told.append(f"thinks {timing.model_ms:.1f} ms a note")
    if timing.late_ms is not None and timing.worst_ms is not None:
        told.append(f"notes {timing.late_ms:.1f} ms late, {timing.worst_ms:.1f} at worst")
    return [line_of(ports), line_of([(between.join(told), colours.QUIET)])]
