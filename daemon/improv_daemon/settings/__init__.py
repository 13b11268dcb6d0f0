"""What the musician may set: typed, checked once while loading, and kind about mistakes."""

from improv_daemon.settings.built_in import BUILT_IN, Preset
from improv_daemon.settings.layers import Assignment, changed, load_settings, user_config_file
from improv_daemon.settings.playing import (
    FREE,
    Answer,
    Duet,
    Harmonise,
    Memory,
    Sampling,
    Solo,
    Trade,
    Turn,
    Yielding,
)
from improv_daemon.settings.rig import Controls, Ports, Record, Sound, Time, Voices
from improv_daemon.settings.schema import MODES, Settings

__all__ = [
    "BUILT_IN",
    "FREE",
    "MODES",
    "Answer",
    "Assignment",
    "Controls",
    "Duet",
    "Harmonise",
    "Memory",
    "Ports",
    "Preset",
    "Record",
    "Sampling",
    "Settings",
    "Solo",
    "Sound",
    "Time",
    "Trade",
    "Turn",
    "Voices",
    "Yielding",
    "changed",
    "load_settings",
    "user_config_file",
]
