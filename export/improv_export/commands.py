"""``improv export``: thin, and importable without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from improv_core.errors import ConfigError, DataError
from improv_training.commands import require_torch


def export(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint (.ckpt) of improv train.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The model file (.onnx) to write.")],
    proof: Annotated[
        Path, typer.Option(help="A MIDI file of a performance, on which torch and ONNX Runtime are compared.")
    ],
    name: Annotated[str, typer.Option(help="What the model is to be called.")] = "mine",
    about: Annotated[
        Path | None, typer.Option(help="A JSON file with data, licence, figures for the model's metadata.")
    ] = None,
) -> None:
    """Export a checkpoint to one ONNX model file, compared with torch step by step."""
    require_torch("export")
    from improv_core.midi_files import read_performance
    from improv_core.representation import encode
    from improv_export.exporting import TOLERANCE, export_checkpoint

    if output.suffix != ".onnx":
        raise ConfigError(f"A model file's name ends in .onnx; {output} does not.")
    notes = encode(read_performance(proof))
    difference = export_checkpoint(checkpoint, output, notes, {"name": name, **_read_about(about)})
    size_mb = output.stat().st_size / 1e6
    typer.echo(
        f"{output}: {size_mb:.1f} MB; over {len(notes)} notes of {proof.name} the largest difference of a logit "
        f"between torch and ONNX Runtime is {difference:.2g} (allowed: below {TOLERANCE:g})."
    )


def _read_about(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {"licence": "not stated", "data": "not stated"}
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not a readable JSON file ({error}).") from error
    if not isinstance(about, dict):
        raise DataError(f"{path} must hold a JSON object.")
    return about
