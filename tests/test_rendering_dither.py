"""Samples to 16 bits."""

from __future__ import annotations

import numpy as np

from improv_daemon.rendering.dither import Dither
from improv_daemon.rendering.options import Samples

STEP = 1 / 32_768


def steady(level: float, frames: int = 200_000) -> Samples:
    return np.full((frames, 2), level, np.float32)


def test_what_is_of_16_bits_already_passes_as_it_is() -> None:
    whole = np.arange(-32_768, 32_768, dtype=np.int16).reshape(-1, 2)
    assert np.array_equal(Dither().rounded((whole / 32_768).astype(np.float32)), whole)


def test_what_lies_between_two_steps_is_there_on_average() -> None:
    assert abs(Dither().rounded(steady(0.3 * STEP)).mean() - 0.3) < 0.01


def test_the_noise_is_as_loud_whatever_the_level_is() -> None:
    powers = [
        ((Dither().rounded(steady(level * STEP)) - level) ** 2).mean() for level in (0.1, 0.25, 0.5, 100.9)
    ]
    assert max(abs(power - 0.25) for power in powers) < 0.01  # of steps: rounding has 1/12, triangles 1/6


def test_silence_stays_silence_beside_sound() -> None:
    samples = np.concatenate([steady(0.0, 100), steady(0.3 * STEP, 100)])
    assert not Dither().rounded(samples)[:100].any()


def test_what_is_too_loud_is_cut_off() -> None:
    assert Dither().rounded(steady(1.5, 1)).tolist() == [[32_767, 32_767]]
    assert Dither().rounded(steady(-1.5, 1)).tolist() == [[-32_768, -32_768]]


def test_the_same_samples_come_to_the_same() -> None:
    samples = steady(0.3 * STEP, 1000)
    assert np.array_equal(Dither().rounded(samples), Dither().rounded(samples))
