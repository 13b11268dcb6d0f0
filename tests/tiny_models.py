"""Small untrained networks as ONNX graphs, for the tests of what is done to a model file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from improv_core.model import SCHEMA
from improv_core.representation import NoteAttributes, Piano, Representation
from improv_core.representation.binning import Identity
from improv_core.representation.piano import DT
from improv_core.representation.steps import Attribute

PITCH_AND_STEP = NoteAttributes(
    (
        Attribute("pitch", Identity(128), form="scalar"),
        Attribute("dt", DT, form="scalar", head="regression"),
    )
)


def tiny_network(
    layers: int = 2, representation: Representation | None = None, projected: int = 10, spread: float = 0.3
) -> Any:
    """Every weight is drawn from -spread to spread."""
    import torch

    from improv_training.engine.network import Network
    from improv_training.shape import Shape

    torch.manual_seed(0)
    shape = Shape(inputs=12, hidden=16, layers=layers, projected=projected, dropout=0.0)
    made = Network(representation or Piano(), shape)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.uniform_(-spread, spread)
    return made.eval()


def tiny_graph(network: Any, **more: Any) -> Any:
    """Its model file, with more metadata."""
    from improv_export.graph import build

    kind = network.representation
    metadata = {"name": "a", "schema": SCHEMA, "preset": kind.kind, "representation": kind.spec()}
    return build(network, {**metadata, "shape": asdict(network.shape), "licence": "CC0", **more})


def saved(model: Any, path: Path) -> Path:
    """Write an ONNX model."""
    import onnx

    onnx.save(model, path)
    return path
