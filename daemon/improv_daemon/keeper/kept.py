"""What came of a session."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from improv_daemon.rendering import Levels


@dataclass(frozen=True, slots=True)
class Kept:
    """The files of a session.

    Attributes:
        midi: Both players, a track each.
        sound: What they sounded like; None where there is none.
        levels: The sound's, where it was made now.
        notes: Sentences about what is missing and why.
    """

    midi: Path
    sound: Path | None = None
    levels: Levels | None = None
    notes: tuple[str, ...] = ()

    def in_words(self) -> str:
        """The folder, the files in it, and how loud the sound is: ``kept: session.mid and a.mp3 (...)``."""
        names = [self.midi.name]
        if self.sound is not None:
            told = "" if self.levels is None else f" ({self.levels.in_words()})"
            names.append(f"{self.sound.name}{told}")
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
        sound, levels = fields["sound"], fields["levels"]
        return cls(
            Path(fields["midi"]),
            None if sound is None else Path(sound),
            None if levels is None else Levels(**levels),
            tuple(fields["notes"]),
        )
