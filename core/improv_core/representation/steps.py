"""What every representation is made of: notes as arrays, attributes, inputs, steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from improv_core.representation.binning import Binning, IntArray, binning_from_spec

KEYS: Final = 128

BEAT_TICKS: Final = 480
"""Positions in beats are counted in so many to a beat."""

STYLES: Final = ("classical", "roll era", "pop", "jazz line")
"""What a piece may be: a roll is a reproducing piano's of 1905 to 1930, a jazz line a solo of one voice."""

Form = Literal["embedding", "one-hot", "scalar"]
Head = Literal["categorical", "regression"]
Lack = Literal["timing", "note lengths", "loudness", "pedal"]

FORMS: Final = ("embedding", "one-hot", "scalar")
HEADS: Final = ("categorical", "regression")


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of a piece beside its notes; arrays of their length n.

    Attributes:
        voice: Which voice of its file plays each note, from 0.
        beat_ticks: Where its onset is in beats, `BEAT_TICKS` to each, counted from anywhere.
        beat_ms: How long the beat is there; 0: unknown.
        style: One of `STYLES`; None: unknown.
    """

    voice: IntArray
    beat_ticks: IntArray
    beat_ms: IntArray
    style: str | None = None

    def __getitem__(self, rows: slice) -> Setting:
        return Setting(self.voice[rows], self.beat_ticks[rows], self.beat_ms[rows], self.style)


@dataclass(frozen=True, slots=True)
class Notes:
    """Notes in arrival order as integer arrays of one length n, free of any binning.

    Attributes:
        dt_ms: From the previous onset; 0 for the first note.
        pedal: 0 or 1, at the onset.
        pitch: 0..127.
        velocity: 1..127.
        duration_ms: At least 1.
        setting: What is known beside them.
    """

    dt_ms: IntArray
    pedal: IntArray
    pitch: IntArray
    velocity: IntArray
    duration_ms: IntArray
    setting: Setting | None = None

    def __len__(self) -> int:
        return len(self.pitch)

    @property
    def onset_ms(self) -> IntArray:
        """Onsets, counted from the first; (n,)."""
        return np.cumsum(self.dt_ms)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked of each of n notes, as classes of `improv_core.representation.asking`; shape (n,) each.

    Attributes:
        density: How many notes a second.
        left: How long the phrase still is.
    """

    density: IntArray
    left: IntArray


@dataclass(frozen=True, slots=True)
class Attribute:
    """One predicted quantity of a step.

    Attributes:
        name: What it is.
        binning: Its classes; of a regression, what its value is compared on.
        form: How the model reads it in the next step.
        head: Classes with probabilities, or one number, a time in seconds.
        given: The earlier attributes of the same step that its head is told.
        weight: Of its loss.
    """

    name: str
    binning: Binning
    form: Form = "embedding"
    head: Head = "categorical"
    given: tuple[str, ...] = ()
    weight: float = 1.0

    @property
    def outputs(self) -> int:
        """How many numbers its head gives."""
        return self.binning.size if self.head == "categorical" else 1

    def spec(self) -> dict[str, Any]:
        """What `attribute_from_spec` needs to make it again."""
        return {
            "name": self.name,
            "binning": self.binning.spec(),
            "form": self.form,
            "head": self.head,
            "given": list(self.given),
            "weight": self.weight,
        }


def attribute_from_spec(spec: dict[str, Any]) -> Attribute:
    """The inverse of ``Attribute.spec``; what is left out has its default.

    Raises:
        ValueError: Something in it is unknown or missing.
    """
    try:
        rest = {key: value for key, value in spec.items() if key != "binning"}
        rest["given"] = tuple(rest.get("given", ()))
        attribute = Attribute(**rest, binning=binning_from_spec(spec["binning"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not an attribute: {spec}") from error
    if attribute.form not in FORMS or attribute.head not in HEADS:
        raise ValueError(f"{attribute.name}: form is one of {FORMS}, head one of {HEADS}")
    return attribute


@dataclass(frozen=True, slots=True)
class Column:
    """One integer input of a step.

    Attributes:
        name: What it is.
        size: How many values it takes, that for 'none' included.
        form: Embedding or one-hot.
    """

    name: str
    size: int
    form: Form = "embedding"


@dataclass(frozen=True, slots=True)
class Dense:
    """The inputs of a step that are read as numbers.

    Attributes:
        width: How many.
        form: ``embedding``: a learned linear map of them is added to the embeddings (so a row of keys held
            is the sum of its keys' embeddings); ``scalar``: they enter the LSTM as they are.
    """

    width: int = 0
    form: Form = "embedding"


@dataclass(frozen=True, slots=True)
class Steps:
    """What the model reads, one row a step.

    Attributes:
        columns: Shape (n, columns), integers.
        dense: Shape (n, dense), bool or float.
    """

    columns: IntArray
    dense: NDArray[Any]

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, rows: slice) -> Steps:
        return Steps(self.columns[rows], self.dense[rows])


def joined(parts: Sequence[Steps]) -> Steps:
    """Steps after one another."""
    return Steps(np.concatenate([p.columns for p in parts]), np.concatenate([p.dense for p in parts]))


def nothing_asked(count: int) -> IntArray:
    """Of so many steps, whose heads are told nothing."""
    return np.zeros((count, 0), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Rows:
    """A piece as steps: what is to be predicted, and what is read once it is known.

    Attributes:
        read: n steps.
        targets: Shape (n, attributes): the class; of a regression, milliseconds.
        asked: What the heads are told of each step beforehand, shape (n, asked).
        scored: Which steps count, shape (n,), bool.
        notes: How many notes each step stands for, shape (n,).
        lost: How many of them the vocabulary cannot express, shape (n,).
        charge: What naming them would cost beyond the classes, in nats, shape (n,).
    """

    read: Steps
    targets: IntArray
    asked: IntArray
    scored: NDArray[np.bool_]
    notes: IntArray
    lost: IntArray
    charge: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, rows: slice) -> Rows:
        return Rows(
            self.read[rows],
            self.targets[rows],
            self.asked[rows],
            self.scored[rows],
            self.notes[rows],
            self.lost[rows],
            self.charge[rows],
        )

    @classmethod
    def plain(
        cls, read: Steps, targets: IntArray, asked: IntArray | None = None, notes: IntArray | None = None
    ) -> Rows:
        """Every step counts, nothing is lost, and each is a note unless ``notes`` says otherwise."""
        count = len(targets)
        return cls(
            read,
            targets,
            asked=nothing_asked(count) if asked is None else asked,
            scored=np.ones(count, dtype=np.bool_),
            notes=np.ones(count, dtype=np.int64) if notes is None else notes,
            lost=np.zeros(count, dtype=np.int64),
            charge=np.zeros(count),
        )


class Representation(Protocol):
    """How notes become the model's steps and back."""

    @property
    def kind(self) -> str:
        """Name of the class of representations."""
        ...

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """What is predicted, in order."""
        ...

    @property
    def columns(self) -> tuple[Column, ...]:
        """Integer inputs; there is at least one."""
        ...

    @property
    def dense(self) -> Dense:
        """Inputs that are numbers."""
        ...

    @property
    def asked(self) -> tuple[Column, ...]:
        """What the heads are told of the next step; if anything, who plays it comes first."""
        ...

    @property
    def lacks(self) -> tuple[Lack, ...]:
        """What it says nothing about."""
        ...

    def spec(self) -> dict[str, Any]:
        """What `improv_core.representation.from_spec` needs to make it again."""
        ...

    def learned(self, pieces: Iterable[Notes]) -> Self:
        """With the vocabulary of a training split, where it has one."""
        ...

    def start(self) -> Steps:
        """The one step before the first."""
        ...

    def rows(self, notes: Notes, part: IntArray, wishes: Wishes | None = None) -> Rows:
        """A piece as steps.

        Args:
            notes: The piece.
            part: Who plays each note, shape (n,).
            wishes: What is asked of each note; None: nothing.
        """
        ...
