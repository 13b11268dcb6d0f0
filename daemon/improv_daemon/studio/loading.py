"""Pieces from MIDI files, journals, session folders and folders of MIDI files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from improv_core.errors import MidiFileError, StorageError
from improv_core.midi_files import read_midi
from improv_daemon.studio.beats import Beats, beats_of
from improv_daemon.studio.pieces import Piece

if TYPE_CHECKING:
    from improv_daemon.journal import Journal

MIDI_SUFFIXES: Final = (".mid", ".midi", ".kar", ".smf")
_JOURNAL: Final = ".jsonl"
_JOURNAL_NAME: Final = "journal.jsonl"


def load(
    source: Path | str,
    *,
    sessions: Path | str | None = None,
    beats: bool = True,
    say: Callable[[str], None] = print,
) -> Piece:
    """Load a MIDI file, a session, or a session's journal.

    Args:
        source: A path; or the name of a session, a part of it that only it has, or ``last``.
        sessions: The folder that sessions are kept in; that of the settings by default.
        beats: Whether to find out where its beats are, which takes as long again.
        say: Told what is missing from a session's journal.

    Raises:
        MidiFileError: A MIDI file is missing or damaged.
        StorageError: There is no such session, or it cannot be read.
    """
    try:
        return _load(Path(source), str(source), sessions, beats, say)
    except OSError as error:  # a name that no file can have, or a file that may not be read
        raise StorageError(f"{source} cannot be read ({error.strerror or error}).") from None


def _load(
    path: Path, name: str, sessions: Path | str | None, beats: bool, say: Callable[[str], None]
) -> Piece:
    if path.suffix.lower() in MIDI_SUFFIXES:
        return of_midi(path, beats=beats)
    if path.is_file() and path.suffix.lower() != _JOURNAL:
        with path.open("rb") as file:
            begin = file.read(4)
        if begin == b"MThd":
            return of_midi(path, beats=beats)
        raise MidiFileError(f"{path} is neither a MIDI file nor a session's journal.")
    return of_journal(_journal(path, name, sessions), beats=beats, say=say)


def of_midi(path: Path, *, beats: bool = True) -> Piece:
    """The piece of a MIDI file.

    Raises:
        MidiFileError: It is missing or damaged.
    """
    tracks = read_midi(path)
    return Piece.of_tracks(_name_of(path), tracks, beats_of(path) if beats else None)


def of_journal(
    path: Path, *, beats: bool = True, say: Callable[[str], None] = lambda sentence: None
) -> Piece:
    """The piece of a session's journal; it may still be written, and ``say`` is told what is missing.

    Raises:
        StorageError: It cannot be read.
    """
    from improv_daemon.journal import read_journal, what_is_missing
    from improv_daemon.recorder import tracks_of

    journal = read_journal(path)
    for sentence in what_is_missing(journal):
        say(sentence)
    piece = Piece.of_tracks(
        _name_of(path), (track for track in tracks_of(journal) if track.performance.notes)
    )
    return replace(piece, beats=_beats_of_session(journal)) if beats else piece


def _name_of(path: Path) -> str:
    """Its own, but the folder's where that is a session's: all sessions' files have the same names."""
    of_session = path.stem in ("session", "journal") and path.with_name(_JOURNAL_NAME).exists()
    name = path.resolve().parent.name if of_session else path.stem
    return name.encode(errors="replace").decode()  # a name may be no text, which no picture can show


def midi_files_in(folder: Path) -> tuple[Path, ...]:
    """Every MIDI file in a folder and the folders in it, by name.

    Raises:
        StorageError: It cannot be read.
    """
    try:
        found = (path for path in folder.rglob("*") if path.suffix.lower() in MIDI_SUFFIXES)
        return tuple(sorted(path for path in found if path.is_file()))
    except OSError as error:
        raise StorageError(f"{folder} cannot be read ({error.strerror or error}).") from None


def pieces_in(folder: Path) -> Iterator[Piece | str]:
    """Each piece of a folder of MIDI files, or the sentence why it cannot be read."""
    for path in midi_files_in(folder):
        try:
            yield of_midi(path, beats=False)
        except MidiFileError as error:
            yield str(error)


def _journal(path: Path, name: str, sessions: Path | str | None) -> Path:
    if path.suffix.lower() == _JOURNAL:
        return path
    from improv_daemon.sessions import find_session

    if sessions is None:
        from improv_daemon.settings import load_settings

        sessions = load_settings(None, []).record.folder
    return find_session(Path(sessions), name).journal


def _beats_of_session(journal: Journal) -> Beats | None:
    """Of its MIDI file, which is made for a moment where there is none."""
    written = journal.path.with_name("session.mid")
    if journal.path.name == _JOURNAL_NAME and written.is_file():
        return beats_of(written)
    from improv_daemon.recorder import write_session_midi

    with tempfile.TemporaryDirectory(prefix="improv-") as folder:
        made = Path(folder) / "session.mid"
        write_session_midi(journal, made)
        return beats_of(made)
