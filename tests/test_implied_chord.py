"""Chords that are held, or implied by what was played."""

from __future__ import annotations

import numpy as np
import pytest

from improv_core.heard import HeardNote
from improv_core.implied_chord import ImpliedChord
from improv_core.notes import Part


def struck(*pitches: int, every_s: float = 0.0, part: Part = Part.PLAYER) -> list[HeardNote]:
    return [HeardNote(part, pitch, 64, i * every_s) for i, pitch in enumerate(pitches)]


def likeliest(count: int, heard: list[HeardNote], held: set[int], at_s: float = 1.0) -> set[int]:
    belongs = ImpliedChord().classes(heard, held, at_s)
    return set(np.argsort(-belongs)[:count].tolist())


@pytest.mark.parametrize("root", range(12))
@pytest.mark.parametrize("third", [3, 4])
def test_a_triad_that_is_held_is_the_chord(root: int, third: int) -> None:
    keys = [48 + root, 48 + root + third, 48 + root + 7]
    assert likeliest(3, struck(*keys), set(keys)) == {key % 12 for key in keys}


def test_a_broken_chord_that_fades_still_implies_it() -> None:
    assert likeliest(3, struck(48, 52, 55, 60, every_s=0.2), set()) == {0, 4, 7}


def test_what_is_held_outweighs_what_was_played() -> None:
    heard = [*struck(48, 52, 55), *(HeardNote(Part.PLAYER, p, 64, 0.9) for p in (53, 57, 60))]
    assert likeliest(3, heard, {53, 57, 60}) == {5, 9, 0}


def test_a_chord_gives_way_to_the_next() -> None:
    heard = struck(48, 52, 55) + [HeardNote(Part.PLAYER, p, 64, 5.0) for p in (50, 55, 59)]
    assert likeliest(3, heard, set(), at_s=5.2) == {2, 7, 11}


def test_what_belongs_is_a_probability_of_every_class() -> None:
    belongs = ImpliedChord().classes(struck(60, 64), {60, 64}, 0.5)
    assert belongs.shape == (12,)
    assert (belongs > 0).all()
    assert (belongs <= 1).all()
    assert 3 <= belongs.sum() <= 4  # triads and sevenths


def test_nothing_heard_prefers_no_key() -> None:
    belongs = ImpliedChord().classes([], set(), 0.0)
    assert np.ptp(belongs) == pytest.approx(0)


def test_notes_of_improv_imply_nothing() -> None:
    belongs = ImpliedChord().classes(struck(48, 52, 55, part=Part.IMPROV), set(), 0.1)
    assert np.ptp(belongs) == pytest.approx(0)


def test_chords_move_with_the_music() -> None:
    here = ImpliedChord().classes(struck(48, 51, 55, 58), {48, 55}, 0.5)
    there = ImpliedChord().classes(struck(53, 56, 60, 63), {53, 60}, 0.5)
    assert np.roll(here, 5) == pytest.approx(there)
