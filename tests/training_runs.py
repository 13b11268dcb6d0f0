"""Small plans, and what is left of training runs."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from improv_training.plan import Plan
from improv_training.shape import Shape

try:
    import lightning
    from lightning.pytorch.callbacks import Callback
except ImportError:  # the tests that need it are left out
    Callback = object  # type: ignore[assignment, misc]


def plan(**changes: Any) -> Plan:
    """A plan of some updates for a network that is made in no time, the same on every run."""
    shape = Shape(inputs=16, hidden=24, layers=2, projected=16)
    defaults = {"lanes": 2, "chunk": 16, "updates": 6, "validate_every": 3, "shape": shape}
    return Plan(**{**defaults, "precision": "32-true", **changes})


class Losses(Callback):
    """Every training loss, and where in the data the run was then."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.places: list[Any] = []

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        *_: object,
    ) -> None:
        self.losses.append(float(outputs["loss"]))
        self.places.append(pl_module.position)


def logged(run: Path, column: str) -> list[float]:
    """A column of the run's table, where it has a value."""
    with (run / "log" / "metrics.csv").open() as file:
        return [float(row[column]) for row in csv.DictReader(file) if row[column]]


def weights(run: Path) -> dict[str, Any]:
    """What ``last.ckpt`` is for."""
    from improv_training.engine.checkpoints import load_checkpoint

    return load_checkpoint(run / "last.ckpt").network.state_dict()


def gone_on_with(run: Path, **changes: Any) -> Any:
    """What a run has kept, with another plan."""
    from improv_training.engine.checkpoints import load_checkpoint

    kept = load_checkpoint(run / "last.ckpt")
    return type(kept)(kept.network, plan(**changes), kept.hours, kept.updates, kept.position, kept.openings)
