"""The length in the header of a file that is still being written, without which it is not playable.

libsndfile writes it when a file is closed; a process that is killed never does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

_SEARCHED: Final = 65_536
_FRAME_BYTES: Final = 4
_FLAC_BLOCK: Final = 4096
_FLAC_COUNT_AT: Final = 21
"""Where in a FLAC file the number of its samples is: the lower half of a byte, and four more."""


def write_length(path: Path, suffix: str, frames: int) -> None:
    """Let the header say how long the file is so far.

    Args:
        path: A file that libsndfile is writing, stereo, of 16 bits where it is a WAV file.
        suffix: Its kind; that of OGG needs nothing.
        frames: How many are written.

    Raises:
        OSError: The file cannot be written.
    """
    if suffix == ".wav":
        _write_wav_length(path)
    elif suffix == ".flac":
        _write_flac_length(path, frames)


def _write_wav_length(path: Path) -> None:
    with path.open("rb+", buffering=0) as file:
        data_at = file.read(_SEARCHED).find(b"data") + 4
        size = path.stat().st_size
        if data_at < _FRAME_BYTES or size < data_at + 4:
            return
        for at in (4, data_at):
            file.seek(at)
            file.write((size - at - 4).to_bytes(4, "little"))


def _write_flac_length(path: Path, frames: int) -> None:
    # The encoder keeps a block until it has a sample of the next one.
    frames = max(0, frames - 1) // _FLAC_BLOCK * _FLAC_BLOCK
    with path.open("rb+", buffering=0) as file:
        file.seek(_FLAC_COUNT_AT)
        upper = file.read(1)
        if upper:
            file.seek(_FLAC_COUNT_AT)
            file.write(bytes([upper[0] & 0xF0 | frames >> 32]) + (frames & 0xFFFFFFFF).to_bytes(4, "big"))
