"""Tracks to arrays and sound files."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from improv_core.errors import SoundError
from improv_core.midi_files import Track
from improv_daemon.rendering.behind import Behind
from improv_daemon.rendering.excerpts import excerpt_of
from improv_daemon.rendering.instrument import open_instrument
from improv_daemon.rendering.limiter import Limiter
from improv_daemon.rendering.loudness import Meter
from improv_daemon.rendering.messages import STEP, drums_of, messages_of
from improv_daemon.rendering.options import (
    PEAK,
    SAMPLE_RATE,
    TAIL_S,
    Levels,
    Progress,
    RenderOptions,
    Samples,
    VoiceChoice,
)
from improv_daemon.rendering.spool import Spool
from improv_daemon.rendering.synthesis import FADE_S, faded, synthesised, without_first
from improv_daemon.rendering.writers import open_writer, suffix_of
from improv_daemon.whole_files import check_new, whole_file

LOUDEST_GAIN: Final = 12.0
"""Quiet playing is not raised above this, of the instrument's own level: it should still sound quiet."""

MAKEUP_GAIN: Final = 4.0
"""How far an instrument's own level is raised where the loudest sample is not known before."""

_SYNTHESIS_SHARE: Final = 0.4
_FADE_IN_S: Final = 0.005
_LEAST_PEAK: Final = 1e-9
_LONGEST_NAME: Final = 40
_NO_NOTE: Final = "There is no note to hear."


def render_file(
    source: Sequence[Track],
    path: Path,
    choice: VoiceChoice | None = None,
    options: RenderOptions | None = None,
    progress: Progress | None = None,
) -> Levels:
    """Render tracks to a stereo file: MP3, FLAC, OGG or WAV, by what its name ends with.

    Args:
        source: What to play; program, drums and controllers of a track are respected, and each has an
            instrument of its own.
        path: The file, which appears when it is whole.
        choice: What sounds.
        options: How.
        progress: Called with 0..1 on the way.

    Returns:
        What can be heard in it.

    Raises:
        SoundError: There is no note in it, or the instrument or the encoder is missing.
        StorageError: The file exists already or cannot be written; nothing is left behind then.
    """
    return _render(source, path, choice or VoiceChoice(), options or RenderOptions(), progress)


def _render(
    source: Sequence[Track],
    path: Path,
    choice: VoiceChoice,
    options: RenderOptions,
    progress: Progress | None,
    only: int | None = None,
) -> Levels:
    suffix = suffix_of(path)
    options = _titled(options, path)
    with new_file(path, options) as part, _chunks(source, choice, options, only) as (chunks, total):
        if options.level == "peak":
            return _write_levelled(chunks, total, part, suffix, options, progress)
        gain = MAKEUP_GAIN * 10 ** (options.gain_db / 20)
        return write_limited(chunks, total, part, suffix, options, progress, gain=gain)


def render_array(
    tracks: Sequence[Track],
    choice: VoiceChoice | None = None,
    *,
    sample_rate: int = SAMPLE_RATE,
    from_s: float = 0.0,
    to_s: float | None = None,
    tail_s: float = TAIL_S,
) -> Samples:
    """Render tracks to an array, shape (frames, 2), its loudest sample as in a file of level ``peak``.

    Args:
        tracks: What to play.
        choice: What sounds.
        sample_rate: Frames a second.
        from_s: Where in the tracks to begin.
        to_s: Where to end, but for the tail; None: at their end.
        tail_s: How long the last notes ring.

    Raises:
        SoundError: As `render_file`.
    """
    options = RenderOptions(sample_rate=sample_rate, from_s=from_s, to_s=to_s, tail_s=tail_s)
    with _chunks(tracks, choice or VoiceChoice(), options) as (chunks, _):
        samples = np.concatenate(list(chunks))
    gain = _fitting_gain(float(np.abs(samples).max()))
    return samples * np.float32(gain)


def render_stems(
    source: Sequence[Track],
    path: Path,
    choice: VoiceChoice | None = None,
    options: RenderOptions | None = None,
    progress: Progress | None = None,
) -> tuple[tuple[Path, Levels], ...]:
    """Render each track that has notes to a file of its own, all of the same length and level.

    Laid over each other they are the whole again.

    Args:
        source: What to play.
        path: The whole's name; the stems' are ``NAME-1-player.mp3`` and so on, by number and track.
        choice: What sounds.
        options: How.
        progress: Called with 0..1 on the way.

    Raises:
        SoundError: As `render_file`.
    """
    options = dataclasses.replace(_titled(options or RenderOptions(), path), level="as is")
    places = [place for place, track in enumerate(source) if track.performance.notes]
    if not places:
        raise SoundError(_NO_NOTE)
    stems = [_stem(path, number, source[place].name) for number, place in enumerate(places, 1)]
    for stem in stems:
        if not options.overwrite:
            check_new(stem)  # before the first is made
    levels = []
    for count, (stem, place) in enumerate(zip(stems, places, strict=True)):
        part = _share(progress, count / len(places), (count + 1) / len(places))
        levels.append(_render(source, stem, choice or VoiceChoice(), options, part, place))
    return tuple(zip(stems, levels, strict=True))


@contextmanager
def _chunks(
    source: Sequence[Track], choice: VoiceChoice, options: RenderOptions, only: int | None = None
) -> Iterator[tuple[Iterable[Samples], int]]:
    """The sound of all tracks or only one, at the instrument's own level, and how many frames it has."""
    excerpt = excerpt_of(source, options.from_s, options.to_s, STEP / options.sample_rate)
    tracks = excerpt.tracks
    if not any(track.performance.notes for track in tracks):
        raise SoundError(_why_silent(source))
    rate = options.sample_rate
    messages = [one for one in messages_of(tracks, rate) if only in (None, one.channel)]
    start = round(excerpt.lead_s * rate)
    total = round((excerpt.length_s + options.tail_s) * rate)
    fade_in = round(_FADE_IN_S * rate) if start else 0
    fade_out = round(min(FADE_S, options.tail_s) * rate)
    with open_instrument(choice, rate, channels=len(tracks), drum_channels=drums_of(tracks)) as instrument:
        made = synthesised(messages, start + total, instrument)
        yield faded(without_first(made, start), total, fade_in, fade_out), total


def _why_silent(source: Sequence[Track]) -> str:
    end_s = max((track.performance.end_s for track in source if track.performance.notes), default=0.0)
    minutes, seconds = divmod(math.ceil(end_s), 60)
    return (
        f"There is no note to hear in that part; the notes end at {minutes}:{seconds:02}."
        if end_s
        else _NO_NOTE
    )


def _write_levelled(
    chunks: Iterable[Samples],
    total: int,
    part: Path,
    suffix: str,
    options: RenderOptions,
    progress: Progress | None,
) -> Levels:
    meter = Meter(options.sample_rate)
    with Spool(part.parent) as spool:
        for chunk in _watched(chunks, total, _share(progress, 0.0, _SYNTHESIS_SHARE)):
            meter.add(chunk)
            spool.add(chunk)
        gain = _fitting_gain(meter.peak)
        with open_writer(part, suffix, options) as writer:
            for chunk in _watched(spool.chunks(gain), total, _share(progress, _SYNTHESIS_SHARE, 1.0)):
                writer.write(chunk)
    return meter.levels(gain)


@contextmanager
def new_file(path: Path, options: RenderOptions) -> Iterator[Path]:
    """Where to write what becomes ``path`` when it is whole.

    Raises:
        StorageError: It exists already and may not be replaced, or cannot be written.
    """
    if not options.overwrite:
        check_new(path)
    with whole_file(path, over=options.overwrite) as part:
        yield part


def write_limited(
    chunks: Iterable[Samples],
    total: int,
    path: Path,
    suffix: str,
    options: RenderOptions,
    progress: Progress | None,
    *,
    gain: float,
    ceiling: float = PEAK,
) -> Levels:
    """Write samples at a fixed gain in one go, limited to the ceiling.

    Raises:
        SoundError: The encoder is missing.
        StorageError: The file cannot be written.
    """
    meter, limiter = Meter(options.sample_rate), Limiter(options.sample_rate, ceiling)
    with Behind(open_writer(path, suffix, options)) as writer:

        def put(samples: Samples) -> None:
            meter.add(samples)
            writer.write(samples)

        for chunk in _watched(chunks, total, progress):
            put(limiter.take(chunk * np.float32(gain)))
        put(limiter.flush())
    return meter.levels()


def _fitting_gain(peak: float) -> float:
    return min(LOUDEST_GAIN, PEAK / max(peak, _LEAST_PEAK))


def _titled(options: RenderOptions, path: Path) -> RenderOptions:
    """A file is called as its name says, where nothing else was said."""
    if options.tags.title:
        return options
    return dataclasses.replace(options, tags=dataclasses.replace(options.tags, title=path.stem))


def _stem(path: Path, number: int, name: str) -> Path:
    name = re.sub(r"[^\w]+", "-", name).strip("-").lower()[:_LONGEST_NAME]
    return path.with_name(f"{path.stem}-{number}-{name}".rstrip("-") + path.suffix)


def _share(progress: Progress | None, begin: float, end: float) -> Progress | None:
    return None if progress is None else lambda done: progress(begin + done * (end - begin))


def _watched(chunks: Iterable[Samples], total: int, progress: Progress | None) -> Iterator[Samples]:
    done = 0
    for chunk in chunks:
        yield chunk
        done += len(chunk)
        if progress is not None:
            progress(min(1.0, done / max(1, total)))
