"""What goes out when, to which output, and what the mind is told of it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improv_core.performer import (
    Outcome,
    PedalMoved,
    Performer,
    Released,
    Sending,
    Sounded,
    TurnCancelled,
)
from improv_core.thru import Way

EXTRA_CARE = [Sending("midi", (0xB1, 64, 0)), Sending("midi", (0xB1, 123, 0))]


def make_performer(**overrides: object) -> Performer:
    return Performer(**{"outputs": ("midi",), "channel": 1} | overrides)  # type: ignore[arg-type]


def midi(*messages: tuple[int, ...]) -> list[Sending]:
    return [Sending("midi", message) for message in messages]


def test_note_sounds_at_its_onset_and_ends_at_its_release() -> None:
    performer = make_performer()
    performer.play_note(1, 0, 60, 90, 1.0, 1.5)
    assert performer.next_deadline_s() == 1.0
    assert performer.advance(0.9) == Outcome()
    assert performer.advance(1.0) == Outcome(midi((0x91, 60, 90)), [Sounded(1, 0, 60, 90, 1.0, 0.0)])
    assert performer.next_deadline_s() == 1.5
    assert performer.advance(1.5) == Outcome(midi((0x81, 60, 64)), [Released(1, 0, 60, 1.5)])
    assert performer.next_deadline_s() is None
    assert performer.silent


def test_lateness_is_told() -> None:
    performer = make_performer()
    performer.play_note(1, 0, 60, 90, 1.0, 2.0)
    assert performer.advance(1.25).acknowledgements == [Sounded(1, 0, 60, 90, 1.25, 0.25)]


def test_note_that_is_too_late_still_sounds_for_a_moment() -> None:
    performer = make_performer()
    performer.play_note(1, 0, 60, 90, 1.0, 1.1)
    performer.advance(2.0)
    assert performer.next_deadline_s() == 2.02


def test_note_without_duration_is_released_in_the_same_moment() -> None:
    performer = make_performer()
    performer.play_note(1, 0, 60, 90, 1.0, 1.0)
    assert performer.advance(1.0).sendings == midi((0x91, 60, 90), (0x81, 60, 64))


def test_every_output_gets_improvs_notes() -> None:
    performer = make_performer(outputs=("midi", "synth"))
    performer.play_note(1, 0, 60, 90, 1.0, 1.5)
    assert performer.advance(1.0).sendings == [
        Sending("midi", (0x91, 60, 90)),
        Sending("synth", (0x91, 60, 90)),
    ]


def test_pitch_struck_again_ends_the_earlier_note_and_keeps_its_own_length() -> None:
    performer = make_performer()
    performer.play_note(1, 0, 60, 90, 1.0, 2.0)
    performer.play_note(1, 1, 60, 70, 1.5, 3.0)
    performer.advance(1.0)
    assert performer.advance(1.5) == Outcome(
        midi((0x81, 60, 64), (0x91, 60, 70)),
        [Released(1, 0, 60, 1.5), Sounded(1, 1, 60, 70, 1.5, 0.0)],
    )
    assert performer.advance(2.5) == Outcome()
    assert performer.advance(3.0).acknowledgements == [Released(1, 1, 60, 3.0)]


def test_release_and_onset_of_one_pitch_at_one_instant_are_off_then_on() -> None:
    performer = make_performer()
    performer.play_note(1, 1, 60, 70, 2.0, 3.0)
    performer.play_note(1, 0, 60, 90, 1.0, 2.0)
    performer.advance(1.0)
    assert performer.advance(2.0).sendings == midi((0x81, 60, 64), (0x91, 60, 70))


def test_pedal_moves_on_improvs_channel() -> None:
    performer = make_performer()
    performer.move_pedal(1, 127, 1.0)
    assert performer.advance(1.0) == Outcome(midi((0xB1, 64, 127)), [PedalMoved(1, 127, 1.0)])


def test_next_turn_can_lift_the_pedal_an_earlier_turn_left_down() -> None:
    performer = make_performer()
    performer.move_pedal(1, 127, 1.0)
    performer.move_pedal(2, 0, 2.0)
    performer.advance(1.0)
    assert performer.advance(2.0).sendings == midi((0xB1, 64, 0))
    assert performer.silent


def test_a_pedal_that_is_to_come_up_with_a_finished_turn_is_the_next_turns_once_it_has_moved_it() -> None:
    performer = make_performer()
    performer.move_pedal(1, 127, 1.0)
    performer.play_note(1, 0, 60, 90, 1.0, 4.0)
    performer.advance(1.0)
    performer.finish_turn(1, 2.0)
    performer.move_pedal(2, 127, 3.0)
    performer.advance(3.0)
    assert performer.advance(4.0).sendings == midi((0x81, 60, 64))
    performer.move_pedal(2, 0, 5.0)
    assert performer.advance(5.0).sendings == midi((0xB1, 64, 0))
    assert performer.silent


def test_cancelled_turn_is_silent_at_once() -> None:
    performer = make_performer()
    performer.move_pedal(1, 127, 1.0)
    performer.play_note(1, 0, 60, 90, 1.0, 9.0)
    performer.play_note(1, 1, 62, 90, 5.0, 9.0)
    performer.advance(1.0)
    assert performer.cancel_turn(1, 1.5) == Outcome(
        midi((0x81, 60, 64), (0xB1, 64, 0)),
        [Released(1, 0, 60, 1.5), PedalMoved(1, 0, 1.5), TurnCancelled(1, 1.5, unplayed=1)],
    )
    assert performer.next_deadline_s() is None


def test_cancelled_turn_stays_cancelled() -> None:
    performer = make_performer()
    performer.cancel_turn(1, 1.0)
    assert not performer.play_note(1, 0, 60, 90, 1.5, 2.0)
    assert not performer.move_pedal(1, 127, 1.5)
    assert performer.after_cancel == 2
    assert performer.next_deadline_s() is None


def test_turns_cancelled_long_ago_stay_cancelled() -> None:
    performer = make_performer()
    for turn in range(1, 1001):
        performer.cancel_turn(turn, float(turn))
    assert not performer.play_note(1, 0, 60, 90, 2000.0, 2001.0)
    assert performer.play_note(1001, 0, 60, 90, 2000.0, 2001.0)


def test_cancelling_one_turn_leaves_another_alone() -> None:
    performer = make_performer()
    performer.play_note(1, 0, 60, 90, 1.0, 3.0)
    performer.play_note(2, 0, 64, 90, 1.0, 3.0)
    performer.advance(1.0)
    assert performer.cancel_turn(1, 2.0).sendings == midi((0x81, 60, 64))
    assert performer.advance(3.0).acknowledgements == [Released(2, 0, 64, 3.0)]


def test_full_schedule_refuses_a_note_and_counts_it() -> None:
    performer = make_performer(capacity=1)
    assert performer.play_note(1, 0, 60, 90, 1.0, 3.0)
    assert not performer.play_note(1, 1, 62, 90, 1.0, 3.0)
    assert performer.refused == 1


def test_the_pedal_of_a_finished_turn_comes_up_at_once_where_the_schedule_is_full() -> None:
    performer = make_performer(capacity=2)
    performer.move_pedal(1, 127, 1.0)
    performer.play_note(1, 0, 60, 90, 1.0, 9.0)
    performer.advance(1.0)
    performer.play_note(2, 0, 62, 90, 20.0, 21.0)
    assert performer.finish_turn(1, 2.0).sendings == midi((0xB1, 64, 0))
    assert performer.advance(9.0).sendings == midi((0x81, 60, 64))
    assert performer.silent


@pytest.mark.parametrize(
    ("pitch", "velocity", "onset_s", "release_s"),
    [(128, 90, 1.0, 2.0), (60, 0, 1.0, 2.0), (60, 90, math.nan, 2.0), (60, 90, 1.0, math.inf)],
)
def test_impossible_note_is_an_error(pitch: int, velocity: int, onset_s: float, release_s: float) -> None:
    with pytest.raises(ValueError, match="note"):
        make_performer().play_note(1, 0, pitch, velocity, onset_s, release_s)


@pytest.mark.parametrize(("value", "at_s"), [(128, 1.0), (0, math.nan)])
def test_impossible_pedal_is_an_error(value: int, at_s: float) -> None:
    with pytest.raises(ValueError, match="pedal"):
        make_performer().move_pedal(1, value, at_s)


def test_players_notes_sound_at_once_on_the_ways_they_take() -> None:
    performer = make_performer(outputs=("midi", "synth", "other"))
    ways = [Way("synth", 0), Way("midi", None)]
    assert performer.thru((0x95, 60, 90), ways) == [
        Sending("synth", (0x90, 60, 90)),
        Sending("midi", (0x95, 60, 90)),
    ]


@pytest.mark.parametrize(
    "message", [(0xC5, 60), (0xD5, 7), (0xE5, 0, 70), (0xB5, 1, 2), (0xB5, 66, 127), (0xB5, 67, 127)]
)
def test_programs_aftertouch_bends_and_controllers_go_thru(message: tuple[int, ...]) -> None:
    assert make_performer().thru(message, [Way("midi", 3)]) == midi((message[0] & 0xF0 | 3, *message[1:]))


def test_what_is_of_no_channel_does_not_go_thru() -> None:
    assert make_performer().thru((0xF8,), [Way("midi", None)]) == []


def test_a_key_that_two_keyboards_hold_sounds_until_both_let_go() -> None:
    performer, ways = make_performer(), [Way("midi", 0)]
    performer.thru((0x90, 60, 90), ways, "one")
    performer.thru((0x93, 60, 70), ways, "two")
    assert performer.thru((0x80, 60, 64), ways, "one") == []
    assert performer.thru((0x83, 60, 64), ways, "two") == midi((0x80, 60, 64))


def test_an_output_that_comes_back_is_brought_to_silence_and_knows_nothing_more() -> None:
    performer = make_performer(outputs=("midi", "other"))
    performer.move_pedal(1, 127, 1.0)
    performer.play_note(1, 0, 60, 90, 1.0, 2.0)
    performer.thru((0x90, 48, 90), [Way("midi", 0)])
    performer.thru((0xE0, 0, 70), [Way("midi", 0)])
    performer.advance(1.0)
    assert performer.renew("midi") == [
        *midi((0x80, 48, 64), (0x81, 60, 64), (0xB1, 64, 0), (0xE0, 0, 64)),
        *EXTRA_CARE,
    ]
    assert performer.advance(2.0).sendings == [Sending("other", (0x81, 60, 64))]


def test_cancelled_turn_leaves_the_players_note_and_pedal_on_a_shared_channel() -> None:
    performer, ways = make_performer(outputs=("synth",), channel=0), [Way("synth", 0)]
    performer.thru((0x90, 60, 90), ways)
    performer.thru((0xB0, 64, 127), ways)
    performer.play_note(1, 0, 60, 70, 1.0, 2.0)
    performer.move_pedal(1, 100, 1.0)
    performer.advance(1.0)
    assert performer.cancel_turn(1, 1.5).sendings == []
    assert performer.thru((0x80, 60, 64), ways) == [Sending("synth", (0x80, 60, 64))]
    assert performer.thru((0xB0, 64, 0), ways) == [Sending("synth", (0xB0, 64, 0))]


def test_panic_releases_all_and_cancels_what_is_planned() -> None:
    performer = make_performer()
    performer.move_pedal(1, 127, 1.0)
    performer.play_note(1, 0, 60, 90, 1.0, 9.0)
    performer.play_note(2, 0, 64, 90, 5.0, 9.0)
    performer.advance(1.0)
    assert performer.panic(2.0) == Outcome(
        [*midi((0x81, 60, 64), (0xB1, 64, 0)), *EXTRA_CARE],
        [
            Released(1, 0, 60, 2.0),
            PedalMoved(1, 0, 2.0),
            TurnCancelled(1, 2.0, unplayed=0),
            TurnCancelled(2, 2.0, unplayed=1),
        ],
    )
    assert not performer.play_note(2, 1, 65, 90, 6.0, 9.0)
    assert performer.next_deadline_s() is None


def test_panic_releases_the_players_notes_too() -> None:
    performer = make_performer(outputs=("synth",))
    performer.thru((0x90, 60, 90), [Way("synth", 0)])
    assert Sending("synth", (0x80, 60, 64)) in performer.panic(1.0).sendings
    assert performer.silent


_NOTES = st.tuples(st.integers(1, 3), st.integers(60, 63), st.floats(0, 10), st.floats(0, 3), st.booleans())


@given(st.lists(_NOTES, max_size=40), st.lists(st.floats(0, 14), max_size=10), st.integers(1, 3))
def test_every_note_on_has_one_release_and_nothing_sounds_at_the_end(
    plan: list[tuple[int, int, float, float, bool]], times: list[float], cancelled: int
) -> None:
    performer, outcomes = make_performer(), []
    for index, (turn, pitch, onset_s, duration_s, down) in enumerate(plan):
        performer.play_note(turn, index, pitch, 90, onset_s, onset_s + duration_s)
        performer.move_pedal(turn, 127 * down, onset_s)
    for number, now_s in enumerate(sorted(times)):
        outcomes.append(performer.advance(now_s))
        if number == len(times) // 2:
            outcomes.append(performer.cancel_turn(cancelled, now_s))
    outcomes += [performer.advance(20.0), performer.advance(40.0)]
    balance = dict.fromkeys(range(128), 0)
    for sending in (s for outcome in outcomes for s in outcome.sendings):
        balance[sending.data[1]] += {0x91: 1, 0x81: -1}.get(sending.data[0], 0)
        assert balance[sending.data[1]] in (0, 1)
    acknowledgements = [a for outcome in outcomes for a in outcome.acknowledgements]
    sounded = [(a.turn, a.index) for a in acknowledgements if isinstance(a, Sounded)]
    released = [(a.turn, a.index) for a in acknowledgements if isinstance(a, Released)]
    assert sorted(sounded) == sorted(released)
    assert not any(balance.values())
