"""``improv notes`` and ``improv show``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improv_daemon import cli_options as options
from improv_daemon import cli_paths as paths
from improv_daemon.cli_progress import progress_bar
from improv_daemon.cli_times import check_span, time_s

if TYPE_CHECKING:
    from rich.console import Console

    from improv_core.note_table import NoteRow

_SHOWN = 60
"""So many rows go to a terminal unasked."""

_Source = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help='A MIDI file, a session by name ("last" is the latest), or a journal.',
        show_default=False,
    ),
]
_Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="OUT.csv", help="Write a .csv or .parquet file.")
]
_From = Annotated[
    float | None, typer.Option("--from", parser=time_s, metavar="TIME", help="Notes from there on.")
]
_To = Annotated[
    float | None,
    typer.Option("--to", parser=time_s, metavar="TIME", help="Notes before that, as 1:30 or 90."),
]
_Track = Annotated[str | None, typer.Option("--track", metavar="NAME", help="This track alone.")]


def notes(
    source: _Source,
    out: _Output = None,
    csv: Annotated[bool, typer.Option("--csv", help="As CSV, to the terminal without -o.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="As Parquet, to the file of -o.")] = False,
    from_: _From = None,
    to: _To = None,
    track: _Track = None,
    show_all: Annotated[bool, typer.Option("--all", help=f"Not only the first {_SHOWN}.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    folder: options.Sessions = None,
    config: options.Config = None,
    set_: options.LongSet = None,
) -> None:
    """List the notes of a MIDI file or a session, with the chords they belong to."""
    as_parquet = _as_parquet(out, csv=csv, parquet=parquet)
    check_span(from_, to)
    if out is not None:
        piece = Path(source) if paths.is_file(Path(source)) else None
        paths.check_output_file(out, suffixes=(), unlike=piece)
        paths.check_free(out, force=force)
    paths.check_source(source)
    settings = options.load(config, set_, {}, assigned_with="--set")
    with progress_bar("Reading"):
        rows = _rows(source, folder or Path(settings.record.folder), from_ or 0.0, to, track)
    from improv_daemon import note_listing

    if out is not None:
        (note_listing.save_parquet if as_parquet else note_listing.save_csv)(rows, out, over=force)
        typer.echo(f"Wrote {out}: {note_listing.in_short(rows)}")
    elif csv:
        note_listing.write_csv(rows, sys.stdout)
    else:
        _print(rows, show_all=show_all)


def _as_parquet(out: Path | None, *, csv: bool, parquet: bool) -> bool:
    """Whether the file is to be Parquet, by option or by its name.

    Raises:
        ConfigError: That cannot be.
    """
    from improv_core.errors import ConfigError

    if csv and parquet:
        raise ConfigError("--csv and --parquet are two kinds of file; ask for one of them.")
    if parquet and out is None:
        raise ConfigError("--parquet needs a file to write; name it with -o OUT.parquet.")
    suffix = "" if out is None else out.suffix.lower()
    if out is not None and not (csv or parquet) and suffix not in (".csv", ".parquet"):
        raise ConfigError(f"{out} does not say what it is to be; end its name in .csv or .parquet.")
    return parquet or (suffix == ".parquet" and not csv)


def _rows(
    source: str, sessions: Path, from_s: float, to_s: float | None, track: str | None
) -> "list[NoteRow]":
    """The notes that are asked for; times, steps and chords are as in the whole.

    Raises:
        ConfigError: There is no such track.
        MidiFileError, StorageError: The source cannot be read.
    """
    from improv_core.errors import ConfigError
    from improv_core.note_table import note_rows, track_names
    from improv_daemon.studio.loading import load

    tracks = load(source, sessions=sessions, beats=False, say=_say).tracks
    names = track_names(tracks)
    if track is not None and track not in names:
        there = f"those there are: {', '.join(names)}" if names else "it holds no notes"
        raise ConfigError(f"{source} has no track {track!r}; {there}.")
    until_s = float("inf") if to_s is None else to_s
    chosen = [one for one, name in zip(tracks, names, strict=True) if track in (None, name)]
    return [row for row in note_rows(chosen) if from_s <= row.onset_s < until_s]


def _say(sentence: str) -> None:
    """Beside the table, which may be on its way to a file."""
    typer.echo(sentence, err=True)


def _console() -> "Console":
    from rich.console import Console

    from improv_daemon.cli_settings import PIPED_WIDTH

    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False)


def _print(rows: "list[NoteRow]", *, show_all: bool) -> None:
    from improv_daemon.note_listing import in_short, plain_lines, terminal_table

    in_terminal = sys.stdout.isatty()
    shown = rows if show_all or not in_terminal else rows[:_SHOWN]
    if shown and in_terminal and len(shown) <= _SHOWN:
        _console().print(terminal_table(shown))
    else:
        for line in plain_lines(shown) if shown else ():
            typer.echo(line)
    more = len(shown) < len(rows)
    hint = (
        f" These are the first {len(shown)}; --all shows the others, -o OUT.csv keeps them." if more else ""
    )
    typer.echo(f"{in_short(rows)}{hint}")


def show(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help='"default", or an .onnx model file.')
    ] = "default",
    json_: Annotated[bool, typer.Option("--json", help="As a JSON object.")] = False,
) -> None:
    """Say what a model is: preset, representation, size, what it heeds, data, licence, figures."""
    from improv_daemon.model_facts import facts_in_lines, facts_of, figure_rows
    from improv_daemon.models import load_model, model_path

    facts = facts_of(load_model(model), model_path(model))
    if json_:
        import json

        typer.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    console, lines = _console(), Table(box=None, show_header=False, pad_edge=False)
    before = ""
    for what, which in facts_in_lines(facts):
        lines.add_row("" if what == before else what, Text(which))
        before = what
    console.print(lines)
    headings, figures = figure_rows(facts["figures"])
    if figures:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for i, heading in enumerate(headings):
            table.add_column(Text(heading), justify="right" if i else "left")
        for row in figures:
            table.add_row(*map(Text, row))
        console.print(table)
