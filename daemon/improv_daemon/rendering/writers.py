"""Samples to sound files: MP3 by LAME, the others by libsndfile."""

from __future__ import annotations

import importlib
import os
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from improv_core.errors import SoundError, StorageError
from improv_daemon.rendering import id3
from improv_daemon.rendering.dither import Dither
from improv_daemon.rendering.lengths import write_length
from improv_daemon.rendering.mp3_frames import SAMPLE_RATES, Mp3Stream
from improv_daemon.rendering.options import SUFFIXES, RenderOptions, Samples

_FORMATS: Final = {".wav": ("WAV", "PCM_16"), ".flac": ("FLAC", "PCM_16"), ".ogg": ("OGG", "VORBIS")}
_QUALITY: Final = 5
_VARYING, _VARYING_QUALITY = 4, 2
_FULL_SCALE: Final = 32_767.0
_OGG_KBPS: Final = (64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_OGG_USUAL: Final = 192
_ANY_REASON: Final = "System error"
"""What libsndfile knows of whatever the system refuses."""
_MOST_WAV_FRAMES: Final = 2**30 - 2**16


class SoundWriter(Protocol):
    """A sound file that is being written. Closing it makes it whole; it is playable at any time."""

    def write(self, samples: Samples) -> None:
        """The next samples; +-1 is full scale, and what is beyond is cut off.

        Raises:
            StorageError: The file cannot be written.
        """

    def flush(self) -> None:
        """See that what was written so far is there for players, too."""

    def close(self) -> None:
        """Write what is left. Closing twice is harmless."""

    def __enter__(self) -> Self:
        """Itself."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Close."""


def suffix_of(path: Path) -> str:
    """The kind of a file, in small letters.

    Raises:
        SoundError: It is no kind that can be written.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise SoundError(
            f"{path}: a sound file's name ends with {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}."
        )
    return suffix


def open_writer(path: Path, suffix: str, options: RenderOptions) -> SoundWriter:
    """Begin a stereo sound file.

    Args:
        path: What is there is replaced.
        suffix: Its kind, one of `SUFFIXES`, whatever the path ends with.
        options: Sample rate, bit rate and tags.

    Raises:
        SoundError: What encodes it is missing; what to install.
        StorageError: The file cannot be written.
    """
    if suffix == ".mp3":
        return Mp3Writer(path, options)
    return LibrarysWriter(path, suffix, options)


class _Closing(ABC):
    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Write what is left, and close the file."""


class Mp3Writer(_Closing):
    """Appends frames as they are made, unbuffered: a process that is killed leaves what it had written.

    Args:
        path: What is there is replaced.
        options: Sample rate, bit rate and tags.

    Raises:
        SoundError: The encoder is missing.
        StorageError: The file cannot be written.
    """

    def __init__(self, path: Path, options: RenderOptions) -> None:
        self._path = path
        self._encoder = _encoder(options)
        self._stream = Mp3Stream(varying=options.bitrate_kbps == 0)
        self._rate = options.sample_rate
        self._rate_out = _mp3_rate(options.sample_rate)
        self._frames_in = 0
        self._tag_at = 0
        try:
            self._file = path.open("wb", buffering=0)
        except OSError as failure:
            raise _cannot_write(path, failure) from None
        try:
            self._put(id3.header(options.tags))
            self._tag_at = self._file.tell()
        except OSError as failure:
            self._file.close()
            raise _cannot_write(path, failure) from None

    def write(self, samples: Samples) -> None:
        """Encode them; what is ready goes to the file."""
        self._frames_in += len(samples)
        whole = np.rint(np.clip(samples, -1.0, 1.0) * _FULL_SCALE).astype("<i2")
        self._append(bytes(self._encoder.encode(whole.tobytes())))

    def flush(self) -> None:
        """Let the first frame tell of all that there are so far."""
        self._write_tag(None)

    def close(self) -> None:
        """Write the last frames, and let the first tell how long the sound is, to the sample."""
        if self._file.closed:
            return
        try:
            if self._frames_in:
                self._append(bytes(self._encoder.flush()))
            self._write_tag(self._frames_in * self._rate_out // self._rate)
        finally:
            self._file.close()

    def _append(self, data: bytes) -> None:
        if not data:
            return
        begins = not self._stream.has_begun
        self._stream.add(data)
        try:
            if begins and self._stream.has_begun:
                self._put(self._stream.tag(None))
            self._put(data)
        except OSError as failure:
            raise _cannot_write(self._path, failure) from None

    def _write_tag(self, samples: int | None) -> None:
        if not self._stream.has_begun:
            return
        try:
            end = self._file.tell()
            self._file.seek(self._tag_at)
            self._put(self._stream.tag(samples))
            self._file.seek(end)
        except OSError as failure:
            raise _cannot_write(self._path, failure) from None

    def _put(self, data: bytes) -> None:
        """All of it: an unbuffered file may take less at a time."""
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) or 0 :]


class LibrarysWriter(_Closing):
    """A file by libsndfile.

    Args:
        path: What is there is replaced.
        suffix: ``.wav``, ``.flac`` or ``.ogg``.
        options: Sample rate, bit rate and tags.

    Raises:
        SoundError: The library is missing.
        StorageError: The file cannot be written.
    """

    def __init__(self, path: Path, suffix: str, options: RenderOptions) -> None:
        self._path = path
        self._library = soundfile_library()
        kind, subtype = _FORMATS[suffix]
        level = _ogg_level(options.bitrate_kbps) if suffix == ".ogg" else None
        self._suffix = suffix
        self._frames = 0
        self._dither = Dither()
        try:
            self._file = self._library.SoundFile(
                os.fsencode(path), "w", options.sample_rate, 2, subtype, format=kind, compression_level=level
            )
        except self._library.LibsndfileError as failure:
            raise _cannot_write(path, failure) from None
        tags = options.tags
        for name, text in (
            ("title", tags.title),
            ("artist", tags.artist),
            ("date", tags.date_text),
            ("software", id3.SOFTWARE),
            ("comment", tags.comment),
        ):
            if text:
                setattr(self._file, name, text)

    def write(self, samples: Samples) -> None:
        """Encode them into the file."""
        if self._suffix == ".wav" and self._frames + len(samples) > _MOST_WAV_FRAMES:
            raise StorageError(f"{self._path}: a WAV file holds no more than 4 GB; write FLAC instead.")
        try:
            self._file.write(self._encodable(samples))
            self._frames += len(samples)
        except self._library.LibsndfileError as failure:
            raise _cannot_write(self._path, failure) from None

    def _encodable(self, samples: Samples) -> NDArray[Any]:
        return np.clip(samples, -1.0, 1.0) if self._suffix == ".ogg" else self._dither.rounded(samples)

    def flush(self) -> None:
        """Let the header say how long the file is so far."""
        try:
            write_length(self._path, self._suffix, self._frames)
        except OSError as failure:
            raise _cannot_write(self._path, failure) from None

    def close(self) -> None:
        """Write what is left and the header."""
        self._file.close()


def _cannot_write(path: Path, failure: Exception) -> StorageError:
    reason = str(getattr(failure, "strerror", None) or failure).rstrip(".")
    if reason == _ANY_REASON:
        reason = "perhaps the disk is full"
    return StorageError(f"{path} cannot be written ({reason}).")


def _encoder(options: RenderOptions) -> Any:  # noqa: ANN401 - no types there
    try:
        lameenc = importlib.import_module("lameenc")
    except ImportError:
        raise SoundError("The MP3 encoder is missing; install it with `pip install lameenc`.") from None
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_in_sample_rate(options.sample_rate)
    encoder.set_out_sample_rate(_mp3_rate(options.sample_rate))
    encoder.set_channels(2)
    encoder.set_quality(_QUALITY)
    if options.bitrate_kbps:
        encoder.set_bit_rate(options.bitrate_kbps)
    else:
        encoder.set_vbr(_VARYING)
        encoder.set_vbr_quality(_VARYING_QUALITY)
    return encoder


def _mp3_rate(sample_rate: int) -> int:
    """The rate itself, or the next that an MP3 can have."""
    return next((rate for rate in SAMPLE_RATES if rate >= sample_rate), SAMPLE_RATES[-1])


def soundfile_library() -> Any:  # noqa: ANN401 - no types there
    """What reads and writes most kinds of sound files.

    Raises:
        SoundError: It is missing; what to install.
    """
    try:
        return importlib.import_module("soundfile")
    except (ImportError, OSError):
        raise SoundError(
            "WAV, FLAC and OGG need the package soundfile; install it with `pip install soundfile`."
        ) from None


def _ogg_level(bitrate_kbps: int) -> float:
    """Of compression, 0..1, at which Vorbis has about the bit rate."""
    wanted = bitrate_kbps or _OGG_USUAL
    return float(1 - np.interp(wanted, _OGG_KBPS, np.arange(len(_OGG_KBPS))) / 10)
