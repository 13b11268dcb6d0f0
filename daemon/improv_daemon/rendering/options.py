"""What is wanted of a sound, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Shape (frames, 2), where +-1 is full scale."""
Progress = Callable[[float], None]
"""Called with 0..1."""

SAMPLE_RATE: Final = 44_100
TAIL_S: Final = 3.0
"""So long the last notes ring after the last event."""
SUFFIXES: Final = (".mp3", ".flac", ".ogg", ".wav")
"""Of the formats that can be written."""
PEAK: Final = 0.84
"""Where the loudest sample is put, of full scale: decoded MP3 and OGG overshoot by up to a tenth."""
SILENCE_DB: Final = -120.0
"""Stands for no level at all, so that levels are numbers in any file."""


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    """What sounds.

    Attributes:
        voice: ``soundfont`` for FluidSynth, ``piano`` for the built-in piano; ``auto``: FluidSynth where its
            library and a soundfont are there, else the piano.
        soundfont: An .sf2 or .sf3 file; None: one that is installed.
        reverb: How much of the room is heard, 0..1.
    """

    voice: str = "auto"
    soundfont: Path | None = None
    reverb: float = 0.3

    def __post_init__(self) -> None:
        if self.voice not in ("auto", "soundfont", "piano"):
            raise ValueError(f"no voice: {self.voice!r}")
        if not 0 <= self.reverb <= 1:
            raise ValueError(f"reverb must be in 0..1, got {self.reverb}")


@dataclass(frozen=True, slots=True)
class Tags:
    """What a music player shows of a file; what is empty is left out. The software is always improv."""

    title: str = ""
    date: datetime | None = None
    artist: str = ""
    comment: str = ""

    def __post_init__(self) -> None:
        for name in ("title", "artist", "comment"):  # a file's name, say, may hold bytes that are no text
            object.__setattr__(self, name, getattr(self, name).encode(errors="replace").decode())

    @classmethod
    def of_session(cls, started_at: datetime, model: str, seed: int) -> Self:
        """What a session's sound is called."""
        return cls(
            title=f"Session of {started_at:%Y-%m-%d %H:%M}",
            date=started_at,
            artist="improv",
            comment=f"model {model}, seed {seed}",
        )

    @property
    def date_text(self) -> str:
        """To the second, in the recording's own time; empty for none."""
        return "" if self.date is None else self.date.replace(tzinfo=None).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How a sound is made and written.

    Attributes:
        sample_rate: Frames a second.
        bitrate_kbps: Of an MP3, and about that of an OGG; 0: varying, as the music needs.
        from_s: Where in the tracks the sound begins.
        to_s: Where it ends, but for the tail; None: at their end.
        tail_s: How long the last notes ring; over its last second the sound fades out.
        tags: What is written beside the sound.
        level: ``peak`` raises or lowers the whole so that its loudest sample comes near full scale, though
            quiet playing stays quiet; ``as is`` leaves the instrument's own level. Nothing clips either way.
        gain_db: Added to the level of ``as is``.
        overwrite: Whether a file that is there already may be replaced, by a whole one.
    """

    sample_rate: int = SAMPLE_RATE
    bitrate_kbps: int = 192
    from_s: float = 0.0
    to_s: float | None = None
    tail_s: float = TAIL_S
    tags: Tags = field(default_factory=Tags)
    level: Literal["peak", "as is"] = "peak"
    gain_db: float = 0.0
    overwrite: bool = False

    def __post_init__(self) -> None:
        if not 8_000 <= self.sample_rate <= 192_000:
            raise ValueError(f"sample_rate must be in 8000..192000, got {self.sample_rate}")
        if self.from_s < 0 or self.tail_s < 0:
            raise ValueError("from_s and tail_s must not be negative")
        if self.to_s is not None and not self.to_s > self.from_s:
            raise ValueError(f"to_s must be after from_s, got {self.from_s} to {self.to_s}")


@dataclass(frozen=True, slots=True)
class Levels:
    """How long and how loud a sound is.

    Attributes:
        length_s: In seconds.
        peak_dbfs: Of the loudest sample, 0 is full scale; -120 at least.
        loudness_lufs: Integrated, as ITU-R BS.1770-4 defines it; -120 where nothing is above its gate.
    """

    length_s: float
    peak_dbfs: float
    loudness_lufs: float

    def in_words(self) -> str:
        """``3:12, peak -1.5 dB, -18.3 LUFS``."""
        minutes, seconds = divmod(round(self.length_s), 60)
        return f"{minutes}:{seconds:02}, peak {self.peak_dbfs:.1f} dB, {self.loudness_lufs:.1f} LUFS"
