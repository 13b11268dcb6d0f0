"""``improv generate``."""

from pathlib import Path
from typing import Annotated

import typer

from improv_daemon import cli_options as options
from improv_daemon import cli_paths as paths

_MIDI_SUFFIXES = (".mid", ".midi")


def generate(
    seed_file: Annotated[
        Path | None,
        typer.Argument(
            metavar="SEED.mid",
            help="The MIDI file to go on from; some models can begin without.",
            show_default=False,
        ),
    ] = None,
    *,
    out: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT.mid", help="Where to write.", show_default=False)
    ],
    length: Annotated[
        float, typer.Option("--length", min=1.0, max=3600.0, metavar="SECONDS", help="How long to go on.")
    ] = 30.0,
    config: options.Config = None,
    set_: options.LongSet = None,
    model: options.Model = None,
    seed: options.Seed = None,
    style: options.Style = None,
    density: options.Density = None,
    tempo: Annotated[
        float | None,
        typer.Option(
            "--tempo", min=30.0, max=300.0, metavar="BPM", help="Beats a minute, from its first note on."
        ),
    ] = None,
    scale: options.Scale = None,
    temperature: options.Temperature = None,
) -> None:
    """Go on from a MIDI file and write what improv plays."""
    named: dict[str, options.Option] = {
        "--model model": model,
        "--seed seed": seed,
        "--style answer.style": style,
        "--density answer.density_ratio": density,
        "--scale sampling.scale": scale,
        "--temperature sampling.temperature": temperature,
    }
    settings = options.load(config, set_, named, assigned_with="--set")  # -o is the output here
    if seed_file is not None:
        paths.check_midi_file(seed_file)
    paths.check_output_file(out, suffixes=_MIDI_SUFFIXES, unlike=seed_file)
    from improv_daemon.generating import generate as write_continuation

    write_continuation(seed_file, out, settings, length, tempo_bpm=tempo, say=typer.echo)
    typer.echo(f"Wrote {out}.")
