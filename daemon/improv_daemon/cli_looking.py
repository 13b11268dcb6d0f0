"""``improv plot``."""

from pathlib import Path
from typing import Annotated

import typer

from improv_core.errors import ConfigError
from improv_daemon import cli_options as options
from improv_daemon import cli_paths as paths
from improv_daemon.cli_times import check_span, time_s
from improv_daemon.plotting import SINGLE, WHAT

_LEAST_PX, _MOST_PX = 320, 8000


def plot(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="MIDI files, sessions (a name, or last), journals, folders of MIDI files, or training runs.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="OUT.png", help="The .png, .svg or .pdf to write.", show_default=False
        ),
    ],
    what: Annotated[
        str | None,
        typer.Option(
            "--what",
            metavar="WHAT",
            help="; ".join(f"{name}: {words}" for name, words in WHAT.items())
            + f". One distribution alone: {', '.join(SINGLE)}.",
        ),
    ] = None,
    bars: Annotated[bool, typer.Option("--bars", help="Count bars instead of seconds in a roll.")] = False,
    from_s: Annotated[
        float | None, typer.Option("--from", parser=time_s, metavar="TIME", help="Begin there.")
    ] = None,
    to_s: Annotated[
        float | None, typer.Option("--to", parser=time_s, metavar="TIME", help="End there, as 1:30 or 90.")
    ] = None,
    rows: Annotated[
        int,
        typer.Option(
            "--rows", min=0, max=24, metavar="NUMBER", help="Rows of a roll; 0: as suits its length."
        ),
    ] = 0,
    dark: Annotated[bool, typer.Option("--dark/--light", help="On dark ground.")] = False,
    size: Annotated[
        str, typer.Option("--size", metavar="WIDTHxHEIGHT", help="Of a PNG, in pixels.")
    ] = "1920x1080",
    title: Annotated[str, typer.Option("--title", help="Over the picture.", show_default=False)] = "",
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    folder: options.Sessions = None,
    config: options.Config = None,
    set_: options.LongSet = None,
) -> None:
    """Draw notes or training curves: piano roll, distributions, counts, density, tempo."""
    check_what(what)
    width_px, height_px = pixels(size)
    begin_s = from_s or 0.0
    check_span(from_s, to_s)
    from improv_daemon.plotting.sheets import SUFFIXES

    paths.check_output_file(out, suffixes=SUFFIXES, unlike=None)
    paths.check_free(out, force=force)
    settings = options.load(config, set_, {}, assigned_with="--set")
    from improv_daemon.cli_progress import progress_bar
    from improv_daemon.plotting.palette import DARK, LIGHT
    from improv_daemon.plotting.picture import save_picture
    from improv_daemon.plotting.sheets import Look
    from improv_daemon.plotting.windows import Window

    look = Look(DARK if dark else LIGHT, width_px, height_px, title)
    window = Window(begin_s, to_s, bars, rows)
    with progress_bar("Reading") as progress:
        save_picture(
            sources,
            out,
            what,
            look,
            window,
            sessions=folder or Path(settings.record.folder),
            say=lambda sentence: typer.echo(sentence, err=True),
            progress=progress,
        )
    typer.echo(f"Wrote {out}.")


def check_what(what: str | None) -> None:
    """Whether there is such a picture.

    Raises:
        ConfigError: There is not.
    """
    known = (*WHAT, *SINGLE)
    if what is None or what in known:
        return
    import difflib

    near = difflib.get_close_matches(what, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
    raise ConfigError(f"There is no picture {what!r}; {hint}")


def pixels(size: str) -> tuple[int, int]:
    """Width and height out of ``1920x1080``.

    Raises:
        ConfigError: It is none, or too small or too large to be drawn.
    """
    width, _, height = size.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise ConfigError(f"--size {size!r} is no size; write it as 1920x1080.")
    if not all(_LEAST_PX <= int(one) <= _MOST_PX for one in (width, height)):
        raise ConfigError(
            f"--size {size} is too small or too large; each side has {_LEAST_PX} to {_MOST_PX} pixels."
        )
    return int(width), int(height)
