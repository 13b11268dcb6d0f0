"""The table of ``improv notes``, to the terminal, as CSV, or as Parquet."""

from __future__ import annotations

import csv
import dataclasses
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from improv_core.errors import MissingExtraError, StorageError
from improv_core.note_table import NoteRow, chord_count

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

COLUMNS: Final = tuple(field.name for field in dataclasses.fields(NoteRow))

_DIGITS: Final = 6
"""Of seconds: far below a tick, and without the dust of binary fractions."""

_HEADINGS: Final = {
    "name": "note",
    "onset_s": "onset",
    "duration_s": "duration",
    "step_s": "step",
    "normal_order": "normal order",
}
_RIGHT: Final = ("pitch", "onset_s", "duration_s", "step_s", "velocity")


def values_of(row: NoteRow) -> tuple[str | int | float, ...]:
    """A row's values in the order of `COLUMNS`; seconds to the microsecond."""
    values = dataclasses.astuple(row)
    return tuple(round(value, _DIGITS) if isinstance(value, float) else value for value in values)


def write_csv(rows: Sequence[NoteRow], file: TextIO) -> None:
    """A line of names, then a line for each note; newlines are the file's own."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(map(values_of, rows))


def save_csv(rows: Sequence[NoteRow], path: Path) -> None:
    """`write_csv` to a file in UTF-8.

    Raises:
        StorageError: It cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            write_csv(rows, file)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror or error}).") from error


def save_parquet(rows: Sequence[NoteRow], path: Path) -> None:
    """The same columns as Parquet.

    Raises:
        MissingExtraError: pandas or pyarrow is not installed.
        StorageError: The file cannot be written.
    """
    try:
        pandas: Any = importlib.import_module("pandas")
        importlib.import_module("pyarrow")
    except ImportError:
        raise MissingExtraError(
            "Parquet files need pandas and pyarrow: pip install 'improv-midi[table]'; a .csv needs neither."
        ) from None
    try:
        pandas.DataFrame([values_of(row) for row in rows], columns=COLUMNS).to_parquet(path, index=False)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror or error}).") from error


def terminal_table(rows: Sequence[NoteRow]) -> Table:
    """For rich to print, seconds to the millisecond."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in COLUMNS:
        heading = _HEADINGS.get(column, column)
        table.add_column(heading, justify="right" if column in _RIGHT else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(f"{v:.3f}" if isinstance(v, float) else _plain(v) for v in dataclasses.astuple(row)))
    return table


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


def _plain(value: object) -> Text:
    from rich.text import Text

    return Text(str(value))  # a track's name is not markup
