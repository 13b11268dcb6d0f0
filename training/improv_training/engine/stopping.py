"""What ends training: the plan, or a signal."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Final

import lightning
from lightning.pytorch.callbacks import Callback, Checkpoint

from improv_training.engine.keeping import Keep, validation_follows
from improv_training.engine.learner import learner_of
from improv_training.engine.processes import Process

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

_ALONE: Final = "Stopping; Ctrl-C again stops at once and loses what came after the last checkpoint."
_TOGETHER: Final = "Stopping."


class InterruptedBySignal(Exception):  # noqa: N818
    """A signal came and the last checkpoint is written.

    Args:
        number: Which signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class StopWhenOver(Callback):
    """Ends training, with a validation, when the plan is over."""

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: object
    ) -> None:
        """The learner's clock is the same in all processes, and so they end together."""
        if learner_of(pl_module).elapsed >= 1:
            trainer.should_stop = True


class StopOnSignal(Checkpoint):
    """The first Ctrl-C or SIGTERM ends training after an update, with a checkpoint; the second at once.

    Where several processes train, a second one changes nothing.

    Within it, as a context manager, signals are heard. Lightning calls it after `Keep` when it comes after it
    in the list of callbacks, as both are kinds of ``Checkpoint``, which come last.

    Args:
        keep: Writes the checkpoint.
        process: A signal to one ends all.
        say: Told that training is about to stop.
    """

    def __init__(self, keep: Keep, process: Process, say: Callable[[str], None]) -> None:
        self._keep, self._process, self._say = keep, process, say
        self._signal = 0

    def __enter__(self) -> StopOnSignal:
        self._before = {number: signal.signal(number, self._heard) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        alone = self._process.world == 1
        if self._signal and alone:  # torchrun passes on what its processes have heard from the terminal
            raise KeyboardInterrupt
        if not self._signal:
            self._say(_ALONE if alone else _TOGETHER)
        self._signal = number

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Take SIGTERM back from lightning, whose handler would end the run without a checkpoint."""
        signal.signal(signal.SIGTERM, self._heard)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: object
    ) -> None:
        """After an update."""
        if not validation_follows(trainer):
            self._stop_if_wanted(trainer, pl_module)

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """After a validation, without a further update."""
        if not trainer.should_stop:
            self._stop_if_wanted(trainer, pl_module)

    def _stop_if_wanted(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        number = int(self._process.largest(self._signal, pl_module.device))
        if number:
            self._keep.save_last(trainer)
            raise InterruptedBySignal(number)
