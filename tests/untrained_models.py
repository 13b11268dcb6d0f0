"""Model files of every preset with random weights: what they play is noise, but they play it."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from tiny_corpora import random_performance

from improv_core.model import SCHEMA
from improv_core.representation import encode


def write_untrained(folder: Path, preset: str, hidden: int | None = None) -> Path:
    """A model file; without ``hidden`` it is as large as the preset says."""
    import onnx
    import torch

    from improv_export.graph import build
    from improv_training.engine.network import Network
    from improv_training.presets import load_preset

    chosen = load_preset(preset)
    shape = chosen.plan.shape if hidden is None else replace(chosen.plan.shape, hidden=hidden)
    pieces = (encode(random_performance(400, seed)) for seed in range(5))
    representation = chosen.representation.learned(pieces)
    torch.manual_seed(0)
    metadata = {
        "schema": SCHEMA,
        "name": preset,
        "preset": preset,
        "representation": representation.spec(),
        "window": None if chosen.plan.stateful else chosen.plan.chunk,
        "shape": asdict(shape),
    }
    path = folder / f"{preset}.onnx"
    onnx.save(build(Network(representation, shape).eval(), metadata), path)
    return path
