"""Sound that waits on the disk until its level is known."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from improv_daemon.rendering.options import Samples

_FULL_SCALE: Final = 32_767.0
_LEAST: Final = 1e-9


class Spool:
    """Chunks in a file without a name: 16 bits a sample, each chunk at a level of its own.

    Rounding is 90 dB below the peak of a fifth of a second, out of anybody's hearing, at half the size
    of floating point.

    Args:
        folder: Where there is room for it, 10 MB for a minute.

    Raises:
        OSError: There is not.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, prefix=".improv-")  # noqa: SIM115 - closed in __exit__
        self._chunks: list[tuple[int, float]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, samples: Samples) -> None:
        """Keep a chunk.

        Raises:
            OSError: There is no room for it.
        """
        level = max(_LEAST, float(np.abs(samples).max(initial=0.0))) / _FULL_SCALE
        self._file.write(np.rint(samples / level).astype(np.int16).tobytes())
        self._chunks.append((len(samples), level))

    def chunks(self, gain: float) -> Iterator[Samples]:
        """All that was kept, in order, multiplied by ``gain``."""
        self._file.seek(0)
        for frames, level in self._chunks:
            kept = np.frombuffer(self._file.read(4 * frames), np.int16).reshape(-1, 2)
            yield kept * np.float32(level * gain)
