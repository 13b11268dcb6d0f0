"""Which sessions there are, and how they stand."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from improv_core.errors import StorageError
from improv_daemon.journal import is_being_written, read_journal
from improv_daemon.sessions.folder import SessionFolder, sessions_in
from improv_daemon.sessions.summary import Summary, read_summary, summary_of

Progress = Callable[[float], None]


class State(enum.Enum):
    """How a session stands."""

    FINISHED = "finished"
    RECORDING = "being recorded"
    FINISHING = "being finished"
    UNFINISHED = "unfinished"
    """A crash has cut it short, or the process that made its files: they can be made."""
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Listed:
    """A session that there is.

    Attributes:
        name: Of its folder; of a journal that is in none, of its file.
        journal: Where it is.
        state: How it stands.
        summary: What it was; None where that cannot be read.
        refusal: A sentence that says why.
    """

    name: str
    journal: Path
    state: State
    summary: Summary | None
    refusal: str = ""

    @property
    def folder(self) -> SessionFolder | None:
        """The session's; None of a journal that is in none."""
        folder = SessionFolder(self.journal.parent)
        return folder if folder.journal == self.journal else None

    def to_fields(self) -> dict[str, Any]:
        """As a JSON object; what is not known is left out."""
        fields = {} if self.summary is None else self.summary.to_fields()
        told = {"problem": self.refusal} if self.refusal else {}
        return {"name": self.name, "path": str(self._path), "state": self.state.value, **told, **fields}

    @property
    def _path(self) -> Path:
        return self.journal if self.folder is None else self.folder.path


def list_sessions(root: Path, progress: Progress = lambda done: None) -> Iterator[Listed]:
    """Every session in a folder, oldest first.

    Args:
        root: The folder.
        progress: Called with 0..1: those that are not finished take reading.
    """
    folders = sessions_in(root)
    for number, folder in enumerate(folders):

        def told(done: float, before: int = number) -> None:
            progress((before + done) / len(folders))

        yield look_at(folder.journal, told)
        told(1.0)


def look_at(journal: Path, progress: Progress = lambda done: None) -> Listed:
    """One session, by its journal; reading that, where it must be, may take a while: 0..1 is told."""
    folder = SessionFolder(journal.parent)
    if folder.journal != journal:
        return _read(journal.name, journal, None, progress)
    return _read(folder.name, journal, folder, progress)


def _read(name: str, journal: Path, folder: SessionFolder | None, progress: Progress) -> Listed:
    is_written = is_being_written(journal)
    is_finished = folder is None or folder.summary.is_file()
    if folder is not None and is_finished and not is_written:
        with contextlib.suppress(StorageError):  # its journal knows all of it
            return Listed(name, journal, State.FINISHED, read_summary(folder.summary))
    try:
        read = read_journal(journal, progress)
        summary = summary_of(read, files=_files(folder), is_over=not is_written)
    except StorageError as failure:
        state = State.RECORDING if is_written else State.UNREADABLE
        return Listed(name, journal, state, None, str(failure))
    if is_written:
        return Listed(name, journal, State.FINISHING if read.closed else State.RECORDING, summary)
    return Listed(name, journal, State.FINISHED if is_finished else State.UNFINISHED, summary)


def _files(folder: SessionFolder | None) -> tuple[Path, ...]:
    """What there is of what is made of a session."""
    made = () if folder is None else (folder.midi, folder.sound)
    return tuple(path for path in made if path is not None and path.is_file())
