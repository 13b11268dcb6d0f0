"""One update and one validation, as lightning calls them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, cast

import lightning
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from improv_core.representation import from_spec
from improv_training.engine.batches import Batch, Position
from improv_training.engine.checkpoints import CHECKPOINT_VERSION
from improv_training.engine.network import Network, State, laplace_nats
from improv_training.engine.processes import Process
from improv_training.plan import Plan
from improv_training.vocabulary import Openings


def _moving_average(decay: float) -> Callable[[Any, Any, Any], None]:
    """Exponential moving average that follows fast at first, so that short runs keep what they learned."""

    def move(averaged: list[Tensor], current: list[Tensor], updates: Tensor | int) -> None:
        count = int(updates)
        torch._foreach_lerp_(averaged, current, 1 - min(decay, (1 + count) / (10 + count)))

    return move


class Learner(lightning.LightningModule):
    """The network in lightning's hands; checkpoints hold the averaged weights as ``average``.

    Args:
        plan: What to train and how.
        process: Which process of a run on several this is.
        position: How far a run that is gone on with has come in its data.
        openings: Of training pieces, for the checkpoint.
        initial: Weights to begin with; without, they are random.
    """

    def __init__(
        self,
        plan: Plan,
        process: Process | None = None,
        *,
        position: Position | None = None,
        openings: Openings | None = None,
        initial: Mapping[str, Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.plan = plan
        self._process = process or Process()
        self.network = Network(from_spec(plan.representation), plan.shape)
        if initial is not None:
            self.network.load_state_dict(initial)
        self.average = AveragedModel(self.network, multi_avg_fn=_moving_average(plan.average))
        self.average.requires_grad_(False)
        weights = torch.tensor([a.weight for a in self.network.attributes])
        self.weights: Tensor
        self.register_buffer("weights", weights, persistent=False)
        self._openings = openings or []
        self.position = position or Position()
        self._reached = self.position
        self._states: dict[bool, State | None] = {True: None, False: None}
        self._chance: list[Tensor] = []
        self._sums = torch.zeros(len(self.network.attributes) + 1, dtype=torch.float64)
        self._hours_before = 0.0
        self._started_s = time.monotonic()
        self.hours = 0.0
        """Wall-clock hours of training at the latest update, those before a resumption included."""

    @property
    def elapsed(self) -> float:
        """Share of the plan that is over, 0..1."""
        return self.plan.elapsed(hours=self.hours, updates=self.global_step, epochs=self.position.passes)

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

    # --- training ---------------------------------------------------------------------------------

    def on_train_start(self) -> None:
        """The clock and the dice start when everything is set up."""
        self._started_s = time.monotonic()
        if self._chance:
            restore_chance(self._chance[self._process.rank % len(self._chance)])
        elif self._process.rank:
            torch.manual_seed(self.plan.seed + self._process.rank)  # else all drop the same activations

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Set the learning rate."""
        rate = self.plan.learning_rate(elapsed=self.elapsed, update=self.global_step)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = rate

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """One chunk of every lane: the mean over the steps of all processes, whose gradients are averaged."""
        sums = self._sums_of(self.network, batch, training=True)
        loss = (sums * self.weights).sum() / max(1, batch.total) * self._process.world
        self._reached = Position(*batch.position)
        self.log("train", loss, batch_size=1, sync_dist=self._process.world > 1)
        self.log_dict({"step": self.global_step + 1.0, "epoch": self.position.passes + 1.0}, batch_size=1)
        return loss

    def optimizer_step(self, *arguments: Any, **options: Any) -> None:
        """Make the update, and with it what belongs to it: a checkpoint after it is of one age."""
        super().optimizer_step(*arguments, **options)
        self.average.update_parameters(self.network)
        self.position = self._reached
        hours = self._hours_before + (time.monotonic() - self._started_s) / 3600
        self.hours = self._process.largest(hours, self.device)

    # --- validation -------------------------------------------------------------------------------

    def on_validation_epoch_start(self) -> None:
        """Count from nothing."""
        self._states[False] = None
        self._sums.zero_()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Sum scores by attribute, with the averaged weights."""
        sums = self._sums_of(cast(Network, self.average.module), batch, training=False)
        self._sums[:-1] += sums.cpu().double()
        self._sums[-1] += batch.mask.sum().cpu()

    def on_validation_epoch_end(self) -> None:
        """Log nats a step, and keep the scales of what is regressed."""
        sums = self._process.sum(self._sums.to(self.device))
        scores = (sums[:-1] / sums[-1].clamp(min=1)).tolist()
        total = 0.0
        for i, (attribute, score) in enumerate(zip(self.network.attributes, scores, strict=True)):
            if attribute.head == "regression":
                for network in (self.network, cast(Network, self.average.module)):
                    network.scales[i] = score
                score = laplace_nats(score, score)
            self.log(f"val_{attribute.name}", score)
            total += score
        self.log_dict(
            {
                "val": total,
                "val_steps": float(sums[-1]),
                "step": float(self.global_step),
                "epoch": self.position.passes + 1.0,
            }
        )

    def _sums_of(self, network: Network, batch: Batch, *, training: bool) -> Tensor:
        state = self._states[training]
        if state is None:
            state = network.zero_state(len(batch.fresh))
        hidden, cell = (part.detach().to(self.device) for part in state)
        alive = (~batch.fresh).to(hidden.dtype)[None, :, None]
        state = (hidden * alive, cell * alive)
        projected, state = network(batch.columns, batch.dense.float(), state)
        self._states[training] = (state[0].float(), state[1].float())
        sums = network.losses if training else network.scores
        return sums(projected, batch.asked, batch.targets, batch.mask)

    # --- checkpoints ------------------------------------------------------------------------------

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """What the exporter and a resumption need beside the weights; called in every process."""
        checkpoint["improv_checkpoint"] = CHECKPOINT_VERSION
        checkpoint["plan"] = asdict(self.plan)
        checkpoint["hours"] = self.hours
        checkpoint["position"] = [self.position.passes, self.position.batches]
        checkpoint["openings"] = self._openings
        state = self._states[True]
        checkpoint["state"] = None
        if state is not None:
            checkpoint["state"] = [interleaved(self._process.gather(part.detach())) for part in state]
        checkpoint["chance"] = self._process.gather_bytes(chance(self.device))

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on where the checkpoint left it, to the same weights as without a break."""
        self._hours_before = self.hours = float(checkpoint["hours"])
        self.position = self._reached = Position(*checkpoint["position"])
        state, process = checkpoint["state"], self._process
        if state is not None:
            hidden, cell = (part[:, process.rank :: process.world].contiguous() for part in state)
            self._states[True] = (hidden, cell)
        self._chance = list(checkpoint["chance"])


def learner_of(module: lightning.LightningModule) -> Learner:
    """What callbacks are handed, as what it is."""
    assert isinstance(module, Learner)
    return module


def interleaved(parts: list[Tensor]) -> Tensor:
    """The states of all lanes, (layers, lanes, hidden), from those of each process' every n-th lane."""
    layers, _, hidden = parts[0].shape
    return torch.stack(parts, dim=2).reshape(layers, -1, hidden).cpu()


def chance(device: torch.device) -> Tensor:
    """The state of torch's dice, that of a graphics card behind that of the processor."""
    dice = torch.get_rng_state()
    return torch.cat([dice, torch.cuda.get_rng_state(device)]) if device.type == "cuda" else dice


def restore_chance(stored: Tensor) -> None:
    """The inverse of `chance`; of a run on another kind of device only what there is."""
    count = len(torch.get_rng_state())
    torch.set_rng_state(stored[:count])
    if len(stored) > count and torch.cuda.is_available():
        torch.cuda.set_rng_state(stored[count:])
