"""Where an answer ends."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from improv_core.closing import CLOSE_S, CLOSING_NOTES, REACHED_S, Closing
from improv_core.representation import to_ms
from improv_core.representation.asking import left_class


def taken(*onsets_s: float, length_s: float = 2.0) -> list[float]:
    """Those of the onsets that belong to an answer of two seconds."""
    closing = Closing(length_s, max_gap_s=1.5)
    return list(itertools.takewhile(closing.takes, onsets_s))


def test_notes_up_to_the_planned_end_belong_to_the_answer() -> None:
    assert taken(5.0, 5.5, 6.0, 6.9) == [5.0, 5.5, 6.0, 6.9]


def test_the_note_that_reaches_the_end_closes_it() -> None:
    assert taken(5.0, 6.0, 7.0, 7.2) == [5.0, 6.0, 7.0]
    assert taken(5.0, 6.0, 6.96, 7.0, 7.02) == [5.0, 6.0, 6.96, 7.0]


def test_where_none_has_reached_the_end_one_may_come_a_little_after_it() -> None:
    assert taken(5.0, 6.9, 7.0 + CLOSE_S, 7.9) == [5.0, 6.9, 7.0 + CLOSE_S]
    assert taken(5.0, 6.9, 7.01 + CLOSE_S) == [5.0, 6.9]


@pytest.mark.parametrize("closing_s", [6.96, 7.0, 7.5])
def test_the_chord_of_the_closing_note_is_struck_whole(closing_s: float) -> None:
    chord = [closing_s, closing_s, closing_s + 0.02, closing_s + 0.04]
    assert taken(5.0, 6.9, *chord, closing_s + 0.06) == [5.0, 6.9, *chord]


def test_a_chord_is_counted_from_its_first_note_so_that_it_does_not_crawl_on() -> None:
    assert taken(5.0, 7.0, 7.03, 7.06, 7.09) == [5.0, 7.0, 7.03]


def test_a_closing_chord_has_no_more_notes_than_fingers() -> None:
    assert len(taken(5.0, *[7.0] * 100)) == 1 + CLOSING_NOTES


def test_an_answer_without_length_is_its_first_chord() -> None:
    assert taken(5.0, 5.0, 5.01, 5.2, length_s=0.0) == [5.0, 5.0, 5.01]


def test_gaps_are_bounded_until_the_end_is_reached() -> None:
    closing = Closing(2.0, max_gap_s=0.5)
    gaps = []
    for onset_s in (5.0, 6.9, 7.3, 7.31):
        assert closing.takes(onset_s)
        gaps.append(closing.gap_s)
    assert gaps == [0.5, 0.5, 10.0, 10.0]


def test_the_end_is_reached_where_the_model_is_told_that_nothing_is_left() -> None:
    assert left_class(1000 * REACHED_S - 0.001) == 0
    assert left_class(1000 * REACHED_S) == 1


@given(st.integers(0, 10_000_000), st.floats(0.0, 5.0), st.integers(0, 5000))
@example(1000, 1.5, 1450)
def test_the_end_is_reached_at_the_very_millisecond_of_which_the_model_is_told(
    first_ms: int, length_s: float, later_ms: int
) -> None:
    closing, first_s = Closing(length_s, max_gap_s=1.5), first_ms / 1000
    for onset_s in (first_s, (first_ms + later_ms) / 1000):
        if closing.takes(onset_s):
            told = left_class(max(0, to_ms(first_s + length_s - onset_s)))
            assert (closing.gap_s > 1.5) == (told == 0)


@given(st.lists(st.sampled_from([0.0, 0.01, 0.049, 0.05, 0.2, 1.0, 9.0]), max_size=60), st.floats(0.0, 5.0))
def test_an_answer_always_ends_within_its_length_and_a_moment(gaps_s: list[float], length_s: float) -> None:
    onsets_s = list(itertools.accumulate(gaps_s, initial=100.0))
    answer = taken(*onsets_s, length_s=length_s)
    assert answer == onsets_s[: len(answer)]
    assert answer[-1] - answer[0] <= length_s + CLOSE_S + REACHED_S
    assert sum(onset_s > 100.0 + length_s for onset_s in answer) <= CLOSING_NOTES
