"""How found keys are scored."""

from __future__ import annotations

import numpy as np
import pytest
from bench.scales import KRUMHANSL_KESSLER, TEMPERLEY, Song, correlated, most_common, points

C_MAJOR_TWICE = [60, 62, 64, 65, 67, 69, 71, 72, 67, 64, 60, 60]


@pytest.mark.parametrize(
    ("guess", "expected"),
    [
        ("C major", (1.0, 1.0, 1.0)),
        ("G major", (0.0, 0.5, 0.0)),
        ("F major", (0.0, 0.0, 0.0)),
        ("A minor", (0.0, 0.3, 1.0)),
        ("C minor", (0.0, 0.2, 0.0)),
        ("D minor", (0.0, 0.0, 0.0)),
        ("Eb major", (0.0, 0.0, 0.0)),
    ],
)
def test_a_guess_for_c_major_scores(guess: str, expected: tuple[float, float, float]) -> None:
    assert points(guess, "C major") == expected


def test_the_relative_major_of_a_minor_key_has_its_notes() -> None:
    assert points("F major", "D minor") == (0.0, 0.3, 1.0)


@pytest.mark.parametrize("profiles", [KRUMHANSL_KESSLER, TEMPERLEY])
def test_profiles_know_c_major_in_every_key(profiles: tuple[tuple[float, ...], ...]) -> None:
    guess = correlated(profiles)
    assert guess(C_MAJOR_TWICE) == most_common(C_MAJOR_TWICE) == "C major"
    assert guess([pitch + 3 for pitch in C_MAJOR_TWICE]) == "Eb major"


def test_windows_lie_within_one_key() -> None:
    song = Song(np.arange(20.0), list(range(60, 80)), ((0.0, 9.6, "C major"), (9.6, 19.0, "G major")))
    found = list(song.windows(4, 4))
    assert found == [
        ([60, 61, 62, 63], "C major"),
        ([64, 65, 66, 67], "C major"),
        ([72, 73, 74, 75], "G major"),
        ([76, 77, 78, 79], "G major"),
    ]
