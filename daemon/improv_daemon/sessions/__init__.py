"""What is kept of sittings: a folder each, with journal, MIDI file, sound and summary."""

from improv_daemon.sessions.folder import (
    AUDIO_SUFFIXES,
    SessionFolder,
    find_session,
    new_session_folder,
    sessions_in,
)

__all__ = ["AUDIO_SUFFIXES", "SessionFolder", "find_session", "new_session_folder", "sessions_in"]
