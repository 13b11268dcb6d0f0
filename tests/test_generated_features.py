"""What is counted in runs of notes, and how alike two sets of them are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tiny_corpora import random_performance

from improv_core.representation import Notes, encode
from improv_training.evaluation.generated.calls import section
from improv_training.evaluation.generated.drift import drift
from improv_training.evaluation.generated.features import (
    DURATION_EDGES_MS,
    FEATURES,
    ONSET_EDGES_MS,
    chord_releases,
    densities,
    durations,
    inter_onsets,
    intervals,
    on_grid,
    pedals,
    pitch_classes,
    release_gaps_ms,
    velocities,
)
from improv_training.evaluation.generated.overlap import (
    Alike,
    Compared,
    alike,
    compare,
    density,
    inter_distances,
    intra_distances,
    mean_shares,
)
from improv_training.evaluation.generated.shares import summary


def run(*notes: tuple[int, int, int], pedal: tuple[int, ...] = (), velocity: int = 64) -> Notes:
    """Notes of (dt_ms, pitch, duration_ms)."""
    dt_ms, pitch, duration_ms = np.array(notes, dtype=np.int64).T
    down = np.array(pedal or (0,) * len(notes), dtype=np.int64)
    return Notes(dt_ms, down, pitch, np.full(len(notes), velocity), duration_ms)


def there(counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> dict[int, int]:
    return {int(i): int(counts[i]) for i in np.flatnonzero(counts)}


CHORDS = run((0, 60, 500), (10, 64, 480), (10, 67, 300), (980, 59, 200), (500, 62, 100))


def test_pitch_classes_and_intervals_are_counted() -> None:
    assert there(pitch_classes(CHORDS)) == {0: 1, 2: 1, 4: 1, 7: 1, 11: 1}
    assert there(intervals(CHORDS)) == {25 + 4: 1, 25 + 3: 2, 25 - 8: 1}
    assert there(intervals(run((0, 21, 9), (0, 108, 9), (0, 21, 9)))) == {0: 1, 50: 1}


def test_times_fall_into_cells_of_ten_milliseconds_and_then_into_quarters_of_octaves() -> None:
    assert ONSET_EDGES_MS[:7] == pytest.approx([5, 15, 25, 35, 45, 55, 55 * 2**0.25])
    assert ONSET_EDGES_MS[-1] <= 4000 < ONSET_EDGES_MS[-1] * 2**0.25
    notes = run((0, 60, 10), (0, 61, 50), (10, 62, 100), (30, 63, 200_000))
    assert there(inter_onsets(notes)) == {0: 1, 1: 1, 3: 1}
    eighth = 6 + int(math.log2(100 / 55) * 4)
    assert there(durations(notes)) == {1: 1, 5: 1, eighth: 1, len(DURATION_EDGES_MS): 1}


def test_density_is_of_whole_seconds_from_the_first_onset() -> None:
    assert there(densities(CHORDS)) == {3: 1}
    assert there(densities(run((0, 60, 9), (500, 60, 9), (1600, 60, 9), (900, 60, 9)))) == {0: 1, 1: 1, 2: 1}
    assert there(densities(run((0, 60, 9), (999, 60, 9)))) == {}
    many = run((0, 60, 9), *[(30, 60, 9)] * 33, (10, 60, 9))
    assert there(densities(many)) == {25: 1}


def test_velocities_are_counted_in_fours_and_pedals_in_pairs() -> None:
    assert there(velocities(run((0, 60, 9), (9, 60, 9), velocity=127))) == {31: 2}
    assert there(pedals(run(*[(9, 60, 9)] * 6, pedal=(0, 0, 1, 1, 1, 0)))) == {0: 1, 1: 1, 2: 1, 3: 2}


def test_chord_mates_are_struck_within_30_ms_of_the_note_before() -> None:
    assert release_gaps_ms(CHORDS).tolist() == [10, 170]
    assert release_gaps_ms(run((0, 60, 100), (30, 62, 100), (31, 64, 100))).tolist() == [30]
    assert there(chord_releases(CHORDS)) == {1: 1, 7: 1}


def test_on_the_grid_a_chords_notes_come_from_low_to_high_at_one_time() -> None:
    notes = on_grid(run((0, 67, 304), (4, 60, 296), (3, 64, 2), (16, 62, 95), (4, 50, 104)))
    assert notes.pitch.tolist() == [60, 64, 67, 50, 62]
    assert notes.dt_ms.tolist() == [0, 0, 0, 20, 0]
    assert notes.duration_ms.tolist() == [300, 10, 300, 100, 100]


def test_a_summary_says_what_share_of_notes_is_how() -> None:
    one = summary([CHORDS, run((0, 60, 100), (1000, 60, 200), pedal=(0, 1))])
    assert one.together == 1 / 2
    assert one.chord == 2 / 5
    assert one.pedalled == 1 / 7
    assert one.pedal_moves == 1 / 5
    assert one.notes_per_s == 5 / 2.5
    assert one.duration_ms == 200
    assert (one.velocity, one.velocity_spread) == (64, 0)
    assert one.pitch == pytest.approx((60 + 64 + 67 + 59 + 62 + 60 + 60) / 7)
    assert one.class_bits == pytest.approx(math.log2(5) / 2)


def test_without_chords_no_share_of_them_is_let_go_together() -> None:
    assert math.isnan(summary([run((0, 60, 9), (100, 62, 9))]).together)


# --- how alike two sets are -----------------------------------------------------------------------


def test_distances_within_a_set_leave_a_run_and_itself_out() -> None:
    runs = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    assert intra_distances(runs) == pytest.approx([2**0.5, 0.5**0.5, 0.5**0.5])
    assert inter_distances(runs[:1], runs) == pytest.approx([0, 2**0.5, 0.5**0.5])


def test_a_density_sums_to_one_and_peaks_where_the_distances_are() -> None:
    made = density(np.array([0.3] * 50 + [0.9] * 50))
    step = 1.9 / 1023
    assert made.sum() * step == pytest.approx(1)
    scale = 0.3 * 100**-0.2
    at = round((0.3 + 0.2) / step)
    expected = 0.5 * (1 + math.exp(-0.5 * (0.6 / scale) ** 2)) / (scale * math.sqrt(2 * math.pi))
    assert made[at] == pytest.approx(expected, rel=0.01)


def test_a_set_is_all_alike_to_itself_but_for_the_distance_of_each_run_to_itself() -> None:
    counts = np.random.default_rng(1).integers(1, 20, (80, 12))
    same = alike(counts, counts)
    assert same.overlap == pytest.approx(1)
    assert same.overlap_nats == pytest.approx(0)
    assert 0.97 < same.area < 1
    assert 0 < same.area_nats < 0.05


def test_sets_that_share_no_class_are_not_alike() -> None:
    one = np.array([[5, 5, 0, 0]] * 10)
    other = np.array([[0, 0, 5, 5]] * 10)
    apart = alike(one, other)
    assert apart.overlap == 0
    assert apart.area == pytest.approx(0, abs=1e-9)
    assert apart.area_nats > 5
    p = np.array([100.5, 100.5, 0.5, 0.5])
    p /= p.sum()
    assert alike(one * 2, other * 2).overlap_nats == pytest.approx(float((p * np.log(p / p[::-1])).sum()))


def test_histogram_overlap_is_the_common_area() -> None:
    assert alike(np.array([[3, 1], [3, 1]]), np.array([[1, 1], [1, 1]])).overlap == pytest.approx(0.75)


def pieces_and_runs(count: int, seed: int = 0) -> tuple[list[Notes], list[tuple[str, int]]]:
    runs = [encode(random_performance(60, seed + i)) for i in range(count)]
    return runs, [("ab"[i % 2], i // 4) for i in range(count)]


def test_true_continuations_are_as_alike_to_real_ones_as_real_ones_are() -> None:
    real, pieces = pieces_and_runs(48)
    compared = compare(real, real, pieces, halvings=3)
    assert [one.feature for one in compared] == [feature.name for feature in FEATURES]
    assert all(one.generated == one.real for one in compared)
    assert mean_shares(compared) == (1, 1)


def test_continuations_in_another_manner_are_less_alike_than_real_ones() -> None:
    real, pieces = pieces_and_runs(48)
    generated = [
        Notes(2 * one.dt_ms, one.pedal, one.pitch, one.velocity // 2 + 1, one.duration_ms) for one in real
    ]
    shares = {
        one.feature: one.generated.overlap / one.real.overlap for one in compare(generated, real, pieces)
    }
    assert {name for name, share in shares.items() if share < 0.9} == {"inter-onset", "density", "velocity"}
    assert shares["interval"] == 1


def test_what_neither_set_has_enough_of_is_not_compared() -> None:
    real, pieces = pieces_and_runs(48)
    apart = [Notes(one.dt_ms + 50, one.pedal, one.pitch, one.velocity, one.duration_ms) for one in real]
    names = [one.feature for one in compare(apart, apart, pieces, halvings=1)]
    assert "chord release" not in names
    assert compare(real[:8], real[:8], pieces[:8], halvings=1) == []
    assert all(math.isnan(share) for share in mean_shares([]))


def test_shares_are_of_the_means_over_features() -> None:
    def both(area: float, overlap: float) -> Alike:
        return Alike(area, 0.0, overlap, 0.0)

    compared = [
        Compared("a", both(0.8, 0.6), both(1.0, 0.9)),
        Compared("b", both(0.4, 0.3), both(0.5, 0.3)),
    ]
    assert mean_shares(compared) == pytest.approx((1.2 / 1.5, 0.9 / 1.2))


def test_drift_compares_the_same_places() -> None:
    real, pieces = pieces_and_runs(48)
    later = [
        Notes(
            one.dt_ms,
            one.pedal,
            one.pitch,
            np.where(np.arange(len(one)) < 25, one.velocity, 1),
            one.duration_ms,
        )
        for one in real
    ]
    first, second = drift(later, [section(one, 0, 55) for one in real], pieces, halvings=2)
    assert (first.begin, second.begin) == (0, 25)
    assert (first.area_share, first.overlap_share) == (1, 1)
    assert first.generated == first.real
    assert second.overlap_share < 0.95
    assert second.generated.velocity == 1
