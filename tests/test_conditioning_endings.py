"""How phrases end."""

from __future__ import annotations

import numpy as np
import pytest

from improv_core.representation import Notes
from improv_training.evaluation.conditioning.endings import (
    BEFORE,
    FEATURES,
    Ending,
    ending,
    likeness,
    real_endings,
    real_middles,
    tonic,
)

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 11)


def run(*notes: tuple[int, int, int, int]) -> Notes:
    """Notes as (dt_ms, pitch, velocity, duration_ms)."""
    dt_ms, pitch, velocity, duration_ms = np.array(notes, dtype=np.int64).T
    return Notes(dt_ms, 0 * dt_ms, pitch, velocity, duration_ms)


def c_major(count: int, gap_ms: int = 200) -> list[tuple[int, int, int, int]]:
    """C major, the notes of its triad more often than the others."""
    degrees = (0, 2, 4, 5, 7, 4, 0, 7)
    return [(gap_ms if i else 0, 60 + degrees[i % 8], 60, 100) for i in range(count)]


CLOSE = ((500, 55, 30, 900), (10, 48, 40, 700), (0, 64, 50, 800))
"""A chord half a second after the note before it: longest 900 ms, velocity 40, lowest the tonic."""


def test_an_ending_is_the_last_onset_beside_the_notes_before_it() -> None:
    assert ending(run(*c_major(BEFORE), *CLOSE)) == Ending(
        duration_ms=900, waited_ms=500, loudness=40 / 60, degree=0
    )


def test_only_the_notes_right_before_count() -> None:
    loud = [(0, 61, 127, 100), *((200, 61, 127, 100) for _ in range(7))]
    assert ending(run(*loud, *((200, *rest) for _, *rest in c_major(BEFORE)), *CLOSE)) == Ending(
        900, 500, 40 / 60, 0
    )


def test_a_note_within_thirty_milliseconds_is_of_the_last_onset() -> None:
    found = ending(run(*c_major(BEFORE), (30, 72, 60, 1000), (31, 67, 60, 100)))
    assert found is not None
    assert (found.waited_ms, found.duration_ms, found.degree) == (31 + 30, 100, 7)


@pytest.mark.parametrize("notes", [c_major(BEFORE), [*c_major(BEFORE - 1), *CLOSE]])
def test_too_few_notes_before_the_last_onset_have_no_ending(notes: list[tuple[int, int, int, int]]) -> None:
    assert ending(run(*notes)) is None


@pytest.mark.parametrize("key", range(12))
@pytest.mark.parametrize("mode", [MAJOR, MINOR])
def test_the_tonic_is_found_in_every_key(key: int, mode: tuple[int, ...]) -> None:
    held = [0, 0, 0, 4 if mode is MAJOR else 3, 7, 7, *mode]  # as in music, the triad comes more often
    assert tonic(np.array([36 + key + degree for degree in held])) == key


def test_notes_of_all_pitch_classes_alike_have_some_tonic() -> None:
    assert tonic(np.arange(60, 72)) == 0


def test_real_endings_are_those_of_every_phrase_that_is_long_enough() -> None:
    short = [(2000, 60, 60, 100), *((200, 62, 60, 100) for _ in range(5))]
    again = [(2000, 60, 60, 100), *c_major(BEFORE)[1:], (300, 67, 60, 250)]
    piece = run(*c_major(BEFORE), *CLOSE, *short, *again)
    found = list(real_endings([piece, run(*short)]))
    assert [(one.duration_ms, one.waited_ms, one.degree) for one in found] == [(900, 500, 0), (250, 300, 7)]


def test_middles_are_cuts_of_pieces_that_have_room_for_them() -> None:
    long, short = run(*c_major(3 * BEFORE)), run(*c_major(2 * BEFORE))
    found = list(real_middles([short, long], np.random.default_rng(1), each=5))
    assert [(one.duration_ms, one.waited_ms, one.loudness) for one in found] == [(100, 200, 1.0)] * 5


def test_endings_alike_overlap_wholly_and_others_not_at_all() -> None:
    assert FEATURES == ("duration", "waited", "loudness", "degree")
    some = [Ending(900, 500, 0.5, 0), Ending(100, 500, 1.0, 7)]
    other = [Ending(900, 20, 2.0, 0), Ending(900, 20, 2.0, 7)]
    assert likeness(some, some[::-1]).tolist() == [1.0] * 4
    assert likeness(some, other).tolist() == [0.5, 0.0, 0.0, 1.0]
