"""Tracks to sound, offline: rendered by FluidSynth in small blocks, streamed to a WAV or MP3 file.

The level is found by rendering twice: FluidSynth is linear in its gain, so a first, quiet pass gives
the peak and the second is scaled to it. Nothing clips, and nothing needs a limiter.
"""

from __future__ import annotations

import importlib
import wave
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from improv_core.errors import SoundError
from improv_core.midi_files import Track
from improv_daemon.recorder import _id3, _synth
from improv_daemon.recorder._files import whole_file

Samples = NDArray[np.int16]
Progress = Callable[[float], None]

SAMPLE_RATE = 44_100
TAIL_S = 3.0
"""So long the last notes ring after the last event."""
PEAK = 0.84
"""Where the loudest sample is put, of full scale: decoded MP3 overshoots by up to a tenth."""
LOUDEST_GAIN = 4.0
"""Quiet playing is not raised above this: it should still sound quiet."""

_CHUNK_S = 0.1
_FADE_S = 1.0
_PROBE_GAIN = 0.05
_FULL_SCALE = 32_768.0
_LEAST_PEAK = 1 / _FULL_SCALE
_PAN = 10
_CENTRE = 64
_APART = 12
"""Tracks stand this far left and right of the centre, in steps of CC10."""
_DRUM_BANK = 128
_ALL_SOUND_OFF = 120

Event = tuple[int, int, int, tuple[int, ...]]
"""(frame, order within the frame, synth's channel, MIDI message without its channel)."""
_OFF, _TOLD, _ON = 0, 1, 2
_NOTE_OFF, _NOTE_ON, _CONTROL = 0x80, 0x90, 0xB0


class Encoder(Protocol):
    """Makes MP3 frames of interleaved 16-bit samples."""

    def encode(self, samples: bytes, /) -> bytes:
        """The frames that are ready."""

    def flush(self) -> bytes:
        """The last frames."""


def render_audio(
    tracks: Sequence[Track],
    soundfont: Path,
    *,
    gain: float,
    sample_rate: int = SAMPLE_RATE,
    tail_s: float = TAIL_S,
) -> Iterator[Samples]:
    """Chunks of about 100 ms, shape (frames, 2), from the start of the tracks to their end and the tail.

    Each track has a synth channel of its own; tracks stand lightly apart from left to right, but for those
    that say where they stand. Over the
    last second of the tail the sound fades out. Events fall on FluidSynth's blocks of 64 frames.

    Args:
        tracks: What to play; program and drums of a track are respected.
        soundfont: The instruments.
        gain: FluidSynth's gain, see `fitting_gain`.
        sample_rate: Frames a second.
        tail_s: How long to go on after the last event.

    Raises:
        SoundError: FluidSynth's library is missing or cannot read the soundfont.
    """
    events = _events(tracks, sample_rate)
    total = total_frames(tracks, sample_rate=sample_rate, tail_s=tail_s)
    fade = min(round(_FADE_S * sample_rate), round(tail_s * sample_rate))
    chunk = round(_CHUNK_S * sample_rate)
    channels = max(16, -(-len(tracks) // 16) * 16)
    with _synth.offline_synth(soundfont, gain=gain, sample_rate=sample_rate, channels=channels) as (
        synth,
        font,
    ):
        _set_up(synth, font, tracks)
        done = 0
        for start in range(0, total, chunk):
            end = min(start + chunk, total)
            samples, done = _pull(synth, events, done, start, end)
            yield _faded(samples, start, total, fade)


def total_frames(tracks: Sequence[Track], *, sample_rate: int = SAMPLE_RATE, tail_s: float = TAIL_S) -> int:
    """How many frames `render_audio` gives."""
    span_s = max((track.performance.end_s for track in tracks), default=0.0)
    return round((span_s + tail_s) * sample_rate)


def fitting_gain(
    tracks: Sequence[Track],
    soundfont: Path,
    *,
    sample_rate: int = SAMPLE_RATE,
    progress: Progress | None = None,
) -> float:
    """The gain at which the loudest sample comes to `PEAK` of full scale, `LOUDEST_GAIN` at most.

    Raises:
        SoundError: As `render_audio`; also when there is no note at all.
    """
    if not any(track.performance.notes for track in tracks):
        raise SoundError("there is no note to hear.")
    total = total_frames(tracks, sample_rate=sample_rate)
    gain = _PROBE_GAIN
    while True:
        chunks = render_audio(tracks, soundfont, gain=gain, sample_rate=sample_rate)
        peak = max((_peak(chunk) for chunk in _watched(chunks, total, progress)), default=0.0)
        if peak < 0.98:
            break
        gain /= 8  # hundreds of voices at once: even the quiet pass clipped
    return min(LOUDEST_GAIN, gain * PEAK / max(peak, _LEAST_PEAK))


def write_wav(
    path: Path, tracks: Sequence[Track], soundfont: Path, *, progress: Progress | None = None
) -> None:
    """Render to a 16-bit stereo WAV file.

    Raises:
        SoundError: As `render_audio`; nothing is left behind then.
        StorageError: The file exists already or cannot be written.
    """
    with whole_file(path) as part, part.open("wb") as raw, wave.open(raw, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        for chunk in _levelled(tracks, soundfont, progress):
            file.writeframesraw(chunk.tobytes())


def write_mp3(
    path: Path,
    tracks: Sequence[Track],
    soundfont: Path,
    *,
    bitrate_kbps: int = 192,
    title: str = "",
    recorded_at: datetime | None = None,
    progress: Progress | None = None,
) -> None:
    """Render to a stereo MP3 file of constant bit rate, with title, date and "improv" in its tag.

    Raises:
        SoundError: As `render_audio`, or the encoder is missing; nothing is left behind then.
        StorageError: The file exists already or cannot be written.
    """
    encoder = _encoder(bitrate_kbps)
    with whole_file(path) as part, part.open("wb") as file:
        file.write(_id3.header(title=title or path.stem, artist="improv", recorded_at=recorded_at))
        encode(_levelled(tracks, soundfont, progress), encoder, file)


def encode(chunks: Iterable[Samples], encoder: Encoder, file: BinaryIO) -> None:
    """Stream chunks through a lameenc encoder into a file."""
    for chunk in chunks:
        file.write(encoder.encode(chunk.tobytes()))
    file.write(encoder.flush())


def _levelled(tracks: Sequence[Track], soundfont: Path, progress: Progress | None) -> Iterator[Samples]:
    total = total_frames(tracks)
    first = None if progress is None else lambda done: progress(done / 2)
    second = None if progress is None else lambda done: progress(0.5 + done / 2)
    gain = fitting_gain(tracks, soundfont, progress=first)
    yield from _watched(render_audio(tracks, soundfont, gain=gain), total, second)


def _watched(chunks: Iterable[Samples], total: int, progress: Progress | None) -> Iterator[Samples]:
    done = 0
    for chunk in chunks:
        yield chunk
        done += len(chunk)
        if progress is not None:
            progress(done / total)


def _encoder(bitrate_kbps: int) -> Encoder:
    try:
        lameenc = importlib.import_module("lameenc")
    except ImportError:
        raise SoundError("the MP3 encoder is missing; install it with `pip install lameenc`.") from None
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_bit_rate(bitrate_kbps)
    encoder.set_in_sample_rate(SAMPLE_RATE)
    encoder.set_channels(2)
    encoder.set_quality(4)
    made: Encoder = encoder
    return made


def _events(tracks: Sequence[Track], sample_rate: int) -> list[Event]:
    """Every event by frame; at one frame, key up comes before pedals and the like, and key down last."""
    events: list[Event] = []
    for channel, track in enumerate(tracks):
        free_from: dict[int, int] = {}
        for note in reversed(track.performance.notes):
            onset, release = round(note.onset_s * sample_rate), round(note.release_s * sample_rate)
            # A key struck again before it was let go sounds on; only the last off of its run counts.
            if release < free_from.get(note.pitch, release + 1):
                events.append((max(release, onset + 1), _OFF, channel, (_NOTE_OFF, note.pitch, 0)))
            free_from[note.pitch] = onset
            events.append((onset, _ON, channel, (_NOTE_ON, note.pitch, note.velocity)))
        for control in track.performance.controls:
            if control.controller < _ALL_SOUND_OFF:
                data = (_CONTROL, control.controller, control.value)
                events.append((round(control.at_s * sample_rate), _TOLD, channel, data))
        # Behind the controllers: a bank is chosen before the program in it.
        events += [(round(told.at_s * sample_rate), _TOLD, channel, told.data) for told in track.messages]
    return sorted(events, key=lambda event: event[:2])


def _set_up(synth: _synth.Synth, font: int, tracks: Sequence[Track]) -> None:
    for channel, track in enumerate(tracks):
        bank = _DRUM_BANK if track.is_drum else 0
        if synth.program_select(channel, font, bank, track.program) != 0:
            synth.program_select(channel, font, bank, 0)
        if len(tracks) > 1:
            place = 2 * channel / (len(tracks) - 1) - 1
            synth.cc(channel, _PAN, _CENTRE + round(_APART * place))


def _pull(synth: _synth.Synth, events: list[Event], done: int, start: int, end: int) -> tuple[Samples, int]:
    blocks = []
    at = start
    while done < len(events) and events[done][0] < end:
        frame, _, channel, data = events[done]
        if frame > at:
            blocks.append(synth.get_samples(frame - at))
            at = frame
        _synth.send(synth, channel, data)
        done += 1
    if end > at:
        blocks.append(synth.get_samples(end - at))
    return np.concatenate(blocks).reshape(-1, 2), done


def _faded(samples: Samples, start: int, total: int, fade: int) -> Samples:
    frames = np.arange(start, start + len(samples))
    if fade == 0 or start + len(samples) <= total - fade:
        return samples
    level = np.clip((total - frames) / fade, 0.0, 1.0)
    return np.asarray(np.rint(samples * level[:, None]), dtype=np.int16)


def _peak(samples: Samples) -> float:
    return float(np.abs(samples.astype(np.int32)).max(initial=0)) / _FULL_SCALE
