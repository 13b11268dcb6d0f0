"""``improv export``: thin, and importable without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from improv_core.errors import ConfigError, DataError
from improv_training.commands import require_torch
from improv_training.engine.run_folder import check_output

if TYPE_CHECKING:
    from improv_core.representation import Notes


def export(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint (.ckpt) of improv train.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The model file (.onnx) to write.")],
    proof: Annotated[
        Path, typer.Option(help="A MIDI file of a performance, on which torch and ONNX Runtime are compared.")
    ],
    name: Annotated[str, typer.Option(help="What the model is to be called.")] = "mine",
    int8: Annotated[
        bool, typer.Option("--int8", help="Store the LSTM in 8 bits: a third of the size, twice as fast.")
    ] = False,
    about: Annotated[
        Path | None, typer.Option(help="A JSON file with data, licence, figures for the model's metadata.")
    ] = None,
) -> None:
    """Export a checkpoint to one ONNX model file, compared with torch step by step."""
    if output.suffix != ".onnx":
        raise ConfigError(f"A model file's name ends in .onnx; {output} does not.")
    check_output(output)
    details = {**_read_about(about), "name": name}
    require_torch("export")
    import torch

    from improv_core.midi_files import read_performance
    from improv_core.representation import encode
    from improv_export.exporting import TOLERANCE
    from improv_export.live_nats import NATS_TOLERANCE

    torch.set_num_threads(1)  # a step is too short to share
    notes = encode(read_performance(proof))
    cost = None
    if int8:
        difference, cost = _in_int8(checkpoint, output, notes, details)
    else:
        difference = _in_full(checkpoint, output, notes, details)
    typer.echo(
        f"{output}: {output.stat().st_size / 1e6:.1f} MB. Over {len(notes)} notes of {proof.name} no logit "
        f"of ONNX Runtime differs from torch's by more than {difference:.2g} (allowed: below {TOLERANCE:g})."
    )
    if cost is not None:
        typer.echo(f"8 bits change the nats per note by {cost:+.4f} (allowed: below {NATS_TOLERANCE:g}).")


def _in_full(checkpoint: Path, output: Path, notes: Notes, details: dict[str, Any]) -> float:
    """Export; returns by how much a logit differs at the most."""
    from improv_export.exporting import export_checkpoint
    from improv_training.console import make_console, progress_bar

    with progress_bar(make_console(), "Comparing with torch") as progress:
        return export_checkpoint(checkpoint, output, notes, details, progress)


def _in_int8(checkpoint: Path, output: Path, notes: Notes, details: dict[str, Any]) -> tuple[float, float]:
    """Export in full precision, then in 8 bits; returns that difference too, and what 8 bits cost in nats."""
    from improv_export.quantising import write_quantised
    from improv_training.console import make_console, progress_bar

    whole = output.with_suffix(".whole.onnx")
    try:
        difference = _in_full(checkpoint, whole, notes, details)
        with progress_bar(make_console(), "Comparing with full precision") as progress:
            return difference, write_quantised(whole, output, notes, progress)
    finally:
        whole.unlink(missing_ok=True)


def _read_about(path: Path | None) -> dict[str, Any]:
    about: object = {}
    if path is not None:
        try:
            about = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise DataError(f"{path} is not a readable JSON file ({reason}).") from error
    if not isinstance(about, dict):
        raise DataError(f"{path} must hold a JSON object.")
    return {"licence": "not stated", "data": "not stated", **about}
