"""Where phrases end, for the measurement of turn-taking."""

from __future__ import annotations

import numpy as np
import pytest

from improv_core.representation import Notes
from improv_training.evaluation.turn_taking.phrases import (
    Span,
    calls_in,
    ends_in_a_rest,
    ends_phrase,
    gaps_of,
)


def played(*onsets_s: float, duration_s: float = 0.1) -> Notes:
    """Notes of one length."""
    onset_ms = np.rint(1000 * np.array(onsets_s)).astype(np.int64)
    count = len(onset_ms)
    return Notes(
        dt_ms=np.diff(onset_ms, prepend=onset_ms[:1]),
        pedal=np.zeros(count, dtype=np.int64),
        pitch=60 + np.arange(count) % 12,
        velocity=np.full(count, 64),
        duration_ms=np.full(count, round(1000 * duration_s)),
    )


def steady(begin_s: float, count: int, every_s: float = 0.4) -> list[float]:
    """So many onsets."""
    return [begin_s + every_s * i for i in range(count)]


def test_gaps_are_between_chords_and_know_how_long_all_keys_are_up() -> None:
    gaps = gaps_of(played(0.0, 0.02, 0.5, 1.5, duration_s=0.3))
    assert gaps.first.tolist() == [0, 2]
    assert gaps.last.tolist() == [1, 2]
    assert gaps.gap_s == pytest.approx([0.48, 1.0])
    assert gaps.quiet_s == pytest.approx([0.18, 0.7])


def test_a_phrase_ends_before_the_longest_gap_for_four_seconds_around() -> None:
    onsets_s = [*steady(0.0, 15), *steady(6.6, 5), *steady(9.4, 15)]
    gaps = gaps_of(played(*onsets_s))
    assert np.flatnonzero(ends_phrase(gaps)).tolist() == [19]
    assert gaps.gap_s[[14, 19]] == pytest.approx([1.0, 1.2])


@pytest.mark.parametrize("pause_s", [0.45, 1.0])
def test_a_short_gap_ends_none_nor_does_one_through_which_a_key_is_held(pause_s: float) -> None:
    duration_s = 0.1 if pause_s < 0.5 else 0.98
    onsets_s = [*steady(0.0, 20, 0.3), *steady(5.7 + pause_s, 20, 0.3)]
    assert not ends_phrase(gaps_of(played(*onsets_s, duration_s=duration_s))).any()


def test_near_the_beginning_and_the_end_nobody_knows() -> None:
    onsets_s = [*steady(0.0, 5), *steady(3.0, 10), *steady(8.0, 5)]
    assert not ends_phrase(gaps_of(played(*onsets_s))).any()


def test_of_two_gaps_as_long_neither_stands_out() -> None:
    onsets_s = [*steady(0.0, 15), *steady(6.6, 5), *steady(9.2, 15)]
    assert not ends_phrase(gaps_of(played(*onsets_s))).any()


def test_a_rest_ends_a_phrase_whatever_is_around_it() -> None:
    onsets_s = [*steady(0.0, 5), *steady(2.4, 5), *steady(4.8, 5)]
    assert np.flatnonzero(ends_in_a_rest(gaps_of(played(*onsets_s)))).tolist() == [4, 9]


def test_a_call_is_a_phrase_or_the_latest_twenty_seconds_of_it() -> None:
    onsets_s = [*steady(0.0, 75), *steady(30.6, 20), *steady(40.0, 20)]
    assert calls_in(played(*onsets_s)) == [Span(25, 75), Span(75, 95)]


def test_a_phrase_of_three_chords_is_no_call() -> None:
    onsets_s = [*steady(0.0, 12), *steady(6.0, 3), *steady(8.0, 12)]
    assert calls_in(played(*onsets_s), ends_in_a_rest) == [Span(0, 12)]


def test_of_a_single_note_there_is_nothing_to_say() -> None:
    assert calls_in(played(0.0)) == []
