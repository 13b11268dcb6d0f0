"""What is kept of sittings: a folder each, with journal, MIDI file, sound and summary.

Importing this is light: what reads, plays or makes something of a session is in modules of its own.
"""

from improv_daemon.sessions.folder import (
    AUDIO_SUFFIXES,
    LAST,
    SessionFolder,
    find_journal,
    find_session,
    new_session_folder,
    none_kept,
    sessions_in,
)

__all__ = [
    "AUDIO_SUFFIXES",
    "LAST",
    "SessionFolder",
    "find_journal",
    "find_session",
    "new_session_folder",
    "none_kept",
    "sessions_in",
]
