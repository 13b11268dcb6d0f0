"""Sizes of the network; importable without torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network.

    Attributes:
        inputs: Width of the embedded step.
        hidden: Width of each LSTM layer.
        layers: LSTM layers.
        projected: Width in which the heads work.
        dropout: Between layers and before the projection, 0..1.
    """

    inputs: int = 256
    hidden: int = 512
    layers: int = 2
    projected: int = 256
    dropout: float = 0.1
