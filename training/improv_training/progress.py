"""How far training is: a bar in a terminal, and a line for each validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from torch import Tensor

from improv_training.learner import Learner

_REFRESH_EVERY = 5
"""Updates between two looks at the loss, which on a graphics card has to be waited for."""


class ShowProgress(Callback):
    """Prints to a console.

    Args:
        console: Where; a bar only shows in a terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._best = float("inf")
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[nats]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            refresh_per_second=4,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Show the bar."""
        assert isinstance(pl_module, Learner)
        self._bar.start()
        label = self._label(trainer)
        self._task = self._bar.add_task(label, total=1.0, nats="")
        self._bar.update(self._task, completed=pl_module.elapsed)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: object
    ) -> None:
        """Move the bar."""
        assert isinstance(pl_module, Learner)
        if self._task is not None and trainer.global_step % _REFRESH_EVERY == 0:
            self._bar.update(
                self._task,
                description=self._label(trainer),
                completed=pl_module.elapsed,
                nats=_nats(trainer.callback_metrics),
            )

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Say why the bar stands still."""
        if self._task is not None:
            self._bar.update(self._task, description="Validating")

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Print the figures."""
        assert isinstance(pl_module, Learner)
        metrics = trainer.callback_metrics
        best = " (best so far)" if metrics["val"] < self._best else ""
        self._best = min(self._best, float(metrics["val"]))
        self._console.print(
            f"{self._label(trainer)}, update {trainer.global_step:,}, {pl_module.hours:.2f} h: "
            f"{float(metrics['val']):.3f} nats a note in validation{best}, "
            f"{float(metrics['train']):.3f} in training",
            soft_wrap=True,
            highlight=False,
        )

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Take the bar away."""
        assert isinstance(pl_module, Learner)
        if self._task is not None:
            self._bar.update(self._task, completed=pl_module.elapsed)
        self._bar.stop()

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, exception: BaseException
    ) -> None:
        """Take the bar away."""
        self._bar.stop()

    def state_dict(self) -> dict[str, Any]:
        """What 'best so far' refers to, over a resumption."""
        return {"best": self._best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The inverse."""
        self._best = state_dict["best"]

    def _label(self, trainer: lightning.Trainer) -> str:
        return f"Epoch {trainer.current_epoch + 1}"


def _nats(metrics: Mapping[str, Tensor]) -> str:
    parts = [
        f"{label} {float(metrics[name]):.2f}"
        for label, name in (("nats", "train"), ("val", "val"))
        if name in metrics
    ]
    return "  ".join(parts)
