"""``improv render``."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improv_core.errors import SoundError
from improv_daemon import cli_options as options
from improv_daemon import cli_paths as paths
from improv_daemon.cli_progress import progress_bar
from improv_daemon.cli_times import check_span, time_s

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improv_core.midi_files import Track
    from improv_daemon.rendering import Levels, RenderOptions, Tags
    from improv_daemon.settings import Settings

    Made = Sequence[tuple[Path, Levels]]

_LAST_PIANO = 7  # of General MIDI's programs, from 0
_MIDI_SUFFIXES = (".mid", ".midi", ".kar", ".smf")

_Source = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help='A MIDI or sound file, a sitting\'s journal, or a session by name ("last" is the latest).',
        show_default=False,
    ),
]
_Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT.mp3",
        help="An .mp3, .flac, .ogg or .wav file; without, OUT.mp3 beside a MIDI or sound file, and all files "
        "of a session that are missing.",
    ),
]
_From = Annotated[
    float | None, typer.Option("--from", parser=time_s, metavar="TIME", help="Where in it to begin.")
]
_To = Annotated[
    float | None, typer.Option("--to", parser=time_s, metavar="TIME", help="Where to end, as 1:30 or 90.")
]
_Voice = Annotated[
    str | None, typer.Option("--voice", metavar="VOICE", help='"soundfont", "piano" (built in) or "auto".')
]
_Reverb = Annotated[
    float | None, typer.Option("--reverb", metavar="SHARE", help="How much of the room is heard, 0 to 1.")
]
_SampleRate = Annotated[
    int | None,
    typer.Option("--sample-rate", min=8000, max=192_000, metavar="HZ", help="44100 by default."),
]
_Bitrate = Annotated[
    int | None,
    typer.Option("--bitrate", metavar="KBPS", help="Of an MP3: 96 to 320; 0 = varying, as the music needs."),
]
_Tail = Annotated[
    float | None,
    typer.Option("--tail", min=0.0, max=60.0, metavar="SECONDS", help="So long the end rings; 3 by default."),
]
_Gain = Annotated[
    float | None,
    typer.Option(
        "--gain",
        min=-60.0,
        max=60.0,
        metavar="DB",
        help="Louder or softer than the instrument is; without, the loudest moment comes near full scale.",
    ),
]


def render(
    source: _Source,
    *,
    out: _Output = None,
    from_: _From = None,
    to: _To = None,
    voice: _Voice = None,
    soundfont: options.Soundfont = None,
    reverb: _Reverb = None,
    sample_rate: _SampleRate = None,
    bitrate: _Bitrate = None,
    tail: _Tail = None,
    gain: _Gain = None,
    stems: Annotated[bool, typer.Option("--stems", help="A file for each track, OUT-1-NAME.mp3.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
    folder: options.Sessions = None,
    no_sound: Annotated[
        bool, typer.Option("--no-sound", "--no-mp3", help="Of a session only the MIDI file.")
    ] = False,
    config: options.Config = None,
    set_: options.LongSet = None,
) -> None:
    """Turn a MIDI file or a session into sound, or a sound file into another kind."""
    named: dict[str, options.Option] = {
        "--voice sound.voice": voice,
        "--soundfont sound.soundfont": soundfont,
        "--reverb sound.reverb": reverb,
        "--bitrate record.bitrate_kbps": bitrate,
        "--no-sound record.audio": "off" if no_sound else None,
        "--folder record.folder": None if folder is None else str(folder),
    }
    settings = options.load(config, set_, named, assigned_with="--set")  # -o is the output here
    check_span(from_, to)
    from improv_daemon.rendering import READ_SUFFIXES, SAMPLE_RATE, TAIL_S, RenderOptions

    path = Path(source)
    is_sound = path.suffix.lower() in READ_SUFFIXES
    if out is None and not (is_sound or path.suffix.lower() in _MIDI_SUFFIXES):
        _finish(source, settings)
        return
    if is_sound and (stems or sample_rate is not None):
        raise SoundError(f"{'--stems' if stems else '--sample-rate'} is for MIDI files and sessions only.")
    how = RenderOptions(
        sample_rate=sample_rate or SAMPLE_RATE,
        bitrate_kbps=settings.record.bitrate_kbps,
        from_s=from_ or 0.0,
        to_s=to,
        tail_s=TAIL_S if tail is None else tail,
        level="peak" if gain is None else "as is",
        gain_db=gain or 0.0,
        overwrite=force,
    )
    out = _output(path, out, stems=stems, force=force)
    made = _convert(path, out, how) if is_sound else _render(source, settings, out, how, stems=stems)
    for file, levels in made:
        typer.echo(f"Wrote {file} ({levels.in_words()}).")


def _output(source: Path, out: Path | None, *, stems: bool, force: bool) -> Path:
    from improv_daemon.rendering import SUFFIXES

    out = source.with_suffix(".mp3") if out is None else out
    paths.check_output_file(out, suffixes=SUFFIXES, unlike=source if source.is_file() else None)
    if not stems:
        paths.check_free(out, force=force)
    return out


def _finish(source: str, settings: "Settings") -> None:
    """Make what is missing of a session's files."""
    from improv_daemon.keeper import KeepOptions
    from improv_daemon.keeper.finishing import finish_journal

    journal = _journal(source, settings)
    before = list(journal.parent.glob("*"))
    with progress_bar("Rendering") as progress:
        kept = finish_journal(journal, KeepOptions.of(settings), progress=progress)
    files = [path for path in (kept.midi, kept.sound) if path is not None]
    made = [str(path) for path in files if path not in before]
    levels = "" if kept.levels is None else f" ({kept.levels.in_words()})"
    wrote = (
        f"Wrote {' and '.join(made)}{levels}." if made else f"{' and '.join(map(str, files))}: all is there."
    )
    for line in (wrote, *kept.notes):
        typer.echo(line)


def _convert(source: Path, out: Path, how: "RenderOptions") -> "Made":
    from improv_daemon.rendering import convert_file

    with progress_bar("Converting") as progress:
        return [(out, convert_file(source, out, how, progress))]


def _render(source: str, settings: "Settings", out: Path, how: "RenderOptions", *, stems: bool) -> "Made":
    from improv_daemon.rendering import VoiceChoice, render_file, render_stems, why_piano

    sound = settings.sound
    soundfont = Path(sound.soundfont) if sound.soundfont else None
    choice = VoiceChoice(sound.voice, soundfont, sound.reverb)
    tracks, tags = _read(source, settings, out)
    how = dataclasses.replace(how, tags=tags)
    if reason := why_piano(choice):
        typer.echo(reason)
    if (reason or choice.voice == "piano") and _has_others(tracks):
        typer.echo("The built-in piano has no other instruments: it plays them all, and no drums.")
    with progress_bar("Rendering") as progress:
        if stems:
            return render_stems(tracks, out, choice, how, progress)
        return [(out, render_file(tracks, out, choice, how, progress))]


def _has_others(tracks: "Sequence[Track]") -> bool:
    return any(track.is_drum or track.program > _LAST_PIANO for track in tracks)


def _read(source: str, settings: "Settings", out: Path) -> "tuple[Sequence[Track], Tags]":
    from improv_daemon.rendering import Tags

    if Path(source).suffix.lower() in _MIDI_SUFFIXES:
        from improv_core.midi_files import read_midi

        paths.check_midi_file(Path(source))
        return read_midi(Path(source)), Tags(title=out.stem)
    from improv_daemon.journal import read_journal, what_is_missing
    from improv_daemon.recorder import tracks_of

    journal = read_journal(_journal(source, settings))
    for sentence in what_is_missing(journal):
        typer.echo(sentence)
    header = journal.header
    return tracks_of(journal), Tags.of_session(header.started_at, header.model, header.seed)


def _journal(source: str, settings: "Settings") -> Path:
    from improv_daemon.sessions.folder import find_journal

    path = Path(source)
    if path.is_file() and path.suffix.lower() != ".jsonl":
        raise SoundError(f"{source} is no MIDI file, sound file, journal or session.")
    return path if path.suffix.lower() == ".jsonl" else find_journal(Path(settings.record.folder), source)
