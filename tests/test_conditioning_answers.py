"""What a model plays when it is asked for something."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from playing import ASKED_FROM, improviser_of, model_that_plays, model_that_plays_what_is_asked

from improv_core.improvising import NOTHING_ASKED, Ask
from improv_core.representation import Notes, Pulse, Setting
from improv_core.representation.asking import FREE_LEFT, density_class, left_class
from improv_training.evaluation.conditioning.answers import (
    Answer,
    asked_for,
    closed,
    histograms,
    notes_per_s,
    overlap,
    pulse_of,
)
from improv_training.evaluation.generated.calls import Call


def notes_at(*onset_ms: int, pitch: int = 60) -> Notes:
    ones = np.ones(len(onset_ms), dtype=np.int64)
    return Notes(np.diff(onset_ms, prepend=onset_ms[:1]), 0 * ones, pitch * ones, 64 * ones, 100 * ones)


CALL = Call("songs", "a.mid", 0, heard=notes_at(0, 300, 700), truth=notes_at(0, 400))


def test_an_answer_goes_on_from_the_last_onset_until_the_time_is_over() -> None:
    answer = asked_for(improviser_of(model_that_plays(dt=400, duration=50)), CALL, NOTHING_ASKED, seconds=2.0)
    assert answer.turn_ms == 700
    assert 1100 <= answer.begins_ms < 1115  # times are drawn within their class
    onsets_ms = answer.begins_ms + answer.notes.onset_ms
    assert [onset_ms >= 2700 for onset_ms in onsets_ms.tolist()] == [False] * 4 + [True]


def test_an_answer_has_two_notes_at_least() -> None:
    answer = asked_for(improviser_of(model_that_plays(dt=900)), CALL, NOTHING_ASKED, seconds=0.1)
    assert len(answer.notes) == 2


def test_the_answer_is_asked_for_what_is_asked() -> None:
    model = model_that_plays_what_is_asked("density", dt=400, duration=50)
    answer = asked_for(improviser_of(model), CALL, Ask(notes_per_s=4.0), seconds=2.0)
    assert set(answer.notes.pitch.tolist()) == {ASKED_FROM + density_class(4.0)}


def test_density_counts_from_the_calls_last_onset_and_no_further() -> None:
    # Onsets 1.0, 1.5, 2.0 and 2.5 s after it; the last one only ended the answer.
    answer = Answer(notes_at(0, 500, 1000, 1500), begins_ms=1700, turn_ms=700)
    assert notes_per_s(answer, 2.0) == 1.5
    assert notes_per_s(answer, 2.4) == 3 / 2.4


def test_both_kinds_of_answer_end_by_the_same_rule_and_only_one_is_told() -> None:
    model = model_that_plays_what_is_asked("left", dt=400, duration=50)
    told, untold = (closed(model, CALL, 2.0, seed=1, told=told) for told in (True, False))
    np.testing.assert_array_equal(told.onset_ms, untold.onset_ms)
    assert set(untold.pitch.tolist()) == {ASKED_FROM + FREE_LEFT}
    left_ms = [0, *(2000 - told.onset_ms[:-1])]  # before the first note nothing is left of what was heard
    assert told.pitch.tolist() == [ASKED_FROM + left_class(max(0, one)) for one in left_ms]


def test_answers_that_close_come_to_about_the_length_that_was_planned() -> None:
    answer = closed(model_that_plays(dt=400, duration=50), CALL, 2.0, seed=1, told=True)
    assert 1950 < answer.onset_ms[-1] <= 2750
    assert answer.onset_ms[-2] < 1950


def test_the_pulse_is_that_of_the_last_note_that_knows_one() -> None:
    ticks, beat_ms = np.array([0, 480, 720]), np.array([400, 500, 0])
    notes = replace(notes_at(0, 450, 700), setting=Setting(0 * ticks, ticks, beat_ms))
    pulse = pulse_of(notes)
    assert pulse == Pulse(origin_ms=-50.0, beat_ms=500.0)
    assert pulse.ticks(450) == 480


def test_notes_that_know_no_beat_have_no_pulse() -> None:
    nothing = np.zeros(2, dtype=np.int64)
    assert pulse_of(notes_at(0, 100)) is None
    assert pulse_of(replace(notes_at(0, 100), setting=Setting(nothing, nothing, nothing))) is None


def test_histograms_count_all_runs_together() -> None:
    found = histograms([notes_at(0, 200), notes_at(0, 200, 400, pitch=62)])
    assert found["pitch class"].tolist() == [2, 0, 3, *[0] * 9]
    assert found["inter-onset"].sum() == 3


def test_the_order_and_the_milliseconds_within_a_chord_do_not_count() -> None:
    chord = replace(notes_at(0, 0, 0, 500), pitch=np.array([60, 64, 67, 72]))
    drawn = replace(notes_at(0, 3, 5, 505), pitch=np.array([67, 60, 64, 72]))
    one, other = histograms([chord]), histograms([drawn])
    for name in ("interval", "inter-onset"):
        assert one[name].tolist() == other[name].tolist()


def test_overlap_is_the_area_in_common() -> None:
    assert overlap(np.array([1, 1, 2]), np.array([10, 10, 20])) == 1.0
    assert overlap(np.array([1, 1, 2]), np.array([0, 4, 0])) == 0.25
    assert overlap(np.array([1, 0]), np.array([0, 0])) == 0.0
