"""The default representation ``piano``: a note is a step of five attributes, each categorical.

The attributes are predicted in order, each given the ones before it: ``dt`` (from the previous onset),
``pedal`` (at the onset), ``pitch``, ``velocity``, ``duration`` (key down to key up).

What the model reads of a note is causal (see docs/design.md): improv's own notes carry their full
duration, the player's are still held at their onset and carry a held mark; how long the previous note has
lasted until now, and which keys are down, are known for both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from improv_core.notes import Part
from improv_core.representation.asking import (
    ASKED,
    FREE_STYLE,
    NO_PERIOD,
    NO_PHASE,
    READ,
    beat_classes,
    free,
    own_pitches,
    style_class,
)
from improv_core.representation.binning import Grid, Groups, Identity, IntArray
from improv_core.representation.steps import KEYS, Attribute, Column, Dense, Lack, Notes, Rows, Steps, Wishes

DT: Final = Grid.geometric(96, first=0, single=26, last=1000)
"""10 ms exact to 250 ms, then geometric to 10 s."""
DURATION: Final = Grid.geometric(128, first=1, single=47, last=2000)
"""10 ms exact to 470 ms, then geometric to 20 s."""
VELOCITY: Final = Groups(32, width=4, lowest=1)

ATTRIBUTES: Final = (
    Attribute("dt", DT),
    Attribute("pedal", Identity(2), given=("dt",)),
    Attribute("pitch", Identity(KEYS), given=("dt", "pedal")),
    Attribute("velocity", VELOCITY, given=("dt", "pedal", "pitch")),
    Attribute("duration", DURATION, given=("dt", "pedal", "pitch", "velocity")),
)
ATTRIBUTE_NAMES: Final = tuple(attribute.name for attribute in ATTRIBUTES)

HELD: Final = DURATION.size + 1
"""Index of the ``duration`` column for a key that is still down."""

COLUMNS: Final = (
    ("dt", DT.size + 1),
    ("pedal", 3),
    ("pitch", KEYS + 1),
    ("velocity", VELOCITY.size + 1),
    ("duration", DURATION.size + 2),
    ("part", 3),
    ("previous_duration", DURATION.size + 1),
    ("previous_held", 2),
    *READ,
)
"""The integer inputs of a step and how many values each takes; one value behind the classes means 'none'."""

_NOTHING_BEFORE: Final = (DURATION.size, 0)
_NOTHING_KNOWN: Final = (FREE_STYLE, NO_PHASE, NO_PERIOD)

START_ROW: Final = (DT.size, 2, KEYS, VELOCITY.size, DURATION.size, 2, *_NOTHING_BEFORE, *_NOTHING_KNOWN)
"""The step before the first note."""


def start_steps() -> Steps:
    """The one step before the first note."""
    return Steps(np.array([START_ROW], dtype=np.int64), np.zeros((1, KEYS), dtype=np.bool_))


def keys_down(notes: Notes) -> NDArray[np.bool_]:
    """Which keys are down at each onset, its own included; shape (n, KEYS)."""
    count = len(notes)
    onset_ms = np.cumsum(notes.dt_ms)
    released = np.searchsorted(onset_ms, onset_ms + notes.duration_ms, side="left")
    changes = np.zeros((count + 1, KEYS), dtype=np.int16)
    np.add.at(changes, (np.arange(count), notes.pitch), 1)
    np.add.at(changes, (released, notes.pitch), -1)
    return np.cumsum(changes, axis=0, dtype=np.int16)[:count] > 0


def targets(notes: Notes) -> IntArray:
    """The classes to predict, shape (n, len(ATTRIBUTES)), in the order of `ATTRIBUTES`."""
    raw = (notes.dt_ms, notes.pedal, notes.pitch, notes.velocity, notes.duration_ms)
    return np.stack([a.binning.bins(values) for a, values in zip(ATTRIBUTES, raw, strict=True)], axis=1)


def steps(notes: Notes, part: IntArray) -> Steps:
    """What the model reads of each note, as if the notes arrived live.

    Args:
        notes: The notes.
        part: Who plays each note (`improv_core.notes.Part`), shape (n,); the player's are still held.
    """
    columns = np.empty((len(notes), len(COLUMNS)), dtype=np.int64)
    columns[:, :5] = targets(notes)
    columns[part == Part.PLAYER, 4] = HELD
    columns[:, 5] = part
    if len(notes):
        columns[0, 6:8] = _NOTHING_BEFORE
    lasted_ms = np.minimum(notes.duration_ms[:-1], notes.dt_ms[1:])
    columns[1:, 6] = DURATION.bins(lasted_ms)
    columns[1:, 7] = notes.duration_ms[:-1] > notes.dt_ms[1:]
    columns[:, 8:] = _NOTHING_KNOWN
    if notes.setting is not None:
        columns[:, 8] = style_class(notes.setting.style)
        columns[:, 9], columns[:, 10] = beat_classes(notes.setting.beat_ticks, notes.setting.beat_ms)
    return Steps(columns, _keys_read(notes, part))


def _keys_read(notes: Notes, part: IntArray) -> NDArray[np.bool_]:
    """The keys at each onset; where improv takes over from the player, those still down at the take-over."""
    down = keys_down(notes)
    keys = down.copy()
    last = np.flatnonzero((part[:-1] == Part.PLAYER) & (part[1:] == Part.IMPROV))
    keys[last] = down[last + 1]
    keys[last, notes.pitch[last + 1]] = False
    return keys


@dataclass(frozen=True, slots=True)
class Piano:
    """The representation as an object, for what works with any of them."""

    kind: ClassVar[str] = "piano"
    attributes: ClassVar[tuple[Attribute, ...]] = ATTRIBUTES
    columns: ClassVar[tuple[Column, ...]] = tuple(Column(name, size) for name, size in COLUMNS)
    dense: ClassVar[Dense] = Dense(KEYS)
    asked: ClassVar[tuple[Column, ...]] = ASKED
    lacks: ClassVar[tuple[Lack, ...]] = ()

    def spec(self) -> dict[str, Any]:
        """Kind, attributes with every bin edge, and columns."""
        return {
            "kind": self.kind,
            "attributes": [attribute.spec() for attribute in ATTRIBUTES],
            "columns": [list(column) for column in COLUMNS],
            "asked": [[column.name, column.size] for column in ASKED],
        }

    def learned(self, pieces: Iterable[Notes]) -> Self:
        """Itself: nothing depends on the music."""
        return self

    def start(self) -> Steps:
        """The one step before the first note."""
        return start_steps()

    def rows(self, notes: Notes, part: IntArray, wishes: Wishes | None = None) -> Rows:
        """Every note is a step."""
        style = None if notes.setting is None else notes.setting.style
        asked = free(len(notes), part, style)
        if wishes is not None:
            asked[:, 2], asked[:, 3] = wishes.density, wishes.left
        asked[:, 4] = own_pitches(notes.pitch, part, part)
        return Rows.plain(steps(notes, part), targets(notes), asked)
