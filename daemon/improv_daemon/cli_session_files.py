"""What ``improv sessions`` does with files; imported when it is needed."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from improv_core.errors import ImprovError, StorageError
from improv_daemon.cli_paths import check_free, check_output_file
from improv_daemon.cli_progress import progress_bar
from improv_daemon.cli_settings import PIPED_WIDTH
from improv_daemon.journal import JournalFollower
from improv_daemon.keeper import KeepOptions
from improv_daemon.sessions import AUDIO_SUFFIXES, find_journal, find_session, none_kept, sessions_in
from improv_daemon.sessions.deleting import check_deletable, delete_session
from improv_daemon.sessions.listing import Listed, State, list_sessions, look_at
from improv_daemon.sessions.telling import length_text, lines_of, show_table

if TYPE_CHECKING:
    from improv_daemon.sessions import SessionFolder
    from improv_daemon.settings import Settings


def list_all(root: Path, *, as_json: bool) -> None:
    """Print every session in a folder.

    Raises:
        StorageError: There is no such folder.
    """
    if root.exists() and not root.is_dir():
        raise StorageError(none_kept(root))
    with progress_bar("Reading sessions") as progress:
        listed = list(list_sessions(root, progress))
    if as_json:
        typer.echo(json.dumps([one.to_fields() for one in listed], indent=2, ensure_ascii=False))
        return
    if listed:
        from rich.console import Console

        width = None if sys.stdout.isatty() else PIPED_WIDTH
        show_table(listed, Console(width=width, highlight=False))
    for sentence in _remarks(root, listed):
        typer.echo(sentence)


def show_one(root: Path, name: str, *, as_json: bool) -> None:
    """Print all there is to know of a session.

    Raises:
        StorageError: There is none of this name, or it cannot be read.
    """
    with progress_bar("Reading") as progress:
        listed = look_at(find_journal(root, name), progress)
    if as_json:
        typer.echo(json.dumps(listed.to_fields(), indent=2, ensure_ascii=False))
        return
    if listed.summary is None and listed.state is State.UNREADABLE:
        raise StorageError(listed.refusal)
    for line in lines_of(listed):
        typer.echo(line)


def recover_all(root: Path, settings: Settings) -> bool:
    """Make the files of every session that a crash has left; returns whether any could not be made.

    Of a journal in which nothing can be read nothing can be made: that is said, and is no failure.

    Raises:
        StorageError: There is no session.
    """
    from improv_daemon.keeper.finishing import unfinished

    if not sessions_in(root):
        raise StorageError(none_kept(root))
    refusals = {folder: _refusal(folder) for folder in unfinished(root)}
    readable = [folder for folder, refusal in refusals.items() if not refusal]
    if not readable:
        typer.echo(f"There is nothing to recover in {root}.")
    failures = [_failure(folder, settings) for folder in readable]
    unreadable = list(filter(None, refusals.values()))
    for sentence in (*filter(None, failures), *unreadable, *_of_unreadable(len(unreadable))):
        typer.echo(sentence, err=True)
    return any(failures)


def recover_one(root: Path, name: str, settings: Settings) -> bool:
    """The same for one.

    Raises:
        StorageError: There is none of this name, or its journal cannot be read.
    """
    from improv_daemon.keeper.finishing import is_finished

    folder = find_session(root, name)
    has_sound = folder.sound is not None or not KeepOptions.of(settings).suffix
    if is_finished(folder) and folder.midi.is_file() and has_sound:
        typer.echo(f"{folder.name} is finished; there is nothing to recover.")
        return False
    _recover(folder, settings)
    return False


def export_one(
    root: Path, name: str, output: Path, settings: Settings, *, anew: bool, stems: bool, force: bool
) -> None:
    """Make a file of a session.

    Raises:
        ImprovError: It cannot be made.
    """
    from improv_daemon.sessions.exporting import SUFFIXES, export_session

    check_output_file(output, suffixes=AUDIO_SUFFIXES if stems else SUFFIXES, unlike=None)
    if not stems:
        check_free(output, force=force)
    journal = find_journal(root, name)
    with progress_bar(f"Making {output.name}") as progress:
        made = export_session(
            journal, output, KeepOptions.of(settings), anew=anew, stems=stems, over=force, progress=progress
        )
    for one in made:
        typer.echo(f"Wrote {one.path}{f' ({one.about})' if one.about else ''}.")
        for note in one.notes:
            typer.echo(note, err=True)


def delete_all(root: Path, names: Sequence[str], *, is_sure: bool) -> bool:
    """Delete sessions, after asking; returns whether they were.

    Raises:
        StorageError: One of them is not there or cannot be deleted.
    """
    folders = list(dict.fromkeys(find_session(root, name) for name in names))
    for folder in folders:
        check_deletable(folder)
    if not is_sure:
        for folder in folders:
            typer.echo(_in_words(look_at(folder.journal)))
        question = "Delete it for ever?" if len(folders) == 1 else f"Delete these {len(folders)} for ever?"
        if not _confirmed(question):
            typer.echo("Nothing was deleted.")
            return False
    for folder in folders:
        left = delete_session(folder)
        typer.echo(f"Deleted {folder.name}.")
        if left:
            typer.echo(
                f"{folder.path} stays, for what else is in it: {', '.join(path.name for path in left)}."
            )
    return True


def _confirmed(question: str) -> bool:
    try:
        return typer.confirm(question)
    except typer.Abort:  # Ctrl-C, or nobody there to answer
        typer.echo()
        return False


def _refusal(folder: SessionFolder) -> str:
    """Why nothing can be read in a session's journal; empty where something can."""
    try:
        with JournalFollower(folder.journal) as follower:
            follower.header()
    except StorageError as failure:
        return str(failure)
    return ""


def _of_unreadable(count: int) -> list[str]:
    """What can be done with journals that cannot be read."""
    if not count:
        return []
    stay = "It stays as it is" if count == 1 else "They stay as they are"
    return [f"{stay}; improv sessions delete NAME takes away what is of no use."]


def _failure(folder: SessionFolder, settings: Settings) -> str:
    """Why a session could not be recovered; empty where it was."""
    try:
        _recover(folder, settings)
    except ImprovError as failure:
        return str(failure)
    return ""


def _recover(folder: SessionFolder, settings: Settings) -> None:
    from improv_daemon.keeper.finishing import finish_session

    with progress_bar(f"Recovering {folder.name}") as progress:
        kept = finish_session(folder, KeepOptions.of(settings), progress=progress)
    typer.echo(f"Recovered {kept.in_words()}.")
    for note in kept.notes:
        typer.echo(note, err=True)


def _remarks(root: Path, listed: Sequence[Listed]) -> list[str]:
    """What else there is to say of a folder."""
    old = sorted(path.name for path in root.glob("*.jsonl")) if root.is_dir() else []
    remarks = [] if listed or old else [none_kept(root)]
    unfinished = sum(one.state is State.UNFINISHED for one in listed)
    if unfinished:
        them = "One is" if unfinished == 1 else f"{unfinished} are"
        remarks.append(f"{them} unfinished; improv sessions recover makes the files.")
    unreadable = sum(one.state is State.UNREADABLE for one in listed)
    if unreadable:
        them = "One" if unreadable == 1 else str(unreadable)
        remarks.append(f"{them} cannot be read; improv sessions show NAME says why.")
    if old:
        count = "a journal" if len(old) == 1 else f"{len(old)} journals"
        and_more = "" if len(old) == 1 else " and so on"
        remarks.append(
            f"{root} holds {count} of an earlier improv, {old[0]}{and_more}; improv sessions show, replay "
            "and export take their paths."
        )
    return remarks


def _in_words(listed: Listed) -> str:
    summary = listed.summary
    if summary is None:
        return f"{listed.name}, which cannot be read"
    notes = summary.notes.player + summary.notes.improv
    return f"{listed.name}: {length_text(summary.length_s)}, {notes} notes"
