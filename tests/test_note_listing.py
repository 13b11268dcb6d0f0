"""The table of ``improv notes``."""

from __future__ import annotations

import importlib
import importlib.util
import io
from pathlib import Path
from typing import Any

import pytest
from conftest import require
from rich.console import Console

from improv_core.errors import MissingExtraError, StorageError
from improv_core.midi_files import Track
from improv_core.note_table import note_rows
from improv_core.notes import Note, Performance
from improv_daemon.note_listing import (
    COLUMNS,
    in_short,
    plain_lines,
    save_csv,
    save_parquet,
    terminal_table,
    values_of,
    write_csv,
)

ROWS = note_rows(
    [
        Track("right, [bold]", Performance.of([Note(64, 70, 0.1, 0.2), Note(67, 71, 0.1, 0.2)])),
        Track("left", Performance.of([Note(48, 60, 0.1, 61.0), Note(50, 61, 0.1 + 0.2, 0.25)])),
    ]
)

CSV = """\
name,pitch,onset_s,duration_s,step_s,velocity,track,chord,normal_order
C3,48,0.1,61.0,0.0,60,left,C,0.4.7
E4,64,0.1,0.2,0.0,70,"right, [bold]",C,0.4.7
G4,67,0.1,0.2,0.0,71,"right, [bold]",C,0.4.7
D3,50,0.3,0.25,0.2,61,left,,
"""


def test_csv_has_a_line_of_names_and_one_for_each_note() -> None:
    file = io.StringIO()
    write_csv(ROWS, file)
    assert file.getvalue() == CSV


def test_a_csv_file_is_the_same_in_bytes_everywhere(tmp_path: Path) -> None:
    save_csv(ROWS, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == CSV.encode()


def test_parquet_holds_the_same(tmp_path: Path) -> None:
    require(importlib.util.find_spec("pyarrow"), "no pyarrow: pip install -e '.[table]'")
    pandas: Any = importlib.import_module("pandas")
    for name in "ab":
        save_parquet(ROWS, tmp_path / f"{name}.parquet")
    frame = pandas.read_parquet(tmp_path / "a.parquet")
    assert tuple(frame.columns) == COLUMNS
    assert [tuple(row) for row in frame.itertuples(index=False)] == [values_of(row) for row in ROWS]
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_without_pandas_what_to_install_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def without(name: str, package: str | None = None) -> object:
        if name in ("pandas", "pyarrow"):
            raise ImportError(name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(
        MissingExtraError, match=r"pip install 'improv-midi\[table\]'; a \.csv needs neither\.$"
    ):
        save_parquet(ROWS, tmp_path / "a.parquet")
    assert not (tmp_path / "a.parquet").exists()


@pytest.mark.parametrize("save", [save_csv, save_parquet])
def test_a_file_that_cannot_be_written_is_named(save: Any, tmp_path: Path) -> None:
    require(importlib.util.find_spec("pyarrow"), "no pyarrow: pip install -e '.[table]'")
    with pytest.raises(StorageError, match=r"no/a\.csv cannot be written"):
        save(ROWS, tmp_path / "no" / "a.csv")


def test_the_terminals_table_takes_names_as_they_are() -> None:
    console = Console(file=io.StringIO(), width=120)
    console.print(terminal_table(ROWS))
    assert isinstance(console.file, io.StringIO)
    lines = [line.split() for line in console.file.getvalue().splitlines()]
    assert ["C3", "48", "0.100", "61.000", "0.000", "60", "left", "C", "0.4.7"] in lines
    assert ["E4", "64", "0.100", "0.200", "0.000", "70", "right,", "[bold]", "C", "0.4.7"] in lines


def test_in_a_narrow_terminal_numbers_stay_whole() -> None:
    console = Console(file=io.StringIO(), width=64)
    console.print(terminal_table(ROWS))
    assert isinstance(console.file, io.StringIO)
    lines = [line.split()[:6] for line in console.file.getvalue().splitlines()]
    assert ["C3", "48", "0.100", "61.000", "0.000", "60"] in lines
    assert all(len(line) <= 64 for line in console.file.getvalue().splitlines())


def test_plain_lines_stand_under_their_headings() -> None:
    assert list(plain_lines(ROWS[:2])) == [
        "note  key  onset  length   step  vel  track          chord  normal order",
        "C3     48  0.100  61.000  0.000   60  left           C      0.4.7",
        "E4     64  0.100   0.200  0.000   70  right, [bold]  C      0.4.7",
    ]


def test_in_short_it_is_counted() -> None:
    assert in_short(ROWS) == "4 notes, 1 chord, 2 tracks, 1:01.1."
    assert in_short([]) == "0 notes, 0 chords, 0 tracks, 0:00."
