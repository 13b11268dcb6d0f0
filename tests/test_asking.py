"""What can be asked of notes to come, and what can be known of beats: every class and where it begins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improv_core.notes import Part
from improv_core.representation import STYLES, Pulse
from improv_core.representation.asking import (
    ALONE,
    ASKED,
    COMPANY_NOTES,
    FREE_DENSITY,
    FREE_LEFT,
    FREE_STYLE,
    LEFT_MS,
    NO_PERIOD,
    NO_PHASE,
    READ,
    beat_class,
    beat_classes,
    density_class,
    density_classes,
    free,
    left_class,
    left_classes,
    own_pitches,
    style_class,
)
from improv_core.representation.steps import BEAT_TICKS, KEYS

NOTES_PER_S = [0.5 * 2 ** (k / 3) for k in range(19)]


def phase_of(*ticks: int) -> list[int]:
    phase, _ = beat_classes(np.array(ticks), np.full(len(ticks), 500))
    return phase.tolist()


def period_of(*beat_ms: int) -> list[int]:
    _, period = beat_classes(np.zeros(len(beat_ms), dtype=np.int64), np.array(beat_ms))
    return period.tolist()


# --- density --------------------------------------------------------------------------------------


def test_densities_lie_a_third_of_an_octave_apart_from_half_a_note_a_second_to_32() -> None:
    assert [density_class(x) for x in NOTES_PER_S] == list(range(19))
    assert (NOTES_PER_S[0], NOTES_PER_S[-1]) == (0.5, 32.0)


def test_twice_as_dense_is_three_classes_more() -> None:
    assert [density_class(x) for x in (1, 2, 4, 8, 16)] == [3, 6, 9, 12, 15]


def test_a_density_belongs_to_the_class_that_is_nearest_in_ratio() -> None:
    for k in range(18):
        edge = 0.5 * 2 ** ((k + 0.5) / 3)
        assert (density_class(edge * (1 - 1e-9)), density_class(edge * (1 + 1e-9))) == (k, k + 1)


def test_densities_beyond_the_ends_belong_to_the_last_class_there() -> None:
    assert [density_class(x) for x in (0, 0.01, 0.5, 32, 33, 1e6)] == [0, 0, 0, 18, 18, 18]


def test_many_densities_are_classed_as_each_by_itself() -> None:
    many = np.geomspace(0.1, 100, 500)
    assert density_classes(many).tolist() == [density_class(x) for x in many.tolist()]
    assert density_classes(np.zeros(0)).tolist() == []


# --- what is left of a phrase ---------------------------------------------------------------------


def test_what_is_left_of_a_phrase_has_a_class_from_each_edge_to_the_next() -> None:
    for k, edge_ms in enumerate(LEFT_MS):
        assert (left_class(edge_ms - 1), left_class(edge_ms)) == (k, k + 1)
    assert left_class(0) == 0
    assert left_class(3_600_000) == len(LEFT_MS)


def test_many_times_left_are_classed_as_each_by_itself() -> None:
    many = np.arange(0, 13_000, 7)
    assert left_classes(many).tolist() == [left_class(x) for x in many.tolist()]


# --- free -----------------------------------------------------------------------------------------


def test_free_is_a_class_of_its_own_behind_all_others() -> None:
    assert style_class(None) == FREE_STYLE == len(STYLES) == 4
    assert density_class(None) == FREE_DENSITY == 19
    assert left_class(None) == FREE_LEFT == len(LEFT_MS) + 1 == 12
    assert (NO_PHASE, NO_PERIOD) == (24, 32)
    assert ALONE == KEYS == 128


def test_tables_have_a_row_for_each_class_and_one_for_free() -> None:
    assert [(column.name, column.size) for column in ASKED] == [
        *(("part", 2), ("style", 5), ("density", 20), ("left", 13), ("own", 129))
    ]
    assert READ == (("style", 5), ("beat_phase", 25), ("beat_period", 33))


def test_each_style_is_its_place_in_the_list_and_no_other_is_taken() -> None:
    assert [style_class(style) for style in STYLES] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="roll era, pop, jazz line, got 'polka'"):
        style_class("polka")


def test_where_nothing_is_asked_only_who_plays_is_told_and_perhaps_the_style() -> None:
    assert free(2, Part.IMPROV).tolist() == [[1, 4, 19, 12, 128]] * 2
    assert free(2, np.array([1, 0]), "pop").tolist() == [[1, 2, 19, 12, 128], [0, 2, 19, 12, 128]]
    assert free(0, Part.IMPROV).shape == (0, 5)


# --- who plays at once ----------------------------------------------------------------------------


def own_of(pitch: list[int], played_by: list[int], to_play: list[int] | None = None) -> list[int]:
    whose = played_by if to_play is None else to_play
    arrays = (np.array(one, dtype=np.int64) for one in (pitch, played_by, whose))
    return own_pitches(*arrays).tolist()


def test_who_plays_alone_is_told_no_pitch() -> None:
    for who in Part:
        assert own_of([60, 62, 64], [int(who)] * 3) == [ALONE] * 3


def test_where_both_play_each_is_told_the_latest_pitch_of_its_own() -> None:
    # Who begins plays alone until the other has joined in; a note does not know its own pitch.
    assert own_of([60, 62, 40, 64, 42, 43, 65], [0, 0, 1, 0, 1, 1, 0]) == [
        *(ALONE, ALONE, ALONE, 62, 40, 42, 64)
    ]


def test_the_lowest_key_is_a_pitch_and_not_nothing() -> None:
    assert own_of([0, 60, 1, 61], [0, 1, 0, 1]) == [ALONE, ALONE, 0, 60]


@pytest.mark.parametrize("silent", Part)
def test_who_has_played_none_of_the_latest_twelve_notes_plays_no_more(silent: Part) -> None:
    pitch, other = [30, *range(60, 75), 31, 32], 1 - silent
    own = own_of(pitch, [int(silent), *[other] * 15, int(silent), other])
    # Of the other's notes the 12th still has the silent one among the 12 before it, the 13th has not.
    assert own == [ALONE, ALONE, *range(60, 71), ALONE, ALONE, ALONE, ALONE, 74]
    assert COMPANY_NOTES == 12


def test_an_own_pitch_is_told_up_to_the_twelfth_note_after_it() -> None:
    for between, expected in ((10, 30), (11, 30), (12, ALONE), (13, ALONE)):
        assert own_of([30, *[60] * between, 31], [0, *[1] * between, 0])[-1] == expected


def test_whoever_might_play_instead_is_told_the_latest_pitch_of_its_own() -> None:
    pitch, played_by = [60, 40, 62, 64, 42], [0, 1, 0, 0, 1]
    assert own_of(pitch, played_by, [1, 0, 1, 1, 0]) == [ALONE, ALONE, 40, 40, 64]
    assert own_of(pitch, played_by, [0] * 5) == [ALONE, ALONE, 60, 62, 64]
    assert own_of(pitch, played_by, [1] * 5) == [ALONE, ALONE, 40, 40, 40]


def test_of_no_notes_there_are_no_own_pitches() -> None:
    assert own_of([], []) == []
    assert own_of([60], [1]) == [ALONE]


# --- beats ----------------------------------------------------------------------------------------


def test_a_beat_has_24_phases_and_each_holds_what_is_nearest_to_it() -> None:
    step = BEAT_TICKS // 24
    for k in range(24):
        assert phase_of(k * step, k * step - step // 2, k * step + step // 2 - 1) == [k, k, k]
    assert phase_of(BEAT_TICKS - step // 2 - 1, BEAT_TICKS - step // 2) == [23, 0]


def test_the_phase_is_the_same_in_every_beat_before_the_first_too() -> None:
    ticks = np.arange(BEAT_TICKS)
    expected = phase_of(*ticks)
    for beats in (-1000, -3, -1, 1, 7, 4_000_000):
        assert phase_of(*(ticks + beats * BEAT_TICKS)) == expected


def test_beats_from_200_ms_to_2_s_have_32_lengths_of_one_ratio() -> None:
    assert period_of(200, 2000) == [0, 31]
    for k in range(1, 32):
        shortest_ms = math.ceil(200 * 10 ** (k / 32))
        assert period_of(shortest_ms - 1, shortest_ms) == [k - 1, k]


def test_beats_that_are_shorter_or_longer_count_as_the_shortest_or_longest() -> None:
    assert period_of(1, 199, 2001, 60_000) == [0, 0, 31, 31]


def test_each_beat_is_classed_alike_by_itself_and_among_many() -> None:
    beat_ms = np.arange(-2, 5000)
    ticks = 37 * beat_ms - 60_000
    many = zip(*(classes.tolist() for classes in beat_classes(ticks, beat_ms)), strict=True)
    assert list(many) == [beat_class(*beat) for beat in zip(ticks.tolist(), beat_ms.tolist(), strict=True)]


def test_where_the_beat_is_unknown_it_has_neither_phase_nor_length() -> None:
    phase, period = beat_classes(np.array([0, 240, 240]), np.array([0, -1, 500]))
    assert phase.tolist() == [NO_PHASE, NO_PHASE, 12]
    assert period.tolist()[:2] == [NO_PERIOD, NO_PERIOD]
    assert period.tolist()[2] == math.floor(32 * math.log10(2.5))


@given(st.integers(-(2**40), 2**40), st.integers(-5, 100_000))
def test_whatever_the_beat_it_has_a_row_in_its_table(ticks: int, beat_ms: int) -> None:
    phase, period = beat_classes(np.array([ticks]), np.array([beat_ms]))
    sizes = dict(READ)
    assert 0 <= phase[0] < sizes["beat_phase"]
    assert 0 <= period[0] < sizes["beat_period"]


def test_a_pulse_counts_beats_from_its_origin_both_ways() -> None:
    pulse = Pulse(origin_ms=1000.0, beat_ms=500.0)
    assert [pulse.ticks(at_ms) for at_ms in (500, 750, 1000, 1125, 1500, 61_000)] == [
        *(-BEAT_TICKS, -BEAT_TICKS // 2, 0, BEAT_TICKS // 4, BEAT_TICKS, 120 * BEAT_TICKS)
    ]


def test_a_pulse_need_not_fall_on_whole_milliseconds() -> None:
    pulse = Pulse(origin_ms=0.25, beat_ms=1000 / 3)
    assert [pulse.ticks(at_ms) for at_ms in (0, 333, 1000)] == [0, 479, 1440]


@pytest.mark.parametrize("beat_ms", [0.0, -500.0, math.inf, math.nan])
def test_a_pulse_without_a_length_is_none(beat_ms: float) -> None:
    with pytest.raises(ValueError, match="beat_ms must be above zero, got"):
        Pulse(0.0, beat_ms)
