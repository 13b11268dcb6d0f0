"""The beats and bars of what improv goes on from."""

from __future__ import annotations

import pytest

from improv_core.metre import Metre
from improv_core.midi_files import Track
from improv_core.notes import Note, Performance
from improv_core.tempo_map import Conductor
from improv_daemon.seed_beats import end_of, metre_of, metres_of
from improv_daemon.seeds import NOTHING, WHOLE, Seed, Span
from improv_daemon.studio.beats import Beats, beats_of_conductor

BEATS = beats_of_conductor(
    Conductor(((0, 500_000), (8 * 960, 1_000_000)), ((0, 4, 4), (8 * 960, 3, 4))), length_s=12.0
)
"""Two bars of four at 120, from 4.0 s on bars of three at 60."""


def seed(*onsets_s: float, span: Span = WHOLE, beats: Beats | None = BEATS) -> Seed:
    notes = [Note(60, 64, onset_s, 0.5) for onset_s in onsets_s]
    return Seed("x", (Track("x", Performance.of(notes)),), span, beats)


def test_without_beats_there_are_four_of_half_a_second() -> None:
    assert metres_of(seed(0.0, 9.0, beats=None)) == [(0.0, Metre(120.0, 4.0))]
    assert metres_of(NOTHING) == [(0.0, Metre(120.0, 4.0))]


def test_every_change_until_its_end_counts() -> None:
    changes = dict(metres_of(seed(0.0, 4.0)))
    assert (changes[0.0], changes[4.0]) == (Metre(120.0, 4.0), Metre(60.0, 3.0))
    assert set(metres_of(seed(0.0, 1.0))) == {(0.0, Metre(120.0, 4.0))}


def test_of_a_part_times_are_those_of_the_part() -> None:
    changes = dict(metres_of(seed(0.0, 3.0, span=Span(2.0, 6.0))))
    assert (changes[0.0], changes[2.0]) == (Metre(120.0, 4.0), Metre(60.0, 3.0))


def test_what_improv_plays_in_is_that_of_the_end_at_its_own_tempo_if_there_is_one() -> None:
    assert metre_of(seed(0.0, 8.0), None) == Metre(60.0, 3.0)
    assert metre_of(seed(0.0, 8.0), 90.0) == Metre(90.0, 3.0)


@pytest.mark.parametrize(
    ("onsets_s", "begin_s"),
    [
        ((0.0, 4.5), 7.0),
        ((0.0, 3.9), 4.0),
        ((0.0, 3.97), 7.0),
        ((0.0, 4.0), 7.0),
        ((0.0, 99.0), 99.5),
        ((), 0.0),
    ],
)
def test_on_a_bar_line_improv_begins_at_that_after_the_last_onset(
    onsets_s: tuple[float, ...], begin_s: float
) -> None:
    heard = seed(*onsets_s)
    assert end_of(heard, heard.performance, on_bar_line=True) == begin_s


def test_else_it_begins_where_the_last_note_ends() -> None:
    for heard, on_bar_line in ((seed(0.0, 4.5), False), (seed(0.0, 4.5, beats=None), True)):
        assert end_of(heard, heard.performance, on_bar_line=on_bar_line) == 5.0


def test_of_a_part_the_bar_line_is_in_the_parts_time() -> None:
    heard = seed(0.0, 2.5, span=Span(2.0))
    assert end_of(heard, heard.performance, on_bar_line=True) == 5.0
