"""Keeping a sitting: its session's folder, and the process that makes the files in it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from improv_core.errors import ImprovError, StorageError
from improv_daemon.cli_progress import progress_bar
from improv_daemon.display import Display
from improv_daemon.journal import read_journal
from improv_daemon.keeper import KeepOptions, Kept
from improv_daemon.keeper.link import KeeperLink
from improv_daemon.keeper.telling import Refused
from improv_daemon.sessions import SessionFolder

Progress = Callable[[float], None]


class Keeping:
    """Keeps one sitting, from its beginning until its files are made.

    Args:
        folder: A new session's.
        options: What is to be made of it.
        low: Whether somebody plays on while its files are made.
    """

    def __init__(self, folder: SessionFolder, options: KeepOptions, *, low: bool = False) -> None:
        self.folder = folder
        self._options, self._low = options, low
        self._keeper: KeeperLink | None = None

    @property
    def journal(self) -> Path:
        """Where what happens is written."""
        return self.folder.journal

    def begin(self) -> None:
        """The journal has begun: its sound is made while it grows, where there is a process to be had."""
        with contextlib.suppress(OSError):  # the end will do
            self._keeper = KeeperLink(self.folder, self._options, low=self._low)

    @property
    def is_busy(self) -> bool:
        """Whether its process runs."""
        return self._keeper is not None and self._keeper.is_running

    def forget(self) -> None:
        """What was refused at the start is no session: nothing is left of it, unless something was played."""
        if self._keeper is not None:
            self._keeper.leave()
        with contextlib.suppress(StorageError, OSError):
            if self.journal.exists():
                journal = read_journal(self.journal)
                if journal.entries or journal.damaged:
                    return
                self.journal.unlink()
            for part in self.folder.path.glob("*.part.*"):
                part.unlink()
            self.folder.path.rmdir()

    def leave(self, display: Display) -> None:
        """Make no more of it now, and say how to do it later."""
        if self._keeper is not None:
            self._keeper.leave()
        display.outcome(f"Stopped; the sitting is safe in {self.folder.path}, and {_later(self.folder)}.")

    def end(self, display: Display) -> bool:
        """Wait until the files are made, and say what there is.

        Returns:
            Whether nobody was in a hurry: Ctrl-C leaves the rest for later.

        Raises:
            StorageError: They cannot be made; the sentence says how to do it later.
        """
        if not self.journal.exists():
            self.forget()
            return True
        try:
            with progress_bar(_LABEL) as progress:
                outcome = self._finished(progress, display)
        except KeyboardInterrupt:
            self.leave(display)
            return False
        report("Kept", outcome, self.folder, display)
        return True

    def _finished(self, progress: Progress, display: Display) -> Kept | Refused | None:
        outcome = None if self._keeper is None else self._keeper.finish(progress)
        if outcome is None:
            if self._keeper is not None:
                display.note(
                    "The process that made the files while you played has died; another one makes them."
                )
            with contextlib.suppress(OSError):
                self._keeper = KeeperLink(self.folder, self._options)
                outcome = self._keeper.finish(progress)
        return outcome


_LABEL = "Finishing the session's files"


def recover(root: Path, options: KeepOptions, display: Display) -> None:
    """Finish what crashes have left in a folder of sessions, and say so."""
    from improv_daemon.keeper.finishing import finish_session, unfinished

    folders, failures = unfinished(root), []
    for number, folder in enumerate(folders, 1):
        try:
            with progress_bar(f"Finishing an earlier sitting ({number} of {len(folders)})") as progress:
                kept = finish_session(folder, options, progress=progress)
        except KeyboardInterrupt:
            display.outcome(f"Stopped; {_later(folder)}.")
            return
        except ImprovError as failure:
            failures.append(str(failure))
        else:
            report("Recovered an earlier sitting in", kept, folder, display)
    if failures:
        more = f" {len(failures) - 1} more cannot be finished, either." if len(failures) > 1 else ""
        display.note(
            f"{failures[0]}{more} improv sessions show NAME says why, and improv sessions delete NAME takes "
            "away what is of no use."
        )


def report(verb: str, outcome: Kept | Refused | None, folder: SessionFolder, display: Display) -> None:
    """Say what came of a session.

    Raises:
        StorageError: Nothing; the sentence says how to make it later.
    """
    match outcome:
        case Kept():
            display.outcome(f"{verb} {outcome.in_words()}.")
            for sentence in outcome.notes:
                display.note(sentence)
        case Refused(sentence):
            raise StorageError(
                f"{sentence} What was kept of the sitting is in {folder.journal}; when that can be mended, "
                f"{_later(folder)}."
            )
        case None:
            raise StorageError(
                f"The files of {folder.path} could not be made, since the process that makes them has died; "
                f"its journal is safe, and {_later(folder)}."
            )


def _later(folder: SessionFolder) -> str:
    return f'"improv sessions recover {folder.path}" makes the rest'
