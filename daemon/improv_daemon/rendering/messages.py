"""Tracks as messages to an instrument, each at its frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from improv_core.midi_files import Track

STEP: Final = 64
"""Messages fall on steps of so many frames: 1.5 ms, which is how finely FluidSynth hears."""

_OFF, _TOLD, _ON = 0, 1, 2
_NOTE_OFF, _NOTE_ON, _CONTROL, _PROGRAM = 0x80, 0x90, 0xB0, 0xC0
_PAN: Final = 10
_CENTRE: Final = 64
_APART: Final = 12
"""Tracks stand this far left and right of the centre, in steps of CC10."""
_ALL_SOUND_OFF: Final = 120


class Timed(NamedTuple):
    """A message at its frame; sorted by frame and rank: key up, then pedals and the like, then key down."""

    frame: int
    rank: int
    channel: int
    data: tuple[int, ...]


def frame_of(at_s: float, sample_rate: int) -> int:
    """The step nearest to a time."""
    return round(at_s * sample_rate / STEP) * STEP


def messages_of(tracks: Sequence[Track], sample_rate: int) -> list[Timed]:
    """Every message of tracks, by frame; each track has the channel of its place.

    Where several tracks sound they stand lightly apart from left to right, but for those that say where.
    """
    timed = [*_set_up(tracks)]
    for channel, track in enumerate(tracks):
        timed += _notes(track, channel, sample_rate)
        timed += _controls(track, channel, sample_rate)
    return sorted(timed, key=lambda message: message[:2])


def drums_of(tracks: Sequence[Track]) -> frozenset[int]:
    """The places of tracks that are percussion."""
    return frozenset(place for place, track in enumerate(tracks) if track.is_drum)


def _set_up(tracks: Sequence[Track]) -> Iterator[Timed]:
    for channel, track in enumerate(tracks):
        yield Timed(0, _OFF, channel, (_PROGRAM, track.program))
        if len(tracks) > 1:
            place = 2 * channel / (len(tracks) - 1) - 1
            yield Timed(0, _OFF, channel, (_CONTROL, _PAN, _CENTRE + round(_APART * place)))


def _notes(track: Track, channel: int, sample_rate: int) -> Iterator[Timed]:
    free_from: dict[int, int] = {}
    for note in reversed(track.performance.notes):
        onset, release = frame_of(note.onset_s, sample_rate), frame_of(note.release_s, sample_rate)
        # A key struck again before it was let go sounds on; only the last off of its run counts.
        if release <= free_from.get(note.pitch, release):
            yield Timed(max(release, onset + STEP), _OFF, channel, (_NOTE_OFF, note.pitch, 0))
        free_from[note.pitch] = onset
        yield Timed(onset, _ON, channel, (_NOTE_ON, note.pitch, note.velocity))


def _controls(track: Track, channel: int, sample_rate: int) -> Iterator[Timed]:
    for control in track.performance.controls:
        if control.controller < _ALL_SOUND_OFF:
            data = (_CONTROL, control.controller, control.value)
            yield Timed(frame_of(control.at_s, sample_rate), _TOLD, channel, data)
    # Behind the controllers: a bank is chosen before the program in it.
    for told in track.messages:
        yield Timed(frame_of(told.at_s, sample_rate), _TOLD, channel, told.data)
