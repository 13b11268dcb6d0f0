"""Settings to the parts that play."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from improv_core.improviser import Improviser
from improv_core.model import Model
from improv_core.sampler import Sampling
from improv_core.turns import TurnBounds, TurnTaker
from improv_daemon.partner import Notice, Partner
from improv_daemon.settings import Settings
from improv_daemon.stage.config import StageConfig


def improviser_of(settings: Settings, model: Model, seed: int) -> Improviser:
    """An improviser that has heard nothing."""
    sampling = Sampling(**dataclasses.asdict(settings.sampling))
    return Improviser(model, sampling, seed=seed, window_notes=settings.memory.window_notes)


def partner_of(settings: Settings, improviser: Improviser, notify: Callable[[Notice], None]) -> Partner:
    """A partner for the set mode."""
    turn = dataclasses.asdict(settings.turn)
    max_wait_s = turn.pop("max_wait_s")
    return Partner(improviser, TurnTaker(TurnBounds(**turn)), settings.answer, max_wait_s, notify)


def stage_config_of(settings: Settings) -> StageConfig:
    """What the stage needs to know."""
    sound = settings.sound
    return StageConfig(
        **dataclasses.asdict(settings.ports),
        sound=sound.enabled,
        soundfont=sound.soundfont,
        driver=sound.driver,
        gain=sound.gain,
        sound_player=sound.player,
    )
