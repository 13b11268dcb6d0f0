"""Checkpoints while training goes on."""

from __future__ import annotations

import contextlib
import io
import math
import os
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from improv_core.errors import DataError
from improv_training.corpora.encoded import replacing
from improv_training.engine.learner import learner_of
from improv_training.engine.run_folder import best_checkpoint, last_checkpoint


class WholeFiles(TorchCheckpointIO):
    """Writes beside, then replaces: whatever happens on the way, the checkpoint before stays whole."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: object = None
    ) -> None:
        """Write a checkpoint.

        Raises:
            OSError: It cannot be written; nothing of it is left.
        """
        buffer = io.BytesIO()  # torch hides the reason when it cannot write to a file
        torch.save(checkpoint, buffer)
        with replacing(Path(path)) as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())


def remove_partial(run: Path) -> None:
    """Take away checkpoints that a killed process left half written."""
    for partial in run.glob("*.ckpt.*.part"):
        with contextlib.suppress(OSError):
            partial.unlink()


def validation_follows(trainer: lightning.Trainer) -> bool:
    """Whether this update is followed by a validation; lightning leaves it out on resuming from before it."""
    every = trainer.val_check_interval
    return trainer.should_stop or (isinstance(every, int) and trainer.global_step % every == 0)


class Keep(Checkpoint):
    """Keeps the latest weights, and those with the best validation figure.

    ``last.ckpt`` is written after each validation, and after so much time; ``best.ckpt`` after a validation
    that is better than all before it.

    Args:
        run: The folder.
        every_s: Seconds between two checkpoints, at most.
    """

    def __init__(self, run: Path, every_s: float) -> None:
        self._best_path, self._last_path = best_checkpoint(run), last_checkpoint(run)
        self._every_hours = every_s / 3600
        self._best = math.inf
        self._saved_hours = 0.0

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """The first interval begins."""
        self._saved_hours = learner_of(pl_module).hours

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: object
    ) -> None:
        """Write a checkpoint when one is due; the hours are the same in all processes."""
        due = learner_of(pl_module).hours - self._saved_hours >= self._every_hours
        if due and not validation_follows(trainer):
            self.save_last(trainer)

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write checkpoints.

        Raises:
            DataError: The figure is not a number; the checkpoints before stay.
        """
        figure = float(trainer.callback_metrics["val"])
        if not math.isfinite(figure):
            raise DataError(
                f"Training has gone wrong before update {trainer.global_step:,}: the validation figure is "
                "not a number; begin again with a lower rate."
            )
        if figure < self._best:
            self._best = figure
            trainer.save_checkpoint(self._best_path)
        self.save_last(trainer)

    def save_last(self, trainer: lightning.Trainer) -> None:
        """Write ``last.ckpt``; called in all processes."""
        self._saved_hours = learner_of(trainer.lightning_module).hours
        trainer.save_checkpoint(self._last_path)

    def state_dict(self) -> dict[str, Any]:
        """The best figure, over a resumption."""
        return {"best": self._best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The inverse."""
        self._best = state_dict["best"]
