"""Pieces as sound: an array, or a player in a notebook."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from improv_core.errors import StorageError
from improv_daemon.studio.checks import check_at_least, check_part, check_sound
from improv_daemon.studio.pieces import Piece

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LISTEN_S: Final = 30.0
_KBPS: Final = 128
_RATE: Final = 44_100
_TAIL_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Player:
    """Sound with a play button, where a notebook shows it.

    Attributes:
        title: What it is.
        mp3: The sound, a whole file.
        length_s: In seconds.
    """

    title: str
    mp3: bytes
    length_s: float

    def save(self, path: Path | str) -> Path:
        """Write it as an MP3 file; one that is there is replaced.

        Raises:
            StorageError: It cannot be written.
        """
        try:
            Path(path).write_bytes(self.mp3)
        except OSError as error:
            raise StorageError(f"{path} cannot be written ({error.strerror or error}).") from None
        return Path(path)

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.mp3).decode("ascii")
        title = html.escape(self.title)
        return (
            f'<figure style="margin:0"><figcaption>{title}</figcaption>'
            f'<audio controls preload="metadata" src="data:audio/mpeg;base64,{data}"></audio></figure>'
        )

    def __repr__(self) -> str:
        return f"Player({self.title!r}: {self.length_s:.1f} s)"


def render(
    piece: Piece,
    *,
    sample_rate: int = _RATE,
    from_s: float = 0.0,
    to_s: float | None = None,
    voice: str = "auto",
    soundfont: Path | str | None = None,
    reverb: float = 0.3,
) -> tuple[NDArray[np.float32], int]:
    """The sound of a piece.

    Args:
        piece: What to play.
        sample_rate: Frames a second.
        from_s: Where in the piece to begin.
        to_s: Where to end; None: at its end. A few seconds more, in which it dies away, follow.
        voice: ``soundfont``, ``piano`` for the built-in one, or ``auto``.
        soundfont: An .sf2 or .sf3 file; None: one that is installed.
        reverb: 0..1.

    Returns:
        Samples of shape (frames, 2), where +-1 is full scale; and the frames a second.

    Raises:
        ConfigError: There is no such voice, part or sample rate.
        SoundError: The voice is not there, or there is nothing to hear.
    """
    check_part(from_s, to_s)
    check_sound(voice, sample_rate)
    check_at_least("reverb", reverb, 0)
    from improv_daemon.rendering import VoiceChoice, render_array

    choice = VoiceChoice(voice, Path(soundfont) if soundfont is not None else None, reverb)
    samples = render_array(piece.tracks, choice, sample_rate=sample_rate, from_s=from_s, to_s=to_s)
    return samples, sample_rate


def listen(
    piece: Piece, seconds: float | None = LISTEN_S, *, from_s: float = 0.0, voice: str = "auto"
) -> Player:
    """A player of the first seconds of a piece; None for all of it.

    Raises:
        ConfigError: There is no such voice or part.
        SoundError: The voice is not there, or there is nothing to hear.
    """
    check_part(from_s, None)
    check_at_least("seconds", seconds, 0.1)
    check_sound(voice, _RATE)
    import tempfile

    from improv_daemon.rendering import RenderOptions, Tags, VoiceChoice, render_file

    end_s = None if seconds is None or from_s + seconds >= piece.length_s else from_s + seconds
    options = RenderOptions(
        bitrate_kbps=_KBPS, from_s=from_s, to_s=end_s, tail_s=_TAIL_S, tags=Tags(title=piece.name)
    )
    with tempfile.TemporaryDirectory(prefix="improv-") as folder:
        path = Path(folder) / "sound.mp3"
        levels = render_file(piece.tracks, path, VoiceChoice(voice), options)
        return Player(piece.name, path.read_bytes(), levels.length_s)
