"""``improv generate``."""

from pathlib import Path
from typing import Annotated

import typer

from improv_daemon import cli_options as options
from improv_daemon import cli_paths as paths
from improv_daemon.cli_progress import progress_bar
from improv_daemon.cli_times import check_span, time_s

_SECONDS = 30.0

_Seed = Annotated[
    str | None,
    typer.Argument(
        metavar="SEED",
        help='A MIDI file to go on from, or a session by name ("last" is the latest); without, improv begins '
        "by itself.",
        show_default=False,
    ),
]
_Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT.mid",
        help="Where to write. OUT.mp3, .flac, .ogg or .wav: the sound, with the MIDI file beside it.",
        show_default=False,
    ),
]
_From = Annotated[
    float | None, typer.Option("--from", parser=time_s, metavar="TIME", help="Where in the seed to begin.")
]
_To = Annotated[
    float | None,
    typer.Option("--to", parser=time_s, metavar="TIME", help="Where in it improv goes on, as 1:30 or 90."),
]
_Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="FOLDER", help="Go on from a random piece of this folder instead."),
]
_Seconds = Annotated[
    float | None,
    typer.Option(
        "--seconds", "--length", min=1.0, max=3600.0, metavar="SECONDS", help="How long; 30 by default."
    ),
]
_Notes = Annotated[
    int | None, typer.Option("--notes", min=1, max=100_000, metavar="N", help="So many notes instead.")
]
_Bars = Annotated[
    int | None, typer.Option("--bars", min=1, max=2000, metavar="N", help="So many bars instead.")
]
_Instrument = Annotated[
    str | None,
    typer.Option(
        "--instrument", metavar="NAME", help='General MIDI number 1 to 128, or name as "Vibraphone".'
    ),
]
_Variations = Annotated[
    int, typer.Option("--variations", min=1, max=1000, metavar="K", help="OUT-1.mid to OUT-K.mid.")
]
_Tempo = Annotated[
    float | None,
    typer.Option(
        "--tempo", min=30.0, max=300.0, metavar="BPM", help="Beats a minute, from its first note on."
    ),
]
_TopP = Annotated[
    float | None,
    typer.Option("--top-p", metavar="SHARE", help="Only the likeliest choices that make up this share."),
]
_MinP = Annotated[
    float | None,
    typer.Option("--min-p", metavar="SHARE", help="No choice less likely than this share of the likeliest."),
]
_Preset = Annotated[
    str | None,
    typer.Option("--preset", metavar="NAME", help="Several settings under one name: improv settings preset."),
]


def generate(
    source: _Seed = None,
    *,
    out: _Output,
    from_: _From = None,
    to: _To = None,
    data: _Data = None,
    seconds: _Seconds = None,
    notes: _Notes = None,
    bars: _Bars = None,
    join: Annotated[bool, typer.Option("--join", help="Write the seed, too, before what is new.")] = False,
    instrument: _Instrument = None,
    variations: _Variations = 1,
    audio: Annotated[bool, typer.Option("--audio", help="Write an MP3, too.")] = False,
    soundfont: options.Soundfont = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
    folder: options.Sessions = None,
    config: options.Config = None,
    set_: options.LongSet = None,
    model: options.Model = None,
    seed: options.Seed = None,
    style: options.Style = None,
    density: options.Density = None,
    tempo: _Tempo = None,
    scale: options.Scale = None,
    temperature: options.Temperature = None,
    top_p: _TopP = None,
    min_p: _MinP = None,
    preset: _Preset = None,
) -> None:
    """Go on from a MIDI file, a session or nothing, and write what improv plays."""
    named: dict[str, options.Option] = {
        "--model model": model,
        "--seed seed": seed,
        "--style answer.style": style,
        "--density answer.density_ratio": density,
        "--scale sampling.scale": scale,
        "--temperature sampling.temperature": temperature,
        "--top-p sampling.top_p": top_p,
        "--min-p sampling.min_p": min_p,
        "--preset preset": preset,
        "--soundfont sound.soundfont": soundfont,
    }
    settings = options.load(config, set_, named, assigned_with="--set")  # -o is the output here
    _check(source, data, from_, to, seconds, notes, bars)
    from improv_daemon.generated_files import generate as write_files
    from improv_daemon.generated_files import outputs_of

    seed_file = Path(source) if source is not None and Path(source).is_file() else None
    outputs = outputs_of(out, variations, audio=audio, unlike=seed_file, force=force)
    program = 0 if instrument is None else _program(instrument)
    from improv_daemon.generating import Wanted
    from improv_daemon.seeds import Span, seeds

    wanted = Wanted(_SECONDS if seconds is None else seconds, notes, bars, tempo, program, join)
    span = None if from_ is None and to is None else Span(from_ or 0.0, to)
    beats, sessions = join or bars is not None, folder or Path(settings.record.folder)
    with progress_bar("Reading"):
        seed_of = seeds(source, data, span, beats=beats, sessions=sessions, say=typer.echo)
    write_files(seed_of, outputs, settings, wanted, say=typer.echo)


def _check(
    source: str | None,
    data: Path | None,
    from_s: float | None,
    to_s: float | None,
    *lengths: float | None,
) -> None:
    """What can be said before anything is read.

    Raises:
        ConfigError: Two options contradict each other.
        MidiFileError, StorageError: There is no such file or folder.
    """
    from improv_core.errors import ConfigError

    if source is not None and data is not None:
        raise ConfigError(f"improv goes on from {source} or from a piece of {data}; name one of them.")
    if sum(length is not None for length in lengths) > 1:
        raise ConfigError("--seconds, --notes and --bars all say how much; give one of them.")
    if source is None and data is None:
        for option, at_s in (("--from", from_s), ("--to", to_s)):
            if at_s is not None:
                raise ConfigError(
                    f"{option} is about what improv goes on from; name a MIDI file or a session."
                )
    check_span(from_s, to_s)
    if source is not None:
        paths.check_source(source)
    if data is not None:
        _check_data(data)


def _check_data(folder: Path) -> None:
    from improv_core.errors import StorageError

    if not folder.is_dir():
        raise StorageError(f"There is no folder {folder}; --data takes a folder with MIDI files.")


def _program(instrument: str) -> int:
    """The General MIDI program, 0..127, of an instrument.

    Raises:
        ConfigError: There is none such.
    """
    from improv_core.errors import ConfigError
    from improv_daemon.settings.instruments import Instrument

    try:
        number = Instrument().parse(instrument)
    except ValueError:
        number = 0
    if number == 0:
        raise ConfigError(
            f"There is no instrument {instrument!r}; --instrument takes a General MIDI number from 1 to 128, "
            'or a name such as "Vibraphone".'
        )
    return number - 1
