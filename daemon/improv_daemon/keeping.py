"""The files of a sitting, made when it is over."""

from __future__ import annotations

from pathlib import Path

from improv_core.errors import SoundError, StorageError
from improv_daemon.cli_progress import progress_bar
from improv_daemon.display import Display
from improv_daemon.recorder import Kept, keep_session, recover
from improv_daemon.settings import Record, Settings
from improv_daemon.soundfonts import find_soundfont


def keep_sitting(settings: Settings, path: Path, display: Display, *, others: bool) -> None:
    """Make the files of a sitting, and of earlier ones that a crash cut short.

    Args:
        settings: Of recording and sound.
        path: The sitting's journal.
        display: Is told what was kept.
        others: Whether to look for earlier ones.

    Raises:
        StorageError: Its MIDI file cannot be written; the sentence says how to make it later.
    """
    if not path.exists():
        return
    try:
        font = _soundfont(settings, display)
        with progress_bar("Making the MP3") as progress:
            kept = keep_session(
                path,
                soundfont=font,
                bitrate_kbps=settings.record.bitrate_kbps,
                mp3=settings.record.audio != "off",
                progress=progress,
            )
        _report(display, "Kept", kept)
        if others:
            _recover(settings.record, path.parent, font, display)
    except StorageError as failure:
        raise StorageError(
            f'{failure} What was kept of the sitting is in {path}; when that can be mended, "improv render '
            f'{path}" makes the rest.'
        ) from None
    except KeyboardInterrupt:
        display.outcome(f'Stopped; the sitting is safe in {path}, and "improv render {path}" makes the rest.')


def _soundfont(settings: Settings, display: Display) -> Path | None:
    try:
        return find_soundfont(settings.sound.soundfont) if settings.record.audio != "off" else None
    except SoundError as missing:
        display.note(str(missing))
    return None


def _recover(record: Record, folder: Path, font: Path | None, display: Display) -> None:
    with progress_bar("Finishing earlier sittings") as progress:
        found = recover(
            folder,
            soundfont=font,
            bitrate_kbps=record.bitrate_kbps,
            mp3=record.audio != "off",
            progress=progress,
        )
    for old in found.kept:
        _report(display, "Recovered an earlier sitting:", old)
    for sentence in found.notes:
        display.note(sentence)


def _report(display: Display, verb: str, kept: Kept) -> None:
    files = [str(file) for file in (kept.midi, kept.mp3) if file is not None]
    display.outcome(f"{verb} {' and '.join(files)}.")
    for sentence in kept.notes:
        display.note(sentence)
