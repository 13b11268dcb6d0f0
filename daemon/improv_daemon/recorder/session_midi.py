"""The MIDI file of a session."""

from __future__ import annotations

from pathlib import Path

from improv_core.midi_files import write_midi
from improv_daemon.journal import Journal
from improv_daemon.recorder.bars import conductor_of
from improv_daemon.recorder.tracks import tracks_of


def write_session_midi(journal: Journal, path: Path, *, tempo: str = "auto") -> None:
    """Write all that was played as a MIDI file of type 1.

    Args:
        journal: The session's.
        path: Where; what is there is replaced.
        tempo: ``auto``, ``estimated`` or ``fixed``, as ``record.tempo`` says.

    Raises:
        StorageError: The file cannot be written; what was there before stays.
    """
    write_midi(path, tracks_of(journal), conductor=conductor_of(journal))
