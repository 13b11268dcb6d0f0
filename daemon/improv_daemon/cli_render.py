"""``improv render``."""

from pathlib import Path
from typing import Annotated

import typer

from improv_daemon import cli_options as options
from improv_daemon.cli_progress import progress_bar


def render(
    journal: Annotated[
        Path, typer.Argument(metavar="JOURNAL", help="A sitting's journal (.jsonl).", show_default=False)
    ],
    config: options.Config = None,
    set_: options.Set = None,
    soundfont: options.Soundfont = None,
    no_mp3: Annotated[bool, typer.Option("--no-mp3", help="Only the MIDI file.")] = False,
) -> None:
    """Make the MIDI file and the MP3 of a recorded sitting again."""
    settings = options.load(config, set_, {"--soundfont sound.soundfont": soundfont})
    from improv_daemon.recorder import keep_session
    from improv_daemon.soundfonts import find_soundfont

    mp3 = settings.record.audio != "off" and not no_mp3
    with progress_bar("Rendering") as progress:
        kept = keep_session(
            journal,
            soundfont=find_soundfont(settings.sound.soundfont) if mp3 else None,
            bitrate_kbps=settings.record.bitrate_kbps,
            mp3=mp3,
            progress=progress,
        )
    files = [str(path) for path in (kept.midi, kept.mp3) if path is not None]
    for line in (f"Wrote {' and '.join(files)}.", *kept.notes):
        typer.echo(line)
