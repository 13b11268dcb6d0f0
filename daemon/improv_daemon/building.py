"""Settings to the parts that play."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from improv_core.errors import ConfigError, ModelFileError
from improv_core.improviser import Improviser
from improv_core.improvising import Improvising
from improv_core.model import Model
from improv_core.representation import STYLES, Frames, Piano, Symbols
from improv_core.representation.frames import HIGHEST, LOWEST
from improv_core.sampler import Sampling
from improv_core.window_improviser import WindowImproviser
from improv_daemon.directions import ask_of, heeded, unheeded_change
from improv_daemon.partner import Notice, Partner, memory_of, sampling_of
from improv_daemon.priming import prime
from improv_daemon.settings import Answer, Settings
from improv_daemon.stage.config import StageConfig
from improv_daemon.wire import Change


def improviser_of(settings: Settings, model: Model, seed: int) -> Improvising:
    """An improviser that has heard nothing, of the kind that the model asks for.

    Raises:
        ModelFileError: The model has no word to say anything with.
        ConfigError: None of its words is in the range that is set.
    """
    sampling, memory = sampling_of(settings), memory_of(settings)
    representation = model.representation
    if isinstance(representation, Piano):
        style = ask_of(settings.answer, call=None).style
        return Improviser(model, sampling, seed=seed, memory=memory, style=style)
    if isinstance(representation, Symbols) and not representation.table:
        raise ModelFileError(
            f"The model {model.name!r} has learned no symbol, from too little music; train it on more."
        )
    if isinstance(representation, Frames) and not _meets_the_piano(sampling):
        raise ConfigError(
            f"The model {model.name!r} plays the keys of a piano ({LOWEST} to {HIGHEST}), none of which lies "
            "within sampling.lowest_pitch and sampling.highest_pitch; change these."
        )
    return WindowImproviser(model, representation, sampling, seed=seed, memory=memory)


def _meets_the_piano(sampling: Sampling) -> bool:
    return sampling.lowest_pitch <= HIGHEST and sampling.highest_pitch >= LOWEST


def partner_of(
    settings: Settings,
    improviser: Improvising,
    notify: Callable[[Notice], None],
    *,
    seed: int = 0,
    styles: Sequence[str] = STYLES,
    beats: bool = False,
    unheeded: Callable[[Change, Answer], str | None] = lambda change, answer: None,
) -> Partner:
    """A partner for the set mode.

    Args:
        settings: To begin with.
        improviser: Draws the notes.
        notify: Called with what the terminal shows.
        seed: Of choices that are not the improviser's.
        styles: That mean something to its model.
        beats: Whether beats do.
        unheeded: See `Partner`.
    """
    return Partner(
        improviser,
        settings,
        seed=seed,
        styles=tuple(styles),
        beats=beats,
        notify=notify,
        unheeded=unheeded,
    )


def sitting_partner(
    settings: Settings, model: Model, seed: int, notify: Callable[[Notice], None] = lambda notice: None
) -> Partner:
    """The partner of a sitting at its beginning; the same one for the same settings, model and seed.

    Raises:
        ModelFileError: The model has no word to say anything with.
        ConfigError: None of its words is in the range that is set, or the model cannot play in the mode.
    """
    followed = dataclasses.replace(settings, answer=heeded(model, settings.answer))
    improviser = improviser_of(followed, model, seed)
    return partner_of(
        settings,
        improviser,
        notify,
        seed=seed,
        styles=model.styles,
        beats=model.beats,
        unheeded=functools.partial(unheeded_change, model),
    )


def prime_partner(partner: Partner, now_s: float) -> None:
    """Let a partner that begins alone hear the file that is set, as if it had just been played.

    Args:
        partner: Has played nothing yet.
        now_s: When the sitting begins.

    Raises:
        MidiFileError: The file cannot be used.
    """
    settings = partner.settings
    if settings.mode == "solo" and settings.solo.prime:
        prime(partner.improviser, Path(settings.solo.prime), now_s)


def stage_config_of(settings: Settings) -> StageConfig:
    """What the stage needs to know."""
    sound = settings.sound
    return StageConfig(
        **dataclasses.asdict(settings.ports),
        clock_out=settings.time.clock_out,
        sound=sound.enabled,
        voice=sound.voice,
        soundfont=sound.soundfont,
        driver=sound.driver,
        gain=sound.gain,
        reverb=sound.reverb,
        sound_player=sound.player,
    )
