"""Reading a checkpoint back: the averaged weights and the plan they were trained by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from improv_core.errors import ModelFileError
from improv_core.representation import from_spec
from improv_training.engine.batches import Position
from improv_training.engine.network import Network
from improv_training.engine.run_folder import best_checkpoint
from improv_training.plan import Plan

CHECKPOINT_VERSION = 2

_PREFIX = "average.module."


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a training run left.

    Attributes:
        network: With the averaged weights, in evaluation mode.
        plan: How it was trained.
        hours: Wall-clock hours of training so far.
        updates: Optimiser steps so far.
        position: How far it has come in its data.
        openings: Of training pieces, each a list of (dt_ms, pedal, pitch, velocity, duration_ms).
    """

    network: Network
    plan: Plan
    hours: float
    updates: int
    position: Position
    openings: list[list[list[int]]]


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; nothing in it is executed.

    Raises:
        ModelFileError: Missing, damaged, not one of ours, or newer than this improv.
    """
    if path.is_dir():
        raise ModelFileError(f"{path} is a folder; name a checkpoint in it, as in {best_checkpoint(path)}.")
    if not path.is_file():
        raise ModelFileError(f"There is no checkpoint {path}.")
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        version = int(stored["improv_checkpoint"])
    except Exception as error:  # torch raises whatever its unpickler meets
        raise _unusable(path) from error
    if version > CHECKPOINT_VERSION:
        raise ModelFileError(f"{path} was made by a newer improv; update improv.")
    if version < CHECKPOINT_VERSION:
        raise ModelFileError(f"{path} was made by an older improv, whose runs this one cannot go on with.")
    try:
        return _restored(stored)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise _unusable(path) from error


def _restored(stored: dict[str, Any]) -> Checkpoint:
    plan = Plan.stored(stored["plan"])
    network = Network(from_spec(plan.representation), plan.shape)
    weights = stored["state_dict"].items()
    network.load_state_dict(
        {name.removeprefix(_PREFIX): value for name, value in weights if name.startswith(_PREFIX)}
    )
    return Checkpoint(
        network=network.eval(),
        plan=plan,
        hours=float(stored["hours"]),
        updates=int(stored["global_step"]),
        position=Position(*stored["position"]),
        openings=stored["openings"],
    )


def _unusable(path: Path) -> ModelFileError:
    return ModelFileError(f"{path} is damaged, or not a checkpoint of improv train.")
