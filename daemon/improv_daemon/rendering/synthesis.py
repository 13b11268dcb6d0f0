"""Messages through an instrument: chunks of samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from improv_daemon.rendering.instrument import Instrument
from improv_daemon.rendering.messages import Timed
from improv_daemon.rendering.options import Samples

CHUNK: Final = 8192
"""Frames that are made at a time."""
FADE_S: Final = 1.0
"""The last of the tail fades out over so long."""


def synthesised(messages: Sequence[Timed], total: int, instrument: Instrument) -> Iterator[Samples]:
    """Chunks of `CHUNK` frames but for the last, ``total`` frames together.

    Args:
        messages: By frame.
        total: How many frames; messages behind them are not sent.
        instrument: Sounds.
    """
    done = 0
    for begin in range(0, total, CHUNK):
        end = min(begin + CHUNK, total)
        parts = []
        at = begin
        while done < len(messages) and messages[done].frame < end:
            message = messages[done]
            if message.frame > at:
                parts.append(instrument.pull(message.frame - at))
                at = message.frame
            instrument.send(message.channel, message.data)
            done += 1
        if end > at:
            parts.append(instrument.pull(end - at))
        yield parts[0] if len(parts) == 1 else np.concatenate(parts)


def without_first(chunks: Iterable[Samples], frames: int) -> Iterator[Samples]:
    """The same, but for so many frames at the beginning."""
    for chunk in chunks:
        left = chunk[frames:]
        frames -= len(chunk) - len(left)
        if len(left):
            yield left


def faded(chunks: Iterable[Samples], total: int, fade_in: int, fade_out: int) -> Iterator[Samples]:
    """The same, rising over the first frames and falling to silence over the last.

    Args:
        chunks: ``total`` frames together.
        total: How many frames there are.
        fade_in: So many frames, 0 for none.
        fade_out: So many frames, 0 for none.
    """
    at = 0
    for chunk in chunks:
        end = at + len(chunk)
        if at < fade_in:
            chunk = chunk * _slope(np.arange(at, end), fade_in)
        if end > total - fade_out:
            chunk = chunk * _slope(total - np.arange(at, end), fade_out)
        yield chunk
        at = end


def _slope(frames: np.ndarray, length: int) -> Samples:
    return np.clip(frames / length, 0.0, 1.0).astype(np.float32)[:, None]
