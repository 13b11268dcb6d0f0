"""Going on from a performance, offline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playing import improviser_of, model_that_plays
from scripted_improviser import ScriptedImproviser

from improv_core.closing import CLOSING_NOTES
from improv_core.continuation import as_performance, hear, plan_for, plan_notes
from improv_core.improvising import Ask, Improvising, PlannedNote
from improv_core.notes import ControlChange, Note, Performance
from improv_core.representation import ATTRIBUTES, encode, steps


def planned(*notes: tuple[int, float, float], pedal: tuple[int, ...] = ()) -> list[PlannedNote]:
    pedals = pedal or (0,) * len(notes)
    return [PlannedNote(1, i, p, 64, pedals[i], on_s, off_s) for i, (p, on_s, off_s) in enumerate(notes)]


def continued(improviser: Improvising, begin_s: float, length_s: float, **how: Any) -> Performance:
    return as_performance(plan_for(improviser, begin_s, length_s, **how))


@st.composite
def performances(draw: st.DrawFn) -> Performance:
    """Anything a file may hold: overlapping and endless notes of few pitches, notes without length, pedal."""
    notes, at_ms = [], 0
    for _ in range(draw(st.integers(1, 15))):
        at_ms += draw(st.sampled_from([0, 1, 20, 300]))
        duration_ms = draw(st.sampled_from([0, 1, 50, 700, 5000]))
        notes.append(
            Note(draw(st.integers(60, 63)), draw(st.integers(1, 127)), at_ms / 1000, duration_ms / 1000)
        )
    moves = draw(st.lists(st.tuples(st.sampled_from([0, 127]), st.integers(0, 2000)), max_size=6))
    return Performance.of(notes, [ControlChange(64, value, ms / 1000) for value, ms in moves])


@given(performances())
@settings(max_examples=60, deadline=None)
def test_a_performance_is_heard_as_it_is_encoded(performance: Performance) -> None:
    improviser = improviser_of()
    hear(improviser, performance)
    notes = encode(performance)
    whole = steps(notes, np.zeros(len(notes), dtype=np.int64))
    np.testing.assert_array_equal(np.concatenate([s.columns for s in improviser.window]), whole.columns)
    np.testing.assert_array_equal(np.concatenate([s.dense for s in improviser.window]), whole.dense)


def test_hearing_says_when_the_last_note_ends() -> None:
    assert hear(improviser_of(), Performance.of([Note(60, 64, 0.0, 7.0), Note(62, 64, 1.0, 1.0)])) == 7.0
    assert hear(improviser_of(), Performance()) == 0.0


def test_a_continuation_begins_at_zero_and_is_as_long_as_was_asked() -> None:
    improviser = improviser_of(model_that_plays(dt=200, duration=150))
    performance = continued(improviser, hear(improviser, Performance.of([Note(60, 64, 0.0, 1.0)])), 10.0)
    onsets = [note.onset_s for note in performance.notes]
    assert onsets[0] == 0.0
    assert 9.95 <= onsets[-1] <= 10.25


def test_a_continuation_closes_with_the_chord_that_reaches_its_length() -> None:
    improviser = ScriptedImproviser(0.5, 0.5, 0.0, 0.7, 0.5, 0.0, 0.0, 0.06)
    performance = continued(improviser, 4.0, 2.0)
    assert [note.onset_s for note in performance.notes] == pytest.approx(
        [0.0, 0.5, 1.0, 1.0, 1.7, 2.2, 2.2, 2.2]
    )
    assert len(improviser.plan) == 8
    assert improviser.sounded == [{note.index: (note.onset_s, note.release_s) for note in improviser.plan}]


def test_a_model_that_strikes_one_chord_for_ever_is_stopped() -> None:
    improviser = ScriptedImproviser(0.5, *[0.0] * 1000)
    assert len(continued(improviser, 0.0, 0.5).notes) == 1 + CLOSING_NOTES


def test_so_many_notes_are_drawn_and_no_close_is_asked() -> None:
    improviser, done = ScriptedImproviser(0.5, 0.0, endless=True), list[float]()
    notes = plan_notes(improviser, 4.0, 4, ask=Ask("pop"), progress=done.append)
    assert [note.onset_s for note in notes] == [4.0, 4.5, 4.5, 5.0]
    assert improviser.asks == [Ask("pop")]
    assert improviser.sounded == [{note.index: (note.onset_s, note.release_s) for note in notes}]
    assert done == [0.25, 0.5, 0.75, 1.0]


def test_what_is_struck_twice_at_once_counts_once_and_is_not_waited_for_for_ever() -> None:
    improviser = ScriptedImproviser(0.0, endless=True)
    improviser.draw = lambda earliest_s, latest_s: PlannedNote(1, 0, 60, 64, 0, 1.0, 2.0)  # type: ignore[method-assign]
    assert len(plan_notes(improviser, 0.0, 3)) == 30


def test_the_length_is_asked_with_whatever_else_is() -> None:
    improviser = ScriptedImproviser()
    continued(improviser, 0.0, 7.0)
    continued(improviser, 0.0, 8.0, ask=Ask("pop", 5.0))
    assert improviser.asks == [Ask(length_s=7.0), Ask("pop", 5.0, 8.0)]


def test_the_first_note_comes_when_it_may() -> None:
    improviser = improviser_of(model_that_plays(dt=9000))
    heard_s = hear(improviser, Performance.of([Note(60, 64, 0.0, 1.0)]))
    continued(improviser, heard_s, 0.0, max_wait_s=0.0)
    assert int(improviser.window[-1].columns[0, 0]) == ATTRIBUTES[0].binning.index(1000)


def test_at_the_end_a_gap_may_be_as_long_as_the_model_likes() -> None:
    improviser = ScriptedImproviser(0.4, 9.0, 9.0)
    performance = continued(improviser, 0.0, 0.9, max_gap_s=0.5)
    assert [note.onset_s for note in performance.notes] == pytest.approx([0.0, 0.4, 0.9])
    assert improviser.bounds_s == pytest.approx([0.5, 0.5, 10.0])


def test_no_gap_is_longer_than_was_asked() -> None:
    improviser = improviser_of(model_that_plays(dt=9000))
    performance = continued(improviser, 0.0, 10.0, max_gap_s=0.5)
    gaps = np.diff([note.onset_s for note in performance.notes])
    assert len(gaps) >= 20
    assert gaps.max() <= 0.5


def test_the_same_seed_goes_on_in_the_same_way() -> None:
    heard = Performance.of([Note(60 + i, 64, 0.3 * i, 0.2) for i in range(6)])
    runs = []
    for seed in (4, 4, 5):
        improviser = improviser_of(seed=seed)
        runs.append(continued(improviser, hear(improviser, heard), 5.0))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_what_was_played_on_is_remembered() -> None:
    improviser = improviser_of(model_that_plays(dt=200, duration=150))
    performance = continued(improviser, 0.0, 3.0)
    assert [int(step.columns[0, 2]) for step in improviser.window] == [
        note.pitch for note in performance.notes
    ]


@pytest.mark.parametrize("length_s", [0.0, 0.001])
def test_the_shortest_continuation_is_its_first_chord(length_s: float) -> None:
    performance = continued(improviser_of(model_that_plays(dt=200)), 0.0, length_s)
    assert [note.onset_s for note in performance.notes] == [0.0]


def test_progress_goes_up_to_one() -> None:
    seen: list[float] = []
    continued(improviser_of(model_that_plays(dt=200)), 0.0, 4.0, progress=seen.append)
    assert seen == sorted(seen)
    assert 0.0 <= seen[0] <= seen[-1] <= 1.0


def test_a_key_that_is_struck_again_ends_its_earlier_note() -> None:
    performance = as_performance(planned((60, 5.0, 8.0), (64, 5.5, 6.0), (60, 6.0, 7.0)))
    assert performance.notes == (Note(60, 64, 0.0, 1.0), Note(64, 64, 0.5, 0.5), Note(60, 64, 1.0, 1.0))


def test_the_pedal_moves_with_the_notes_and_is_up_at_the_end() -> None:
    notes = planned((60, 5.0, 5.5), (62, 6.0, 6.5), (64, 7.0, 9.0), (65, 8.0, 8.5), pedal=(0, 1, 0, 1))
    assert [(c.value, c.at_s) for c in as_performance(notes).pedal] == [
        (127, 1.0),
        (0, 2.0),
        (127, 3.0),
        (0, 4.0),
    ]


def test_no_notes_are_an_empty_performance() -> None:
    assert as_performance([]) == Performance()
