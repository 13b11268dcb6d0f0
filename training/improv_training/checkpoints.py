"""Reading a checkpoint back: the averaged weights and the shape they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from improv_core.errors import ModelFileError
from improv_training.network import PianoNetwork, Shape
from improv_training.trainer import CHECKPOINT_VERSION

_PREFIX = "average.module."


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a training run left.

    Attributes:
        network: With the averaged weights, in evaluation mode.
        plan: How it was trained.
        hours: Wall-clock hours of training so far.
        updates: Optimiser steps so far.
    """

    network: PianoNetwork
    plan: dict[str, Any]
    hours: float
    updates: int


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; nothing in it is executed.

    Raises:
        ModelFileError: Missing, not one of ours, or newer than this improv.
    """
    if not path.is_file():
        raise ModelFileError(f"There is no checkpoint {path}.")
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        version = stored["improv_checkpoint"]
    except Exception as error:  # noqa: BLE001 - torch raises whatever its unpickler meets
        raise ModelFileError(f"{path} is not a checkpoint of improv's trainer.") from error
    if version > CHECKPOINT_VERSION:
        raise ModelFileError(f"{path} was made by a newer improv; update improv.")
    network = PianoNetwork(Shape(**stored["plan"]["shape"]))
    weights = stored["state_dict"]
    network.load_state_dict(
        {name.removeprefix(_PREFIX): value for name, value in weights.items() if name.startswith(_PREFIX)}
    )
    hours = stored["elapsed"] * stored["plan"]["hours"]
    return Checkpoint(network.eval(), stored["plan"], hours, stored["global_step"])
