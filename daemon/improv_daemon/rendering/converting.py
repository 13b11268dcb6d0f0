"""Sound files to sound files."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from improv_core.errors import SoundError
from improv_daemon.rendering.files import new_file, write_limited
from improv_daemon.rendering.options import PEAK, Levels, Progress, RenderOptions, Samples, Tags
from improv_daemon.rendering.synthesis import CHUNK, faded
from improv_daemon.rendering.writers import soundfile_library, suffix_of

READ_SUFFIXES: Final = (".wav", ".flac", ".ogg", ".oga", ".mp3", ".aif", ".aiff")
"""Of the sound files that can be read."""

_LOSSLESS: Final = (".wav", ".flac")
_CUT_FADE_S: Final = 0.005
_STEREO: Final = 2


def convert_file(
    source: Path, path: Path, options: RenderOptions | None = None, progress: Progress | None = None
) -> Levels:
    """Write a sound file as another kind, or a part of it; its level stays but for ``options.gain_db``.

    What would clip is limited to 1.5 dB below full scale: decoded MP3 and OGG overshoot. A WAV or FLAC file
    whose level stays is the source to the sample.

    Args:
        source: A mono or stereo sound file.
        path: MP3, FLAC, OGG or WAV, by what its name ends with.
        options: Its bit rate, part, tags and gain; the sample rate is the source's, and tags that are empty
            are those of the source.
        progress: Called with 0..1 on the way.

    Raises:
        SoundError: The source cannot be read, or what reads it is missing.
        StorageError: The file exists already or cannot be written; nothing is left behind then.
    """
    options, suffix = options or RenderOptions(), suffix_of(path)
    with _opened(source) as file:
        start, total = _span(file, source, options)
        options = _like(file, source, options)
        chunks = faded(_read(file, start, total), total, *_fades(file, start, total))
        gain = 10 ** (options.gain_db / 20)
        ceiling = 1.0 if suffix in _LOSSLESS and options.gain_db == 0 else PEAK
        with new_file(path, options) as part:
            return write_limited(chunks, total, part, suffix, options, progress, gain=gain, ceiling=ceiling)


def _opened(source: Path) -> Any:  # noqa: ANN401 - no types there
    library = soundfile_library()
    if not source.is_file():
        raise SoundError(f"There is no sound file {source}.")
    try:
        file = library.SoundFile(os.fsencode(source))
    except library.LibsndfileError:
        raise SoundError(f"{source} cannot be read as sound: it is damaged, or no sound file.") from None
    if file.channels > _STEREO:
        file.close()
        raise SoundError(f"{source} has {file.channels} channels; only mono and stereo can be converted.")
    return file


def _span(file: Any, source: Path, options: RenderOptions) -> tuple[int, int]:  # noqa: ANN401
    start = round(options.from_s * file.samplerate)
    end = file.frames if options.to_s is None else min(file.frames, round(options.to_s * file.samplerate))
    if start >= end:
        raise SoundError(
            f"{source} is {file.frames / file.samplerate:.1f} s long; nothing of it is asked for."
        )
    return start, end - start


def _fades(file: Any, start: int, total: int) -> tuple[int, int]:  # noqa: ANN401 - no types there
    """Where something was cut off it begins and ends without a click."""
    fade = round(_CUT_FADE_S * file.samplerate)
    return fade if start else 0, fade if start + total < file.frames else 0


def _read(file: Any, start: int, total: int) -> Iterator[Samples]:  # noqa: ANN401 - no types there
    file.seek(start)
    for at in range(0, total, CHUNK):
        samples = file.read(min(CHUNK, total - at), dtype="float32", always_2d=True)
        if not len(samples):
            raise SoundError(f"{file.name} is damaged: it ends too early.")
        yield samples if samples.shape[1] == _STEREO else np.repeat(samples, _STEREO, axis=1)


def _like(file: Any, source: Path, options: RenderOptions) -> RenderOptions:  # noqa: ANN401
    tags = options.tags
    tags = Tags(
        title=tags.title or file.title or source.stem,
        date=tags.date or _date(file.date),
        artist=tags.artist or file.artist,
        comment=tags.comment or file.comment,
    )
    try:
        return dataclasses.replace(options, sample_rate=file.samplerate, tags=tags)
    except ValueError:
        raise SoundError(f"{source} has {file.samplerate} samples a second, which is too odd.") from None


def _date(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
