"""Deleting sessions, and nothing else."""

from __future__ import annotations

import contextlib
from pathlib import Path

from improv_core.errors import StorageError
from improv_daemon.journal import is_being_written
from improv_daemon.sessions.folder import AUDIO_SUFFIXES, SessionFolder


def check_deletable(folder: SessionFolder) -> None:
    """A session that nobody records.

    Raises:
        StorageError: It is being recorded, or its files are being made.
    """
    if is_being_written(folder.journal):
        raise StorageError(
            f"{folder.name} is being recorded or finished now, so it is not deleted; stop that first."
        )


def delete_session(folder: SessionFolder) -> tuple[Path, ...]:
    """Delete what improv has made of a session; the journal goes last: until then it is a session.

    Returns:
        What others have put into its folder, and so stays, if anything.

    Raises:
        StorageError: It is being recorded, or cannot be deleted.
    """
    check_deletable(folder)
    try:
        ours = [path for path in folder.path.iterdir() if _is_ours(folder, path)]
        for path in sorted(ours, key=lambda path: path == folder.journal):
            path.unlink()
        left = tuple(sorted(folder.path.iterdir()))
        if not left and not folder.path.is_symlink():
            with contextlib.suppress(OSError):  # somebody stands in it, as in another terminal
                folder.path.rmdir()
    except OSError as failure:
        raise StorageError(f"{folder.path} cannot be deleted ({failure.strerror or failure}).") from None
    return left


def _is_ours(folder: SessionFolder, path: Path) -> bool:
    if path.is_dir():
        return False
    is_sound = path.suffix in AUDIO_SUFFIXES and path.stem in ("session", "session.part")
    is_unfinished = path.name.startswith(".") and path.suffix == ".part"
    return path in (folder.journal, folder.midi, folder.summary) or is_sound or is_unfinished
