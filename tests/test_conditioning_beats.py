"""Where in the beat notes come."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from improv_core.representation import Notes, Pulse, Setting
from improv_training.evaluation.conditioning.answers import Answer
from improv_training.evaluation.conditioning.beats import places_in_beat, places_of_setting
from improv_training.evaluation.generated.shares import bits


def notes_at(*onset_ms: int) -> Notes:
    ones = np.ones(len(onset_ms), dtype=np.int64)
    return Notes(np.diff(onset_ms, prepend=onset_ms[:1]), 0 * ones, 60 * ones, 64 * ones, 100 * ones)


def counted(places: np.ndarray) -> dict[int, int]:
    assert len(places) == 24
    return {int(place): int(places[place]) for place in np.flatnonzero(places)}


def test_places_are_on_the_calls_clock_and_round_to_the_nearest() -> None:
    # The beat is at 1.1 s and each 480 ms, so a place is 20 ms; the answer's own time begins at 1.58 s.
    answer = Answer(notes_at(0, 240, 475, 489, 500), begins_ms=1580, turn_ms=1500)
    assert counted(places_in_beat(answer, Pulse(origin_ms=1100.0, beat_ms=480.0))) == {0: 3, 1: 1, 12: 1}


def test_places_before_the_beat_that_is_known_count_from_the_one_before() -> None:
    answer = Answer(notes_at(0, 20), begins_ms=1000, turn_ms=1000)
    assert counted(places_in_beat(answer, Pulse(origin_ms=1480.0 + 20, beat_ms=480.0))) == {23: 1, 0: 1}


def test_places_of_a_setting_are_those_of_the_notes_whose_beat_is_known() -> None:
    ticks, beat_ms = np.array([0, 240, 465, 960, 700]), np.array([500, 500, 500, 0, 600])
    notes = replace(notes_at(0, 1, 2, 3, 4), setting=Setting(0 * ticks, ticks, beat_ms))
    assert counted(places_of_setting(notes)) == {0: 1, 12: 1, 11: 1, 23: 1}
    assert counted(places_of_setting(notes_at(0, 1))) == {}


def test_bits_are_those_of_the_places() -> None:
    assert bits(np.array([4, 0, 0])) == 0.0
    assert bits(np.array([1, 1, 2])) == 1.5
    assert bits(np.full(24, 3)) == pytest.approx(math.log2(24))
