"""What the musician may set: typed, checked once while loading, and kind about mistakes."""

from improv_daemon.settings.layers import Assignment, load_settings, user_config_file
from improv_daemon.settings.schema import (
    FREE,
    Answer,
    Memory,
    Ports,
    Record,
    Sampling,
    Settings,
    Sound,
    Turn,
)

__all__ = [
    "FREE",
    "Answer",
    "Assignment",
    "Memory",
    "Ports",
    "Record",
    "Sampling",
    "Settings",
    "Sound",
    "Turn",
    "load_settings",
    "user_config_file",
]
