"""Keeping a session: from its journal to the files a musician wants to have."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from improv_core.errors import ImprovError, SoundError, StorageError
from improv_core.midi_files import Track, write_midi
from improv_daemon.journal import is_being_written, read_journal
from improv_daemon.recorder._files import check_folder, whole_file
from improv_daemon.recorder.audio import Progress, write_mp3
from improv_daemon.recorder.bars import conductor_of
from improv_daemon.recorder.tracks import tracks_of
from improv_daemon.soundfonts import INSTALL_HINT

_SUFFIXES = (".jsonl", ".mid", ".mp3")


@dataclass(frozen=True, slots=True)
class Kept:
    """The files of a session; ``notes`` are sentences about what is missing and why."""

    midi: Path
    mp3: Path | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recovery:
    """Sessions that a crash had left as journals; ``notes`` tells of those that cannot be read."""

    kept: tuple[Kept, ...]
    notes: tuple[str, ...]


def new_session_path(folder: Path, started_at: datetime) -> Path:
    """A journal's path in ``folder`` (created where missing), named by local date and time.

    Nothing of that name is there yet, be it journal, MIDI or MP3.

    Raises:
        StorageError: The folder cannot be written.
    """
    check_folder(folder)
    return _free(folder / f"{started_at.astimezone():%Y-%m-%d_%H-%M-%S}.jsonl", _SUFFIXES)


def forget_unplayed(journal_path: Path) -> None:
    """Remove a journal that holds nothing but its first line; any other stays."""
    with contextlib.suppress(StorageError, OSError):
        journal = read_journal(journal_path)
        if not (journal.entries or journal.damaged):
            journal_path.unlink()


def keep_session(
    journal_path: Path,
    *,
    soundfont: Path | None,
    bitrate_kbps: int = 192,
    mp3: bool = True,
    progress: Progress | None = None,
) -> Kept:
    """Make the MIDI file of a journal and, where sound can be made, its MP3, both beside it.

    The MIDI file is of type 1 with the tracks "player" and "improv" on channels 1 and 2; its time zero
    is the session's start. Where the player had several keyboards or channels, each has a track and, as far
    as there are enough, a channel of its own. The file's bar lines are those of the MIDI clock, or of the
    tempo that was tapped or set; without any of these its tempo says nothing. The MP3 holds all tracks, from
    the session's start to the last event and the tail.
    The first of a name stays: a file that exists is never overwritten.

    Args:
        journal_path: A journal, whole or cut short.
        soundfont: For the MP3; None where none was found.
        bitrate_kbps: Of the MP3.
        mp3: Whether an MP3 is wanted.
        progress: Called with 0..1 while the MP3 is made.

    Raises:
        StorageError: The journal cannot be read, or the MIDI file cannot be written.
    """
    journal = read_journal(journal_path)
    tracks = tracks_of(journal)
    midi_path = _free(journal_path.with_suffix(".mid"), (".mid", ".mp3"))
    with whole_file(midi_path) as part:
        write_midi(part, tracks, conductor=conductor_of(journal))
    notes = list(journal.problems)
    mp3_path: Path | None = None
    if mp3:
        try:
            mp3_path = _make_mp3(
                midi_path.with_suffix(".mp3"),
                journal.header.started_at,
                tracks,
                soundfont,
                bitrate_kbps,
                progress,
            )
        except (SoundError, StorageError) as failure:
            notes.append(f"No MP3 was made: {str(failure).rstrip('.')}.")
    return Kept(midi_path, mp3_path, tuple(notes))


def recover(
    folder: Path,
    *,
    soundfont: Path | None,
    bitrate_kbps: int = 192,
    mp3: bool = True,
    progress: Progress | None = None,
) -> Recovery:
    """Keep every session of ``folder`` that has a journal and no MIDI file: those a crash cut short.

    Journals that an improv is writing at this moment are left alone.
    """
    kept: list[Kept] = []
    notes: list[str] = []
    for path in sorted(folder.glob("*.jsonl")):
        if path.with_suffix(".mid").exists() or is_being_written(path):
            continue
        try:
            kept.append(
                keep_session(path, soundfont=soundfont, bitrate_kbps=bitrate_kbps, mp3=mp3, progress=progress)
            )
        except ImprovError as failure:
            notes.append(str(failure))
    return Recovery(tuple(kept), tuple(notes))


def _make_mp3(
    path: Path,
    started_at: datetime,
    tracks: Sequence[Track],
    soundfont: Path | None,
    bitrate_kbps: int,
    progress: Progress | None,
) -> Path:
    if not any(track.performance.notes for track in tracks):
        raise SoundError("nothing was played.")
    if soundfont is None:
        raise SoundError(f"no soundfont was found: {INSTALL_HINT}.")
    write_mp3(
        path,
        tracks,
        soundfont,
        bitrate_kbps=bitrate_kbps,
        title=f"Session of {started_at:%Y-%m-%d %H:%M}",
        recorded_at=started_at,
        progress=progress,
    )
    return path


def _free(path: Path, suffixes: Sequence[str]) -> Path:
    """``path``, or the first of path-2, path-3, ... of which no file with these suffixes exists."""
    for number in itertools.count(1):
        free = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        if not any(free.with_suffix(suffix).exists() for suffix in suffixes):
            return free
    raise AssertionError("itertools.count does not end")
