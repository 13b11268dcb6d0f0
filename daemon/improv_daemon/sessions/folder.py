"""Where a session's files are."""

from __future__ import annotations

import itertools
import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from improv_core.errors import StorageError

AUDIO_SUFFIXES: Final = (".mp3", ".flac", ".ogg", ".wav")

LAST: Final = "last"
"""Stands for the name of the latest session."""

_JOURNAL: Final = "journal.jsonl"
_NAME: Final = "%Y-%m-%d_%H-%M-%S"
_DATED: Final = re.compile(r"(\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d)(?:-(\d+))?$")
_MOST_NAMES: Final = 5


@dataclass(frozen=True, slots=True)
class SessionFolder:
    """One session's folder.

    Attributes:
        path: The folder, named by date and time.
    """

    path: Path

    @property
    def name(self) -> str:
        """As the musician calls it."""
        return self.path.name if self.path.name not in ("", "..") else self.path.resolve().name

    @property
    def journal(self) -> Path:
        """All that happened."""
        return self.path / _JOURNAL

    @property
    def midi(self) -> Path:
        """Both players, a track each."""
        return self.path / "session.mid"

    @property
    def summary(self) -> Path:
        """What it was in short, as JSON."""
        return self.path / "summary.json"

    def audio(self, suffix: str) -> Path:
        """Its sound, as a file of this kind, with the dot."""
        return self.path / f"session{suffix}"

    @property
    def sound(self) -> Path | None:
        """The sound that there is, if there is any."""
        return next((path for path in map(self.audio, AUDIO_SUFFIXES) if path.is_file()), None)


def new_session_folder(root: Path, started_at: datetime) -> SessionFolder:
    """Make an empty folder in ``root`` (made where missing), named by local date and time.

    Raises:
        StorageError: It cannot be made.
    """
    name = f"{started_at.astimezone():{_NAME}}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        for number in itertools.count(1):
            path = root / (name if number == 1 else f"{name}-{number}")
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return SessionFolder(path)
    except (FileExistsError, NotADirectoryError):
        raise StorageError(f"{root} is not a folder; name a folder to keep sessions in.") from None
    except OSError as failure:
        raise StorageError(
            f"The folder {root} cannot be written ({failure.strerror or failure});"
            " name another one to keep sessions in."
        ) from None
    raise AssertionError("itertools.count does not end")


def sessions_in(root: Path) -> tuple[SessionFolder, ...]:
    """Every session kept in ``root``, oldest first; none where there is no such folder."""
    try:
        paths = [path for path in root.glob(f"*/{_JOURNAL}") if not path.parent.name.startswith(".")]
    except OSError:
        return ()
    return tuple(SessionFolder(path.parent) for path in sorted(paths, key=_when))


def _when(journal: Path) -> tuple[str, int]:
    """By name; where the musician has found a better one, by the time of the last line."""
    name = journal.parent.name
    if dated := _DATED.match(name):
        return dated[1], int(dated[2] or 1)
    try:
        changed_at = journal.stat().st_mtime
    except OSError:
        changed_at = 0.0
    return f"{datetime.fromtimestamp(changed_at):{_NAME}}", 0


def find_session(root: Path, name: str) -> SessionFolder:
    """The session of this name, or of a part of one that only it has; ``last`` is the latest.

    A path of a session's folder, or of its journal, will do, too.

    Raises:
        StorageError: There is none, or there are several.
    """
    path = Path(name)
    if path.name == _JOURNAL and _is_file(path):
        return SessionFolder(path.parent)
    if name and _is_file(path / _JOURNAL):
        return SessionFolder(path)
    there = sessions_in(root)
    if not there:
        raise StorageError(none_kept(root))
    exact = [one for one in there if one.name == name.rstrip("/")]
    found = exact or ([there[-1]] if name == LAST else [one for one in there if name and name in one.name])
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(one.name for one in found[:_MOST_NAMES])
        more = f" and {len(found) - _MOST_NAMES} more" if len(found) > _MOST_NAMES else ""
        raise StorageError(f"{name!r} may be several sessions in {root}: {names}{more}; name more of one.")
    raise StorageError(f"There is no session {name!r} in {root}; improv sessions list shows those there are.")


def find_journal(root: Path, name: str) -> Path:
    """The journal of a session, see `find_session`; or a journal that is in no session's folder, by its path.

    Raises:
        StorageError: There is none, or there are several.
    """
    path = Path(name)
    if path.suffix.lower() == ".jsonl" and _is_file(path):
        return path
    return find_session(root, name).journal


def none_kept(root: Path) -> str:
    """A sentence that says that there is no session at all."""
    if not root.exists():
        return f"There is no folder {root}, so no session is kept there; improv record makes it."
    if not root.is_dir():
        return f"{root} is not a folder; name the folder that holds your sessions."
    if not os.access(root, os.R_OK | os.X_OK):
        return f"The folder {root} cannot be read; name the folder that holds your sessions."
    return f"There is no session in {root} yet; improv record keeps one there."


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that no file can have
        return False
