"""What the musician may set: typed, checked once while loading, and kind about mistakes."""

from improv_daemon.settings.layers import Assignment, changed, load_settings, user_config_file
from improv_daemon.settings.schema import (
    FREE,
    MODES,
    Answer,
    Controls,
    Duet,
    Harmonise,
    Memory,
    Ports,
    Record,
    Sampling,
    Settings,
    Solo,
    Sound,
    Trade,
    Turn,
    Yielding,
)

__all__ = [
    "FREE",
    "MODES",
    "Answer",
    "Assignment",
    "Controls",
    "Duet",
    "Harmonise",
    "Memory",
    "Ports",
    "Record",
    "Sampling",
    "Settings",
    "Solo",
    "Sound",
    "Trade",
    "Turn",
    "Yielding",
    "changed",
    "load_settings",
    "user_config_file",
]
