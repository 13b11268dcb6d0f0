"""Loudness as the standard has it, and a limiter that nobody hears."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from improv_daemon.rendering.limiter import STEP, Limiter
from improv_daemon.rendering.loudness import Meter
from improv_daemon.rendering.options import PEAK, SILENCE_DB, Levels

RATE = 48_000


def sine(
    level_db: float, seconds: float, frequency_hz: float = 997.0, rate: int = RATE
) -> NDArray[np.float32]:
    at_s = np.arange(round(seconds * rate)) / rate
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * frequency_hz * at_s)
    return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)


def measured(*samples: NDArray[np.float32], rate: int = RATE) -> Levels:
    meter = Meter(rate)
    for part in samples:
        meter.add(part)
    return meter.levels()


# --- loudness -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 96_000])
def test_a_stereo_sine_of_997_hz_is_as_loud_as_its_peak(rate: int) -> None:
    levels = measured(sine(-23.0, 5.0, rate=rate), rate=rate)
    assert levels.loudness_lufs == pytest.approx(-23.0, abs=0.05)
    assert levels.peak_dbfs == pytest.approx(-23.0, abs=0.01)
    assert levels.length_s == 5.0


@pytest.mark.parametrize(
    ("frequency_hz", "weight_db"),
    [(50.0, -4.6), (100.0, -1.8), (1000.0, 0.0), (4000.0, 3.1), (10_000.0, 3.3)],
)
def test_low_tones_count_less_and_high_ones_more(frequency_hz: float, weight_db: float) -> None:
    levels = measured(sine(-20.0, 5.0, frequency_hz))
    assert levels.loudness_lufs == pytest.approx(-20.0 + weight_db, abs=0.2)


def test_pauses_do_not_count() -> None:
    pause = np.zeros((10 * RATE, 2), np.float32)
    levels = measured(sine(-20.0, 10.0), pause, sine(-20.0, 10.0))
    assert levels.loudness_lufs == pytest.approx(-20.0, abs=0.15)


def test_what_is_ten_below_the_rest_does_not_count() -> None:
    # Two of the standard's own test signals (EBU Tech 3341, cases 3 and 5).
    assert measured(sine(-36.0, 10.0), sine(-23.0, 60.0), sine(-36.0, 10.0)).loudness_lufs == pytest.approx(
        -23.0, abs=0.1
    )
    assert measured(sine(-26.0, 20.0), sine(-20.0, 20.1), sine(-26.0, 20.0)).loudness_lufs == pytest.approx(
        -23.0, abs=0.1
    )


def test_samples_may_come_in_pieces_of_any_size() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, (3 * RATE, 2)).astype(np.float32)
    pieces = np.split(noise, [1, 17, 8000, 8192, 30_000, 31_000, 100_000])
    assert measured(*pieces).loudness_lufs == pytest.approx(measured(noise).loudness_lufs, abs=1e-4)


def test_a_gain_may_be_counted_in_afterwards() -> None:
    meter = Meter(RATE)
    meter.add(sine(-40.0, 3.0))
    assert meter.levels(10.0).loudness_lufs == pytest.approx(-20.0, abs=0.05)
    assert meter.levels(10.0).peak_dbfs == pytest.approx(-20.0, abs=0.01)


def test_silence_and_nothing_have_a_level_that_is_a_number() -> None:
    silence = np.zeros((RATE, 2), np.float32)
    assert measured(silence) == Levels(1.0, SILENCE_DB, SILENCE_DB)
    assert measured() == Levels(0.0, SILENCE_DB, SILENCE_DB)


def test_levels_in_words() -> None:
    assert Levels(191.6, -1.514, -18.34).in_words() == "3:12, peak -1.5 dB, -18.3 LUFS"


# --- limiter --------------------------------------------------------------------------------------


def limited(samples: NDArray[np.float32], piece: int = 1000) -> NDArray[np.float32]:
    limiter = Limiter(RATE)
    parts = [limiter.take(samples[start : start + piece]) for start in range(0, len(samples), piece)]
    return np.concatenate([*parts, limiter.flush()])


def test_what_is_not_too_loud_passes_as_it_is() -> None:
    samples = sine(-2.0, 0.5)
    assert np.array_equal(limited(samples), samples)


@pytest.mark.parametrize("piece", [1, 100, STEP, 1000, 24_000])
def test_nothing_is_louder_than_the_ceiling_and_nothing_is_lost(piece: int) -> None:
    noise = np.random.default_rng(2).normal(0, 1.0, (6000, 2)).astype(np.float32)
    noise[:3000] *= 0.1
    out = limited(noise, piece)
    assert len(out) == len(noise)
    assert np.abs(out).max() <= PEAK + 1e-6


def test_pieces_of_any_size_are_limited_the_same() -> None:
    noise = np.random.default_rng(3).normal(0, 0.7, (20_000, 2)).astype(np.float32)
    assert np.allclose(limited(noise, 333), limited(noise, 20_000), atol=1e-6)


def test_the_level_falls_and_rises_smoothly() -> None:
    samples = np.concatenate([sine(-6.0, 0.2), sine(6.0, 0.2), sine(-6.0, 1.0)])
    out = limited(samples)
    wave = np.abs(samples[:, 0]) > 0.05
    gains = out[wave, 0] / samples[wave, 0]
    assert gains.min() == pytest.approx(PEAK / 10 ** (6 / 20), abs=0.01)
    assert np.abs(np.diff(gains)).max() < 0.05
    assert gains[-1] == pytest.approx(1.0)


def test_a_loud_beginning_is_limited_from_the_first_sample() -> None:
    assert np.abs(limited(np.full((5, 2), 2.0, np.float32))).max() == pytest.approx(PEAK)
