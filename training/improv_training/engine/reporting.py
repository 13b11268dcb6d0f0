"""A line for each validation; imports lightning and torch alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from improv_training.engine.learner import learner_of

Say = Callable[[str], None]


def say_nothing(sentence: str) -> None:
    """Only the first of several processes speaks."""


class Report(Callback):
    """Says how each validation went.

    Args:
        say: Told one line each.
    """

    def __init__(self, say: Say) -> None:
        self._say = say
        self._best = math.inf

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Say the figures."""
        learner, metrics = learner_of(pl_module), trainer.callback_metrics
        figure = float(metrics["val"])
        best = " (best so far)" if figure < self._best else ""
        self._best = min(self._best, figure)
        self._say(
            f"Epoch {learner.position.passes + 1}, update {trainer.global_step:,}, {learner.hours:.2f} h: "
            f"{figure:.3f} nats a step in validation{best}, {float(metrics['train']):.3f} in training"
        )

    def state_dict(self) -> dict[str, Any]:
        """What 'best so far' refers to, over a resumption."""
        return {"best": self._best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The inverse."""
        self._best = state_dict["best"]
