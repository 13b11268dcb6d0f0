"""Small trainings, and what came of them: in one process, and in two that torchrun starts."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from tiny_corpora import make_corpus, random_pieces

from improv_training.engine import processes
from improv_training.engine.checkpoints import load_checkpoint
from improv_training.engine.learner import Learner
from improv_training.engine.trainer import train
from improv_training.plan import Plan
from improv_training.shape import Shape

UPDATES = 6
INTERRUPTED_AFTER = 4


def plan(dropout: float) -> Plan:
    shape = Shape(inputs=16, hidden=24, layers=2, projected=16, dropout=dropout)
    sizes: dict[str, Any] = {"lanes": 4, "chunk": 16, "updates": UPDATES, "validate_every": 3}
    return Plan(shape=shape, precision="32-true", **sizes)


def corpus() -> Any:
    return make_corpus(random_pieces(8), {"01.mid": "validation", "06.mid": "validation"})


class Gradients(Callback):
    """Keeps the gradients of each update, before they are clipped."""

    def __init__(self) -> None:
        self.updates: list[dict[str, torch.Tensor]] = []

    def on_before_optimizer_step(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: object
    ) -> None:
        assert isinstance(pl_module, Learner)
        parameters = pl_module.network.named_parameters()
        self.updates.append({name: p.grad.clone() for name, p in parameters if p.grad is not None})


def interrupt_the_last_process() -> None:
    """A signal to one process alone, after some updates; that it counts updates is of no other use."""
    before = Learner.optimizer_step

    def step(self: Learner, *arguments: Any, **options: Any) -> None:
        before(self, *arguments, **options)
        process = processes.this_process()
        last = process.rank == process.world - 1
        if last and self.global_step == INTERRUPTED_AFTER - 1:  # lightning counts afterwards
            signal.raise_signal(signal.SIGTERM)

    Learner.optimizer_step = step  # type: ignore[method-assign]


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    gradients = Gradients()
    train([corpus()], [1], folder / "plain", plan(0.0), callbacks=[gradients])
    train([corpus()], [1], folder / "whole", plan(0.3))
    before = Learner.optimizer_step
    interrupt_the_last_process()
    ended = train([corpus()], [1], folder / "broken", plan(0.3))
    assert (ended.updates, ended.status) == (INTERRUPTED_AFTER, 143)
    Learner.optimizer_step = before  # type: ignore[method-assign]
    kept = load_checkpoint(folder / "broken" / "last.ckpt")
    train([corpus()], [1], folder / "broken", plan(0.3), resume=kept)
    if processes.this_process().leads:
        torch.save(gradients.updates, folder / "gradients.pt")


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    main(Path(sys.argv[1]))
