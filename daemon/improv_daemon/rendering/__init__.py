"""Sound made offline: messages and tracks through an instrument, to arrays and sound files.

Importing this is light: what writes a format, and the instruments' libraries, are imported when used.
"""

from improv_daemon.rendering.converting import READ_SUFFIXES, convert_file
from improv_daemon.rendering.files import render_array, render_file, render_stems
from improv_daemon.rendering.growing import GrowingFile
from improv_daemon.rendering.instrument import Instrument, open_instrument, why_piano
from improv_daemon.rendering.options import (
    SAMPLE_RATE,
    SUFFIXES,
    TAIL_S,
    Levels,
    Progress,
    RenderOptions,
    Tags,
    VoiceChoice,
)

__all__ = [
    "READ_SUFFIXES",
    "SAMPLE_RATE",
    "SUFFIXES",
    "TAIL_S",
    "GrowingFile",
    "Instrument",
    "Levels",
    "Progress",
    "RenderOptions",
    "Tags",
    "VoiceChoice",
    "convert_file",
    "open_instrument",
    "render_array",
    "render_file",
    "render_stems",
    "why_piano",
]
