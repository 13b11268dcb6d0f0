"""What could have been asked of the notes of a piece."""

from __future__ import annotations

import numpy as np
import pytest

from improv_core.representation import Notes
from improv_core.representation.asking import (
    FREE_DENSITY,
    FREE_LEFT,
    density_class,
    left_class,
)
from improv_training.wishes import (
    coming_density,
    last_of_phrase,
    phrase_left,
    random_wishes,
    wishes_of,
)

STEADY_MS = list(range(0, 10_001, 500))


def alone(onset_ms: list[int]) -> np.ndarray:
    return np.zeros(len(onset_ms), dtype=np.int64)


def density(onset_ms: list[int], group: np.ndarray | None = None) -> list[int]:
    group = alone(onset_ms) if group is None else group
    return coming_density(np.array(onset_ms, dtype=np.int64), group).tolist()


def ends(onset_ms: list[int]) -> list[int]:
    """Which notes are the last of their phrase."""
    return np.flatnonzero(last_of_phrase(np.array(onset_ms, dtype=np.int64))).tolist()


def left(onset_ms: list[int]) -> list[int]:
    return phrase_left(np.array(onset_ms, dtype=np.int64)).tolist()


def after(*gaps_ms: int) -> list[int]:
    """Onsets from 0 on, so far apart."""
    return np.cumsum([0, *gaps_ms]).tolist()


def piece(count: int, seed: int = 0) -> Notes:
    dt_ms = np.random.default_rng(seed).choice([0, 120, 250, 500, 1800], count)
    dt_ms[:1] = 0
    ones = np.ones(count, dtype=np.int64)
    return Notes(dt_ms, 0 * ones, 60 * ones, 64 * ones, 100 * ones)


# --- density --------------------------------------------------------------------------------------


def test_density_counts_the_notes_of_four_seconds_from_the_onset_before() -> None:
    # The first note has nothing before it: nine notes lie within four seconds of itself, both ends included.
    assert density(STEADY_MS)[:3] == [density_class(9 / 4), density_class(8 / 4), density_class(8 / 4)]


def test_near_the_end_density_is_that_of_what_is_left_and_free_below_two_seconds() -> None:
    assert density(STEADY_MS)[1:] == [density_class(2)] * 17 + [FREE_DENSITY] * 3


def test_a_change_of_density_shows_before_it_comes() -> None:
    onset_ms = [*range(0, 4000, 1000), *range(4000, 10_000, 100)]
    # From 0 s on come those at 1, 2, 3 and 4 s; from 1 s on those at 2 and 3 and eleven of the quick ones.
    assert density(onset_ms)[1:3] == [density_class(4 / 4), density_class((2 + 11) / 4)]
    assert density(onset_ms)[5] == density_class(40 / 4)


def test_notes_of_one_onset_count_those_of_them_that_are_still_to_come() -> None:
    a_second = [5 / 4, 4 / 4, 3 / 4, 2 / 4, 1 / 2]
    assert density([0, 0, 0, 2000, 4000]) == [density_class(x) for x in a_second]


def test_after_a_silence_longer_than_four_seconds_nothing_was_to_come_within_them() -> None:
    onset_ms = [0, 15_000, *range(15_500, 21_000, 500)]
    assert density(onset_ms)[:3] == [density_class(1 / 4), density_class(0), density_class(8 / 4)]


def test_each_group_counts_its_own_notes_only() -> None:
    group = np.arange(len(STEADY_MS)) % 2
    a_second = [5 / 4, *[4 / 4] * 13, 4 / 3.5, 3 / 3, 3 / 2.5, 2 / 2]
    assert density(STEADY_MS, group) == [*map(density_class, a_second), *[FREE_DENSITY] * 3]
    uneven = np.array([0, 1, 1, 1] * 5 + [0])
    assert density(STEADY_MS, uneven)[1:5] == [density_class(x / 4) for x in (6, 6, 6, 2)]


@pytest.mark.parametrize("onset_ms", [[], [0], [0, 0, 0], [0, 5, 1999]], ids=str)
def test_of_less_than_two_seconds_no_density_can_be_said(onset_ms: list[int]) -> None:
    assert density(onset_ms) == [FREE_DENSITY] * len(onset_ms)


# --- phrases --------------------------------------------------------------------------------------


def test_a_phrase_ends_before_a_silence_and_with_the_piece() -> None:
    assert ends([0, 500, 1000, 1500, 3000, 3500, 4000]) == [3, 6]


@pytest.mark.parametrize(("silence_ms", "ended"), [(699, False), (700, True)])
def test_after_quick_notes_700_ms_end_a_phrase(silence_ms: int, ended: bool) -> None:
    assert (4 in ends(after(100, 100, 100, 100, silence_ms, 100))) is ended


@pytest.mark.parametrize(("silence_ms", "ended"), [(1249, False), (1250, True)])
def test_after_slow_notes_two_and_a_half_of_their_distances_end_a_phrase(
    silence_ms: int, ended: bool
) -> None:
    assert (4 in ends(after(500, 500, 500, 500, silence_ms, 500))) is ended


@pytest.mark.parametrize(("silence_ms", "phrases"), [(699, [3]), (700, [0, 3])])
def test_a_first_note_with_nothing_before_it_is_a_phrase_before_700_ms(
    silence_ms: int, phrases: list[int]
) -> None:
    assert ends(after(silence_ms, 600, 600)) == phrases


@pytest.mark.parametrize(
    ("quick", "silence_ms", "ended"), [(5, 699, False), (5, 700, True), (4, 1374, False), (4, 1375, True)]
)
def test_the_last_eight_distances_decide_by_their_median(quick: int, silence_ms: int, ended: bool) -> None:
    onset_ms = after(*[1000] * 20, *[100] * quick, silence_ms, 100)
    assert (20 + quick in ends(onset_ms)) is ended


def test_the_notes_of_a_chord_are_one_onset_until_30_ms() -> None:
    chord, spread = (10, 10, 480), (30, 30, 480)
    assert ends(after(*chord * 4, 10, 10, 1200, 100)) == [14, 16]  # the gaps of 10 ms count for nothing
    assert ends(after(*chord * 4, 10, 10, 1199, 100)) == [16]
    assert ends(after(*spread * 4, 30, 30, 700, 100)) == [14, 16]


@pytest.mark.parametrize(
    ("onset_ms", "last"),
    [([], []), ([7], [0]), ([0, 0, 0], [2]), ([0, 20, 40, 60], [3]), ([0, 15_000], [0, 1])],
    ids=str,
)
def test_however_short_a_piece_its_last_note_ends_a_phrase(onset_ms: list[int], last: list[int]) -> None:
    assert ends(onset_ms) == last


def test_left_is_what_the_phrase_of_the_note_before_goes_on_after_it() -> None:
    left_ms = [1500, 1000, 500, 0, 1000, 500]
    assert left([0, 500, 1000, 1500, 3000, 3500, 4000]) == [FREE_LEFT, *map(left_class, left_ms)]


def test_a_chord_at_the_end_of_a_phrase_leaves_next_to_nothing() -> None:
    assert left([0, 600, 610, 620, 5000]) == [FREE_LEFT, left_class(620), 0, 0, 0]


@pytest.mark.parametrize(
    ("onset_ms", "expected"),
    [([], []), ([7], [FREE_LEFT]), ([0, 0, 0], [FREE_LEFT, 0, 0]), ([0, 15_000], [FREE_LEFT, 0])],
    ids=str,
)
def test_of_the_first_note_nothing_is_left_to_be_said(onset_ms: list[int], expected: list[int]) -> None:
    assert left(onset_ms) == expected


# --- at random ------------------------------------------------------------------------------------


def test_all_that_could_be_asked_is_density_by_group_and_what_is_left() -> None:
    notes, group = piece(200), np.arange(200) % 2
    wishes = wishes_of(notes, group)
    np.testing.assert_array_equal(wishes.density, coming_density(notes.onset_ms, group))
    np.testing.assert_array_equal(wishes.left, phrase_left(notes.onset_ms))


def test_each_is_asked_in_stretches_that_make_up_half_of_the_piece() -> None:
    notes = piece(200_000)
    whole = wishes_of(notes, alone(list(range(len(notes)))))
    asked = random_wishes(notes, alone(list(range(len(notes)))), np.random.default_rng(1))
    shown = []
    for got, all_of_it, nothing in (
        (asked.density, whole.density, FREE_DENSITY),
        (asked.left, whole.left, FREE_LEFT),
    ):
        known = all_of_it != nothing
        assert known.mean() > 0.99
        assert set(got[got != all_of_it].tolist()) == {nothing}
        shown.append((got == all_of_it)[known])
        assert shown[-1].mean() == pytest.approx(0.5, abs=0.05)
        # It changes every 60 notes, and every second time to what it was.
        assert np.diff(shown[-1]).mean() == pytest.approx(1 / 120, rel=0.1)
    density_too, left_too = (one[: min(map(len, shown))] for one in shown)
    assert (density_too & left_too).mean() == pytest.approx(0.25, abs=0.05)


def test_the_same_chance_asks_the_same_and_another_something_else() -> None:
    notes, group = piece(500), alone(list(range(500)))
    one, same, other = (random_wishes(notes, group, np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.density, same.density)
    np.testing.assert_array_equal(one.left, same.left)
    assert one.density.tolist() != other.density.tolist()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_of_the_shortest_pieces_something_may_be_asked_too(count: int) -> None:
    notes = piece(count)
    wishes = random_wishes(notes, alone(list(range(count))), np.random.default_rng(0))
    assert len(wishes.density) == len(wishes.left) == count
