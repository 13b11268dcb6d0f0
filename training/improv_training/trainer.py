"""Training: lightning's loop around the network, with state carried from chunk to chunk."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from improv_core.errors import DataError
from improv_core.representation import ATTRIBUTE_NAMES
from improv_training.augment import Augmentation
from improv_training.batches import Batch, LaneBatches
from improv_training.corpora import Corpus
from improv_training.network import PianoNetwork, Shape, State

CHECKPOINT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast to train.

    Attributes:
        hours: Wall-clock hours for which the learning rate is planned; it falls along a cosine.
        lanes: Pieces side by side.
        chunk: Notes between updates of one lane.
        rate: Highest learning rate.
        warm_up: Updates until it is reached.
        weight_decay: AdamW's.
        clip: Largest gradient norm.
        average: Decay of the moving average of the weights, which is what is kept.
        validate_every: Updates between validations.
        seed: Of weights, order and augmentation.
    """

    hours: float = 1.0
    lanes: int = 32
    chunk: int = 128
    rate: float = 2e-3
    warm_up: int = 200
    weight_decay: float = 0.01
    clip: float = 1.0
    average: float = 0.999
    validate_every: int = 500
    seed: int = 1
    shape: Shape = field(default_factory=Shape)
    augmentation: Augmentation = field(default_factory=Augmentation)


def _moving_average(decay: float) -> Callable[[Any, Any, Any], None]:
    """Exponential moving average that follows fast at first, so that short runs keep what they learned."""

    def move(averaged: list[Tensor], current: list[Tensor], updates: Tensor | int) -> None:
        count = int(updates)
        torch._foreach_lerp_(averaged, current, 1 - min(decay, (1 + count) / (10 + count)))

    return move


class LitPiano(lightning.LightningModule):
    """The network in lightning's hands; checkpoints hold the averaged weights as ``average``."""

    def __init__(self, plan: Plan, started_s: float | None = None) -> None:
        super().__init__()
        self.plan = plan
        self.network = PianoNetwork(plan.shape)
        self.average = AveragedModel(self.network, multi_avg_fn=_moving_average(plan.average))
        self.average.requires_grad_(False)
        self._states: dict[bool, State | None] = {True: None, False: None}
        self._sums: Tensor | None = None
        self.started_s = time.monotonic() if started_s is None else started_s

    @property
    def elapsed(self) -> float:
        """Share of the planned hours that is over, 0..1."""
        return min(1.0, (time.monotonic() - self.started_s) / (self.plan.hours * 3600))

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

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Set the learning rate: linear warm-up, then a cosine over the planned hours."""
        warm = min(1.0, (self.global_step + 1) / self.plan.warm_up)
        rate = self.plan.rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * self.elapsed)))
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = rate

    def on_train_epoch_start(self) -> None:
        """New lanes, new states."""
        self._states[True] = None

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """One chunk of every lane."""
        loss = self._losses(self.network, batch, training=True).sum()
        self.log("train", loss, prog_bar=True)
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Move the averaged weights."""
        self.average.update_parameters(self.network)

    def on_validation_epoch_start(self) -> None:
        """Count from nothing."""
        self._states[False] = None
        self._sums = torch.zeros(len(ATTRIBUTE_NAMES) + 1, dtype=torch.float64)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Sum nats by attribute, with the averaged weights."""
        assert self._sums is not None
        losses = self._losses(self.average.module, batch, training=False)
        count = batch.mask.sum()
        self._sums[:-1] += (losses * count).double()
        self._sums[-1] += count

    def on_validation_epoch_end(self) -> None:
        """Log nats per note."""
        assert self._sums is not None
        nats = self._sums[:-1] / self._sums[-1]
        for name, value in zip(ATTRIBUTE_NAMES, nats, strict=True):
            self.log(f"val_{name}", float(value))
        self.log("val", float(nats.sum()), prog_bar=True)

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
        """What the exporter needs beside the weights."""
        checkpoint["improv_checkpoint"] = CHECKPOINT_VERSION
        checkpoint["plan"] = asdict(self.plan)
        checkpoint["elapsed"] = self.elapsed

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the planned hours where the checkpoint left them."""
        self.started_s = time.monotonic() - checkpoint["elapsed"] * self.plan.hours * 3600


class _Epochs(Callback):
    """Tells the data set which epoch it is, and stops when the planned time is over."""

    def __init__(self, batches: LaneBatches) -> None:
        self._batches = batches

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self._batches.epoch += 1

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any
    ) -> None:
        if isinstance(pl_module, LitPiano) and pl_module.elapsed >= 1:
            trainer.should_stop = True


def train(corpora: Sequence[Corpus], repeats: Sequence[int], run: Path, plan: Plan, *, resume: bool = False) -> Path:
    """Train until the planned hours are over.

    Args:
        corpora: Encoded corpora.
        repeats: How often each comes in one epoch.
        run: Folder for checkpoints and the log; made when missing.
        plan: Sizes, hours and rates.
        resume: Go on from ``last.ckpt`` in the folder.

    Returns:
        The checkpoint with the best validation figure.

    Raises:
        DataError: Nothing to train on, nothing to validate on, or nothing to resume.
    """
    last = run / "last.ckpt"
    if resume and not last.is_file():
        raise DataError(f"{run} holds no last.ckpt to resume from.")
    lightning.seed_everything(plan.seed, verbose=False)
    torch.set_num_threads(1)
    training = LaneBatches(
        corpora, repeats, "train", lanes=plan.lanes, chunk=plan.chunk, seed=plan.seed, how=plan.augmentation
    )
    validation = LaneBatches(corpora, repeats, "validation", lanes=64, chunk=256)
    for batches, name in ((training, "train"), (validation, "validation")):
        if not batches.notes:
            raise DataError(f"The corpora hold no piece in the {name} split; name another folder or split file.")
    best = ModelCheckpoint(run, "best", monitor="val", save_last=True, enable_version_counter=False)
    trainer = lightning.Trainer(
        accelerator="auto",
        devices=1,
        precision="bf16-mixed",
        max_epochs=-1,
        gradient_clip_val=plan.clip,
        val_check_interval=plan.validate_every,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        callbacks=[best, _Epochs(training), RichProgressBar(refresh_rate=5)],
        logger=CSVLogger(run, name="log", flush_logs_every_n_steps=20),
        log_every_n_steps=20,
        enable_model_summary=False,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*IterableDataset.*__len__.*")
        trainer.fit(LitPiano(plan), _loader(training), _loader(validation), ckpt_path=last if resume else None)
    return Path(best.best_model_path or best.last_model_path)


def _loader(batches: LaneBatches) -> DataLoader[Batch]:
    return DataLoader(batches, batch_size=None)
