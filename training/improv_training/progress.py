"""How far training is, in a terminal: a bar with the time that is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from torch import Tensor

from improv_training.engine.batches import Pieces
from improv_training.engine.learner import learner_of
from improv_training.engine.trainer import Outcome, train
from improv_training.plan import Plan

_REFRESH_EVERY = 5
"""Updates between two looks at the loss, which on a graphics card has to be waited for."""


def train_in_console(
    corpora: Sequence[Pieces], repeats: Sequence[int], run: Path, plan: Plan, console: Console, **options: Any
) -> Outcome:
    """Train as `improv_training.engine.trainer.train` does, with a bar and a line for each validation.

    Args:
        corpora: Encoded corpora.
        repeats: How often each comes in one epoch of training.
        run: Folder for checkpoints and the log.
        plan: Sizes, hours and rates.
        console: Where; a bar only shows in a terminal.
        options: What else `improv_training.engine.trainer.train` takes.
    """

    def say(sentence: str) -> None:
        console.print(sentence, soft_wrap=True, highlight=False, markup=False)

    return train(corpora, repeats, run, plan, say=say, callbacks=[ShowProgress(console)], **options)


class ShowProgress(Callback):
    """A bar.

    Args:
        console: Where; it only shows in a terminal.
    """

    def __init__(self, console: Console) -> None:
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
        self._bar.start()
        self._task = self._bar.add_task(_label(pl_module), total=1.0, nats="")
        self._bar.update(self._task, completed=learner_of(pl_module).elapsed)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: object
    ) -> None:
        """Move the bar."""
        if self._task is not None and trainer.global_step % _REFRESH_EVERY == 0:
            self._bar.update(
                self._task,
                description=_label(pl_module),
                completed=learner_of(pl_module).elapsed,
                nats=_nats(trainer.callback_metrics),
            )

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Say why the bar stands still."""
        if self._task is not None:
            self._bar.update(self._task, description="Validating")

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Take the bar away."""
        if self._task is not None:
            self._bar.update(self._task, completed=learner_of(pl_module).elapsed)
        self._bar.stop()

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, exception: BaseException
    ) -> None:
        """Take the bar away."""
        self._bar.stop()


def _label(module: lightning.LightningModule) -> str:
    return f"Epoch {learner_of(module).position.passes + 1}"


def _nats(metrics: Mapping[str, Tensor]) -> str:
    parts = [
        f"{label} {float(metrics[name]):.2f}"
        for label, name in (("nats", "train"), ("val", "val"))
        if name in metrics
    ]
    return "  ".join(parts)
