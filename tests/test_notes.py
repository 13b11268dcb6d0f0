"""Notes and controllers refuse nonsense; a performance is in order."""

from __future__ import annotations

import math

import pytest

from improv_core.notes import ControlChange, Note, Part, Performance


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pitch", -1),
        ("pitch", 128),
        ("velocity", 0),
        ("velocity", 128),
        ("duration_s", -0.001),
        ("duration_s", math.nan),
    ],
)
def test_a_note_out_of_range_is_refused_with_the_field_and_its_value(field: str, value: float) -> None:
    fields = {"pitch": 60, "velocity": 64, "onset_s": 0.0, "duration_s": 1.0} | {field: value}
    with pytest.raises(ValueError, match=rf"{field} must .*got {value}"):
        Note(**fields)


@pytest.mark.parametrize(("controller", "value"), [(-1, 0), (128, 0), (64, -1), (64, 128)])
def test_a_controller_out_of_range_is_refused(controller: int, value: int) -> None:
    with pytest.raises(ValueError, match=r"must be in 0\.\.127"):
        ControlChange(controller, value, 0.0)


def test_the_outermost_notes_and_controllers_are_accepted() -> None:
    assert Note(0, 1, 0.0, 0.0).release_s == 0.0
    assert Note(127, 127, 2.0, 0.5).release_s == 2.5
    assert ControlChange(127, 127, 0.0).value == 127


def test_a_performance_sorts_notes_by_onset_and_pitch_and_keeps_simultaneous_controllers_in_order() -> None:
    late, high, low = Note(40, 64, 1.0, 1.0), Note(72, 64, 0.0, 1.0), Note(60, 64, 0.0, 1.0)
    up, down, first = ControlChange(64, 0, 1.0), ControlChange(64, 127, 1.0), ControlChange(1, 5, 0.5)
    performance = Performance.of([late, high, low], [up, down, first])
    assert performance.notes == (low, high, late)
    assert performance.controls == (first, up, down)


def test_the_end_is_the_last_release_or_controller_and_zero_when_nothing_was_played() -> None:
    notes = [Note(60, 64, 0.0, 5.0), Note(62, 64, 1.0, 1.0)]
    assert Performance.of(notes).end_s == 5.0
    assert Performance.of(notes, [ControlChange(64, 0, 6.0)]).end_s == 6.0
    assert Performance().end_s == 0.0


def test_the_pedal_is_controller_64_alone() -> None:
    pedal = ControlChange(64, 127, 1.0)
    assert Performance.of([], [ControlChange(67, 127, 0.5), pedal, ControlChange(1, 3, 2.0)]).pedal == (
        pedal,
    )


def test_the_numbers_of_the_parts_are_those_in_every_trained_model() -> None:
    assert (int(Part.PLAYER), int(Part.IMPROV)) == (0, 1)
