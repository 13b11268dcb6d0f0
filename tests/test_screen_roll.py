"""Where notes stand on the roll."""

from __future__ import annotations

import pytest
from snapshots import CLOCK

from improv_daemon.screen.roll import COLUMN_S, Cell, Roll, roll
from improv_daemon.screen.snapshot import IMPROV, YOU, RollNote, Tempo

BAR_S = 2.0


def drawn(
    *notes: RollNote, now_s: float, tempo: Tempo | None = CLOCK, rows: int = 12, columns: int = 48
) -> Roll:
    return roll(notes, tempo, rows=rows, columns=columns, now_s=now_s)


def where(found: Roll, who: int) -> set[tuple[int, int]]:
    """Row and column of each of their cells."""
    return {
        (row, column)
        for row, cells in enumerate(found.cells)
        for column, cell in enumerate(cells)
        if cell is not None and cell.who == who
    }


def test_a_note_stands_from_its_onset_to_its_end_and_its_first_cell_is_another() -> None:
    found = drawn((YOU, 60, 100.5, 101.5), now_s=101.6)
    row = found.cells[11]
    assert [column for column, cell in enumerate(row) if cell] == list(range(36, 44))
    assert (row[36], row[37]) == (Cell(YOU, onset=True), Cell(YOU, onset=False))


def test_bar_lines_are_those_of_the_tempo() -> None:
    assert drawn((YOU, 60, 104.1, 104.2), now_s=104.5).bar_lines == {0, 16, 32}


def test_the_roll_stands_still_until_the_next_bar_and_then_moves_by_a_bar() -> None:
    notes: tuple[RollNote, ...] = ((YOU, 60, 104.1, 104.4), (IMPROV, 62, 104.5, None))
    within = [drawn(*notes, now_s=now_s) for now_s in (104.7, 105.9)]
    assert where(within[0], YOU) == where(within[1], YOU) == {(11, 32), (11, 33), (11, 34), (11, 35)}
    moved = drawn(*notes, now_s=104.0 + BAR_S)
    assert where(moved, YOU) == {(11, column - 16) for _, column in where(within[0], YOU)}


def test_what_sounds_lasts_until_now() -> None:
    assert where(drawn((IMPROV, 60, 104.0, None), now_s=104.5), IMPROV) == {(11, c) for c in range(32, 36)}


def test_in_silence_the_roll_stops_after_a_bar() -> None:
    note: RollNote = (YOU, 60, 104.0, 104.5)
    assert drawn(note, now_s=107.0) == drawn(note, now_s=500.0)
    assert where(drawn(note, now_s=500.0), YOU) == {(11, column) for column in range(16, 20)}


def test_what_is_long_past_is_not_on_it() -> None:
    found = drawn((YOU, 60, 90.0, 91.0), (YOU, 60, 104.0, 104.1), now_s=104.2)
    assert where(found, YOU) == {(11, 32)}


@pytest.mark.parametrize("tempo", [None, Tempo(0.5, 100.0, 4, "your playing", steady=False)])
def test_without_a_steady_tempo_columns_are_parts_of_seconds_and_there_are_no_bars(
    tempo: Tempo | None,
) -> None:
    found = drawn((YOU, 60, 104.0, 104.0 + 3 * COLUMN_S), now_s=104.5, tempo=tempo)
    assert found.bar_lines == frozenset()
    assert where(found, YOU) == {(11, 32), (11, 33), (11, 34)}


def test_where_there_is_little_room_a_beat_has_fewer_columns() -> None:
    assert drawn(now_s=104.5, columns=30).bar_lines == {6, 14, 22}


@pytest.mark.parametrize("tempo", [None, Tempo(0.5, 100.0, 7, "MIDI clock", steady=True)])
def test_what_was_played_last_is_on_the_narrowest_roll(tempo: Tempo | None) -> None:
    for begun_s in (104.0 + 0.25 * n for n in range(32)):
        found = drawn((YOU, 60, begun_s, begun_s + 0.1), now_s=begun_s + 0.1, columns=12, tempo=tempo)
        assert where(found, YOU)


def test_notes_far_apart_share_rows_and_all_are_on_it() -> None:
    found = drawn((YOU, 21, 104.0, 104.2), (IMPROV, 108, 104.0, 104.2), now_s=104.3)
    assert {row for row, _ in where(found, YOU)} == {11}
    assert {row for row, _ in where(found, IMPROV)} == {0}


def test_the_lowest_row_is_a_c_where_that_is_possible() -> None:
    found = drawn((YOU, 62, 104.0, 104.2), (YOU, 71, 104.0, 104.2), now_s=104.3)
    assert found.labels == {11: "C4"}
    assert {row for row, _ in where(found, YOU)} == {0, 9}


def test_the_highest_and_the_lowest_keys_are_on_it() -> None:
    for pitch in (0, 127):
        found = drawn((YOU, pitch, 104.0, 104.2), now_s=104.3)
        assert len(where(found, YOU)) == 2


def test_where_two_share_a_cell_the_onset_is_seen() -> None:
    found = drawn((YOU, 60, 104.0, 104.3), (IMPROV, 60, 104.1, 104.3), (YOU, 60, 104.1, 104.5), now_s=104.5)
    assert found.cells[11][32:36] == (
        *(Cell(YOU, onset=True), Cell(YOU, onset=False)),
        *(Cell(YOU, onset=False), Cell(YOU, onset=False)),
    )
