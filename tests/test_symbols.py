"""Notes and chords as symbols: the vocabulary, and notes again."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from growing_work import growth
from hypothesis import given
from hypothesis import strategies as st
from tiny_corpora import random_performance
from window_models import ink_of, learned, no_notes, notes_of, written

from improv_core.representation import Notes, Rows, Symbols, encode, from_spec
from improv_core.representation.symbols import UNKNOWN, SymbolWriter

# --- vocabulary -----------------------------------------------------------------------------------

CHORD = ((0, 60, 90), (20, 64, 90), (40, 67, 90))


def test_symbols_that_come_rarely_are_left_out_and_the_others_have_a_class_each() -> None:
    often = notes_of(*((500 * i, 60 + i % 2, 90) for i in range(9)))
    symbols = Symbols("pitches", 5).learned([often, notes_of(*CHORD)])
    assert symbols.table == ("C4",)  # C#4 comes four times
    assert Symbols("pitches", 4).learned([often]).table == ("C#4", "C4")
    assert Symbols("normal-order", 1).learned([notes_of(*CHORD)]).table == ("0.4.7",)
    assert symbols.attributes[0].binning.size == 2
    assert symbols.columns[0].size == 3
    assert symbols.start().columns.tolist() == [[2]]


def test_counts_are_those_of_all_pieces_together() -> None:
    piece = notes_of((0, 60, 90), (500, 60, 90))
    assert Symbols("pitches", 6).learned([piece] * 3).table == ("C4",)
    assert Symbols("pitches", 7).learned([piece] * 3).table == ()


def test_every_onset_is_a_step_with_as_many_notes_as_it_has() -> None:
    notes = notes_of(*CHORD, (91, 72, 90), (600, 60, 90))
    symbols = Symbols("pitches", 1, table=("C4", "C4.E4.G4", "C5"))
    rows = symbols.rows(notes, np.arange(5))
    assert rows.targets.tolist() == [[2], [3], [1]] == rows.read.columns.tolist()
    assert rows.notes.tolist() == [3, 1, 1]
    assert rows.asked.shape == (3, 0)
    assert rows.lost.tolist() == [0, 0, 0]
    assert rows.charge.tolist() == [0.0, 0.0, 0.0]


def test_nothing_played_has_no_step_and_no_symbol() -> None:
    assert len(learned(Symbols("pitches", 1)).rows(no_notes(), np.zeros(0, dtype=np.int64))) == 0
    assert Symbols("pitches", 1).learned([no_notes(), notes_of((0, 60, 9))]).table == ("C4",)


def test_what_the_vocabulary_lacks_is_counted_lost_and_charged_for() -> None:
    notes = notes_of(*CHORD, (600, 61, 90), (900, 60, 90))
    rows = Symbols("pitches", 1, table=("C4",)).rows(notes, np.zeros(5, dtype=np.int64))
    assert rows.targets.tolist() == [[UNKNOWN], [UNKNOWN], [1]]
    assert rows.lost.tolist() == [3, 1, 0]
    expected = [math.log(128) + math.log(math.comb(128, 3)), 2 * math.log(128), 0.0]
    assert rows.charge.tolist() == pytest.approx(expected)


def test_the_charge_is_that_of_a_code_for_every_note_and_chord() -> None:
    symbols = Symbols("pitches", 1)
    total = sum(math.comb(128, n) * math.exp(-symbols.unknown_nats(n)) for n in range(1, 129))
    assert total == pytest.approx(1.0)
    in_order = Symbols("normal-order", 1)
    assert 128 * math.exp(-in_order.unknown_nats(1)) + 4095 * math.exp(
        -in_order.unknown_nats(3)
    ) == pytest.approx(1.0)


def test_it_lacks_all_but_pitches() -> None:
    assert Symbols.lacks == ("timing", "note lengths", "loudness", "pedal")


@pytest.mark.parametrize("chords", ["pitches", "normal-order"])
def test_a_description_is_enough_to_make_it_again(chords: str) -> None:
    symbols = learned(Symbols(chords, 2, "one-hot"))  # type: ignore[arg-type]
    assert from_spec(symbols.spec()) == symbols
    assert len(symbols.table) > 20


@pytest.mark.parametrize(
    "change",
    [{"chords": "roman"}, {"min_count": 0}, {"table": ["C4", "X4"]}, {"table": ["1.x"]}, {"table": [7]}],
)
def test_a_description_that_cannot_be_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_spec({**Symbols("pitches", 1).spec(), **change})


def test_ten_times_the_notes_are_read_in_about_ten_times_the_time() -> None:
    few, many = encode(random_performance(1_000)), encode(random_performance(10_000))
    symbols = learned(Symbols("normal-order", 5))

    def read(notes: Notes) -> Rows:
        return symbols.rows(notes, np.zeros(len(notes), dtype=np.int64))

    assert growth(lambda: read(few), lambda: read(many)) < 25
    assert read(many).notes.sum() == len(many)


# --- writing --------------------------------------------------------------------------------------


def writer_of(symbols: Symbols, lowest_pitch: int = 21, highest_pitch: int = 108) -> SymbolWriter:
    return symbols.writer(no_notes(), ink_of(lowest_pitch, highest_pitch))


@given(st.integers(0, 20))
def test_every_chord_by_its_pitches_comes_back_at_the_players_times(seed: int) -> None:
    notes = encode(random_performance(40, seed))
    symbols = Symbols("pitches", 1).learned([notes])
    rows = symbols.rows(notes, np.zeros(len(notes), dtype=np.int64))
    drawn = written(writer_of(symbols), rows.targets)
    groups = [tuple(n.pitch for n in group) for _, group in itertools.groupby(drawn, lambda n: n.onset_ms)]
    ends = np.cumsum(rows.notes)
    assert groups == [
        tuple(sorted(notes.pitch[end - size : end].tolist()))
        for end, size in zip(ends, rows.notes, strict=True)
    ]
    assert sorted({note.onset_ms for note in drawn}) == [200 * (i + 1) for i in range(len(rows))]
    assert {(note.duration_ms, note.pedal) for note in drawn} == {(150, 1)}


def test_what_is_read_of_a_symbol_as_drawn_is_what_is_read_of_it_as_played() -> None:
    notes = encode(random_performance(40, 2))
    symbols = Symbols("normal-order", 1).learned([notes])
    rows = symbols.rows(notes, np.zeros(len(notes), dtype=np.int64))
    writer = writer_of(symbols)
    read = [writer.take(row)[1].columns.tolist() for row in rows.targets.tolist()]
    assert read == [[row] for row in rows.read.columns.tolist()]


def test_the_unknown_symbol_is_never_drawn_nor_one_without_a_note_in_range() -> None:
    symbols = Symbols("pitches", 1, table=("C2", "C4", "C4.E7", "E7"))
    assert writer_of(symbols, 48, 72).mask(0, []).tolist() == [-np.inf, -np.inf, 0, 0, -np.inf]


def test_of_a_chord_only_what_is_in_range_is_played() -> None:
    symbols = Symbols("pitches", 1, table=("C4.E7", "E7"))
    assert [n.pitch for n in written(writer_of(symbols, 48, 72), np.array([[1]]))] == [60]


def test_where_no_symbol_is_in_range_all_are_brought_into_it_by_octaves() -> None:
    symbols = Symbols("pitches", 1, table=("C2.E2", "C8"))
    writer = writer_of(symbols, 60, 71)
    assert writer.mask(0, []).tolist() == [-np.inf, 0, 0]
    assert [n.pitch for n in written(writer, np.array([[1], [2]]))] == [60, 64, 60]


@pytest.mark.parametrize(
    ("lowest_pitch", "highest_pitch"), [(21, 108), (60, 62), (90, 108), (21, 30), (60, 60)]
)
@pytest.mark.parametrize("chords", ["pitches", "normal-order"])
def test_every_symbol_has_a_note_and_each_is_in_range(
    chords: str, lowest_pitch: int, highest_pitch: int
) -> None:
    symbols = learned(Symbols(chords, 1))  # type: ignore[arg-type]
    writer = writer_of(symbols, lowest_pitch, highest_pitch)
    mask = writer.mask(0, [])
    assert mask is not None
    for index in np.flatnonzero(mask == 0).tolist():
        notes, _ = writer.take([index])
        assert notes
        pitches = [note.pitch for note in notes]
        assert pitches == sorted(set(pitches))
        assert lowest_pitch <= pitches[0] <= pitches[-1] <= highest_pitch


def test_a_chord_without_octaves_begins_near_the_bass_before_and_does_not_wander_off() -> None:
    symbols = Symbols("normal-order", 1, table=("0.4.7", "4.7.10", "8.0.3"))
    heard = notes_of((0, 52, 90), (10, 60, 90))
    drawn = written(symbols.writer(heard, ink_of()), np.array([[1], [2], [3], [3]]))
    chords = [[n.pitch for n in group] for _, group in itertools.groupby(drawn, lambda n: n.onset_ms)]
    assert chords == [[48, 52, 55], [52, 55, 58], [56, 60, 63], [56, 60, 63]]
    rising = Symbols("normal-order", 1, table=("0.1", "5.6", "10.11", "3.4", "8.9"))
    drawn = written(writer_of(rising), np.array([[i] for i in (1, 2, 3, 4, 5) * 20]))
    basses = [note.pitch for note in drawn[::2]]
    assert min(basses) >= 36
    assert max(basses) <= 60
    assert max(abs(b - a) for a, b in itertools.pairwise(basses)) <= 12
