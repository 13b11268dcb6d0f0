"""What a control is tried with: models whose mind is made up, and settings that leave little else."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from live_measures import Shows
from live_scenes import Scene
from playing import model_that_plays

from improv_core.improvising import Improvising
from improv_core.model import Model
from improv_core.representation import ATTRIBUTE_NAMES, ATTRIBUTES
from improv_daemon.settings.rules import Value

SOON: Mapping[str, Value] = {
    "turn.by_model": False,
    "turn.silence_min_s": 0.5,
    "turn.silence_max_s": 10.0,
    "turn.silence_factor": 0.5,
    "turn.max_wait_s": 0.0,
    "answer.on_pulse": False,
    "answer.candidates": 1,
    "memory.recall": 0.0,
    "memory.follow": 0.0,
    "sampling.velocity_follow": 0.0,
}
"""An answer comes half a second after the last onset, and nothing bears on it but what is measured."""

LONG: Mapping[str, Value] = {"answer.length_min_s": 9.0}
SHORT: Mapping[str, Value] = {
    "answer.length_ratio": 0.1,
    "answer.length_min_s": 1.0,
}


@dataclass(frozen=True, slots=True)
class Control:
    """A setting that is changed while playing.

    Attributes:
        before: Its value to begin with.
        after: And from the middle on.
        scene: Plays with improv, and measures something in what it plays.
        shows: Whether what was measured before the change and after it differ as they should.
        model: Of improv.
        settings: Others, to begin with, over `SOON`.
    """

    before: Value
    after: Value
    scene: Scene
    shows: Shows
    model: Model | Improvising
    settings: Mapping[str, Value] = field(default_factory=dict)


def leaning(model: Model, nats: float, **values: int) -> Model:
    """The same with attributes of which one value is so much likelier than each other, which are alike."""
    leant = copy.copy(model)
    weights, biases = list(leant.heads.weights), list(leant.heads.biases)
    for name, value in values.items():
        i = ATTRIBUTE_NAMES.index(name)
        weights[i], biases[i] = np.zeros_like(weights[i]), np.zeros_like(biases[i])
        biases[i][int(ATTRIBUTES[i].binning.bins(np.int64(value)))] = nats
    leant.heads = replace(leant.heads, weights=tuple(weights), biases=tuple(biases))
    return leant


# --- models and settings ------------------------------------------------------------------------------

STEADY = model_that_plays(dt=200, duration=150, pedal=0, velocity=64)
QUICK = leaning(model_that_plays(dt=100, duration=80, pedal=0, velocity=64), 0.0, pitch=60)
FOND_OF_60 = leaning(model_that_plays(dt=100, duration=80, pedal=0), 4.0, pitch=60)
STUBBORN = leaning(model_that_plays(dt=100, duration=80, pedal=0), 5.0, pitch=60)
ANY_PITCH = leaning(STEADY, 0.0, pitch=60)
AT_ONCE = model_that_plays(dt=800, duration=150, pedal=0)
HELD: Mapping[str, Value] = {"turn.held_min_s": 0.6, "turn.held_max_s": 10.0, "turn.held_factor": 0.5}
TRADE: Mapping[str, Value] = {"mode": "trade", "trade.bars": 1}
COUNTED: Mapping[str, Value] = {**TRADE, "time.tempo_bpm": 120.0, "controls.count_in": "cc 65"}
KEY_BY_EAR: Mapping[str, Value] = {
    "sampling.scale": "auto",
    "sampling.scale_strict": True,
    "turn.silence_min_s": 1.0,
    "answer.length_max_s": 3.0,
}
CHORDS = leaning(model_that_plays(dt=100, duration=900, pedal=0), 0.0, pitch=60)
SIX_NOTES = (60, 62, 64, 65, 67, 69)
HIGH, MIDDLE = (79, 81, 83), (60, 62, 64)
