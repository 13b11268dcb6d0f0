"""Model files with random weights, which cost as much time as trained ones."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from improv_core.model import SCHEMA
from improv_core.representation import Representation
from improv_training.plan import Plan


def write_untrained(path: Path, representation: Representation, plan: Plan) -> Path:
    """The model file of a plan at its full size; it is called as the file is."""
    import onnx
    import torch

    from improv_export.graph import build
    from improv_training.engine.network import Network

    torch.manual_seed(0)
    network = Network(representation, plan.shape).eval()
    metadata = {
        "schema": SCHEMA,
        "name": path.stem,
        "preset": plan.preset,
        "representation": representation.spec(),
        "window": None if plan.stateful else plan.chunk,
        "shape": asdict(plan.shape),
    }
    onnx.save(build(network, metadata), path)
    return path
