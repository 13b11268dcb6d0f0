"""Sizes of the network; importable without torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network.

    Attributes:
        inputs: Width of the embedded step; what is read one-hot or as a number comes beside it.
        hidden: Width of each LSTM layer.
        layers: LSTM layers.
        projected: Width of the dense layer in which the heads work; 0: they read the LSTM itself.
        dropout: Between layers and before the dense layer, 0..1.
        spread: Standard deviation of the embeddings before training; half of it of the map of the keys
            and other numbers that are embedded.
        orthogonal: Whether the LSTM begins with orthogonal recurrent weights and input weights after Glorot
            and Bengio (2010), as deep ones need to begin learning at all; otherwise uniform ones, torch's.
    """

    inputs: int = 256
    hidden: int = 512
    layers: int = 2
    projected: int = 256
    dropout: float = 0.1
    spread: float = 0.1
    orthogonal: bool = True

    def __post_init__(self) -> None:
        for name, least in (("inputs", 0), ("hidden", 1), ("layers", 1), ("projected", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {least} at least, not {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is from 0 to below 1, not {self.dropout}")
