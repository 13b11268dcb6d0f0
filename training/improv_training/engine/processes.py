"""One process, or several that train one network together, as ``torchrun`` starts them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

from improv_core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Process:
    """One among those of the run; alone, it exchanges nothing.

    Attributes:
        rank: Which one it is.
        world: How many there are.
        here: How many of them are on this machine.
    """

    rank: int = 0
    world: int = 1
    here: int = 1

    @property
    def leads(self) -> bool:
        """Whether it is the one that prints and writes."""
        return self.rank == 0

    def sum(self, values: Tensor) -> Tensor:
        """Added up over all processes; each calls it."""
        return self._reduced(values, distributed.ReduceOp.SUM) if self.world > 1 else values

    def largest(self, value: float, device: torch.device) -> float:
        """The largest of all processes'; each calls it."""
        if self.world == 1:
            return value
        shared = torch.tensor(value, device=device)
        return float(self._reduced(shared, distributed.ReduceOp.MAX))

    def gather(self, part: Tensor) -> list[Tensor]:
        """Tensors of one shape, by rank; each process calls it."""
        if self.world == 1:
            return [part]
        parts = [torch.empty_like(part) for _ in range(self.world)]
        distributed.all_gather(parts, part.contiguous())
        return parts

    def gather_bytes(self, part: Tensor) -> list[Tensor]:
        """As `gather`, for tensors that stay in main memory."""
        if self.world == 1:
            return [part]
        objects: list[Tensor | None] = [None] * self.world
        distributed.all_gather_object(objects, part)
        return [one for one in objects if one is not None]

    @staticmethod
    def _reduced(values: Tensor, operation: distributed.ReduceOp.RedOpType) -> Tensor:
        values = values.clone()
        distributed.all_reduce(values, operation)
        return values


def this_process(environment: Mapping[str, str] | None = None) -> Process:
    """What ``torchrun`` says in the environment; without it, one process alone."""
    variables = os.environ if environment is None else environment
    if "TORCHELASTIC_RUN_ID" not in variables:
        return Process()
    rank, world, here = (int(variables[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    return Process(rank, world, here)


def check_lanes(lanes: int, process: Process) -> None:
    """Each process takes as many lanes as any other.

    Raises:
        ConfigError: They cannot be shared out.
    """
    if lanes % process.world:
        raise ConfigError(
            f"{lanes} lanes cannot be shared out evenly among {process.world} processes; name a multiple of "
            f"{process.world} with --lanes."
        )
