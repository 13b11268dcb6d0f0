"""Every setting: its name, type, default, range, unit and what it does.

`config.toml` and the packaged ``defaults.toml`` are written from here; a test holds them equal.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, get_type_hints

from improv_daemon.settings.built_in import BUILT_IN, Preset
from improv_daemon.settings.playing import (
    Answer,
    Duet,
    Harmonise,
    Memory,
    Sampling,
    Solo,
    Trade,
    Turn,
    Yielding,
)
from improv_daemon.settings.registry import Parameter, Setting
from improv_daemon.settings.rig import Controls, Ports, Record, Sound, Time, Voices
from improv_daemon.settings.rules import Choice, FilePath, Rule, Text, Value, Whole

SCHEMA: Final = 1
"""The version of the configuration files that this improv reads and writes."""

MODES: Final = ("answer", "trade", "duet", "harmonise", "solo", "listen")
"""Who plays when."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the musician may set.

    Attributes:
        presets: Those there are to choose from, in the order in which `next_preset` goes through them.
    """

    mode: Annotated[
        str,
        Setting(
            Choice(MODES),
            'who plays when: "answer" waits until you stop, then answers; "trade" plays in turn with '
            'you, a few bars each; "duet" plays along; "harmonise" adds notes to yours; "solo" goes '
            'on alone; "listen" only listens',
        ),
    ] = "answer"
    model: Annotated[
        str, Setting(FilePath(), '"default", or the path of your own .onnx model file', live=False)
    ] = "default"
    seed: Annotated[
        int,
        Setting(
            Whole(0, 2**32 - 1),
            "0 = other notes each time; any other number = the same dice again",
            live=False,
        ),
    ] = 0
    preset: Annotated[
        str, Setting(Text(), 'name of a preset, whose settings are laid over these; "" = none')
    ] = ""
    ports: Ports = field(default_factory=Ports)
    sound: Sound = field(default_factory=Sound)
    voices: Voices = field(default_factory=Voices)
    time: Time = field(default_factory=Time)
    turn: Turn = field(default_factory=Turn)
    answer: Answer = field(default_factory=Answer)
    yielding: Yielding = field(default_factory=Yielding)
    trade: Trade = field(default_factory=Trade)
    duet: Duet = field(default_factory=Duet)
    harmonise: Harmonise = field(default_factory=Harmonise)
    solo: Solo = field(default_factory=Solo)
    sampling: Sampling = field(default_factory=Sampling)
    memory: Memory = field(default_factory=Memory)
    controls: Controls = field(default_factory=Controls)
    record: Record = field(default_factory=Record)
    presets: tuple[Preset, ...] = BUILT_IN


ORDERED: Final = (
    ("turn.silence_min_s", "turn.silence_max_s"),
    ("turn.held_min_s", "turn.held_max_s"),
    ("answer.length_min_s", "answer.length_max_s"),
    ("yielding.lowest_key", "yielding.highest_key"),
    ("sampling.lowest_pitch", "sampling.highest_pitch"),
)
"""Pairs of settings of which the first must not be above the second."""

SECTIONS: Final[dict[str, type[Any]]] = {
    name: kind
    for name, kind in get_type_hints(Settings).items()
    if isinstance(kind, type) and dataclasses.is_dataclass(kind)
}
"""Section name to its dataclass, in the order of `Settings`."""


def _parameters(kind: type[Any], prefix: str) -> dict[str, Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    found = {}
    for one in dataclasses.fields(kind):
        setting = next(iter(getattr(hints[one.name], "__metadata__", ())), None)
        if isinstance(setting, Setting):
            default: Value = one.default  # type: ignore[assignment]  # those with a rule have one
            key = prefix + one.name
            found[key] = Parameter(
                key, default, setting.rule, setting.help, setting.unit, setting.knob, setting.live
            )
    return found


REGISTRY: Final[dict[str, Parameter]] = _parameters(Settings, "") | {
    key: parameter
    for name, kind in SECTIONS.items()
    for key, parameter in _parameters(kind, f"{name}.").items()
}
"""``key`` or ``section.key`` to all there is to know of it, in the order of `Settings`."""

RULES: Final[dict[str, Rule]] = {key: parameter.rule for key, parameter in REGISTRY.items()}
"""``key`` or ``section.key`` to what it may be, in the order of `Settings`."""
