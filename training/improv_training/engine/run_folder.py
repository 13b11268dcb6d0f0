"""Where results go, checked before hours of work; importable without torch."""

from __future__ import annotations

import os
from pathlib import Path

from improv_core.errors import DataError, StorageError


def best_checkpoint(run: Path) -> Path:
    """The checkpoint with the best validation figure."""
    return run / "best.ckpt"


def last_checkpoint(run: Path) -> Path:
    """The latest checkpoint, from which a run goes on."""
    return run / "last.ckpt"


def prepare(run: Path, *, resume: bool) -> None:
    """Make the folder of a new run, or see that there is one to go on from.

    Raises:
        DataError: A new run would overwrite another, or there is none to go on from.
        StorageError: The folder cannot be written.
    """
    there = last_checkpoint(run).exists()
    if resume and not there:
        raise DataError(f"{run} holds no {last_checkpoint(run).name} to go on from; leave out --resume.")
    if there and not resume:
        raise DataError(f"{run} holds a training run already; go on with --resume, or name another folder.")
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"The folder {run} cannot be made ({error.strerror}); name another.") from error
    if not os.access(run, os.W_OK | os.X_OK):
        raise StorageError(f"The folder {run} cannot be written; name another.")


def check_output(path: Path) -> None:
    """A file that can be written.

    Raises:
        StorageError: It cannot.
    """
    if path.is_dir():
        raise StorageError(f"{path} cannot be written: it is a folder.")
    if not path.parent.is_dir():
        raise StorageError(f"{path} cannot be written: there is no folder {path.parent}.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise StorageError(f"{path} cannot be written; name another place.")
