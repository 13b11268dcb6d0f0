"""The beats of a performance, found afterwards."""

from __future__ import annotations

import numpy as np
import pytest

from improv_core.beat_finding import FEWEST_BEATS, Stretch, found_beats
from improv_core.beat_lengths import Onsets
from improv_core.beat_path import beat_path, grid
from improv_core.notes import Note


def played(beats_s: np.ndarray, *, bar: int = 4, jitter_s: float = 0.008, seed: int = 5) -> list[Note]:
    """Chords where bars begin, a melody on beats and between them."""
    dice, notes = np.random.default_rng(seed), []
    for i, (at_s, next_s) in enumerate(zip(beats_s[:-1].tolist(), beats_s[1:].tolist(), strict=True)):
        root, beat_s = (48, 53, 55, 45)[i // bar % 4], next_s - at_s
        pitches = [root + 24] if i % bar else [root - 12, root, root + 4, root + 7, root + 24]
        for pitch in pitches:
            length_s = beat_s * (bar * 0.9 if pitch <= root + 7 else 0.45)
            notes.append(Note(pitch, 64, at_s + jitter_s * dice.normal(), length_s))
        notes.append(Note(root + 26, 50, at_s + beat_s / 2 + jitter_s * dice.normal(), 0.4 * beat_s))
    return sorted(notes, key=lambda note: note.onset_s)


def off_s(stretch: Stretch, beats_s: np.ndarray) -> np.ndarray:
    """How far each found beat is from the nearest true one."""
    return np.abs(stretch.beats_s[:, None] - beats_s[None, :]).min(axis=1)


@pytest.mark.parametrize("bpm", [70.0, 90.0, 110.5])
def test_a_steady_tempo_is_found_with_its_bars(bpm: float) -> None:
    beats_s = 3.0 + np.arange(65) * 60 / bpm
    (stretch,) = found_beats(played(beats_s), 4)
    assert np.max(off_s(stretch, beats_s)) < 0.01
    assert len(stretch.beats_s) >= 62
    assert np.median(np.diff(stretch.beats_s)) == pytest.approx(60 / bpm, rel=0.002)
    bars_s = stretch.beats_s[list(stretch.downbeats)]
    assert np.max(off_s(Stretch(bars_s, ()), beats_s[::4])) < 0.01


def test_a_tempo_that_moves_is_followed() -> None:
    beat_s = 0.6 + 0.08 * np.sin(np.arange(96) / 12)
    beats_s = np.cumsum(beat_s)
    (stretch,) = found_beats(played(beats_s), 4)
    assert np.mean(off_s(stretch, beats_s) < 0.03) > 0.95


def test_bars_of_three_are_found_where_three_are_asked_for() -> None:
    beats_s = 1.0 + np.arange(61) * 0.55
    (stretch,) = found_beats(played(beats_s, bar=3), 3)
    assert np.max(off_s(Stretch(stretch.beats_s[list(stretch.downbeats)], ()), beats_s[::3])) < 0.01


def test_a_bar_that_is_shorter_than_the_others_moves_those_after_it() -> None:
    beats_s = 1.0 + np.arange(67) * 0.6
    notes = [n for n in played(beats_s[:35]) if n.onset_s < beats_s[34] - 0.1] + played(beats_s[34:])
    (stretch,) = found_beats(notes, 4)
    bars_s = stretch.beats_s[list(stretch.downbeats)]
    true_s = np.concatenate((beats_s[:33:4], beats_s[34::4]))
    assert np.mean(np.abs(bars_s[:, None] - true_s[None, :]).min(axis=1) < 0.02) > 0.9


def test_fast_beats_that_nothing_divides_are_halves_of_slower_ones_with_the_basses() -> None:
    halves_s = 1.0 + np.arange(129) * 0.4
    melody = [Note(72 + i % 5, 64, at_s, 0.3) for i, at_s in enumerate(halves_s.tolist())]
    basses = [Note((36, 41, 43, 38)[i % 4], 64, at_s, 0.7) for i, at_s in enumerate(halves_s[1::2].tolist())]
    (stretch,) = found_beats(sorted(melody + basses, key=lambda note: note.onset_s), 4)
    assert np.max(off_s(stretch, halves_s[1::2])) < 0.01
    assert np.median(np.diff(stretch.beats_s)) == pytest.approx(0.8, rel=0.002)


def test_a_long_silence_parts_two_stretches() -> None:
    one, other = 1.0 + np.arange(33) * 0.5, 40.0 + np.arange(33) * 0.7
    first, second = found_beats(played(one) + played(other), 4)
    assert (first.beats_s[-1] < one[-1] + 0.1, second.beats_s[0] > other[0] - 0.1) == (True, True)
    assert np.median(np.diff(second.beats_s)) == pytest.approx(0.7, rel=0.005)


@pytest.mark.parametrize("seed", range(4))
def test_where_there_is_no_beat_none_is_found(seed: int) -> None:
    at_s = np.cumsum(np.random.default_rng(seed).exponential(0.4, 200)).tolist()
    assert found_beats([Note(60, 64, one_s, 0.1) for one_s in at_s], 4) == ()


@pytest.mark.parametrize("count", [0, 1, 2, FEWEST_BEATS - 1])
def test_a_few_notes_have_no_beats(count: int) -> None:
    assert found_beats([Note(60, 64, 0.2 * i, 0.1) for i in range(count)], 4) == ()


def test_most_of_an_hour_without_a_rest_is_followed_to_its_end() -> None:
    (stretch,) = found_beats([Note(60, 64, 1.2 * i, 0.5) for i in range(2450)], 4)
    assert stretch.beats_s[-1] == pytest.approx(1.2 * 2449, abs=1.3)


def test_all_at_once_has_no_beats() -> None:
    assert found_beats([Note(pitch, 64, 1.0, 0.1) for pitch in range(30, 90)], 4) == ()


def test_the_path_keeps_to_the_length_of_the_beat_where_nothing_begins() -> None:
    at_s = np.array([float(i) for i in range(20) if i not in (8, 9, 10)])
    grid_s = grid(0.0, 19.0)
    beats_s = beat_path(Onsets(at_s, np.ones(len(at_s))), np.full(len(grid_s), 1.0), grid_s)
    assert beats_s[(beats_s > -0.5) & (beats_s < 19.5)] == pytest.approx(np.arange(20), abs=0.01)
