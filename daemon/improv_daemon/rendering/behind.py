"""Encoding in a thread, while the next of the sound is made: neither needs Python's lock for long."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from improv_daemon.rendering.options import Samples
from improv_daemon.rendering.writers import SoundWriter


class Behind:
    """Writes to another writer in a thread, one piece behind; what fails there is raised at the next call.

    Args:
        writer: Is written to, and closed with this one.
    """

    def __init__(self, writer: SoundWriter) -> None:
        self._writer = writer
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="encoding")
        self._last: Future[None] | None = None

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def write(self, samples: Samples) -> None:
        """The next samples, of which the caller keeps none.

        Raises:
            StorageError: Those before could not be written.
        """
        self._wait()
        self._last = self._thread.submit(self._writer.write, samples)

    def flush(self) -> None:
        """See that what was written so far is there for players, too.

        Raises:
            StorageError: It cannot be written.
        """
        self._wait()
        self._writer.flush()

    def close(self) -> None:
        """Write what is left. Closing twice is harmless.

        Raises:
            StorageError: It cannot be written.
        """
        try:
            self._wait()
        finally:
            self._thread.shutdown()
            self._writer.close()

    def _wait(self) -> None:
        last, self._last = self._last, None
        if last is not None:
            last.result()
