"""What is left of a session: its journal as a MIDI file, the tracks in it, and its turns."""

from improv_daemon.recorder.session_midi import write_session_midi
from improv_daemon.recorder.tracks import tracks_of
from improv_daemon.recorder.turns import Turn, turns_between, turns_of

__all__ = [
    "Turn",
    "tracks_of",
    "turns_between",
    "turns_of",
    "write_session_midi",
]
