"""How long and how fast to train: what a checkpoint keeps beside the weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from improv_training.augment import Augmentation
from improv_training.shape import Shape


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast to train.

    Attributes:
        hours: Wall-clock hours for which the learning rate is planned; it falls along a cosine.
        lanes: Pieces side by side.
        chunk: Notes between updates of one lane.
        rate: Highest learning rate.
        warm_up: Updates until it is reached; at most a tenth of ``updates``.
        weight_decay: AdamW's.
        clip: Largest gradient norm.
        average: Decay of the moving average of the weights, which is what is kept.
        validate_every: Updates between validations.
        seed: Of weights, order and augmentation.
        shape: Sizes of the network.
        augmentation: Ranges of the random changes.
        updates: Plan for so many updates instead of hours: the same weights on every run of one machine.
    """

    hours: float = 1.0
    lanes: int = 32
    chunk: int = 128
    rate: float = 2e-3
    warm_up: int = 200
    weight_decay: float = 0.01
    clip: float = 1.0
    average: float = 0.999
    validate_every: int = 1000
    seed: int = 1
    shape: Shape = field(default_factory=Shape)
    augmentation: Augmentation = field(default_factory=Augmentation)
    updates: int | None = None

    def elapsed(self, *, hours: float, updates: int) -> float:
        """Share of the plan that is over, 0..1.

        Args:
            hours: Trained so far.
            updates: Made so far.
        """
        done = hours / self.hours if self.updates is None else updates / self.updates
        return min(1.0, done)

    def learning_rate(self, *, elapsed: float, update: int) -> float:
        """Linear warm-up, then a cosine down to a fiftieth.

        Args:
            elapsed: Share of the plan that is over.
            update: Which one it is for, from 0.
        """
        warm_up = self.warm_up if self.updates is None else min(self.warm_up, self.updates // 10 + 1)
        warm = min(1.0, (update + 1) / warm_up)
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
