"""The files that ``improv generate`` writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from improv_core.errors import ImprovError
from improv_daemon.cli_paths import check_free, check_output_file
from improv_daemon.cli_progress import progress_bar

if TYPE_CHECKING:
    from improv_daemon.compositions import Composition, Wanted
    from improv_daemon.seeds import Seed
    from improv_daemon.settings import Settings

MIDI_SUFFIXES: Final = (".mid", ".midi")
SOUND_SUFFIXES: Final = (".mp3", ".flac", ".ogg", ".wav")

_SEEDS: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where one variation goes.

    Attributes:
        midi: Always.
        sound: Beside it; None for none.
    """

    midi: Path
    sound: Path | None

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of them."""
        return (self.midi,) if self.sound is None else (self.midi, self.sound)


def outputs_of(
    out: Path, variations: int, *, audio: bool, unlike: Path | None = None, force: bool = False
) -> tuple[Outputs, ...]:
    """Where each variation goes; nothing is created.

    Args:
        out: Ends as a MIDI file, or as a sound that is to be beside one.
        variations: More than one are numbered: ``OUT-1.mid``, ``OUT-2.mid``.
        audio: Whether an MP3 is wanted of what ends as a MIDI file.
        unlike: What must not be written over in any case.
        force: Whether files that are there may be.

    Raises:
        StorageError: They cannot be written there.
    """
    check_output_file(out, suffixes=(*MIDI_SUFFIXES, *SOUND_SUFFIXES), unlike=unlike)
    names = [out] if variations == 1 else [out.with_stem(f"{out.stem}-{i + 1}") for i in range(variations)]
    outputs = tuple(_outputs(name, audio=audio) for name in names)
    for path in (path for each in outputs for path in each.paths):
        check_output_file(path, suffixes=(), unlike=unlike)
        check_free(path, force=force)
    return outputs


def _outputs(name: Path, *, audio: bool) -> Outputs:
    if name.suffix.lower() in SOUND_SUFFIXES:
        return Outputs(name.with_suffix(".mid"), name)
    return Outputs(name, name.with_suffix(".mp3") if audio else None)


def generate(
    seed_of: Callable[[int], Seed],
    outputs: tuple[Outputs, ...],
    settings: Settings,
    wanted: Wanted,
    *,
    say: Callable[[str], None] = lambda sentence: None,
) -> None:
    """Compose each variation and write its files; the n-th is the first of the seed ``n - 1`` higher.

    Args:
        seed_of: What to go on from, by the number that decides what is left to chance.
        outputs: Where they go.
        settings: Model, seed, sampling, sound.
        wanted: How much, and how.
        say: Told what the musician should know, everything once, and what was written.

    Raises:
        MidiFileError: A seed cannot be used.
        ModelFileError: The model cannot be used.
        SoundError: The instrument is missing; the MIDI file is there.
        StorageError: An output cannot be written.
    """
    from improv_daemon.generating import compose, write
    from improv_daemon.journal import improv_version
    from improv_daemon.models import load_model
    from improv_daemon.partner import new_seed

    tell, first = _once(say), settings.seed or new_seed()
    model = load_model(settings.model)
    for number, output in enumerate(outputs):
        dice = (first + number - 1) % _SEEDS + 1
        seed, sentences = seed_of(dice), list[str]()
        label = "Playing on" if len(outputs) == 1 else f"Playing on, {number + 1} of {len(outputs)}"
        with progress_bar(label) as progress:
            composition = compose(
                seed, settings, wanted, model=model, dice=dice, say=sentences.append, progress=progress
            )
        for sentence in sentences:  # not while the bar is there
            tell(sentence)
        made_by = (f"improv {improv_version()}", f"model {model.name}", f"seed {dice}")
        write(composition, output.midi, made_by)
        again = "" if settings.seed and len(outputs) == 1 else f" (seed {dice})"
        try:
            heard = _sound(composition, output, settings, f"Model {model.name}, seed {dice}")
        except ImprovError:
            say(f"Wrote {output.midi}{again}.")
            raise
        say(f"Wrote {' and '.join(map(str, output.paths))}{again}{heard}.")


def _sound(composition: Composition, output: Outputs, settings: Settings, comment: str) -> str:
    """Render it if that is wanted; what came of it, in words."""
    if output.sound is None:
        return ""
    from improv_daemon.rendering import RenderOptions, Tags, VoiceChoice, render_file

    sound = settings.sound
    choice = VoiceChoice(sound.voice, Path(sound.soundfont) if sound.soundfont else None, sound.reverb)
    tags = Tags(title=output.sound.stem, artist="improv", comment=comment)
    # Whether there may be one already was checked.
    options = RenderOptions(bitrate_kbps=settings.record.bitrate_kbps, tags=tags, overwrite=True)
    with progress_bar(f"Rendering {output.sound.name}") as progress:
        levels = render_file(composition.tracks, output.sound, choice, options, progress)
    return f": {levels.in_words()}"


def _once(say: Callable[[str], None]) -> Callable[[str], None]:
    said = set[str]()

    def tell(sentence: str) -> None:
        if sentence not in said:
            said.add(sentence)
            say(sentence)

    return tell
