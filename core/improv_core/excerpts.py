"""A part of a piece, as one would hear it who comes in late and leaves early."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from improv_core.midi_files import PROGRAM, ChannelMessage, Track
from improv_core.notes import SUSTAIN_CONTROLLER, ControlChange, Performance

_FIRST_MODE_MESSAGE: Final = 120
"""From here up a controller number is a command, which is over when it is given."""


def excerpt(tracks: Iterable[Track], from_s: float = 0.0, to_s: float | None = None) -> tuple[Track, ...]:
    """The tracks from one moment to another, in seconds from the first of them.

    Notes that are struck before do not sound; those that are held at the end are let go there, and so is the
    pedal. Where controllers, bends and programs stand at the beginning, they stand there from zero on.

    Args:
        tracks: Times are seconds.
        from_s: Where it begins.
        to_s: Where it ends; None: with the piece.

    Returns:
        Those that have notes there.
    """
    parts = (_part(track, from_s, to_s) for track in tracks)
    return tuple(part for part in parts if part.performance.notes)


def cut(performance: Performance, from_s: float = 0.0, to_s: float | None = None) -> Performance:
    """`excerpt` of one performance."""
    until_s = float("inf") if to_s is None else to_s
    notes = [
        replace(note, onset_s=note.onset_s - from_s, duration_s=min(note.release_s, until_s) - note.onset_s)
        for note in performance.notes
        if from_s <= note.onset_s < until_s
    ]
    controls = [*_standing(performance.controls, from_s)]
    controls += [
        replace(control, at_s=control.at_s - from_s)
        for control in performance.controls
        if from_s <= control.at_s < until_s
    ]
    if to_s is not None and _pedal(controls):
        controls.append(ControlChange(SUSTAIN_CONTROLLER, 0, to_s - from_s))
    return Performance.of(notes, controls)


def _part(track: Track, from_s: float, to_s: float | None) -> Track:
    until_s = float("inf") if to_s is None else to_s
    before = {message.data[0]: message for message in track.messages if message.at_s < from_s}
    program = before.pop(PROGRAM, None)
    messages = [ChannelMessage(message.data, 0.0) for message in before.values()]
    messages += [
        replace(message, at_s=message.at_s - from_s)
        for message in track.messages
        if from_s <= message.at_s < until_s
    ]
    if program is not None and any(control.controller in (0, 32) for control in track.performance.controls):
        messages.insert(0, ChannelMessage(program.data, 0.0))  # a program counts from the bank's choice on
    return replace(
        track,
        performance=cut(track.performance, from_s, to_s),
        program=track.program if program is None else program.data[1],
        messages=tuple(messages),
    )


def _standing(controls: Iterable[ControlChange], at_s: float) -> Iterable[ControlChange]:
    standing = {
        control.controller: control
        for control in controls
        if control.at_s < at_s and control.controller < _FIRST_MODE_MESSAGE
    }
    return (replace(control, at_s=0.0) for control in standing.values())


def _pedal(controls: Iterable[ControlChange]) -> int:
    values = [control.value for control in controls if control.controller == SUSTAIN_CONTROLLER]
    return values[-1] if values else 0
