"""Sessions as a musician reads them: a table of all, or all there is to know of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from improv_daemon.journal import clock_text
from improv_daemon.sessions.listing import Listed, State
from improv_daemon.sessions.summary import Summary

TEMPO_WORDS: Final = {
    "clock": "from the MIDI clock",
    "set": "set",
    "tapped": "tapped",
    "": "neither set nor from a MIDI clock",
}
_KIB: Final = 1024
_HASH_DIGITS: Final = 12


def show_table(sessions: Sequence[Listed], console: Console) -> None:
    """Write a table of sessions, a line each."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("name", no_wrap=True)
    for name in ("length", "turns", "notes"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("mode", overflow="fold")
    table.add_column("model", overflow="fold")
    has_state = any(one.state is not State.FINISHED for one in sessions)
    if has_state:
        table.add_column("", no_wrap=True)
    for one in sessions:
        cells = (one.name, *_cells(one.summary), *([_said(one.state)] if has_state else []))
        table.add_row(*map(Text, cells))
    console.print(table)


def lines_of(listed: Listed) -> Iterator[str]:
    """All there is to know of one."""
    yield listed.name
    if listed.state is not State.FINISHED:
        yield f"  {_said_of(listed)}"
    if listed.refusal:
        yield f"  {listed.refusal}"
    summary = listed.summary
    if summary is None:
        return
    begun = f"{summary.started_at:%Y-%m-%d %H:%M:%S %z}"
    yield f"  began     {begun}{', kept after the fact' if summary.from_the_middle else ''}"
    yield f"  length    {length_text(summary.length_s)}"
    yield f"  turns     {_shares(summary.turns.player, summary.turns.improv)}"
    yield f"  notes     {_shares(summary.notes.player, summary.notes.improv)}"
    yield f"  mode      {', '.join(summary.modes) or 'not known'}"
    yield f"  tempo     {TEMPO_WORDS.get(summary.tempo, summary.tempo)}"
    yield f"  model     {summary.model or 'not known'}{_hash(summary)}"
    yield f"  seed      {summary.seed}"
    if summary.improv_version:
        yield f"  improv    {summary.improv_version}"
    yield from _file_lines(listed)
    if summary.level is not None:
        yield f"  sound     {summary.level.in_words()}"
    for problem in summary.problems:
        yield f"  {problem}"


def length_text(length_s: float) -> str:
    """``1:02:03``, or ``2:03``."""
    return clock_text(round(length_s))


def _cells(summary: Summary | None) -> tuple[str, ...]:
    if summary is None:
        return ("", "", "", "", "")
    turns = summary.turns.player + summary.turns.improv
    notes = f"{summary.notes.player} + {summary.notes.improv}"
    return length_text(summary.length_s), str(turns), notes, ", ".join(summary.modes), summary.model


def _said(state: State) -> str:
    return "" if state is State.FINISHED else state.value


def _said_of(listed: Listed) -> str:
    match listed.state:
        case State.RECORDING:
            return "It is being recorded now."
        case State.FINISHING:
            return "Its files are being made now."
        case State.UNFINISHED:
            return f"It is unfinished; improv sessions recover {listed.name} makes its files."
    return "It cannot be read."


def _shares(player: int, improv: int) -> str:
    return f"{player} of yours, {improv} of improv's"


def _hash(summary: Summary) -> str:
    return f" (SHA-256 {summary.model_hash[:_HASH_DIGITS]})" if summary.model_hash else ""


def _file_lines(listed: Listed) -> Iterator[str]:
    folder = listed.folder
    if folder is None:
        yield f"  journal   {listed.journal}"
        return
    yield f"  folder    {folder.path}"
    for path in sorted(folder.path.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            yield f"            {path.name}, {_size_text(path.stat().st_size)}"


def _size_text(size: int) -> str:
    if size < _KIB:
        return f"{size} bytes"
    return f"{size / _KIB:.0f} KiB" if size < _KIB * _KIB else f"{size / _KIB / _KIB:.1f} MiB"
