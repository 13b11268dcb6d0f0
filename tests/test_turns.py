"""When the player's turn is over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improv_core.expectation import Expectation
from improv_core.representation.piano import DT
from improv_core.turns import (
    LEAST_SILENCE,
    LONGEST_POWER,
    PATIENCE,
    SILENCE_POWER,
    Call,
    TurnBounds,
    TurnTaker,
    patience_s,
)

BOUNDS = TurnBounds(
    silence_min_s=0.35, silence_max_s=1.5, silence_factor=2.5, held_min_s=1.5, held_max_s=4.0, held_factor=6.0
)


def playing(*onsets_s: float, duration_s: float = 0.05) -> TurnTaker:
    """Short notes, each released before the next."""
    turns = TurnTaker(BOUNDS)
    for i, onset_s in enumerate(onsets_s):
        turns.press(60 + i % 12, onset_s)
        turns.release(60 + i % 12, onset_s + duration_s)
    return turns


def test_before_the_first_note_there_is_no_call_and_no_deadline() -> None:
    turns = TurnTaker(BOUNDS)
    turns.release(60, 1.0)
    assert turns.call is None
    assert turns.deadline_s() is None


def test_a_call_runs_from_its_first_onset_to_its_last_release() -> None:
    turns = playing(1.0, 1.5, 2.0)
    assert turns.call == Call(1.0, 2.0, 2.05, notes=3, onsets=3)
    assert turns.call.length_s == pytest.approx(1.05)


def test_after_one_note_the_least_silence_ends_the_turn() -> None:
    assert playing(10.0).deadline_s() == pytest.approx(10.35)


@pytest.mark.parametrize(
    ("gap_s", "silence_s"), [(0.1, 0.35), (0.2, 0.5), (0.4, 1.0), (0.6, 1.5), (1.4, 1.5)]
)
def test_the_silence_follows_the_players_pace_between_its_bounds(gap_s: float, silence_s: float) -> None:
    onsets = [i * gap_s for i in range(6)]
    assert playing(*onsets).deadline_s() == pytest.approx(onsets[-1] + silence_s)


@pytest.mark.parametrize(("gap_s", "held_s"), [(0.1, 1.5), (0.5, 3.0), (1.0, 4.0)])
def test_a_key_that_stays_down_makes_the_turn_last_longer_but_not_for_ever(
    gap_s: float, held_s: float
) -> None:
    onsets = [i * gap_s for i in range(6)]
    turns = playing(*onsets[:-1])
    turns.press(40, onsets[-1])
    assert turns.deadline_s() == pytest.approx(onsets[-1] + held_s)


def test_under_a_held_drone_the_turn_ends_after_the_last_note_above_it() -> None:
    turns = TurnTaker(BOUNDS)
    turns.press(36, 0.0)
    for i in range(50):
        turns.press(60 + i % 5, 0.2 * i)
        turns.release(60 + i % 5, 0.2 * i + 0.1)
    assert turns.keys_down == {36}
    assert turns.deadline_s() == pytest.approx(9.8 + 1.5)


def test_the_notes_of_a_chord_say_nothing_about_the_pace() -> None:
    turns = TurnTaker(BOUNDS)
    for chord_s in (0.0, 0.4, 0.8):
        for i in range(4):
            turns.press(60 + i, chord_s + 0.01 * i)
        for i in range(4):
            turns.release(60 + i, chord_s + 0.2)
    assert turns.deadline_s() == pytest.approx(0.83 + 2.5 * 0.37)


def test_a_key_let_go_after_the_silence_began_gives_the_next_one_time() -> None:
    turns = TurnTaker(BOUNDS)
    turns.press(60, 0.0)
    turns.release(60, 1.0)
    assert turns.deadline_s() == pytest.approx(1.0 + 0.35 / 2)


def test_the_pace_outlives_the_turn_but_the_pause_between_turns_is_no_part_of_it() -> None:
    turns = playing(0.0, 0.4, 0.8)
    turns.begin()
    assert turns.call is None
    assert turns.deadline_s() is None
    turns.press(60, 60.0)
    turns.release(60, 60.1)
    assert turns.deadline_s() == pytest.approx(61.0)
    assert turns.call == Call(60.0, 60.0, 60.1, notes=1, onsets=1)


def test_a_key_held_over_into_the_next_turn_belongs_to_no_call_until_something_is_struck() -> None:
    turns = TurnTaker(BOUNDS)
    turns.press(48, 0.0)
    turns.begin()
    turns.release(48, 9.0)
    assert turns.call is None
    turns.press(60, 10.0)
    turns.release(60, 10.2)
    assert turns.call == Call(10.0, 10.0, 10.2, notes=1, onsets=1)


def test_the_pace_is_that_of_the_latest_notes() -> None:
    slow_then_fast = [0.0, 1.0, 2.0, 3.0] + [3.0 + 0.2 * i for i in range(1, 9)]
    assert playing(*slow_then_fast).deadline_s() == pytest.approx(slow_then_fast[-1] + 0.5)


def test_two_sources_stamped_a_little_out_of_order_do_not_move_the_turn_back() -> None:
    turns = TurnTaker(BOUNDS)
    turns.press(60, 5.0)
    turns.press(72, 4.99)
    turns.release(60, 5.2)
    turns.release(72, 5.19)
    assert turns.call == Call(5.0, 5.0, 5.2, notes=2, onsets=1)
    assert turns.deadline_s() == pytest.approx(5.0 + 0.35)


@pytest.mark.parametrize(
    ("onsets_s", "notes_per_s"),
    [
        ((0.0, 0.5, 1.0), 2.0),
        ((0.0, 0.01, 0.02, 0.5, 0.51, 0.52, 1.0, 1.01, 1.02), 3 * 2 / 1.02),
        ((0.0, 0.25, 0.5), 4.0),
        ((0.0, 0.2, 0.49), None),
        ((0.0, 3.0), None),
        ((0.0,), None),
        ((0.0, 0.01, 0.02, 0.03), None),
    ],
)
def test_a_call_is_as_dense_as_its_notes_come_unless_they_are_too_few_to_tell(
    onsets_s: tuple[float, ...], notes_per_s: float | None
) -> None:
    call = playing(*onsets_s).call
    assert call is not None
    assert call.notes_per_s == (None if notes_per_s is None else pytest.approx(notes_per_s))


def test_how_long_the_last_chord_is_held_says_nothing_about_density() -> None:
    turns = playing(0.0, 0.5, 1.0)
    turns.press(40, 1.5)
    turns.release(40, 9.0)
    assert turns.call is not None
    assert turns.call.length_s == 9.0
    assert turns.call.notes_per_s == 2.0


def test_a_key_struck_twice_without_release_is_one_key() -> None:
    turns = TurnTaker(BOUNDS)
    turns.press(60, 0.0)
    turns.press(60, 0.3)
    turns.release(60, 0.4)
    assert turns.keys_down == frozenset()
    assert turns.call == Call(0.0, 0.3, 0.4, notes=2, onsets=2)


# --- what the model expects -----------------------------------------------------------------------

PATIENT = replace(BOUNDS, silence_min_s=0.01, silence_max_s=30.0)


def expecting(silence: float) -> Expectation:
    """That much is the chance of silence, however long."""
    return Expectation(np.append(np.full(DT.size, silence), silence))


def after(*onsets_s: float, silence: float, bounds: TurnBounds = PATIENT) -> float:
    """The silence that ends the turn after short notes."""
    turns = playing(*onsets_s)
    turns.bounds = bounds
    turns.expect(expecting(silence))
    deadline_s = turns.deadline_s()
    assert deadline_s is not None
    return deadline_s - onsets_s[-1]


def test_the_longest_recent_gap_and_the_silence_that_the_model_expects_say_how_patient_improv_is() -> None:
    expected_s = 2.5 * PATIENCE * 0.5**LONGEST_POWER * 0.3**SILENCE_POWER
    assert patience_s(2.5, 0.5, 0.3) == pytest.approx(expected_s)
    assert after(0.0, 0.2, 0.7, 0.9, silence=0.3) == pytest.approx(expected_s)


def test_of_the_gaps_only_the_latest_eight_count() -> None:
    long_ago = [0.0, 5.0] + [5.0 + 0.2 * i for i in range(1, 9)]
    assert after(*long_ago, silence=0.3) == pytest.approx(patience_s(2.5, 0.2, 0.3))


def test_without_any_gap_a_usual_one_is_taken() -> None:
    assert after(0.0, silence=0.3) == pytest.approx(patience_s(2.5, 0.4, 0.3))


def test_a_model_that_is_sure_of_a_note_leaves_a_little_patience() -> None:
    assert after(0.0, 0.5, silence=0.0) == pytest.approx(patience_s(2.5, 0.5, LEAST_SILENCE))


def test_the_bounds_of_silence_hold_whatever_the_model_expects() -> None:
    assert after(0.0, 0.1, silence=0.0, bounds=BOUNDS) == pytest.approx(0.35)
    assert after(0.0, 2.0, silence=1.0, bounds=BOUNDS) == pytest.approx(1.5)


def test_an_expectation_is_of_the_next_note_alone() -> None:
    turns = playing(0.0, 0.4)
    turns.expect(expecting(0.0))
    turns.press(60, 0.8)
    turns.release(60, 0.9)
    assert turns.deadline_s() == pytest.approx(0.8 + 2.5 * 0.4)


def test_without_an_expectation_the_pace_decides() -> None:
    turns = playing(0.0, 0.4)
    turns.expect(expecting(0.0))
    turns.expect(None)
    assert turns.deadline_s() == pytest.approx(0.4 + 2.5 * 0.4)


def test_with_keys_down_a_turn_never_ends_sooner_than_with_keys_up() -> None:
    turns = TurnTaker(replace(BOUNDS, silence_max_s=10.0))
    turns.press(60, 0.0)
    turns.release(60, 0.1)
    turns.press(64, 3.0)
    turns.expect(expecting(1.0))
    assert turns.deadline_s() == pytest.approx(3.0 + 10.0)


def test_bounds_that_are_changed_while_somebody_plays_hold_at_once() -> None:
    turns = playing(0.0, 0.4)
    turns.bounds = replace(BOUNDS, silence_min_s=1.2)
    assert turns.deadline_s() == pytest.approx(0.4 + 1.2)


moves = st.lists(
    st.tuples(st.integers(60, 63), st.booleans(), st.floats(0.0, 3.0), st.none() | st.floats(0.0, 1.0)),
    min_size=1,
    max_size=40,
)


@given(moves)
def test_a_turn_always_ends_and_not_before_its_least_silence(
    moves: list[tuple[int, bool, float, float | None]],
) -> None:
    turns, now_s = TurnTaker(BOUNDS), 0.0
    for pitch, is_press, later_s, silence in moves:
        now_s += later_s
        if is_press:
            turns.press(pitch, now_s)
            turns.expect(None if silence is None else expecting(silence))
        else:
            turns.release(pitch, now_s)
        call, deadline_s = turns.call, turns.deadline_s()
        assert (call is None) == (deadline_s is None)
        if call is not None and deadline_s is not None:
            assert deadline_s >= call.last_onset_s + BOUNDS.silence_min_s - 1e-9
            assert (
                deadline_s
                <= max(call.end_s + BOUNDS.silence_max_s, call.last_onset_s + BOUNDS.held_max_s) + 1e-9
            )
