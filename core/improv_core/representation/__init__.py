"""Notes to model steps and back; one representation serves trainer, evaluation and daemon."""

from improv_core.representation.encode import encode, keyed, to_ms
from improv_core.representation.piano import (
    ATTRIBUTE_NAMES,
    ATTRIBUTES,
    COLUMN_SIZES,
    COLUMNS,
    KEYS,
    Notes,
    Steps,
    keys_down,
    start_steps,
    steps,
    targets,
)
from improv_core.representation.stream import PianoStream

__all__ = [
    "ATTRIBUTES",
    "ATTRIBUTE_NAMES",
    "COLUMNS",
    "COLUMN_SIZES",
    "KEYS",
    "Notes",
    "PianoStream",
    "Steps",
    "encode",
    "keyed",
    "keys_down",
    "start_steps",
    "steps",
    "targets",
    "to_ms",
]
