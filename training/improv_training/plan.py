"""How long and how fast to train: what a checkpoint keeps beside the weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from improv_core.representation import STYLES, Piano
from improv_training.augment import Augmentation
from improv_training.corpora.corpus import Tracks
from improv_training.shape import Shape

Schedule = Literal["cosine", "constant"]
Precision = Literal["auto", "bf16-mixed", "16-mixed", "32-true"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast to train, and what.

    Attributes:
        preset: What it began from.
        representation: Its description, the learned vocabulary included.
        hours: Wall-clock hours for which the learning rate is planned.
        lanes: Pieces side by side, in all processes together.
        chunk: Steps between updates of one lane.
        stateful: Whether a lane keeps its state from chunk to chunk; without, each is a sequence of its own.
        rate: Highest learning rate.
        schedule: Whether the rate falls along a cosine or stays.
        warm_up: Updates until it is reached; at most a tenth of ``updates``.
        weight_decay: AdamW's; with 0 it is Adam.
        clip: Largest gradient norm.
        average: Decay of the moving average of the weights, which is what is kept; 0 keeps the latest.
        validate_every: Updates between validations.
        checkpoint_every_s: Seconds between checkpoints, at most; after each validation there is one as well.
        precision: ``auto``: half where the processor has it; ``32-true``: single.
        seed: Of weights, order and augmentation.
        shape: Sizes of the network.
        augmentation: Ranges of the random changes.
        updates: Plan for so many updates instead of hours: the same weights on every run of one machine.
        epochs: Passes over the training split, at most.
        patience: Validations without a better figure after which training stops; None: it does not.
        tracks: Which voices of a file are read.
        mix: What is said of each corpus: a name or file of `improv_training.mix`; None: nothing.
        canonical: Whether notes have the form of `improv_training.corpora.canonical`.
        held_out: Percent of the pieces that are not trained on, where no split is given: 5 for the test, the
            rest for validation; None: 10.
        styles: Of the music that is trained on, in the order of `STYLES`; what a model began from counts.
        beats: Whether the beat is known of any of that music.
    """

    preset: str = "piano"
    representation: dict[str, Any] = field(default_factory=lambda: Piano().spec())
    hours: float = 1.0
    lanes: int = 32
    chunk: int = 128
    stateful: bool = True
    rate: float = 2e-3
    schedule: Schedule = "cosine"
    warm_up: int = 200
    weight_decay: float = 0.01
    clip: float = 1.0
    average: float = 0.999
    validate_every: int = 1000
    checkpoint_every_s: float = 300.0
    precision: Precision = "auto"
    seed: int = 1
    shape: Shape = field(default_factory=Shape)
    augmentation: Augmentation = field(default_factory=Augmentation)
    updates: int | None = None
    epochs: int | None = None
    patience: int | None = None
    tracks: Tracks = "all"
    mix: str | None = None
    canonical: bool = False
    held_out: int | None = None
    styles: tuple[str, ...] = ()
    beats: bool = False

    def __post_init__(self) -> None:
        if self.schedule not in get_args(Schedule):
            raise ValueError(f"schedule is one of {', '.join(get_args(Schedule))}")
        if self.precision not in get_args(Precision):
            raise ValueError(f"precision is one of {', '.join(get_args(Precision))}")
        if unknown := set(self.styles) - set(STYLES):
            raise ValueError(f"styles are of {', '.join(STYLES)}, not {', '.join(sorted(unknown))}")
        for name in ("lanes", "chunk", "warm_up", "validate_every", "updates", "epochs", "patience"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise ValueError(f"{name} is 1 at least, not {value}")
        for name in ("hours", "clip"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} is more than 0, not {getattr(self, name)}")

    def elapsed(self, *, hours: float, updates: int, epochs: int = 0) -> float:
        """Share of the plan that is over, 0..1.

        Args:
            hours: Trained so far.
            updates: Made so far.
            epochs: Over so far.
        """
        done = hours / self.hours if self.updates is None else updates / self.updates
        return min(1.0, max(done, 0.0 if self.epochs is None else epochs / self.epochs))

    def learning_rate(self, *, elapsed: float, update: int) -> float:
        """Linear warm-up, then constant, or a cosine down to a fiftieth.

        Args:
            elapsed: Share of the plan that is over.
            update: Which one it is for, from 0.
        """
        warm_up = self.warm_up if self.updates is None else min(self.warm_up, self.updates // 10 + 1)
        warm = min(1.0, (update + 1) / warm_up)
        if self.schedule == "constant":
            return self.rate * warm
        return self.rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * elapsed)))

    @classmethod
    def stored(cls, values: Mapping[str, Any]) -> Plan:
        """The inverse of ``dataclasses.asdict``.

        Raises:
            TypeError: A value is missing or unknown.
            KeyError: Likewise.
        """
        parts = {"shape": Shape(**values["shape"]), "augmentation": Augmentation(**values["augmentation"])}
        return cls(**{**values, **parts})
