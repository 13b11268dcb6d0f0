from __future__ import annotations

import numpy as np
import pytest

from improv_core.representation import Notes
from improv_training.evaluation.chords import ChordHabits, groups_of

C, E, G = 60, 64, 67


def chords(*groups: tuple[int, ...]) -> Notes:
    """Onsets half a second apart, the notes of each in the order given, 5 ms apart."""
    pitch = np.array([one for group in groups for one in group])
    dt_ms = [
        5 if place else 500 - 5 * (len(groups[i - 1]) - 1)
        for i, group in enumerate(groups)
        for place in range(len(group))
    ]
    count = len(pitch)
    return Notes(
        dt_ms=np.array([0, *dt_ms[1:]]),
        pedal=np.zeros(count, dtype=np.int64),
        pitch=pitch,
        velocity=np.full(count, 64),
        duration_ms=np.full(count, 200),
    )


def test_the_notes_of_an_onset_are_in_the_order_of_the_file() -> None:
    assert groups_of(chords((C,), (G, C, E), (62, 65))) == [[C], [G, C, E], [62, 65]]


def test_habits_are_counted_from_chords_in_the_order_of_the_file() -> None:
    notes = chords((C, E, G), (E, C), (C, E), (C,), (C, C + 12, E), (C, E, C + 12))
    learned = ChordHabits.learned([notes])
    of_two, of_three = (1 + 2 / 2) / (2 + 2), (2 + 2 / 6) / (3 + 2)
    assert learned.rising[:2].tolist() == [0, 0]
    assert learned.rising[2] == pytest.approx(max(0, (of_two - 1 / 2) / (1 / 2)))
    assert learned.rising[3] == pytest.approx((of_three - 1 / 6) / (5 / 6))
    assert learned.doubling == pytest.approx((1 + 1) / (2 + 7))
    assert learned.going_on == pytest.approx((1 + 1) / (2 + 6))
