"""Ticks to seconds through every tempo change."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from improv_core.tempo_map import Conductor, TempoMap


def test_of_two_tempos_at_one_tick_the_later_written_counts() -> None:
    assert TempoMap(100, [(0, 500_000), (0, 250_000)]).seconds(100) == 0.25
    assert TempoMap(100, [(0, 250_000), (0, 500_000)]).seconds(100) == 0.5


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 2_000_000)), max_size=8),
    st.lists(st.integers(0, 6000), max_size=20),
    st.sampled_from([96, 480, -6360]),
)
def test_many_ticks_at_once_are_the_same_seconds_to_the_last_bit(
    changes: list[tuple[int, int]], ticks: list[int], ticks_per_beat: int
) -> None:
    tempo_map = TempoMap(ticks_per_beat, changes)
    at_once = tempo_map.seconds_of(np.array(ticks, dtype=np.int64)).tolist()
    assert at_once == [tempo_map.seconds(tick) for tick in ticks]


def test_tempo_changes_add_up() -> None:
    tempo_map = TempoMap(100, [(300, 250_000), (100, 1_000_000)])
    assert [tempo_map.seconds(tick) for tick in (0, 50, 100, 200, 300, 500)] == [
        0.0,
        0.25,
        0.5,
        1.5,
        2.5,
        3.0,
    ]


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(10_000, 2_000_000)), max_size=8),
    st.lists(st.integers(0, 6000), max_size=20),
)
def test_the_moment_of_a_tick_is_that_tick(changes: list[tuple[int, int]], ticks: list[int]) -> None:
    tempo_map = TempoMap(96, changes)
    assert [tempo_map.tick(tempo_map.seconds(tick)) for tick in ticks] == ticks


def test_a_moment_is_the_tick_nearest_to_it_and_none_is_before_the_first() -> None:
    tempo_map = TempoMap(100, [(100, 1_000_000)])
    assert [tempo_map.tick(at_s) for at_s in (-1.0, 0.0024, 0.0026, 0.5, 0.514, 0.516)] == [
        0,
        0,
        1,
        100,
        101,
        102,
    ]


def test_a_tempo_slower_than_a_file_can_say_is_the_slowest_that_it_can() -> None:
    assert Conductor.steady(120.0).tempos == ((0, 500_000),)
    assert Conductor.steady(1.0).tempos == ((0, (1 << 24) - 1),)
