"""Of several answers, the one that is most like what players go on with."""

from __future__ import annotations

import math
from dataclasses import fields

import pytest
from made_phrases import REPLY, TUNE, answer, call

from improv_core.improvising import PlannedNote
from improv_core.motifs import Phrase
from improv_core.ranking import TYPICAL, Typical, best_of, missed, score
from improv_core.traits import Traits

LENGTH_S = 0.25 * (len(REPLY) - 1)


def test_the_traits_are_those_whose_usual_values_are_known() -> None:
    assert list(TYPICAL) == [field.name for field in fields(Traits)]
    assert all(one.low <= one.middle <= one.high for one in TYPICAL.values())


def test_distance_is_counted_in_halves_of_the_middle_80_percent() -> None:
    typical = Typical(-1.0, 0.0, 2.0)
    assert [typical.distance(value) for value in (-1.0, 0.0, 2.0, 4.0)] == [1, 0, 1, 2]
    assert Typical(-1.0, 0.0, 2.0, one_sided=True).distance(-5.0) == 0


def test_an_end_is_near_within_25_percent_of_the_plan_and_without_notes_there_is_none() -> None:
    one_s = Phrase.planned(answer((60, 62, 64, 65, 67)))
    assert missed(one_s, 1.0) == pytest.approx(0)
    assert missed(one_s, 1.25) == pytest.approx(-1)
    assert missed(one_s, 0.8) == pytest.approx(1)
    assert score(Phrase.heard(call()), Phrase.planned([]), 1.0) == math.inf


@pytest.mark.parametrize(
    "worse",
    [
        pytest.param(answer(REPLY[:8]), id="half as long as planned"),
        pytest.param(answer((60, 62) * 8), id="goes round in a loop"),
        pytest.param(answer([pitch + 24 for pitch in REPLY]), id="two octaves higher"),
        pytest.param(answer([pitch + 6 for pitch in REPLY]), id="in the furthest key"),
        pytest.param(answer(velocity=115), id="much louder"),
        pytest.param(answer([p for p in REPLY for _ in range(4)], gap_s=0.0625), id="four times as dense"),
        pytest.param(answer((*REPLY[:-1], 61)), id="ends off the key"),
        pytest.param(answer(last_s=0.05), id="breaks off"),
        pytest.param(answer(TUNE), id="copies the call"),
        pytest.param([], id="is empty"),
    ],
)
def test_an_answer_is_better_than_one_that(worse: list[PlannedNote]) -> None:
    assert best_of(call(), [worse, answer()], LENGTH_S) == 1
    assert best_of(call(), [answer(), worse], LENGTH_S) == 0


def test_an_answer_that_was_given_before_is_not_given_again() -> None:
    other = answer((67, 65, 64, 67, 65, 62, 60, 62, 64, 69, 67, 65, 64, 67, 62, 60))
    assert best_of(call(), [answer(), other], LENGTH_S, earlier=[answer()]) == 1
    assert best_of(call(), [answer(), other], LENGTH_S, earlier=[other]) == 0


def test_what_is_not_at_its_end_is_judged_by_what_is_drawn_of_all() -> None:
    off_key = answer([*REPLY[:8], *(pitch + 6 for pitch in REPLY[8:])])
    assert best_of(call(), [off_key, answer()], LENGTH_S) == 1
    assert best_of(call(), [off_key, answer(REPLY[:8])], LENGTH_S) == 0
    assert best_of(call(), [off_key, answer(REPLY[:8])], LENGTH_S, complete=[True, False]) == 0
    assert best_of(call(), [answer(REPLY[:8]), off_key], LENGTH_S, complete=[False, False]) == 0
    assert best_of(call(), [off_key, answer(REPLY[:12])], LENGTH_S, complete=[True, False]) == 1
    assert best_of(call(), [[], answer(REPLY[:12])], LENGTH_S, complete=[False, False]) == 1
    assert best_of(call(), [[], []], LENGTH_S, complete=[False, False]) == 0


def test_of_equals_the_first_is_best() -> None:
    assert best_of(call(), [answer(), answer(), answer()], LENGTH_S) == 0


def test_a_call_of_one_note_can_be_answered() -> None:
    assert best_of(call((60,)), [answer((60, 61)), answer()], LENGTH_S) == 1


def test_without_candidates_there_is_no_best() -> None:
    with pytest.raises(ValueError, match="no candidate"):
        best_of(call(), [], 1.0)
