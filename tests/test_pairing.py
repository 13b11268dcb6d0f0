from __future__ import annotations

from collections import defaultdict, deque

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from improv_training.corpora.pairing import paired


def one_by_one(events: list[tuple[int, bool]]) -> list[tuple[int, int]]:
    """The rule as it is told: a release ends the oldest press of its key that is still down."""
    down: dict[int, deque[int]] = defaultdict(deque)
    ends = {index: len(events) for index, (_, is_on) in enumerate(events) if is_on}
    for index, (key, is_on) in enumerate(events):
        if is_on:
            down[key].append(index)
        elif down[key]:
            ends[down[key].popleft()] = index
    return sorted(ends.items())


def at_once(events: list[tuple[int, bool]]) -> list[tuple[int, int]]:
    pressed, released = paired(
        np.array([key for key, _ in events], dtype=np.uint16), np.array([on for _, on in events], dtype=bool)
    )
    return sorted(zip(pressed.tolist(), released.tolist(), strict=True))


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=60))
def test_the_first_press_gets_the_first_release_of_its_key(events: list[tuple[int, bool]]) -> None:
    assert at_once(events) == one_by_one(events)


def test_a_release_of_a_key_that_is_up_ends_nothing() -> None:
    assert at_once([(5, False), (5, True), (5, False), (5, False), (5, True), (9, False)]) == [(1, 2), (4, 6)]


def test_nothing_at_all_pairs_to_nothing() -> None:
    assert at_once([]) == []
