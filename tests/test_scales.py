"""Scales by name, however they are spelled."""

from __future__ import annotations

import numpy as np
import pytest

from improv_core.scales import AUTO, OFF, PATTERNS, SCALES, TONICS, outside, pitch_classes, spelled


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("D minor", "D minor"),
        ("d MINOR", "D minor"),
        ("Db major", "C# major"),
        ("C# major", "C# major"),
        ("A# minor", "Bb minor"),
        ("bb dorian", "Bb dorian"),
        ("B♭ Dorian", "Bb dorian"),
        ("F♯-mixolydian", "F# mixolydian"),
        ("c sharp_harmonic minor", "C# harmonic minor"),
        ("e flat blues", "Eb blues"),
        ("Cb pentatonic", "B pentatonic"),
        ("E# major", "F major"),
        ("  off ", OFF),
        ("Auto", AUTO),
    ],
)
def test_a_scale_may_be_spelled_as_musicians_do(text: str, scale: str) -> None:
    assert spelled(text) == scale


@pytest.mark.parametrize(
    "text", ["", "D", "minor", "H major", "D minor minor", "D locrian", "D## major", "auto D", "sharp major"]
)
def test_what_is_no_scale_is_none(text: str) -> None:
    assert spelled(text) is None


def test_every_name_means_itself() -> None:
    assert [spelled(scale) for scale in SCALES] == list(SCALES)


def test_there_is_every_pattern_on_every_tonic() -> None:
    assert len(SCALES) == len(set(SCALES)) == 2 + len(TONICS) * len(PATTERNS)


@pytest.mark.parametrize(
    ("scale", "notes"),
    [
        ("C major", {0, 2, 4, 5, 7, 9, 11}),
        ("A minor", {0, 2, 4, 5, 7, 9, 11}),
        ("A harmonic minor", {0, 2, 4, 5, 8, 9, 11}),
        ("D dorian", {0, 2, 4, 5, 7, 9, 11}),
        ("G mixolydian", {0, 2, 4, 5, 7, 9, 11}),
        ("F# pentatonic", {1, 3, 6, 8, 10}),
        ("Eb blues", {1, 3, 6, 8, 9, 10}),
    ],
)
def test_a_scale_has_these_pitch_classes(scale: str, notes: set[int]) -> None:
    assert pitch_classes(scale) == notes


@pytest.mark.parametrize("scale", [OFF, AUTO, "H major", "d minor", ""])
def test_only_named_scales_have_pitch_classes(scale: str) -> None:
    with pytest.raises(ValueError, match="there is no scale"):
        pitch_classes(scale)


def test_the_black_keys_lie_outside_c_major_in_every_octave() -> None:
    black = outside("C major")
    assert np.flatnonzero(black[60:72]).tolist() == [1, 3, 6, 8, 10]
    assert black.shape == (128,)
    assert black.sum() == 53
    assert not black.flags.writeable
