"""Notes to model steps and back; one representation serves trainer, evaluation and daemon."""

from collections.abc import Callable
from typing import Any

from improv_core.representation.asking import Pulse
from improv_core.representation.encode import encode, keyed, to_ms
from improv_core.representation.events import Events
from improv_core.representation.frames import Frames
from improv_core.representation.note_attributes import NoteAttributes
from improv_core.representation.piano import ATTRIBUTE_NAMES, ATTRIBUTES, Piano, start_steps, steps, targets
from improv_core.representation.steps import (
    KEYS,
    STYLES,
    Attribute,
    Column,
    Dense,
    Notes,
    Representation,
    Rows,
    Setting,
    Steps,
    Wishes,
    attribute_from_spec,
    joined,
)
from improv_core.representation.stream import PianoStream
from improv_core.representation.symbols import Symbols
from improv_core.representation.writing import WritingRepresentation

__all__ = [
    "ATTRIBUTES",
    "ATTRIBUTE_NAMES",
    "KEYS",
    "STYLES",
    "Attribute",
    "Column",
    "Dense",
    "Events",
    "Frames",
    "NoteAttributes",
    "Notes",
    "Piano",
    "PianoStream",
    "Pulse",
    "Representation",
    "Rows",
    "Setting",
    "Steps",
    "Symbols",
    "Wishes",
    "WritingRepresentation",
    "encode",
    "from_spec",
    "joined",
    "keyed",
    "start_steps",
    "steps",
    "targets",
    "to_ms",
]


def from_spec(spec: dict[str, Any]) -> Piano | WritingRepresentation:
    """The inverse of ``Representation.spec``.

    Raises:
        ValueError: The kind is unknown, or its description is not one of this improv's.
    """
    kinds: dict[str, Callable[[], Piano | WritingRepresentation]] = {
        "piano": lambda: _piano(spec),
        "notes": lambda: NoteAttributes.from_spec(spec),
        "symbols": lambda: Symbols.from_spec(spec),
        "events": lambda: Events.from_spec(spec),
        "frames": lambda: Frames(int(spec["frame_ms"])),
    }
    try:
        return kinds[spec["kind"]]()
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a representation: {error}") from error


def _piano(spec: dict[str, Any]) -> Piano:
    attributes = tuple(attribute_from_spec(one).spec() for one in spec["attributes"])
    piano = Piano().spec()
    inputs = all(spec.get(name, piano[name]) == piano[name] for name in ("columns", "asked"))
    if list(attributes) != piano["attributes"] or not inputs:
        raise ValueError("attributes or inputs of 'piano' are not those that this improv plays live")
    return Piano()
