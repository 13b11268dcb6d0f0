"""A part of tracks that sounds as it does within the whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from improv_core.midi_files import ChannelMessage, Track
from improv_core.notes import ControlChange, Note, Performance

LEAD_S: Final = 10.0
"""So long before the part the sound begins, unheard, for what still rings there."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of tracks.

    Attributes:
        tracks: From ``lead_s`` before the part on, which is their time zero.
        lead_s: What goes before is not heard.
        length_s: The part's length, without a tail.
    """

    tracks: tuple[Track, ...]
    lead_s: float
    length_s: float


def excerpt_of(tracks: Sequence[Track], from_s: float, to_s: float | None, step_s: float) -> Excerpt:
    """The part between two times; all keys and pedals are as they were, and let go at the end.

    Args:
        tracks: The whole.
        from_s: The part's beginning.
        to_s: Its end; None: that of the tracks.
        step_s: The sound begins a whole number of these after the tracks' beginning, so that what falls on
            such steps does so as in the whole.
    """
    end_s = max((_end_s(track) for track in tracks), default=0.0)
    if to_s is not None:
        end_s = min(end_s, to_s)
    if from_s == 0 and to_s is None:
        return Excerpt(tuple(tracks), 0.0, end_s)
    start_s = max(0.0, (from_s - LEAD_S) // step_s * step_s)
    cut = tuple(_cut(track, start_s, end_s) for track in tracks)
    return Excerpt(cut, from_s - start_s, max(0.0, end_s - from_s))


def _end_s(track: Track) -> float:
    return max([track.performance.end_s, *(message.at_s for message in track.messages)])


def _cut(track: Track, start_s: float, end_s: float) -> Track:
    notes = [_between(n, start_s, end_s) for n in track.performance.notes if _sounds(n, start_s, end_s)]
    controls = [
        dataclasses.replace(control, at_s=max(0.0, control.at_s - start_s))
        for control in _latest(track.performance.controls, start_s, end_s)
    ]
    messages = tuple(
        ChannelMessage(message.data, max(0.0, message.at_s - start_s))
        for message in track.messages
        if message.at_s < end_s
    )
    return dataclasses.replace(track, performance=Performance.of(notes, controls), messages=messages)


def _sounds(note: Note, start_s: float, end_s: float) -> bool:
    return note.release_s > start_s and note.onset_s < end_s


def _between(note: Note, start_s: float, end_s: float) -> Note:
    onset_s, release_s = max(note.onset_s, start_s), min(note.release_s, end_s)
    return dataclasses.replace(note, onset_s=onset_s - start_s, duration_s=release_s - onset_s)


def _latest(controls: Iterable[ControlChange], start_s: float, end_s: float) -> list[ControlChange]:
    """Those within, and before them how each controller stood."""
    stood: dict[int, ControlChange] = {}
    within = []
    for control in controls:
        if control.at_s < start_s:
            stood[control.controller] = control
        elif control.at_s < end_s:
            within.append(control)
    return [*stood.values(), *within]
