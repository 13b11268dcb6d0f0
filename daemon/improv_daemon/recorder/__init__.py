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

__all__ = [
    "SAMPLE_RATE",
    "TAIL_S",
    "Kept",
    "Recovery",
    "fitting_gain",
    "forget_unplayed",
    "keep_session",
    "new_session_path",
    "recover",
    "render_audio",
    "write_mp3",
    "write_wav",
]
