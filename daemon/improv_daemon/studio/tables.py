"""The notes of a piece as a table."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from improv_daemon.studio.pieces import Piece

if TYPE_CHECKING:
    from pandas import DataFrame


def table(piece: Piece) -> DataFrame | list[dict[str, object]]:
    """A row for each note: name, pitch, onset, duration, step, velocity, track, chord.

    Returns:
        A pandas DataFrame where pandas is installed, else a list of dictionaries; see
        `improv_core.note_table.NoteRow` for columns and units.
    """
    from improv_core.note_table import note_rows

    rows = [dataclasses.asdict(row) for row in note_rows(piece.tracks)]
    try:
        import pandas
    except ImportError:
        return rows
    from improv_core.note_table import NoteRow

    return pandas.DataFrame(rows, columns=[field.name for field in dataclasses.fields(NoteRow)])
