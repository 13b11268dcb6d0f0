"""What is left of a session: its journal, a MIDI file and an MP3, side by side in one folder."""

from improv_daemon.recorder.audio import (
    SAMPLE_RATE,
    TAIL_S,
    fitting_gain,
    render_audio,
    write_mp3,
    write_wav,
)
from improv_daemon.recorder.session import (
    Kept,
    Recovery,
    forget_unplayed,
    keep_session,
    new_session_path,
    recover,
)
from improv_daemon.recorder.session_midi import write_session_midi
from improv_daemon.recorder.tracks import tracks_of
from improv_daemon.recorder.turns import Turn, turns_between, turns_of

__all__ = [
    "SAMPLE_RATE",
    "TAIL_S",
    "Kept",
    "Recovery",
    "Turn",
    "fitting_gain",
    "forget_unplayed",
    "keep_session",
    "new_session_path",
    "recover",
    "render_audio",
    "tracks_of",
    "turns_between",
    "turns_of",
    "write_mp3",
    "write_session_midi",
    "write_wav",
]
