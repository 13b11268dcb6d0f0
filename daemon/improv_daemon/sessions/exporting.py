"""A session as a file for other programs."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from improv_core.errors import StorageError
from improv_core.midi_files import Track
from improv_core.note_table import note_rows
from improv_daemon.journal import Journal, read_journal, what_is_missing
from improv_daemon.keeper import KeepOptions
from improv_daemon.note_listing import in_short, save_csv
from improv_daemon.recorder import tracks_of, write_session_midi
from improv_daemon.sessions.folder import AUDIO_SUFFIXES, SessionFolder
from improv_daemon.sessions.summary import read_summary
from improv_daemon.whole_files import check_new, whole_file

MIDI_SUFFIXES: Final = (".mid", ".midi")
CSV_SUFFIX: Final = ".csv"
_READING_SHARE: Final = 0.2
SUFFIXES: Final = (*MIDI_SUFFIXES, *AUDIO_SUFFIXES, CSV_SUFFIX)
"""What a session can become."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was made.

    Attributes:
        path: The file.
        about: What there is to say of it, as its level; may be empty.
        notes: Sentences about what is missing from the session.
    """

    path: Path
    about: str = ""
    notes: tuple[str, ...] = ()


def export_session(
    journal: Path,
    out: Path,
    options: KeepOptions,
    *,
    anew: bool = False,
    stems: bool = False,
    over: bool = False,
    progress: Callable[[float], None] = lambda done: None,
) -> tuple[Exported, ...]:
    """Make a file of a session: MIDI, sound, or a table of its notes, by what its name ends with.

    What there is already in the session's folder is copied.

    Args:
        journal: The session's.
        out: The file.
        options: How it sounds, and where its bar lines come from.
        anew: Not to copy, since something else is wanted than was then.
        stems: A sound file for each track, named after it.
        over: Whether what is there may be replaced.
        progress: Called with 0..1.

    Raises:
        StorageError: There is such a file, or no session, or it cannot be read or written.
        SoundError: There is nothing to be heard, or the instrument is missing.
    """
    suffix = out.suffix.lower()
    if not (over or stems):
        check_new(out)
    made = _made_before(journal, suffix)
    if made is not None and not (anew or stems):
        with whole_file(out, over=over) as part:
            shutil.copyfile(made, part)
        return (Exported(out, notes=_noted(journal)),)
    read = read_journal(journal, lambda done: progress(_READING_SHARE * done))
    exported = _exported(
        read,
        out,
        options,
        stems=stems,
        over=over,
        progress=lambda done: progress(_READING_SHARE + (1 - _READING_SHARE) * done),
    )
    return (*exported[:-1], dataclasses.replace(exported[-1], notes=what_is_missing(read)))


def _exported(
    journal: Journal,
    out: Path,
    options: KeepOptions,
    *,
    stems: bool,
    over: bool,
    progress: Callable[[float], None],
) -> tuple[Exported, ...]:
    suffix = out.suffix.lower()
    if suffix in MIDI_SUFFIXES:
        with whole_file(out, over=over) as part:
            write_session_midi(journal, part, tempo=options.bar_lines)
        return (Exported(out),)
    tracks = tracks_of(journal)
    if suffix == CSV_SUFFIX:
        rows = note_rows(tracks)
        save_csv(rows, out, over=over)
        return (Exported(out, in_short(rows).rstrip(".")),)
    return _sounded(journal, tracks, out, options, stems=stems, over=over, progress=progress)


def _sounded(
    journal: Journal,
    tracks: Sequence[Track],
    out: Path,
    options: KeepOptions,
    *,
    stems: bool,
    over: bool,
    progress: Callable[[float], None],
) -> tuple[Exported, ...]:
    from improv_daemon.rendering import RenderOptions, Tags, VoiceChoice, render_file, render_stems

    header = journal.header
    soundfont = Path(options.soundfont) if options.soundfont else None
    choice = VoiceChoice(options.voice, soundfont, options.reverb)
    tags = Tags.of_session(header.started_at, header.model, header.seed)
    how = RenderOptions(bitrate_kbps=options.bitrate_kbps, tags=tags, overwrite=over)
    if not stems:
        return (Exported(out, render_file(tracks, out, choice, how, progress).in_words()),)
    made = render_stems(tracks, out, choice, how, progress)
    return tuple(Exported(path, levels.in_words()) for path, levels in made)


def _made_before(journal: Path, suffix: str) -> Path | None:
    folder = SessionFolder(journal.parent)
    if folder.journal != journal:
        return None
    path = folder.midi if suffix in MIDI_SUFFIXES else folder.audio(suffix)
    return path if path.is_file() else None


def _noted(journal: Path) -> tuple[str, ...]:
    """What was missing when the session's files were made."""
    with contextlib.suppress(StorageError):
        told = read_summary(SessionFolder(journal.parent).summary).problems
        return tuple(sentence.replace(journal.name, str(journal)) for sentence in told)
    return ()
