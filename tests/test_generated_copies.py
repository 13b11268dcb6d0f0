"""Runs that are in the training data."""

from __future__ import annotations

import numpy as np
from tiny_corpora import random_performance

from improv_core.representation import Notes, encode
from improv_training.evaluation.generated.calls import section
from improv_training.evaluation.generated.copies import TrainingRuns, pieces_of, plain, symbols


def line(pitches: list[int], dt_ms: list[int]) -> Notes:
    count = len(pitches)
    return Notes(
        np.array(dt_ms),
        np.zeros(count, dtype=np.int64),
        np.array(pitches),
        np.full(count, 64),
        np.full(count, 90),
    )


def melody(count: int, seed: int = 0) -> Notes:
    """No two notes at once."""
    rng = np.random.default_rng(seed)
    pitches = (60 + rng.integers(-12, 12, count)).tolist()
    return line(pitches, [0, *rng.choice([100, 200, 400], count - 1).tolist()])


def changed(notes: Notes, *, up: int = 0, slower: float = 1.0) -> Notes:
    return Notes(
        np.rint(notes.dt_ms * slower).astype(np.int64),
        notes.pedal,
        notes.pitch + up,
        notes.velocity,
        notes.duration_ms,
    )


def test_symbols_are_intervals_and_ratios_of_times() -> None:
    one = symbols(line([60, 62, 59, 59, 71], [0, 100, 200, 100, 100]))
    assert one.intervals.tolist() == [2, -3, 0, 12]
    assert one.rhythms.tolist() == [18, 8 + 2, 8 - 2, 8]


def test_a_chord_is_taken_from_low_to_high_in_whichever_order_it_comes() -> None:
    one = symbols(line([60, 67, 64, 72, 50], [0, 100, 20, 300, 10]))
    other = symbols(line([60, 64, 67, 50, 72], [0, 100, 0, 320, 0]))
    assert one.intervals.tolist() == other.intervals.tolist() == [4, 3, -17, 22]
    assert one.rhythms.tolist() == other.rhythms.tolist() == [18, 17, 8 + 3, 17]


def test_a_copy_is_found_in_any_key_and_tempo() -> None:
    piece = melody(100)
    runs = TrainingRuns(pieces_of([piece]))
    assert len(runs) == 81
    copy = changed(section(piece, 30, 55), up=5, slower=1.5)
    assert runs.found(symbols(copy)).tolist() == [True] * 6
    assert runs.copied([symbols(copy), symbols(melody(60, seed=1))]).share == 0.5


def test_a_run_that_is_a_note_short_is_none() -> None:
    piece = melody(100)
    runs = TrainingRuns(pieces_of([piece]))
    inside = [*range(40, 59)]
    pitches = [50, *piece.pitch[inside].tolist(), 90]
    times = [0, 170, *piece.dt_ms[inside[1:]].tolist(), 330]
    assert not runs.found(symbols(line(pitches, times))).any()
    assert TrainingRuns(pieces_of([piece]), run_notes=19).found(symbols(line(pitches, times))).tolist() == [
        False,
        True,
        False,
    ]


def test_another_rhythm_is_no_copy_but_for_pitch_alone() -> None:
    piece = melody(100)
    even = line(piece.pitch.tolist(), [0, *[250] * 99])
    assert not TrainingRuns(pieces_of([piece])).found(symbols(even)).any()
    assert TrainingRuns(pieces_of([piece]), rhythm=False).found(symbols(even)).all()


def test_runs_do_not_reach_from_one_piece_into_the_next() -> None:
    piece = melody(40)
    runs = TrainingRuns(pieces_of([section(piece, 0, 20), section(piece, 20, 40)]))
    assert len(runs) == 2
    assert runs.found(symbols(piece)).tolist() == [True, *[False] * 19, True]


def test_trills_and_scales_are_plain() -> None:
    trill = line([60 + 2 * (i % 2) for i in range(30)], [0, *[100] * 29])
    assert plain(symbols(trill)).all()
    assert not plain(symbols(melody(30))).any()
    copied = TrainingRuns(pieces_of([trill, melody(30)])).copied([symbols(trill), symbols(melody(30))])
    assert (copied.share, copied.share_not_plain) == (1.0, 0.5)


def test_six_different_intervals_are_not_plain() -> None:
    def of(*intervals: int) -> bool:
        pitches = np.cumsum([60, *(intervals * 10)[:19]]).tolist()
        return bool(plain(symbols(line(pitches, [0, *[100] * 19])))[0])

    assert of(1, -1, 2, -2, 3)
    assert not of(1, -1, 2, -2, 3, -3)


def test_continuations_shorter_than_a_run_hold_none() -> None:
    runs = TrainingRuns(pieces_of([melody(100)]))
    assert runs.found(symbols(melody(19))).tolist() == []
    assert not TrainingRuns([]).found(symbols(melody(30))).any()


def test_performances_hold_themselves_alone() -> None:
    pieces = [encode(random_performance(80, seed)) for seed in range(4)]
    runs = TrainingRuns(pieces_of(pieces[:2]))
    assert [bool(runs.found(one).any()) for one in pieces_of(pieces)] == [True, True, False, False]
