"""The command line ``improv``.

What a command needs is imported when it runs, so that ``improv --help`` is quick and needs nothing else.
"""

import importlib.metadata
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improv_core.errors import ImprovError
from improv_daemon import cli_options as options
from improv_daemon import cli_paths as paths
from improv_daemon.cli_extensions import ExtensibleGroup
from improv_daemon.cli_generate import generate
from improv_daemon.cli_looking import plot
from improv_daemon.cli_notes import notes, show
from improv_daemon.cli_render import render
from improv_daemon.cli_sessions import sessions
from improv_daemon.interrupts import INTERRUPTED, leaving_at_once
from improv_daemon.showing import Showing

if TYPE_CHECKING:
    from improv_daemon.settings import Settings

BAD_INPUT = 2

app = typer.Typer(
    name="improv",
    cls=ExtensibleGroup,
    help="Play, and hear an answer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Those after the program's name; the process's own by default.

    Returns:
        The exit status: 0, 2 for bad input, 130 when interrupted.
    """
    _write_any_name()
    try:
        app(args=None if arguments is None else list(arguments), prog_name="improv")
    except ImprovError as error:
        message = str(error)
        typer.echo(message if message.endswith((".", "?", "!")) else f"{message}.", err=True)
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    return 0


def _write_any_name() -> None:
    """A file's name, which may be no text in the terminal's encoding, is written all the same."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        version = importlib.metadata.version("improv-midi")
    except importlib.metadata.PackageNotFoundError:
        version = "(not installed)"
    typer.echo(f"improv {version}")
    raise typer.Exit


@app.callback()
def improv(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Play, and hear an answer."""


@app.command()
@options.playing_options
def play(settings: "Settings", showing: Showing) -> int:
    """Listen to your playing and answer it; Ctrl-C stops."""
    with leaving_at_once():
        from improv_daemon.app import run_play

    return run_play(settings, showing)


_FolderArgument = Annotated[
    Path | None, typer.Argument(metavar="FOLDER", help="Where to keep it instead of the set folder.")
]


@app.command()
@options.playing_options
def record(settings: "Settings", showing: Showing, folder: _FolderArgument = None) -> int:
    """Play, and keep the sitting as MIDI and MP3."""
    place = _sessions_folder(settings, folder)
    with leaving_at_once():
        from improv_daemon.app import run_record

    return run_record(settings, place, showing)


@app.command()
@options.playing_options
def demo(settings: "Settings", showing: Showing, folder: _FolderArgument = None) -> int:
    """Hear improv answer three short phrases; needs no keyboard."""
    place = _sessions_folder(settings, folder)
    with leaving_at_once():
        from improv_daemon.app import run_demo

    return run_demo(settings, place, showing)


def _sessions_folder(settings: "Settings", folder: Path | None) -> Path:
    chosen = Path(settings.record.folder) if folder is None else folder
    paths.check_folder(chosen)
    return chosen


@app.command()
def status(
    json_: Annotated[bool, typer.Option("--json", help="As a JSON array, an object for each.")] = False,
) -> None:
    """Say how the sittings stand that are going on; exit status 1 if there is none."""
    import json

    from improv_daemon.status import in_lines, running

    found = running()
    if json_:
        typer.echo(json.dumps(found, indent=2))
    else:
        typer.echo("\n".join(in_lines(found)) if found else "improv is not running.")
    if not found:
        raise typer.Exit(1)


@app.command()
def ports(config: options.Config = None, set_: options.Set = None) -> None:
    """List the MIDI inputs and outputs there are, and which of them improv would use."""
    from improv_daemon.stage.port_list import list_ports, port_lines

    wanted = options.load(config, set_, {}).ports
    for line in port_lines(
        list_ports(wanted.api),
        inputs=wanted.input,
        outputs=wanted.output,
        name=wanted.name,
        virtual=wanted.virtual,
    ):
        typer.echo(line)


@app.command("settings")
def settings_(
    key: Annotated[
        str | None,
        typer.Argument(metavar="[KEY]", help="A setting, or a table of them, such as sampling."),
    ] = None,
    config: options.Config = None,
    set_: options.Set = None,
) -> None:
    """List the settings: what they are, may be and do, and how they change while you play."""
    from rich.console import Console

    from improv_daemon.cli_settings import PIPED_WIDTH, show_settings
    from improv_daemon.settings import Assignment
    from improv_daemon.settings.layers import load_with_sources

    assigned = [Assignment.parse(text) for text in set_ or ()]
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    show_settings(*load_with_sources(config, assigned), key, Console(width=width, highlight=False))


app.command()(generate)
app.command()(plot)
app.command()(render)
app.command()(notes)
app.command()(show)
app.add_typer(sessions)


if __name__ == "__main__":
    sys.exit(main())
