"""Onsets by ear: clicks and tones are found where they begin, and paired with the notes that cause them."""

from __future__ import annotations

import numpy as np
import pytest
from bench.sound_onsets import Agreement, agreement, onsets_by_ear
from numpy.typing import NDArray

RATE = 44_100


def tones(onsets_s: list[float], length_s: float) -> NDArray[np.float64]:
    """Decaying tones of other pitches each."""
    sound = np.zeros(round(length_s * RATE))
    since_s = np.arange(2 * RATE) / RATE
    for number, onset_s in enumerate(onsets_s):
        place = sound[round(onset_s * RATE) :][: len(since_s)]
        tone = 0.2 * np.sin(2 * np.pi * 220 * 2 ** (number % 12 / 12) * since_s) * np.exp(-3 * since_s)
        place += tone[: len(place)]
    return sound


def test_tones_are_found_where_they_begin() -> None:
    onsets_s = [0.5, 1.0, 1.3, 2.1, 4.0]
    found = onsets_by_ear(tones(onsets_s, 5.0), RATE)
    assert found == pytest.approx(onsets_s, abs=0.015)


def test_time_does_not_drift() -> None:
    onsets_s = [0.5 + 0.37 * number for number in range(50)]
    found = onsets_by_ear(tones(onsets_s, 20.0), RATE)
    assert found == pytest.approx(onsets_s, abs=0.015)


@pytest.mark.parametrize("sound", [np.zeros(0), np.zeros(100), np.zeros((RATE, 2))])
def test_silence_and_less_than_a_window_hold_none(sound: NDArray[np.float64]) -> None:
    assert onsets_by_ear(sound, RATE).tolist() == []


def test_chords_count_once_and_what_no_note_explains_is_counted() -> None:
    found = agreement([1.0, 1.01, 1.02, 2.0, 3.0], [1.01, 2.5, 3.02])
    assert found == Agreement(3, 2, 3, 1, pytest.approx((0.01, 0.02)))


def test_nothing_heard_is_nothing_found() -> None:
    assert agreement([1.0], []) == Agreement(1, 0, 0, 0, ())
