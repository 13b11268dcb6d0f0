"""``improv sessions``: what was kept, and everything that can be done with it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improv_daemon import cli_options as options
from improv_daemon import cli_paths as paths

if TYPE_CHECKING:
    from improv_daemon.settings import Settings

sessions = typer.Typer(
    name="sessions",
    help="List, show, recover, replay, export and delete what was kept.",
    add_completion=False,
)

_Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
_Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]
_NAME_HELP = 'A session: its name, a part of it that no other has, its folder, or "last".'
_Name = Annotated[str, typer.Argument(metavar="NAME", help=_NAME_HELP, show_default=False)]


@sessions.callback(invoke_without_command=True)
def all_sessions(context: typer.Context) -> None:
    """List, show, recover, replay, export and delete what was kept."""
    if context.invoked_subcommand is None:
        list_()


@sessions.command("list")
def list_(json_: _Json = False, folder: options.Sessions = None, config: options.Config = None) -> None:
    """List the sessions that there are."""
    from improv_daemon.cli_session_files import list_all

    list_all(_root(folder, config), as_json=json_)


@sessions.command()
def show(
    name: _Name, json_: _Json = False, folder: options.Sessions = None, config: options.Config = None
) -> None:
    """Show all there is to know of a session."""
    from improv_daemon.cli_session_files import show_one

    show_one(_root(folder, config), name, as_json=json_)


@sessions.command()
def recover(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help=f"{_NAME_HELP} Without one: all that are unfinished."),
    ] = None,
    folder: options.Sessions = None,
    config: options.Config = None,
    set_: options.LongSet = None,
) -> None:
    """Make the files of what a crash has left."""
    settings = options.load(config, set_, {}, assigned_with="--set")
    from improv_daemon.cli_session_files import recover_all, recover_one

    root = _root_of(folder, settings)
    failed = recover_all(root, settings) if name is None else recover_one(root, name, settings)
    if failed:
        raise typer.Exit(1)


@sessions.command()
def replay(
    name: _Name,
    check: Annotated[
        bool,
        typer.Option("--check", help="Play nothing: see whether improv does the same as then, to the bit."),
    ] = False,
    fast: Annotated[
        bool, typer.Option("--fast", help="As fast as possible, into a MIDI file: that of --output.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT.mid", help="The file of --fast.")
    ] = None,
    out: Annotated[
        list[str] | None,
        typer.Option("--out", metavar="PORT", help="Play to this MIDI output; part of its name. Repeatable."),
    ] = None,
    after: Annotated[
        float,
        typer.Option(
            "--after", min=0.0, max=3600.0, metavar="SECONDS", help="Begin so long after ports are open."
        ),
    ] = 0.5,
    no_sound: Annotated[bool, typer.Option("--no-sound", help="MIDI only, no synthesiser.")] = False,
    soundfont: options.Soundfont = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="FILE", help="Where the model that played is now.")
    ] = None,
    force: _Force = False,
    folder: options.Sessions = None,
    config: options.Config = None,
    set_: options.LongSet = None,
) -> None:
    """Tell a new improv the same again, and hear what it plays: as then, on any outputs and voices."""
    given: dict[str, options.Option] = {
        "--out ports.output": ", ".join(out) if out else None,
        "--soundfont sound.soundfont": soundfont,
        "--no-sound sound.enabled": "off" if no_sound else None,
    }
    settings = options.load(config, set_, given, assigned_with="--set")
    from improv_daemon.cli_replaying import replay_check, replay_fast, replay_live
    from improv_daemon.sessions import find_journal

    if check and (fast or output):
        raise typer.BadParameter("--check plays nothing and writes no file: leave --fast and --output out.")
    journal = find_journal(_root_of(folder, settings), name)
    if output is not None:
        paths.check_output_file(output, suffixes=(".mid", ".midi"), unlike=None)
    if check:
        status = replay_check(journal, model)
    elif fast or output:
        status = replay_fast(journal, output, model, settings, force=force)
    else:
        status = replay_live(journal, model, settings, after)
    if status:
        raise typer.Exit(status)


@sessions.command()
def export(
    name: _Name,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to: .mid, .mp3, .wav, .flac, .ogg, or .csv for a table of its notes.",
            show_default=False,
        ),
    ],
    stems: Annotated[bool, typer.Option("--stems", help="A sound file for each track.")] = False,
    bar_lines: Annotated[
        str | None,
        typer.Option("--bar-lines", metavar="HOW", help="Of the MIDI file: auto, estimated or fixed."),
    ] = None,
    bitrate: Annotated[
        int | None, typer.Option("--bitrate", metavar="KBPS", help="Of an MP3 or OGG; 0: as the music needs.")
    ] = None,
    voice: Annotated[
        str | None, typer.Option("--voice", metavar="VOICE", help="What sounds: auto, soundfont or piano.")
    ] = None,
    soundfont: options.Soundfont = None,
    force: _Force = False,
    folder: options.Sessions = None,
    config: options.Config = None,
    set_: options.LongSet = None,
) -> None:
    """Make a file of a session for other programs: MIDI, sound, or a table of its notes."""
    wanted: dict[str, options.Option] = {
        "--bar-lines record.bar_lines": bar_lines,
        "--bitrate record.bitrate_kbps": bitrate,
        "--voice sound.voice": voice,
        "--soundfont sound.soundfont": soundfont,
    }
    settings = options.load(config, set_, wanted, assigned_with="--set")
    anew = bool(set_) or any(value is not None for value in wanted.values())
    from improv_daemon.cli_session_files import export_one

    export_one(_root_of(folder, settings), name, output, settings, anew=anew, stems=stems, force=force)


@sessions.command()
def delete(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help=_NAME_HELP, show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    folder: options.Sessions = None,
    config: options.Config = None,
) -> None:
    """Delete sessions with all their files, for ever; asks before."""
    from improv_daemon.cli_session_files import delete_all

    if not delete_all(_root(folder, config), names, is_sure=yes):
        raise typer.Exit(1)


def _root(folder: Path | None, config: Path | None) -> Path:
    return folder if folder is not None else _root_of(None, options.load(config, None, {}))


def _root_of(folder: Path | None, settings: "Settings") -> Path:
    return Path(settings.record.folder) if folder is None else folder
