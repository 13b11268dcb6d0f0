"""The file that a journal is written to."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Protocol

from improv_core.errors import StorageError
from improv_daemon.journal._lock import lock


class JournalFile(Protocol):
    """Where lines go; each of these may take as long as its disk wants."""

    def write(self, data: bytes) -> int:
        """Append; returns how many bytes there was room for.

        Raises:
            OSError: None were written.
        """

    def sync(self) -> None:
        """Bring what was written to the disk itself.

        Raises:
            OSError: That failed.
        """

    def is_gone(self) -> bool:
        """Whether somebody has removed it."""

    def close(self) -> None:
        """Write no more; never raises."""

    def fileno(self) -> int:
        """Its descriptor, -1 for none."""


class DiskFile:
    """A new file on a disk, marked as being written while it is open.

    Args:
        path: Where nothing is yet.

    Raises:
        StorageError: Something is there, or it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
        try:
            self._fd = os.open(path, flags, 0o644)
        except FileExistsError:
            raise StorageError(f"{path} exists already and is not overwritten.") from None
        except OSError as failure:
            raise StorageError(f"{cannot_write(path, failure)}.") from None
        self._path, self._is_in_folder = path, False
        lock(self._fd)

    def write(self, data: bytes) -> int:
        """Append."""
        return os.write(self._fd, data)

    def sync(self) -> None:
        """Bring it to the disk, and, the first time, its name and that of its folder."""
        getattr(os, "fdatasync", os.fsync)(self._fd)
        if not self._is_in_folder:
            self._is_in_folder = True
            for folder in (self._path.parent, self._path.parent.parent):
                _sync_folder(folder)

    def is_gone(self) -> bool:
        """Whether it has no name any more."""
        try:
            return os.fstat(self._fd).st_nlink == 0
        except OSError:
            return True

    def close(self) -> None:
        """Close it."""
        fd, self._fd = self._fd, -1
        # Some network file systems report a full disk only here.
        with contextlib.suppress(OSError):
            os.close(fd)

    def fileno(self) -> int:
        """The open file's descriptor."""
        return self._fd


def cannot_write(path: Path, failure: OSError) -> str:
    """The beginning of a sentence."""
    return f"{path} cannot be written ({failure.strerror or failure})"


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
