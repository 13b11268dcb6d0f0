"""Options that several commands share, and the settings that they make.

Annotations are evaluated here, since typer reads them; `Settings` is imported only when a command runs.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from improv_daemon import cli_paths as paths
from improv_daemon.modes import IN_WORDS
from improv_daemon.showing import Showing

if TYPE_CHECKING:
    from improv_daemon.settings import Assignment, Settings

Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings to lay over your usual ones.")
]
Sessions = Annotated[
    Path | None,
    typer.Option(
        "--folder", metavar="FOLDER", help="Where sessions are, instead of the set folder (record.folder)."
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", "-o", metavar="KEY=VALUE", help="One setting, as in sampling.min_p=0.05. Repeatable."
    ),
]
LongSet = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One setting, as in sampling.min_p=0.05. Repeatable."),
]
Model = Annotated[
    str | None, typer.Option("--model", metavar="NAME", help='"default", or an .onnx model file.')
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", metavar="NUMBER", help="The same dice again; 0 for new ones each time."),
]
Style = Annotated[
    str | None,
    typer.Option(
        "--style", metavar="STYLE", help='"classical", "roll era", "pop", "jazz line", or "free" for any.'
    ),
]
Density = Annotated[
    float | None,
    typer.Option(
        "--density",
        metavar="TIMES",
        help="Notes a second, over those of what it goes on from: 0.25 to 4; 0 for any.",
    ),
]
Scale = Annotated[
    str | None,
    typer.Option(
        "--scale",
        metavar="SCALE",
        help='Keep to a scale, as "D minor"; "auto" for that of what it hears, "off" for none.',
    ),
]
Temperature = Annotated[
    float | None,
    typer.Option(
        "--temperature", metavar="NUMBER", help="How daring: 1 as learnt, less is safer, more wilder."
    ),
]
_Mode = Annotated[
    str | None,
    typer.Option(
        "--mode",
        metavar="MODE",
        help=f"Who plays when. {'; '.join(f'{mode}: {words}' for mode, words in IN_WORDS.items())}.",
    ),
]
_Preset = Annotated[
    str | None,
    typer.Option(
        "--preset", metavar="NAME", help="Several settings under one name; improv settings preset lists them."
    ),
]
_Prime = Annotated[
    Path | None,
    typer.Option("--prime", metavar="FILE", help="A MIDI file to go on from alone; means --mode solo."),
]
Soundfont = Annotated[
    Path | None, typer.Option("--soundfont", metavar="FILE", help="The .sf2 or .sf3 file to sound with.")
]


Option: TypeAlias = str | int | float | Path | None


def load(
    config: Path | None,
    assignments: list[str] | None,
    options: dict[str, Option],
    *,
    assigned_with: str = "-o",
) -> "Settings":
    """Settings from every source; a named option wins over ``-o``, which wins over files.

    Args:
        config: The file of ``--config``.
        assignments: Of ``-o`` and ``--set``.
        options: ``"--name key"`` to what was given, None when it was not.
        assigned_with: How messages call the option of the assignments.

    Raises:
        ConfigError: A setting is not allowed.
        SoundError: The soundfont named on the command line is not one, or is not there.
    """
    from improv_daemon.settings import Assignment, load_settings

    settings = load_settings(
        config, [*(Assignment.parse(text, assigned_with) for text in assignments or ()), *_named(options)]
    )
    if options.get("--soundfont sound.soundfont") is not None:
        from improv_daemon.soundfonts import find_soundfont

        find_soundfont(settings.sound.soundfont)
    return settings


def _named(options: dict[str, Option]) -> "Iterator[Assignment]":
    from improv_daemon.settings import Assignment

    for option, value in options.items():
        if value is not None:
            source, key = option.split(" ")
            yield Assignment(key, str(value), source)


def _playing(
    in_: Annotated[
        list[str] | None,
        typer.Option("--in", metavar="PORT", help="Listen to this MIDI input; part of its name. Repeatable."),
    ] = None,
    out: Annotated[
        list[str] | None,
        typer.Option("--out", metavar="PORT", help="Play to this MIDI output; part of its name. Repeatable."),
    ] = None,
    config: Config = None,
    set_: Set = None,
    model: Model = None,
    seed: Seed = None,
    style: Style = None,
    density: Density = None,
    soundfont: Soundfont = None,
    no_sound: Annotated[bool, typer.Option("--no-sound", help="MIDI only, no synthesiser.")] = False,
    mode: _Mode = None,
    preset: _Preset = None,
    prime: _Prime = None,
    scale: Scale = None,
    temperature: Temperature = None,
) -> "Settings":
    if prime is not None:
        paths.check_midi_file(prime)
        if mode is None and not any(text.partition("=")[0].strip() == "mode" for text in set_ or ()):
            mode = "solo"
    return load(
        config,
        set_,
        {
            "--in ports.input": ", ".join(in_) if in_ else None,
            "--out ports.output": ", ".join(out) if out else None,
            "--model model": model,
            "--seed seed": seed,
            "--style answer.style": style,
            "--density answer.density_ratio": density,
            "--soundfont sound.soundfont": soundfont,
            "--no-sound sound.enabled": "off" if no_sound else None,
            "--mode mode": mode,
            "--preset preset": preset,
            "--prime solo.prime": prime,
            "--scale sampling.scale": scale,
            "--temperature sampling.temperature": temperature,
        },
    )


def _showing(
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Say only what goes wrong and what was kept.")
    ] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Lines of text instead of the live view.")] = False,
    log: Annotated[
        Path | None, typer.Option("--log", metavar="FILE", help="Add what is said and played to this file.")
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(
            "--trace", metavar="FILE", help="Write the way of each note to this file, as a Chrome trace."
        ),
    ] = None,
) -> Showing:
    if trace is not None:
        paths.check_output_file(trace, suffixes=(), unlike=None)
    return Showing(quiet=quiet, plain=plain, log=log, trace=trace)


def playing_options(command: Callable[..., int]) -> Callable[..., None]:
    """Give a command every option of playing; it gets the settings they make and how it is all shown."""
    settings_of = inspect.signature(_playing).parameters
    showing_of = inspect.signature(_showing).parameters
    own = list(inspect.signature(command).parameters.values())[2:]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        settings = _playing(**{name: given.pop(name) for name in settings_of})
        showing = _showing(**{name: given.pop(name) for name in showing_of})
        raise typer.Exit(command(settings, showing, **given))

    del run.__dict__["__wrapped__"]  # typer would read the wrapped function's options instead
    parameters = [*own, *settings_of.values(), *showing_of.values()]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
