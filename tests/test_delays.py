"""Outputs that sound late are sent to earlier; what is told is what is heard."""

from __future__ import annotations

import pytest

from improv_core.delays import DelayedPerformer
from improv_core.performer import Outcome, PedalMoved, Released, Sending, Sounded, TurnCancelled
from improv_core.thru import Way

ON, OFF = (0x91, 60, 90), (0x81, 60, 64)


@pytest.fixture
def performer() -> DelayedPerformer:
    """One output that sounds at once and one a quarter of a second late."""
    return DelayedPerformer({"near": 0.0, "far": 0.25}, 1)


def test_each_output_is_sent_to_as_much_earlier_as_it_sounds_late(performer: DelayedPerformer) -> None:
    performer.play_note(1, 0, 60, 90, 2.0, 3.0)
    seen: list[tuple[float, Outcome]] = []
    while (now_s := performer.next_deadline_s()) is not None:
        seen.append((now_s, performer.advance(now_s)))
    assert seen == [
        (1.75, Outcome([Sending("far", ON)], [])),
        (2.0, Outcome([Sending("near", ON)], [Sounded(1, 0, 60, 90, 2.0, 0.0)])),
        (2.75, Outcome([Sending("far", OFF)], [])),
        (3.0, Outcome([Sending("near", OFF)], [Released(1, 0, 60, 3.0)])),
    ]
    assert performer.silent


def test_what_is_refused_where_it_is_heard_on_time_sounds_nowhere(performer: DelayedPerformer) -> None:
    performer.play_note(1, 0, 60, 90, 2.0, 2.1)
    performer.move_pedal(1, 0, 2.1)
    performer.advance(1.9)
    performer.panic(1.95)
    assert not performer.play_note(1, 1, 62, 90, 3.0, 4.0)
    assert not performer.move_pedal(1, 127, 3.0)
    assert performer.next_deadline_s() is None


def test_where_all_outputs_are_late_what_is_told_is_still_what_is_heard() -> None:
    performer = DelayedPerformer({"far": 0.25}, 1)
    performer.move_pedal(1, 127, 2.0)
    assert performer.advance(1.75) == Outcome([Sending("far", (0xB1, 64, 127))], [])
    assert performer.advance(2.0) == Outcome([], [PedalMoved(1, 127, 2.0)])


def test_a_note_that_is_known_too_late_is_sent_at_once(performer: DelayedPerformer) -> None:
    performer.play_note(1, 0, 60, 90, 2.0, 3.0)
    assert performer.advance(1.9).sendings == [Sending("far", ON)]


def test_a_cancelled_note_that_was_only_sent_ahead_is_ended_and_told_as_unplayed(
    performer: DelayedPerformer,
) -> None:
    performer.play_note(1, 0, 60, 90, 2.0, 3.0)
    performer.advance(1.8)
    cancelled = performer.cancel_turn(1, 1.85)
    assert cancelled == Outcome([Sending("far", OFF)], [TurnCancelled(1, 1.85, 1)])
    assert performer.silent
    assert performer.next_deadline_s() is None


def test_a_finished_turn_keeps_what_is_heard_and_ends_what_was_only_sent_ahead(
    performer: DelayedPerformer,
) -> None:
    performer.play_note(1, 0, 60, 90, 2.0, 3.0)
    performer.play_note(1, 1, 64, 90, 2.2, 3.0)
    performer.advance(2.0)
    assert performer.finish_turn(1, 2.1).sendings == [Sending("far", (0x81, 64, 64))]
    assert performer.advance(3.0).sendings == [Sending("near", OFF), Sending("far", OFF)]


def test_thru_waits_for_nobody(performer: DelayedPerformer) -> None:
    ways = [Way("near", None), Way("far", 5)]
    assert performer.thru((0x90, 48, 90), ways) == [
        Sending("near", (0x90, 48, 90)),
        Sending("far", (0x95, 48, 90)),
    ]
    assert {sending.output for sending in performer.panic(1.0).sendings} == {"near", "far"}
    assert performer.silent
