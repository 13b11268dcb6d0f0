"""One update and one validation, as lightning calls them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, cast

import lightning
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from improv_core.representation import ATTRIBUTE_NAMES
from improv_training.batches import Batch
from improv_training.checkpoints import CHECKPOINT_VERSION, trained_hours
from improv_training.network import PianoNetwork, State
from improv_training.plan import Plan


def _moving_average(decay: float) -> Callable[[Any, Any, Any], None]:
    """Exponential moving average that follows fast at first, so that short runs keep what they learned."""

    def move(averaged: list[Tensor], current: list[Tensor], updates: Tensor | int) -> None:
        count = int(updates)
        torch._foreach_lerp_(averaged, current, 1 - min(decay, (1 + count) / (10 + count)))

    return move


class Learner(lightning.LightningModule):
    """The network in lightning's hands; checkpoints hold the averaged weights as ``average``."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.network = PianoNetwork(plan.shape)
        self.average = AveragedModel(self.network, multi_avg_fn=_moving_average(plan.average))
        self.average.requires_grad_(False)
        self._states: dict[bool, State | None] = {True: None, False: None}
        self._sums = torch.zeros(len(ATTRIBUTE_NAMES) + 1, dtype=torch.float64)
        self._hours_before = 0.0
        self._started_s = time.monotonic()

    @property
    def hours(self) -> float:
        """Wall-clock hours of training so far, those before a resumption included."""
        return self._hours_before + (time.monotonic() - self._started_s) / 3600

    @property
    def elapsed(self) -> float:
        """Share of the plan that is over, 0..1."""
        return self.plan.elapsed(hours=self.hours, updates=self.global_step)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW without decay on biases and embeddings."""
        decayed = [p for n, p in self.network.named_parameters() if p.ndim > 1 and "columns" not in n]
        kept = {id(p) for p in decayed}
        others = [p for p in self.network.parameters() if id(p) not in kept]
        groups = [
            {"params": decayed, "weight_decay": self.plan.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=self.plan.rate, betas=(0.9, 0.98))

    def on_train_start(self) -> None:
        """The clock starts when everything is set up."""
        self._started_s = time.monotonic()

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Set the learning rate."""
        rate = self.plan.learning_rate(elapsed=self.elapsed, update=self.global_step)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = rate

    def on_train_epoch_start(self) -> None:
        """New lanes, new states."""
        self._states[True] = None

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """One chunk of every lane."""
        loss = self._losses(self.network, batch, training=True).sum()
        self.log("train", loss, batch_size=1)
        return loss

    def on_train_batch_end(self, outputs: object, batch: Batch, batch_idx: int) -> None:
        """Move the averaged weights."""
        self.average.update_parameters(self.network)

    def on_validation_epoch_start(self) -> None:
        """Count from nothing."""
        self._states[False] = None
        self._sums.zero_()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Sum nats by attribute, with the averaged weights."""
        losses = self._losses(cast(PianoNetwork, self.average.module), batch, training=False)
        count = batch.mask.sum().cpu()
        self._sums[:-1] += losses.cpu().double() * count
        self._sums[-1] += count

    def on_validation_epoch_end(self) -> None:
        """Log nats per note."""
        nats = self._sums[:-1] / self._sums[-1]
        for name, value in zip(ATTRIBUTE_NAMES, nats, strict=True):
            self.log(f"val_{name}", float(value))
        self.log("val", float(nats.sum()))
        self.log("val_notes", float(self._sums[-1]))

    def _losses(self, network: PianoNetwork, batch: Batch, *, training: bool) -> Tensor:
        state = self._states[training]
        if state is None:
            state = network.zero_state(len(batch.fresh))
        alive = (~batch.fresh).to(state[0].dtype)[None, :, None]
        state = (state[0].detach() * alive, state[1].detach() * alive)
        projected, state = network(batch.columns, batch.keys.float(), state)
        self._states[training] = (state[0].float(), state[1].float())
        return network.losses(projected, batch.next_part, batch.targets, batch.mask)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """What the exporter and a resumption need beside the weights."""
        checkpoint["improv_checkpoint"] = CHECKPOINT_VERSION
        checkpoint["plan"] = asdict(self.plan)
        checkpoint["elapsed"] = self.elapsed
        checkpoint["hours"] = self.hours

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the plan where the checkpoint left it."""
        self._hours_before = trained_hours(checkpoint)
