"""Pictures of music and of training: PNG, SVG and PDF; see `improv_daemon.plotting.picture`.

Matplotlib is imported when something is drawn.
"""

from typing import Final

WHAT: Final = {
    "roll": "the notes as a piano roll",
    "distributions": "how often which pitch, pitch class, interval, inter-onset interval, duration, velocity",
    "pitches": "the first three of them",
    "counts": "the most frequent notes and chords",
    "density": "notes a second over time",
    "tempo": "the tempo over time",
    "training": "the curves of training runs",
}
"""What a picture can show, and in words."""

SINGLE: Final = ("pitch", "pitch-class", "interval", "inter-onset", "duration", "velocity")
"""One distribution alone."""
