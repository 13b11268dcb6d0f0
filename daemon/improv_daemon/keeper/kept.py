"""What came of a session."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Level:
    """How long and how loud a sound is.

    Attributes:
        length_s: In seconds.
        peak_dbfs: Of the loudest sample, 0 is full scale.
        loudness_lufs: Integrated, as ITU-R BS.1770-4 defines it.
    """

    length_s: float
    peak_dbfs: float
    loudness_lufs: float


@dataclass(frozen=True, slots=True)
class Kept:
    """The files of a session.

    Attributes:
        midi: Both players, a track each.
        sound: What they sounded like; None where there is none.
        level: The sound's, where it was made now.
        notes: Sentences about what is missing and why.
    """

    midi: Path
    sound: Path | None = None
    level: Level | None = None
    notes: tuple[str, ...] = ()

    def in_words(self) -> str:
        """The folder and the files in it, and how loud the sound is: ``kept/a: session.mid and a.mp3 (...)``."""
        names = [self.midi.name]
        if self.sound is not None:
            names.append(f"{self.sound.name}{_in_words(self.level)}")
        return f"{self.midi.parent}: {' and '.join(names)}"

    def to_json(self) -> str:
        """One line."""
        return json.dumps(dataclasses.asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`.

        Raises:
            ValueError, TypeError, KeyError: It is none.
        """
        fields = json.loads(text)
        sound, level = fields["sound"], fields["level"]
        return cls(
            Path(fields["midi"]),
            None if sound is None else Path(sound),
            None if level is None else Level(**level),
            tuple(fields["notes"]),
        )


def _in_words(level: Level | None) -> str:
    if level is None:
        return ""
    minutes, seconds = divmod(round(level.length_s), 60)
    return f" ({minutes}:{seconds:02}, peak {level.peak_dbfs:.1f} dB, {level.loudness_lufs:.1f} LUFS)"
