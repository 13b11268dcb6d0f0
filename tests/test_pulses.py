"""Scoring the beat that was found against the one that is known."""

from __future__ import annotations

import numpy as np
import pytest

from improv_core.pulse import CLEAR_FROM, PulseEstimate
from improv_core.representation.asking import Pulse
from improv_training.corpora.beats import BeatMap
from improv_training.evaluation.pulses import (
    FloatArray,
    Piece,
    after_playing,
    beats_of,
    f_measure,
    follow,
    near,
    next_beat_s,
    on_its_level,
    with_halves,
)


def times(*at_s: float) -> FloatArray:
    return np.array(at_s, dtype=np.float64)


def steady(beat_s: float = 0.6, beats: int = 100, offset: float = 0.0) -> Piece:
    """Eighths, those on the beat louder; the known beats may be said to be elsewhere."""
    onset_s = 1.0 + np.arange(2 * beats) * beat_s / 2
    velocity = np.where(np.arange(2 * beats) % 2 == 0, 80, 50)
    return Piece(onset_s, velocity, 1.0 + (np.arange(beats + 4) + offset) * beat_s)


def test_beats_of_steady_playing_are_found_and_clear_nearly_all_the_time() -> None:
    piece = steady()
    followed = follow(piece)
    assert piece.beats_s is not None
    assert near(piece.beats_s, followed.beats_s[8:]).all()
    assert np.diff(followed.beats_s[8:]) == pytest.approx(0.6, abs=0.005)
    assert followed.played_s == pytest.approx(59.7)
    assert followed.clear_s > 50.0
    assert followed.clear[10:].all()
    assert f_measure(piece.beats_s[:100], followed.beats_s) > 0.93


def test_beats_that_are_known_elsewhere_are_not_found() -> None:
    piece = steady(offset=0.25)
    assert piece.beats_s is not None
    assert not near(piece.beats_s, follow(piece).beats_s[8:]).any()


def test_calls_from_nothing_say_how_sure_they_were_and_whether_the_next_beat_was_found() -> None:
    calls = list(after_playing(steady(), 16.0, 10.0))
    assert len(calls) == 5
    assert all(clear and found and confidence >= CLEAR_FROM for confidence, clear, found in calls)
    assert [found for _, _, found in after_playing(steady(offset=0.25), 16.0, 10.0)] == [False] * 5


def test_call_that_is_too_short_for_a_beat_is_not_sure() -> None:
    piece = Piece(times(0.0, 0.5, 1.0, 9.0, 60.0), np.full(5, 64), None)
    assert list(after_playing(piece, 1.0, 30.0)) == [(0.0, False, False)]


@pytest.mark.parametrize(
    ("found", "score"),
    [
        (times(1.0, 2.0, 3.0, 4.0), 1.0),
        (times(1.06, 1.94, 3.0, 4.0), 1.0),
        (times(1.08, 2.0, 3.0, 4.0), 0.75),
        (times(1.0, 3.0), 4 / 6),
        (times(1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0), 8 / 11),
        (times(1.5, 2.5), 0.0),
        (times(), 0.0),
    ],
)
def test_f_measure_matches_beats_one_to_one_within_70_ms(found: FloatArray, score: float) -> None:
    assert f_measure(times(1.0, 2.0, 3.0, 4.0), found) == pytest.approx(score)


def test_near_is_within_70_ms_and_within_a_share_of_the_beat() -> None:
    known = times(1.0, 1.2, 2.2)
    assert near(known, times(0.94, 1.06, 1.14, 2.14, 2.3)).tolist() == [True, True, True, True, False]
    assert near(known, times(1.03, 1.06, 2.14), 0.175).tolist() == [True, False, True]


def test_halves_lie_between_the_beats() -> None:
    assert with_halves(times(1.0, 2.0, 4.0)).tolist() == [1.0, 1.5, 2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("due_s", "beat_s", "right"),
    [
        (2.06, 1.0, True),
        (2.08, 1.0, False),
        (2.5, 1.0, False),
        (2.5, 0.5, True),
        (2.44, 0.5, True),
        (2.25, 0.5, False),
        (4.0, 2.0, True),
        (5.5, 0.5, False),  # nothing is known after the last beat
    ],
)
def test_beat_is_judged_on_the_level_it_counts(due_s: float, beat_s: float, right: bool) -> None:
    assert on_its_level(times(1.0, 2.0, 3.0, 4.0, 5.0), due_s, beat_s) is right


def test_next_beat_is_after_that_time() -> None:
    estimate = PulseEstimate(Pulse(1000.0, 500.0), 0.5)
    assert [next_beat_s(estimate, at_s) for at_s in (0.9, 1.0, 1.2, 7.6)] == [1.0, 1.5, 1.5, 8.0]


def test_beats_of_a_map_go_on_at_its_last_tempo() -> None:
    beats = BeatMap(times(0.0, 2.0, 3.0), times(0.0, 2.0, 4.0))
    assert beats_of(beats, 4.2).tolist() == [0.0, 1.0, 2.0, 2.5, 3.0, 3.5, 4.0]
    assert beats_of(beats, 1.0).tolist() == [0.0, 1.0, 2.0, 2.5, 3.0]


@pytest.mark.parametrize(("beat_s", "counted"), [(0.1, False), (0.5, True), (1.7, False)])
def test_only_beats_that_people_count_are_a_tempo(beat_s: float, counted: bool) -> None:
    assert steady(beat_s, beats=30).has_tempo is counted
    assert not Piece(times(1.0), np.array([64]), None).has_tempo
