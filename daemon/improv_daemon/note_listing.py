"""The table of ``improv notes``, to the terminal, as CSV, or as Parquet."""

from __future__ import annotations

import csv
import dataclasses
import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from improv_core.errors import MissingExtraError
from improv_core.note_table import NoteRow, chord_count
from improv_daemon.whole_files import whole_file

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS: Final = tuple(field.name for field in dataclasses.fields(NoteRow))

_DIGITS: Final = 6
"""Of seconds: far below a tick, and without the dust of binary fractions."""

_HEADINGS: Final = ("note", "key", "onset", "length", "step", "vel", "track", "chord", "normal order")
_RIGHT: Final = ("pitch", "onset_s", "duration_s", "step_s", "velocity")


def values_of(row: NoteRow) -> tuple[str | int | float, ...]:
    """A row's values in the order of `COLUMNS`; seconds to the microsecond."""
    values = (getattr(row, column) for column in COLUMNS)
    return tuple(round(value, _DIGITS) if isinstance(value, float) else value for value in values)


def write_csv(rows: Sequence[NoteRow], file: TextIO) -> None:
    """A line of names, then a line for each note; newlines are the file's own."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(map(values_of, rows))


def save_csv(rows: Sequence[NoteRow], path: Path, *, over: bool = False) -> None:
    """`write_csv` to a file in UTF-8, ``over`` one that may be there.

    Raises:
        StorageError: It is there and may not be replaced, or cannot be written.
    """
    with whole_file(path, over=over) as part, part.open("w", encoding="utf-8", newline="") as file:
        write_csv(rows, file)


def save_parquet(rows: Sequence[NoteRow], path: Path, *, over: bool = False) -> None:
    """The same columns as Parquet.

    Raises:
        MissingExtraError: pandas or pyarrow is not installed.
        StorageError: The file is there and may not be replaced, or cannot be written.
    """
    try:
        pandas: Any = importlib.import_module("pandas")
        importlib.import_module("pyarrow")
    except ImportError:
        raise MissingExtraError(
            "Parquet files need pandas and pyarrow: pip install 'improv-midi[table]'; a .csv needs neither."
        ) from None
    table = pandas.DataFrame([values_of(row) for row in rows], columns=COLUMNS)
    with whole_file(path, over=over) as part:
        table.to_parquet(part, index=False)


def terminal_table(rows: Sequence[NoteRow]) -> Table:
    """For rich to print; what does not fit into the terminal's width are names, never numbers."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column, heading in zip(COLUMNS, _HEADINGS, strict=True):
        is_number = column in _RIGHT or column == "name"
        table.add_column(heading, justify="right" if column in _RIGHT else "left", no_wrap=is_number)
    for row in rows:
        table.add_row(*map(Text, _texts(row)))  # a track's name is not markup
    return table


def plain_lines(rows: Sequence[NoteRow]) -> Iterator[str]:
    """The same as lines of text, under one of headings; a hundred times as fast."""
    table = [_HEADINGS, *map(_texts, rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for texts in table:
        padded = (
            text.rjust(width) if column in _RIGHT else text.ljust(width)
            for text, width, column in zip(texts, widths, COLUMNS, strict=True)
        )
        yield "  ".join(padded).rstrip()


def _texts(row: NoteRow) -> tuple[str, ...]:
    """Seconds to the millisecond."""
    return tuple(f"{value:.3f}" if isinstance(value, float) else str(value) for value in values_of(row))


def in_short(rows: Sequence[NoteRow]) -> str:
    """``12 notes, 2 chords, 1 track, 0:08.``."""
    from improv_daemon.seeds import clock_time

    chords = chord_count(rows)
    tracks = len({row.track for row in rows})
    end_s = max((row.onset_s + row.duration_s for row in rows), default=0.0)
    counted = ", ".join(
        f"{count:,} {thing}{'' if count == 1 else 's'}"
        for count, thing in ((len(rows), "note"), (chords, "chord"), (tracks, "track"))
    )
    return f"{counted}, {clock_time(end_s)}."
