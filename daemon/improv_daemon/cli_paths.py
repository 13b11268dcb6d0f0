"""Paths from the command line, checked before anything starts; nothing is created here."""

from __future__ import annotations

import os
from pathlib import Path

from improv_core.errors import MidiFileError, StorageError


def check_folder(folder: Path) -> None:
    """A folder that is there and can be written, or that can be made.

    Raises:
        StorageError: It cannot be used.
    """
    try:
        nearest = next(path for path in (folder, *folder.parents) if path.exists())
        is_folder = nearest.is_dir()
    except OSError as error:
        raise StorageError(f"The folder {folder} cannot be used: {error.strerror}.") from None
    if not is_folder:
        raise StorageError(f"{nearest} is a file, so no sitting can be kept in {folder}; name a folder.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise StorageError(f"The folder {nearest} cannot be written; name another one.")


def check_output_file(path: Path, *, suffixes: tuple[str, ...], unlike: Path | None) -> None:
    """A file that can be written, with one of these endings (none: any), and is not the input.

    Raises:
        StorageError: It cannot be written.
    """
    if suffixes and path.suffix.lower() not in suffixes:
        raise StorageError(f"{path} cannot be the output: its name must end in {' or '.join(suffixes)}.")
    try:
        if path.is_dir():
            raise StorageError(f"{path} cannot be the output: it is a folder.")
        if not path.parent.is_dir():
            raise StorageError(f"{path} cannot be written: there is no folder {path.parent}.")
        if unlike is not None and path.exists() and path.samefile(unlike):
            raise StorageError(f"{path} is the input too; name another output, so that nothing is lost.")
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.") from None
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise StorageError(f"{path} cannot be written; name another place.")


def check_free(path: Path, *, force: bool) -> None:
    """A file that is not there yet, unless it may be written over; what was recorded never may.

    Raises:
        StorageError: It is there.
    """
    if not os.path.lexists(path):
        return
    if _is_kept(path):
        raise StorageError(f"{path} belongs to a session, which nothing writes over; name another file.")
    if not force:
        raise StorageError(f"{path} exists already; name another file, or add --force to write over it.")


def _is_kept(path: Path) -> bool:
    """Whether improv has made it of a session, or the session of it."""
    path = path.resolve()
    is_in_session = (path.parent / "journal.jsonl").exists()
    return path.suffix == ".jsonl" or (is_in_session and path.stem in ("session", "session.part", "summary"))


def check_midi_file(path: Path) -> None:
    """A file that is there.

    Raises:
        MidiFileError: It is not.
    """
    if not is_file(path):
        raise MidiFileError(f"There is no MIDI file {path}.")


def check_source(name: str) -> None:
    """What may be a MIDI file, a session's folder or journal, or the name of a session.

    Raises:
        MidiFileError: It is the name of a MIDI file that is not there.
        StorageError: It is a folder of something else.
    """
    path = Path(name)
    try:
        path.stat()
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise StorageError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if path.suffix.lower() in (".mid", ".midi", ".kar", ".smf"):
        check_midi_file(path)
    elif (path.is_absolute() or len(path.parts) > 1) and not path.exists():
        raise StorageError(f"There is no file and no folder {name}.")
    elif path.is_dir() and not is_file(path / "journal.jsonl"):
        raise StorageError(f"{name} is a folder without a session in it; name a file or a session.")


def is_file(path: Path) -> bool:
    """Whether it is one; no name is too odd to ask, nor a folder that may not be read."""
    try:
        return path.is_file()
    except OSError:
        return False
