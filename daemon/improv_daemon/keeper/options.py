"""What is to be made of a session."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Self

from improv_daemon.settings import Settings

OFF = "off"


@dataclass(frozen=True, slots=True)
class KeepOptions:
    """Which files are made of a session, and how they sound; all of it travels to the keeper's process.

    Attributes:
        audio: ``mp3``, ``flac``, ``ogg`` or ``wav``, or ``off`` for no sound.
        bitrate_kbps: Of an MP3; 0: varying.
        bar_lines: Where bar lines come from, see `improv_daemon.settings.Record`.
        voice: ``auto``, ``soundfont`` or ``piano``.
        soundfont: A soundfont's path; empty: one that is installed.
        reverb: 0..1.
    """

    audio: str = "mp3"
    bitrate_kbps: int = 192
    bar_lines: str = "auto"
    voice: str = "auto"
    soundfont: str = ""
    reverb: float = 0.3

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As the settings want it."""
        record, sound = settings.record, settings.sound
        return cls(
            record.audio,
            record.bitrate_kbps,
            record.bar_lines,
            sound.voice,
            str(sound.soundfont),
            sound.reverb,
        )

    @property
    def suffix(self) -> str:
        """Of the sound's file, with the dot; empty for no sound."""
        return "" if self.audio == OFF else f".{self.audio}"

    def to_json(self) -> str:
        """One line."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        return cls(**json.loads(text))
