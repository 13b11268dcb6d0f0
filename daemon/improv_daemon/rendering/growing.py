"""A sound file that grows while the music is played."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from improv_core.errors import StorageError
from improv_daemon.rendering.behind import Behind
from improv_daemon.rendering.files import MAKEUP_GAIN
from improv_daemon.rendering.instrument import open_instrument
from improv_daemon.rendering.limiter import Limiter
from improv_daemon.rendering.loudness import Meter
from improv_daemon.rendering.messages import frame_of
from improv_daemon.rendering.options import TAIL_S, Levels, RenderOptions, Samples, VoiceChoice
from improv_daemon.rendering.synthesis import CHUNK, FADE_S, faded
from improv_daemon.rendering.writers import open_writer, suffix_of
from improv_daemon.whole_files import check_new


class GrowingFile:
    """Renders messages as they come, and appends the sound to a file that is playable at any time.

    The level is fixed, since nobody knows how loud it will get; a limiter keeps it from clipping.

    Args:
        path: The file, by what its name ends with an MP3, FLAC, OGG or WAV.
        choice: What sounds.
        options: Sample rate, bit rate and tags, and the gain that is added.
        hurried: Whether a second core may be used.

    Raises:
        SoundError: The instrument or the encoder is missing.
        StorageError: The file exists already or cannot be written.
    """

    def __init__(
        self,
        path: Path,
        choice: VoiceChoice,
        options: RenderOptions | None = None,
        *,
        hurried: bool = False,
    ) -> None:
        options = options or RenderOptions()
        suffix = suffix_of(path)
        check_new(path)
        self._rate = options.sample_rate
        self._gain = np.float32(MAKEUP_GAIN * 10 ** (options.gain_db / 20))
        self._at = 0
        self._meter, self._limiter = Meter(self._rate), Limiter(self._rate)
        self._open = ExitStack()
        with ExitStack() as opening:
            self._instrument = opening.enter_context(open_instrument(choice, self._rate))
            writer = opening.enter_context(open_writer(path, suffix, options))
            self._writer = opening.enter_context(Behind(writer)) if hurried else writer
            self._open = opening.pop_all()

    @property
    def description(self) -> str:
        """The instrument's."""
        return self._instrument.description

    def send(self, at_s: float, channel: int, data: tuple[int, ...]) -> None:
        """Take a message; they come in order, and one that is late counts from now on.

        Args:
            at_s: Seconds from the beginning.
            channel: 0..15, of which 9 is percussion.
            data: A MIDI message whose first byte names no channel.

        Raises:
            StorageError: The file cannot be written.
        """
        self._render(frame_of(at_s, self._rate))
        self._instrument.send(channel, data)

    def advance(self, to_s: float) -> None:
        """Render up to a time, and see that it is in the file.

        Raises:
            StorageError: The file cannot be written.
        """
        self._render(frame_of(to_s, self._rate))
        self._writer.flush()

    def finish(self, tail_s: float = TAIL_S) -> Levels:
        """Let the last notes ring, fade out, and close the file.

        Raises:
            StorageError: The file cannot be written.
        """
        tail = round(tail_s * self._rate)
        fade_out = round(min(FADE_S, tail_s) * self._rate)
        with self._open:
            for chunk in faded(self._pulled(tail), tail, 0, fade_out):
                self._put(self._limiter.take(chunk * self._gain))
            self._put(self._limiter.flush())
        return self._meter.levels()

    def close(self) -> None:
        """Leave the file as it is, whatever comes; harmless when it is finished."""
        with contextlib.suppress(StorageError):
            self._open.close()

    def _render(self, to: int) -> None:
        for samples in self._pulled(to - self._at):
            self._put(self._limiter.take(samples * self._gain))
        self._at = max(self._at, to)

    def _pulled(self, frames: int) -> Iterator[Samples]:
        for start in range(0, frames, CHUNK):
            yield self._instrument.pull(min(CHUNK, frames - start))

    def _put(self, samples: Samples) -> None:
        self._meter.add(samples)
        self._writer.write(samples)
