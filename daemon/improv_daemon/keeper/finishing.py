"""The files of a session, made from its journal: what there is already stays."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from improv_core.errors import ImprovError, SoundError, StorageError
from improv_daemon.journal import Journal, is_being_written, lock, read_journal
from improv_daemon.keeper.growing import GrowingSound, part_of
from improv_daemon.keeper.kept import Kept
from improv_daemon.keeper.options import KeepOptions
from improv_daemon.recorder import write_session_midi
from improv_daemon.rendering import Levels
from improv_daemon.sessions.folder import AUDIO_SUFFIXES, SessionFolder, sessions_in
from improv_daemon.sessions.summary import summary_of, write_summary
from improv_daemon.whole_files import whole_file

Progress = Callable[[float], None]

_STEP_S: Final = 5.0
_NO_BEATS: Final = "fixed"


def finish_session(
    folder: SessionFolder,
    options: KeepOptions,
    *,
    progress: Progress | None = None,
    grown: GrowingSound | None = None,
    told: bool = False,
) -> Kept:
    """Make what is missing of a session's MIDI file, sound and summary.

    Nothing is ever overwritten, but for a summary that knew of no sound.

    Meanwhile the journal counts as being written, so that nobody else does the same.

    Args:
        folder: Holds a journal that nobody writes any more.
        options: What is wanted.
        progress: Called with 0..1 while sound is made.
        grown: The sound, where it was made while the session was played.
        told: Whether the one who writes the journal has told us to begin, even if a disk that hangs still
            keeps it from closing the file.

    Raises:
        StorageError: The journal cannot be read, somebody else is at it, or the MIDI file cannot be written.
    """
    with _claimed(folder.journal, told=told):
        journal = read_journal(folder.journal)
        grown_up = None if grown is None else _sound_in(folder, journal, options, progress, grown)
        lacking = _make_midi(journal, folder.midi, options)  # to find the beats of hours takes a while
        sound, levels, more = grown_up or _sound_in(folder, journal, options, progress, None)
        notes = (*lacking, *more)
        files = [folder.midi, *([sound] if sound is not None else [])]
        if sound is not None:
            _clear_up(folder)
        if levels is not None:
            folder.summary.unlink(missing_ok=True)  # one that knew of no sound
        if not folder.summary.exists():
            write_summary(folder.summary, summary_of(journal, files=files, level=levels, problems=notes))
        return Kept(folder.midi, sound, levels, (*_lost(journal), *notes))


def finish_journal(path: Path, options: KeepOptions, *, progress: Progress | None = None) -> Kept:
    """The same for a journal anywhere; beside one that is in no session's folder under names that are free.

    Raises:
        StorageError: As `finish_session`.
    """
    if path == SessionFolder(path.parent).journal:
        return finish_session(SessionFolder(path.parent), options, progress=progress)
    with _claimed(path):
        journal = read_journal(path)
        midi = _free(path.with_suffix(".mid"), (".mid", *AUDIO_SUFFIXES))
        notes = _make_midi(journal, midi, options)
        sound, levels, more = _made_sound(midi.with_suffix(options.suffix), journal, options, progress)
        return Kept(midi, sound, levels, (*_lost(journal), *notes, *more))


def is_finished(folder: SessionFolder) -> bool:
    """Whether everything was made that was wanted."""
    return folder.summary.is_file()


def unfinished(root: Path) -> tuple[SessionFolder, ...]:
    """Sessions in ``root`` that a crash cut short, oldest first; those being played are left alone."""
    return tuple(
        folder
        for folder in sessions_in(root)
        if not is_finished(folder) and not is_being_written(folder.journal)
    )


def _clear_up(folder: SessionFolder) -> None:
    """What a killed process had made of a sound is not needed any more, in whatever format it was."""
    for part in (part_of(folder.audio(suffix)) for suffix in AUDIO_SUFFIXES):
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _lost(journal: Journal) -> Sequence[str]:
    """Sentences about what is missing from a journal."""
    cut_short = journal.cut_short
    return journal.problems if cut_short is None else (*journal.problems, cut_short)


@contextlib.contextmanager
def _claimed(path: Path, *, told: bool = False) -> Iterator[None]:
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        raise StorageError(f"There is no file {path}.") from None
    except OSError as failure:
        raise StorageError(f"{path} cannot be read ({failure.strerror or failure}).") from None
    try:
        if not (lock(fd) or told):
            raise StorageError(f"{path} is being written by an improv that runs; it makes the files itself.")
        yield
    finally:
        os.close(fd)


def _make_midi(journal: Journal, path: Path, options: KeepOptions) -> tuple[str, ...]:
    """Sentences about what it lacks."""
    if path.exists():
        return ()
    with whole_file(path) as part:
        try:
            write_session_midi(journal, part, tempo=options.bar_lines)
        except ImprovError:
            raise
        except Exception as fault:  # noqa: BLE001 - whatever goes wrong with the beats, the notes are kept
            write_session_midi(journal, part, tempo=_NO_BEATS)
            return (f"The MIDI file has no bar lines, which is improv's own fault: {fault!r}.",)
    return ()


def _sound_in(
    folder: SessionFolder,
    journal: Journal,
    options: KeepOptions,
    progress: Progress | None,
    grown: GrowingSound | None,
) -> tuple[Path | None, Levels | None, Sequence[str]]:
    if folder.sound is not None:
        return folder.sound, None, ()
    if not options.suffix:
        return None, None, ()
    path = folder.audio(options.suffix)
    if grown is not None:
        with grown, contextlib.suppress(ImprovError):  # what could not grow is made anew
            if grown.is_true and grown.notes:
                return path, grown.finish(journal.end_s), ()
    again = f'; "improv sessions recover {folder.path}" tries it again'
    return _made_sound(path, journal, options, progress, again)


def _made_sound(
    path: Path, journal: Journal, options: KeepOptions, progress: Progress | None, again: str = ""
) -> tuple[Path | None, Levels | None, Sequence[str]]:
    if not options.suffix:
        return None, None, ()
    try:
        return path, _rendered(path, journal, options, progress), ()
    except SoundError as failure:
        return None, None, (f"No sound was made: {failure}",)
    except StorageError as failure:
        told = str(failure).replace(str(part_of(path)), str(path))  # nobody knows of where it grew
        return None, None, (f"No sound was made: {told.rstrip('.')}{again}.",)
    except Exception as fault:  # noqa: BLE001 - whatever an instrument does, the rest is made
        return None, None, (f"No sound was made, which is improv's own fault: {fault!r}.",)


def _rendered(path: Path, journal: Journal, options: KeepOptions, progress: Progress | None) -> Levels:
    with GrowingSound(path, journal.header, options, hurried=True) as sound:
        sound.take(journal.entries)
        if not sound.notes:
            raise SoundError("nothing was played.")
        length_s = max(1e-3, journal.end_s - journal.header.now_s)
        for step in range(1, int(length_s / _STEP_S) + 1):
            sound.advance(journal.header.now_s + step * _STEP_S)
            if progress is not None:
                progress(step * _STEP_S / length_s)
        levels = sound.finish(journal.end_s)
    if progress is not None:
        progress(1.0)
    return levels


def _free(path: Path, suffixes: Sequence[str]) -> Path:
    """``path``, or the first of path-2, path-3, ... of which no file with these suffixes exists."""
    for number in itertools.count(1):
        free = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        if not any(free.with_suffix(suffix).exists() for suffix in suffixes):
            return free
    raise AssertionError("itertools.count does not end")
