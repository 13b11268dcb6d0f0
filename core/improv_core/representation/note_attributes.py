"""Notes as steps of some of their attributes: what one-hot pitch models and regressing models read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from improv_core.representation.binning import IntArray
from improv_core.representation.onsets import CHORD_MS
from improv_core.representation.steps import (
    KEYS,
    Attribute,
    Column,
    Dense,
    Lack,
    Notes,
    Rows,
    Steps,
    Wishes,
    attribute_from_spec,
)
from improv_core.representation.writing import Ink, Written

_LACKS: Final[dict[str, Lack]] = {
    "dt": "timing",
    "duration": "note lengths",
    "velocity": "loudness",
    "pedal": "pedal",
}
_SCALES: Final = {"dt": 1e-3, "duration": 1e-3, "pitch": 1 / 127, "velocity": 1 / 127, "pedal": 1.0}
"""A scalar input is its value times this: times in seconds, the rest in 0..1."""

TIMES: Final = ("dt", "duration")


@dataclass(frozen=True, slots=True)
class NoteAttributes:
    """A note is a step of the attributes that are named, ``pitch`` among them.

    Each may be read as an embedding, one-hot or as a number, and predicted as a class or, a time, by
    regression. Notes are known whole, their durations included, once they are played.

    Attributes:
        attributes: Any of dt, pedal, pitch, velocity, duration, in the order of their prediction.
    """

    kind: ClassVar[str] = "notes"
    asked: ClassVar[tuple[Column, ...]] = ()

    attributes: tuple[Attribute, ...]

    @classmethod
    def from_spec(cls, spec: dict[str, Any]) -> NoteAttributes:
        """The inverse of `spec`.

        Raises:
            ValueError: An attribute is unknown, there is no pitch, or a head is told what it cannot be.
        """
        attributes = tuple(attribute_from_spec(one) for one in spec["attributes"])
        names = [one.name for one in attributes]
        if "pitch" not in names or not set(names) <= set(_SCALES) or len(set(names)) < len(names):
            raise ValueError(f"a note has {', '.join(_SCALES)}, a pitch at least; not {names}")
        if any(one.head == "regression" and one.name not in TIMES for one in attributes):
            raise ValueError(f"only {' and '.join(TIMES)} can be predicted by regression")
        if attributes[names.index("pitch")].binning.size != KEYS:
            raise ValueError(f"there are {KEYS} pitches, and each is a class")
        for i, one in enumerate(attributes):
            if not set(one.given) <= {a.name for a in attributes[:i] if a.head == "categorical"}:
                raise ValueError(f"{one.name} can be given attributes before it, if they are classes")
        return cls(attributes)

    @property
    def columns(self) -> tuple[Column, ...]:
        """One for each attribute read as a class; without any, one that tells the start from a note."""
        read = tuple(Column(a.name, a.binning.size + 1, a.form) for a in self._classes)
        return read or (Column("started", 2, "one-hot"),)

    @property
    def dense(self) -> Dense:
        """One number for each attribute read as one."""
        return Dense(len(self._scalars), "scalar")

    @property
    def lacks(self) -> tuple[Lack, ...]:
        """What it has no attribute for."""
        names = {attribute.name for attribute in self.attributes}
        return tuple(lack for name, lack in _LACKS.items() if name not in names)

    @property
    def _classes(self) -> tuple[Attribute, ...]:
        return tuple(a for a in self.attributes if a.form != "scalar")

    @property
    def _scalars(self) -> tuple[Attribute, ...]:
        return tuple(a for a in self.attributes if a.form == "scalar")

    def spec(self) -> dict[str, Any]:
        """Kind and attributes."""
        return {"kind": self.kind, "attributes": [attribute.spec() for attribute in self.attributes]}

    def learned(self, pieces: Iterable[Notes]) -> Self:
        """Itself: nothing depends on the music."""
        return self

    def start(self) -> Steps:
        """'None' in every column."""
        row = [column.size - 1 for column in self.columns] if self._classes else [0]
        return Steps(np.array([row], dtype=np.int64), np.zeros((1, self.dense.width), dtype=np.float32))

    def read(self, values: dict[str, IntArray]) -> Steps:
        """What the model reads of notes.

        Args:
            values: For each attribute its raw values, (n,).
        """
        count = len(values["pitch"])
        columns = [a.binning.bins(values[a.name]) for a in self._classes] or [np.ones(count, dtype=np.int64)]
        dense = np.zeros((count, self.dense.width), dtype=np.float32)
        for i, attribute in enumerate(self._scalars):
            dense[:, i] = values[attribute.name] * _SCALES[attribute.name]
        return Steps(np.stack(columns, axis=1), dense)

    def rows(self, notes: Notes, part: IntArray, wishes: Wishes | None = None) -> Rows:
        """Every note is a step."""
        raw = _raw(notes)
        wanted = [
            a.binning.bins(raw[a.name]) if a.head == "categorical" else raw[a.name] for a in self.attributes
        ]
        return Rows.plain(self.read(raw), np.stack(wanted, axis=1))

    def writer(self, notes: Notes, ink: Ink) -> NoteWriter:
        """For what follows ``notes``."""
        return NoteWriter(self, ink)


class NoteWriter:
    """A step is a note; what it lacks is the player's. No chord has a pitch twice."""

    def __init__(self, representation: NoteAttributes, ink: Ink) -> None:
        self._representation = representation
        self._ink = ink
        self._habit = ink.habits.next()
        self._onset_ms = 0
        self._struck_ms: dict[int, int] = {}

    def mask(self, attribute: int, values: Sequence[int]) -> NDArray[np.float64] | None:
        """Of pitches, only those in range that the chord does not have yet."""
        if self._representation.attributes[attribute].name != "pitch":
            return None
        mask = self._ink.pitch_mask()
        if "timing" not in self._representation.lacks:
            return mask  # when it will be struck is drawn as well
        onset_ms = self._onset_ms + self._habit.dt_ms
        new = mask.copy()
        new[[pitch for pitch, at_ms in self._struck_ms.items() if onset_ms - at_ms < CHORD_MS]] = -np.inf
        return mask if np.isneginf(new).all() else new

    def take(self, values: Sequence[int]) -> tuple[list[Written], Steps]:
        """The note, and itself as a step."""
        habit, self._habit = self._habit, self._ink.habits.next()
        raw = {
            "dt": habit.dt_ms,
            "pedal": habit.pedal,
            "velocity": habit.velocity,
            "duration": habit.duration_ms,
        }
        for attribute, value in zip(self._representation.attributes, values, strict=True):
            if attribute.head == "categorical":
                value = attribute.binning.value(value, next(self._ink.uniform))
            raw[attribute.name] = value
        again_ms = self._struck_ms.get(raw["pitch"], -CHORD_MS) + CHORD_MS
        raw["dt"], raw["duration"] = max(0, raw["dt"], again_ms - self._onset_ms), max(1, raw["duration"])
        raw["velocity"] = min(max(raw["velocity"], 1), 127)
        self._onset_ms += raw["dt"]
        self._struck_ms[raw["pitch"]] = self._onset_ms
        note = Written(self._onset_ms, raw["pitch"], raw["velocity"], raw["pedal"], raw["duration"])
        return [note], self._representation.read({name: np.array([value]) for name, value in raw.items()})


def _raw(notes: Notes) -> dict[str, IntArray]:
    return {
        "dt": notes.dt_ms,
        "pedal": notes.pedal,
        "pitch": notes.pitch,
        "velocity": notes.velocity,
        "duration": notes.duration_ms,
    }
