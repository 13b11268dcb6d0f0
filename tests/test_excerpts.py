"""A part of a piece."""

from __future__ import annotations

from improv_core.excerpts import cut, excerpt
from improv_core.midi_files import BEND, PROGRAM, ChannelMessage, Track
from improv_core.notes import ControlChange, Note, Performance


def test_what_is_struck_within_sounds_from_zero_on() -> None:
    notes = [Note(60, 64, at_s, 0.5) for at_s in (0.0, 1.0, 1.75, 2.0)]
    part = cut(Performance.of(notes), 1.0, 2.0)
    assert [(note.onset_s, note.release_s) for note in part.notes] == [(0.0, 0.5), (0.75, 1.0)]


def test_without_an_end_it_goes_on_to_that_of_the_piece() -> None:
    part = cut(Performance.of([Note(60, 64, 1.0, 0.5), Note(62, 64, 9.0, 3.0)]), 2.0)
    assert part.notes == (Note(62, 64, 7.0, 3.0),)


def test_controllers_stand_at_its_beginning_as_they_stood_there() -> None:
    controls = [ControlChange(64, 127, 0.1), ControlChange(7, 90, 0.2), ControlChange(64, 0, 0.3)]
    controls += [ControlChange(123, 0, 0.4), ControlChange(64, 80, 1.5), ControlChange(7, 1, 5.0)]
    part = cut(Performance.of([], controls), 1.0, 4.0)
    assert part.controls == (
        ControlChange(64, 0, 0.0),
        ControlChange(7, 90, 0.0),
        ControlChange(64, 80, 0.5),
        ControlChange(64, 0, 3.0),
    )


def test_a_pedal_that_is_up_needs_no_release_and_one_at_the_end_of_the_piece_gets_none() -> None:
    down = Performance.of([], [ControlChange(64, 127, 0.0)])
    assert cut(down).controls == down.controls
    up = Performance.of([], [ControlChange(64, 0, 0.0)])
    assert cut(up, 0.0, 1.0).controls == up.controls


def test_the_instrument_is_that_of_its_beginning() -> None:
    messages = (ChannelMessage((PROGRAM, 11), 0.5), ChannelMessage((BEND, 0, 80), 0.6))
    messages += (ChannelMessage((PROGRAM, 12), 1.5),)
    track = Track("x", Performance.of([Note(60, 64, 1.0, 1.0)]), 3, 5, messages)
    (part,) = excerpt([track], 1.0, 3.0)
    assert (part.name, part.program, part.channel) == ("x", 11, 5)
    assert part.messages == (ChannelMessage((BEND, 0, 80), 0.0), ChannelMessage((PROGRAM, 12), 0.5))


def test_of_a_bank_the_program_is_told_again_after_the_bank() -> None:
    performance = Performance.of([Note(60, 64, 1.0, 1.0)], [ControlChange(0, 8, 0.1)])
    track = Track("x", performance, 0, 0, (ChannelMessage((PROGRAM, 11), 0.5),))
    (part,) = excerpt([track], 1.0)
    assert part.messages == (ChannelMessage((PROGRAM, 11), 0.0),)


def test_tracks_without_notes_there_are_left_out() -> None:
    tracks = [
        Track(name, Performance.of([Note(60, 64, at_s, 1.0)])) for name, at_s in (("a", 0.0), ("b", 2.0))
    ]
    assert [track.name for track in excerpt(tracks, 1.0)] == ["b"]
    assert excerpt(tracks, 5.0) == ()
