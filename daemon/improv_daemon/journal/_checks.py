"""What cannot be in a journal, found where there are no check sums."""

from __future__ import annotations

import math

from improv_daemon import wire


def check(message: wire.Message) -> None:
    """Refuse what a flipped bit makes of the messages that performances are made of.

    Raises:
        ValueError: Something is impossible.
    """
    match message:
        case wire.Played():
            seconds(message.at_s)
            if not all(_is_whole_number(byte, 0, 255) for byte in message.data):
                raise ValueError(message)
        case wire.Sounded() | wire.Released():
            seconds(message.at_s)
            velocity = message.velocity if isinstance(message, wire.Sounded) else 1
            numbers = _is_whole_number(message.turn) and _is_whole_number(message.index)
            if not (
                numbers and _is_whole_number(message.pitch, 0, 127) and _is_whole_number(velocity, 1, 127)
            ):
                raise ValueError(message)
        case wire.Counts():
            if not _is_whole_number(message.merged):
                raise ValueError(message)
        case wire.Withhold():
            if not all(_is_whole_number(number) for number in (*message.places, *message.keys)):
                raise ValueError(message)
        case wire.KeepTime():
            seconds(message.origin_s)
            beat_s = seconds(message.beat_s)
            if not (
                _is_whole_number(message.beats_per_bar, 1, 255) and (beat_s == 0 or 0.01 <= beat_s <= 100.0)
            ):
                raise ValueError(message)
        case wire.SetVoice():
            seconds(message.pan)
            if not (_is_whole_number(message.program, 0, 128) and _is_whole_number(message.volume, 0, 127)):
                raise ValueError(message)
        case wire.PedalMoved():
            seconds(message.at_s)
            if not _is_whole_number(message.value, 0, 127):
                raise ValueError(message)


def _is_whole_number(value: object, lowest: int = 0, highest: int = 1 << 62) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest


def seconds(value: object) -> float:
    """A time, as it stands in a line.

    Raises:
        ValueError: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"not a time in seconds: {value!r}")
    return float(value)
