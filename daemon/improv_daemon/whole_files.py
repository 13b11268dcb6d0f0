"""Files that appear whole or not at all, and never over another one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from improv_core.errors import StorageError


@contextmanager
def whole_file(path: Path, *, over: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; what was written there becomes ``path`` at the end.

    Args:
        path: The file.
        over: Whether it may take the place of one that is there, which stays until the new one is whole.

    Raises:
        StorageError: ``path`` exists already, or the folder cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        become(part, path, over=over)
    except StorageError as failure:  # of whoever wrote it: nobody knows of a temporary path
        raise StorageError(str(failure).replace(str(part), str(path))) from None
    except OSError as failure:
        raise StorageError(f"{path} cannot be written ({failure.strerror or failure}).") from None
    finally:
        _remove(part)


def become(part: Path, path: Path, *, over: bool = False) -> None:
    """Give a file that is finished its name, when all of it is on the disk.

    Args:
        part: The finished file.
        path: Its name.
        over: Whether it may take the place of one of that name.

    Raises:
        StorageError: There is one of that name already, or the folder cannot be written.
    """
    try:
        _sync(part)
        if over:
            part.replace(path)
        else:
            _rename(part, path)
    except FileExistsError:
        raise StorageError(f"{path} exists already and is not overwritten.") from None
    except OSError as failure:
        raise StorageError(f"{path} cannot be written ({failure.strerror or failure}).") from None


def _rename(part: Path, path: Path) -> None:
    """Renaming alone would replace a file that came meanwhile.

    Raises:
        OSError: There is one of that name, or the folder cannot be written.
    """
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: the name is taken first, and a kill would leave it empty
        path.open("xb").close()
        try:
            part.replace(path)
        except OSError:
            _remove(path)
            raise
    else:
        _remove(part)


def check_new(path: Path) -> None:
    """See, before any work, that a file's name is free.

    Raises:
        StorageError: It is not.
    """
    if os.path.lexists(path):
        raise StorageError(f"{path} exists already and is not overwritten.")


def check_folder(folder: Path) -> None:
    """Create ``folder`` where it is missing and see that it takes files.

    Raises:
        StorageError: It does not; the sentence says why.
    """
    probe = folder / f".improv-{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"improv")
    except (FileExistsError, NotADirectoryError):
        raise StorageError(f"{folder} is not a folder; name a folder to keep sessions in.") from None
    except OSError as failure:
        raise StorageError(
            f"The folder {folder} cannot be written ({failure.strerror or failure});"
            " name another one to keep sessions in."
        ) from None
    finally:
        _remove(probe)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
