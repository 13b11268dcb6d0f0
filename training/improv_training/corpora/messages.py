"""The events of one track of a MIDI file, found in its bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from improv_core.midi_chunks import readable

_META, _SYSEX, _ESCAPE = 0xFF, 0xF0, 0xF7
_TRACK_NAME, _TEMPO, _SMPTE_OFFSET, _TIME_SIGNATURE, _KEY_SIGNATURE = 0x03, 0x51, 0x54, 0x58, 0x59
_SHORTEST_META = {
    **dict.fromkeys((0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x09, 0x21, 0x2F, 0x7F), 0),
    0x00: 2,
    0x20: 1,
    _TEMPO: 3,
    _SMPTE_OFFSET: 5,
    _TIME_SIGNATURE: 4,
    _KEY_SIGNATURE: 2,
}
"""The meta messages that mido knows, and how long they are at least; it drops the time of all others."""

_LONGEST_DATA = 1_000_000
_LONGEST_NUMBER = 4
_LARGEST_DENOMINATOR = 8
"""As a power of two; mido's test of larger ones depends on how their logarithms are rounded."""

_PADDING = 8


class Unusual(Exception):  # noqa: N818
    """These bytes are for core's reader."""


@dataclass(frozen=True, slots=True)
class Events:
    """The channel messages of a track, and what its meta messages say.

    Attributes:
        name: The track's first name, may be empty.
        tempo_changes: (tick, microseconds per beat) in the order of the file.
        end_tick: Of the last message of any kind.
        tick: Shape (events,), int64, from the track's start.
        status: Shape (events,), uint8: kind and channel.
        first: Shape (events,), uint8: the first data byte.
        second: Shape (events,), uint8: the second data byte; of messages that have one only, anything.
    """

    name: str
    tempo_changes: tuple[tuple[int, int], ...]
    end_tick: int
    tick: NDArray[np.int64]
    status: NDArray[np.uint8]
    first: NDArray[np.uint8]
    second: NDArray[np.uint8]


@dataclass(slots=True)
class _Walk:
    """Where events begin, and which of them are no channel messages.

    ``metas`` holds (index of the event, type, begin of its data, length); ``sysex`` indices of events.
    """

    starts: list[int] = field(default_factory=list)
    metas: list[tuple[int, int, int, int]] = field(default_factory=list)
    sysex: list[int] = field(default_factory=list)


def read_events(chunk: bytes) -> Events:
    """Every event of a track.

    Args:
        chunk: What follows the track's header.

    Raises:
        Unusual: Something in it is not plain.
    """
    padded = np.frombuffer(chunk + bytes(_PADDING), dtype=np.uint8)
    number_end = _number_ends(padded)
    walk = _walk(chunk, padded, number_end)
    starts = np.array(walk.starts, dtype=np.int64)
    if not len(starts):
        return Events("", (), 0, starts, *[np.zeros(0, dtype=np.uint8)] * 3)
    at = number_end[starts] + 1
    tick = np.cumsum(_numbers(padded, starts, at))
    name, tempo_changes = _told(chunk, walk, tick)
    is_channel = np.ones(len(starts), dtype=np.bool_)
    is_channel[[meta[0] for meta in walk.metas] + walk.sysex] = False
    _check_after_sysex(padded[at], walk, is_channel)
    status, data_at = _running(padded, at[is_channel])
    first, second = (np.minimum(padded[data_at + i], 127) for i in (0, 1))  # as mido clips them
    return Events(name, tempo_changes, int(tick[-1]), tick[is_channel], status, first, second)


def _number_ends(padded: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Where a number of variable length that begins at each byte ends: at the next byte below 128."""
    ends = np.where(padded < 0x80, np.arange(len(padded)), len(padded))
    return np.minimum.accumulate(ends[::-1])[::-1]


def _walk(chunk: bytes, padded: NDArray[np.uint8], number_end: NDArray[np.int64]) -> _Walk:
    size = len(chunk)
    following = _following(padded, number_end, size)
    walk, position, short = _Walk(), 0, False
    starts, append = walk.starts, walk.starts.append
    while position < size:
        if not short:
            while position < size:
                append(position)
                position = following[position]
            if position == size:
                break
            position = starts.pop()
        position, short = _step(chunk, position, short, walk)
    if position != size:
        raise Unusual
    return walk


def _following(padded: NDArray[np.uint8], number_end: NDArray[np.int64], size: int) -> memoryview:
    """Where the next event begins if one begins here; past the end for what has to be looked at.

    Messages without a status of their own count as having two data bytes.
    """
    at = np.minimum(number_end[:size] + 1, size + _PADDING - 1)
    status = padded[at]
    following = at + 2 + (status >= 0x80)
    plain = (status < 0xC0) | ((status & 0xF0) == 0xE0)
    following[~plain | (following > size)] = size + 1
    return following.data  # looked up as fast as a list, which would take as long to make as to walk


def _step(chunk: bytes, position: int, short: bool, walk: _Walk) -> tuple[int, bool]:
    """One event that begins at ``position``, looked at by itself.

    Args:
        chunk: The track.
        position: Where the event begins.
        short: Whether messages without a status of their own have one data byte.
        walk: Gets the event.

    Returns:
        Where the next event begins, and the new ``short``.
    """
    index = len(walk.starts)
    walk.starts.append(position)
    _, at = _number(chunk, position)
    if at >= len(chunk):
        raise Unusual
    status = chunk[at]
    if status < 0x80:
        return at + (1 if short else 2), short
    if status < 0xF0:
        short = status & 0xE0 == 0xC0
        return at + (2 if short else 3), short
    if status in (_SYSEX, _ESCAPE):
        length, at = _number(chunk, at + 1)
        walk.sysex.append(index)
        short = False
    elif status == _META and at + 1 < len(chunk):
        kind = chunk[at + 1]
        length, at = _number(chunk, at + 2)
        walk.metas.append((index, kind, at, length))
    else:
        raise Unusual
    if length > _LONGEST_DATA:
        raise Unusual
    return at + length, short


def _number(chunk: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where it is over."""
    value = 0
    for end in range(at, min(at + _LONGEST_NUMBER, len(chunk))):
        value = (value << 7) | (chunk[end] & 0x7F)
        if chunk[end] < 0x80:
            return value, end + 1
    raise Unusual


def _numbers(
    padded: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Numbers of variable length."""
    length = ends - starts
    if length.max() > _LONGEST_NUMBER:
        raise Unusual
    value = (padded[starts] & 0x7F).astype(np.int64)
    for i in range(1, int(length.max())):
        longer = length > i
        value[longer] = (value[longer] << 7) | (padded[starts[longer] + i] & 0x7F)
    return value


def _told(chunk: bytes, walk: _Walk, tick: NDArray[np.int64]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The track's name and its tempo changes."""
    names, changes = [], []
    for index, kind, at, length in walk.metas:
        data = chunk[at : at + length]
        if kind not in _SHORTEST_META and tick[index] == (tick[index - 1] if index else 0):
            continue
        if length < _SHORTEST_META.get(kind, length + 1) or _may_be_refused(kind, data):
            raise Unusual
        if kind == _TRACK_NAME:
            names.append(readable(data.decode("latin-1")))
        elif kind == _TEMPO:
            changes.append((int(tick[index]), int.from_bytes(data[:3])))
    return (names[0] if names else ""), tuple(changes)


def _may_be_refused(kind: int, data: bytes) -> bool:
    """Whether mido calls the file damaged for this, or might."""
    if kind == _KEY_SIGNATURE:
        return not (data[0] <= 7 or data[0] >= 249) or data[1] > 1
    if kind == _TIME_SIGNATURE:
        return data[1] > _LARGEST_DENOMINATOR
    if kind == _SMPTE_OFFSET:
        return data[0] >> 5 > 3 or max(data[1:3]) > 59 or data[4] > 99
    return False


def _check_after_sysex(at_status: NDArray[np.uint8], walk: _Walk, is_channel: NDArray[np.bool_]) -> None:
    """Mido takes data without a status after a system message for one more of those."""
    channel = np.flatnonzero(is_channel)
    after = np.searchsorted(channel, walk.sysex)
    after = channel[after[after < len(channel)]]
    if (at_status[after] < 0x80).any():
        raise Unusual


def _running(padded: NDArray[np.uint8], at: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Each message's status, its own or the last one before; and where its data begin."""
    own = padded[at] >= 0x80
    if len(own) and not own[0]:
        raise Unusual
    last = np.maximum.accumulate(np.where(own, np.arange(len(at)), 0))
    return padded[at][last], at + own
