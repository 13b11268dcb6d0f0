"""A training run: lightning's loop around the learner, its checkpoints, its end."""

from __future__ import annotations

import logging
import signal
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Literal

import lightning
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from rich.console import Console
from torch.utils.data import DataLoader

from improv_core.errors import DataError, StorageError
from improv_training.batches import Batch, LaneBatches
from improv_training.checkpoints import Checkpoint
from improv_training.corpora import Corpus
from improv_training.learner import Learner
from improv_training.plan import Plan
from improv_training.progress import ShowProgress
from improv_training.run_folder import best_checkpoint, last_checkpoint

VALIDATION_LANES, VALIDATION_CHUNK = 64, 256


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        updates: Optimiser steps in all.
        interrupted: By Ctrl-C, before the plan was over.
    """

    updates: int
    interrupted: bool


def train(
    corpora: Sequence[Corpus],
    repeats: Sequence[int],
    run: Path,
    plan: Plan,
    console: Console,
    *,
    resume: Checkpoint | None = None,
) -> Outcome:
    """Train until the plan is over, or until Ctrl-C.

    Args:
        corpora: Encoded corpora.
        repeats: How often each comes in one epoch of training.
        run: Folder for checkpoints and the log; made when missing.
        plan: Sizes, hours and rates.
        console: Where progress is shown.
        resume: What ``last.ckpt`` in the folder holds, to go on from it.

    Raises:
        DataError: Nothing to train on, or nothing to validate on.
        StorageError: The folder cannot be written.
    """
    updates = 0 if resume is None else resume.updates
    training = LaneBatches(
        corpora,
        repeats,
        "train",
        lanes=plan.lanes,
        chunk=plan.chunk,
        seed=plan.seed,
        start=updates,
        how=plan.augmentation,
    )
    validation = LaneBatches(
        corpora, [1] * len(corpora), "validation", lanes=VALIDATION_LANES, chunk=VALIDATION_CHUNK
    )
    for batches, name in ((training, "train"), (validation, "validation")):
        if not batches.notes:
            raise DataError(
                f"The corpora hold no piece in the {name} split; name another folder or --splits."
            )
    torch.manual_seed(plan.seed)
    with _quiet(), _StopAtCtrlC(last_checkpoint(run), console) as stop:
        trainer = _trainer(run, plan, [stop, ShowProgress(console)])
        train_loader, val_loader = (
            DataLoader[Batch](batches, batch_size=None) for batches in (training, validation)
        )
        interrupted = False
        try:
            start = None if resume is None else last_checkpoint(run)
            trainer.fit(Learner(plan), train_loader, val_loader, ckpt_path=start)
        except _InterruptedError:
            interrupted = True
        except SystemExit as ended:  # lightning's answer to a second Ctrl-C
            raise KeyboardInterrupt from ended
        except OSError as error:
            raise StorageError(f"{run} cannot be written ({error.strerror or error}).") from error
        return Outcome(trainer.global_step, interrupted)


def _trainer(run: Path, plan: Plan, callbacks: list[Callback]) -> lightning.Trainer:
    best = best_checkpoint(run).stem
    keep = ModelCheckpoint(run, best, monitor="val", save_last=True, enable_version_counter=False)
    return lightning.Trainer(
        # Apple's graphics cards lack the float64 and parts of the LSTM that training needs.
        accelerator="cuda" if torch.cuda.is_available() else "cpu",
        devices=1,
        precision=_precision(),
        max_epochs=-1,
        gradient_clip_val=plan.clip,
        val_check_interval=plan.validate_every,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        callbacks=[keep, _StopWhenOver(), *callbacks],
        logger=CSVLogger(run, name="log", flush_logs_every_n_steps=20),
        log_every_n_steps=20,
        enable_model_summary=False,
        enable_progress_bar=False,
    )


def _precision() -> Literal["bf16-mixed", "16-mixed", "32-true"]:
    """Half precision only where the processor has it; elsewhere it is slower than none."""
    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16-mixed" if fast else "32-true"


class _InterruptedError(Exception):
    """Ctrl-C was pressed and the last checkpoint is written."""


class _StopWhenOver(Callback):
    """Ends training, with a validation, when the plan is over."""

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: object
    ) -> None:
        if isinstance(pl_module, Learner) and pl_module.elapsed >= 1:
            trainer.should_stop = True


class _StopAtCtrlC(Callback):
    """The first Ctrl-C ends training between two updates, with a checkpoint; the second at once."""

    def __init__(self, checkpoint: Path, console: Console) -> None:
        self._checkpoint = checkpoint
        self._console = console
        self._wanted = False

    def __enter__(self) -> _StopAtCtrlC:
        self._before = signal.signal(signal.SIGINT, self._pressed)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _pressed(self, number: int, frame: FrameType | None) -> None:
        if self._wanted:
            raise KeyboardInterrupt
        self._wanted = True
        self._console.print(
            "Stopping; Ctrl-C again stops at once and loses what came after the last validation."
        )

    def on_train_batch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: object
    ) -> None:
        """Between two updates everything, the averaged weights too, is of one age."""
        if self._wanted:
            trainer.save_checkpoint(self._checkpoint)
            raise _InterruptedError


@contextmanager
def _quiet() -> Iterator[None]:
    """What lightning has to say is for its developers."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"lightning\.")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
