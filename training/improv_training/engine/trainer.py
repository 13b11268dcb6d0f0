"""A training run: lightning's loop around the learner, its checkpoints, its end.

Needs numpy, torch and lightning alone, so that it runs where improv's other parts are not installed.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping
from lightning.pytorch.strategies import DDPStrategy, Strategy
from torch import Tensor

from improv_core.errors import DataError, StorageError
from improv_core.representation import from_spec
from improv_training.engine.batches import Endless, LaneBatches, Lanes, Pieces, Position
from improv_training.engine.checkpoints import Checkpoint
from improv_training.engine.keeping import Keep, WholeFiles, remove_partial
from improv_training.engine.learner import Learner
from improv_training.engine.logs import EVERY, loggers
from improv_training.engine.processes import Process, check_lanes, this_process
from improv_training.engine.reporting import Report, Say, say_nothing
from improv_training.engine.run_folder import last_checkpoint
from improv_training.engine.stopping import InterruptedBySignal, StopOnSignal, StopWhenOver
from improv_training.plan import Plan
from improv_training.vocabulary import Openings

ThreadHook = Callable[[threading.ExceptHookArgs], object]

VALIDATION = Lanes(lanes=64, chunk=256)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        updates: Optimiser steps in all.
        signal: The number of the signal that ended it before the plan was over; 0: none did.
    """

    updates: int
    signal: int = 0

    @property
    def interrupted(self) -> bool:
        """Whether a signal ended it."""
        return self.signal > 0

    @property
    def status(self) -> int:
        """As an exit status: 130 after Ctrl-C, 143 after SIGTERM."""
        return 128 + self.signal if self.signal else 0


def train(
    corpora: Sequence[Pieces],
    repeats: Sequence[int],
    run: Path,
    plan: Plan,
    *,
    say: Say = print,
    callbacks: Sequence[Callback] = (),
    resume: Checkpoint | None = None,
    initial: Mapping[str, Tensor] | None = None,
    openings: Openings | None = None,
) -> Outcome:
    """Train until the plan is over, or until Ctrl-C or SIGTERM.

    Under ``torchrun`` all its processes train one network; the first prints and writes.

    Args:
        corpora: Encoded corpora.
        repeats: How often each comes in one epoch of training.
        run: Folder for checkpoints and the log; made when missing.
        plan: Sizes, hours and rates.
        say: Told a sentence now and then.
        callbacks: Lightning's, to show progress for example.
        resume: What ``last.ckpt`` in the folder holds, to go on from it.
        initial: Weights to begin with, by their names in `Network`; without, they are random.
        openings: Of training pieces, for the model file.

    Raises:
        ConfigError: The lanes cannot be shared out among the processes.
        DataError: Nothing to train on or to validate on, or the training has gone wrong.
        StorageError: The folder cannot be written.
    """
    process = this_process()
    check_lanes(plan.lanes, process)
    position = Position() if resume is None else resume.position
    training, validation = _batches(corpora, repeats, plan, process, position)
    torch.manual_seed(plan.seed)
    learner = Learner(plan, process, position=position, openings=openings, initial=initial)
    keep = Keep(run, plan.checkpoint_every_s)
    heard = say if process.leads else say_nothing
    with _quiet(), StopOnSignal(keep, process, heard) as stop:
        shown = [Report(heard), *(callbacks if process.leads else ())]
        hooks = [*shown, StopWhenOver(), *_early(plan), keep, stop]
        updates = 0 if resume is None else resume.updates
        try:
            trainer = _trainer(run, plan, process, hooks, updates)
            start = None if resume is None else last_checkpoint(run)
            trainer.fit(learner, Endless(training), validation, ckpt_path=start)
        except InterruptedBySignal as ended:
            return Outcome(trainer.global_step, ended.number)
        except SystemExit as ended:  # lightning's answer to a second Ctrl-C
            raise KeyboardInterrupt from ended
        except OSError as error:
            raise _unwritable(run, error) from error
        return Outcome(trainer.global_step)


def _unwritable(run: Path, error: OSError) -> StorageError:
    kept = last_checkpoint(run).exists()
    return StorageError(
        f"{run} cannot be written ({error.strerror or error}); "
        + (
            "what was kept before is whole: when there is room, go on with --resume."
            if kept
            else "nothing was kept yet: make room, or name another folder, and begin again."
        )
    )


def _batches(
    corpora: Sequence[Pieces], repeats: Sequence[int], plan: Plan, process: Process, start: Position
) -> tuple[LaneBatches, LaneBatches]:
    representation = from_spec(plan.representation)
    rank, world = process.rank, process.world
    how = Lanes(plan.lanes, plan.chunk, plan.stateful, rank, world)
    training = LaneBatches(
        corpora,
        repeats,
        "train",
        representation,
        how,
        seed=plan.seed,
        start=start,
        augmentation=plan.augmentation,
    )
    once = [1] * len(corpora)
    whole = replace(VALIDATION, rank=rank, world=world)
    validation = LaneBatches(corpora, once, "validation", representation, whole)
    for batches, name in ((training, "train"), (validation, "validation")):
        if not batches.notes:
            raise DataError(
                f"There is no piece in the {name} split: three MIDI files are the least, or name others with "
                "--splits."
            )
    return training, validation


def _early(plan: Plan) -> list[Callback]:
    """Without a better figure for so many validations, training stops."""
    if plan.patience is None:
        return []
    return [EarlyStopping("val", patience=plan.patience, check_on_train_epoch_end=False)]


def _trainer(
    run: Path, plan: Plan, process: Process, callbacks: list[Callback], updates: int
) -> lightning.Trainer:
    if process.leads:
        remove_partial(run)
    return lightning.Trainer(
        accelerator=_accelerator(),
        devices=process.here,
        num_nodes=process.world // process.here,
        strategy=_strategy(process),
        plugins=[WholeFiles()],
        precision=_automatic_precision() if plan.precision == "auto" else plan.precision,
        max_epochs=-1,
        gradient_clip_val=plan.clip,
        val_check_interval=plan.validate_every,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        callbacks=callbacks,
        logger=loggers(run, updates) if process.leads else False,
        log_every_n_steps=EVERY,
        enable_checkpointing=True,
        enable_model_summary=False,
        enable_progress_bar=False,
    )


def _accelerator() -> Literal["cuda", "cpu"]:
    """Apple's graphics cards lack the float64 and parts of the LSTM that training needs."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def _strategy(process: Process) -> Strategy | Literal["auto"]:
    if process.world == 1:
        return "auto"
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    return DDPStrategy(process_group_backend=backend, broadcast_buffers=False)


def _automatic_precision() -> Literal["bf16-mixed", "16-mixed", "32-true"]:
    """Half precision only where the processor has it; elsewhere it is slower than none."""
    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16-mixed" if fast else "32-true"


def _unless_raised_again(heard: ThreadHook) -> ThreadHook:
    """TensorBoard's thread that cannot write prints what the trainer's thread then raises as well."""

    def hook(failed: threading.ExceptHookArgs) -> None:
        if not issubclass(failed.exc_type, OSError):
            heard(failed)

    return hook


@contextmanager
def _quiet() -> Iterator[None]:
    """What lightning has to say is for its developers."""
    names = ("lightning.pytorch", "lightning.fabric")
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    heard = threading.excepthook
    threading.excepthook = _unless_raised_again(heard)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"lightning\.")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            threading.excepthook = heard
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
