"""Puts the loop's parts together as the settings want them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, cast

from improv_core.delays import DelayedPerformer
from improv_core.echo import EchoFilter
from improv_core.merging import RouteMerger
from improv_core.thru import ThruMatrix, ThruSettings, matching
from improv_daemon import port_texts
from improv_daemon.stage.beats_out import BeatsOut
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage.hearing import Hearing
from improv_daemon.stage.loop import Parts, Ports
from improv_daemon.stage.outs import SYNTH, MidiOutput, Output, Outs, Sender
from improv_daemon.stage.voices import Voices


class Rig(Ports, Sender, Protocol):
    """The MIDI ports."""

    @property
    def output_keys(self) -> tuple[str, ...]:
        """What the outputs are called, whether they are there or not."""

    def same_device(self, input_name: str, key: str) -> bool:
        """Whether an input and an output belong to one device."""


def put_together(
    config: StageConfig, ports: Rig, synth: Output | None, players_channel: int
) -> tuple[Parts, list[str]]:
    """The parts of a stage, and sentences about names in the settings that nothing is called.

    Args:
        config: The settings.
        ports: Open ports.
        synth: The built-in synthesiser.
        players_channel: The player's in it, 0..15.

    Raises:
        ValueError: A text of the settings cannot be read.
    """
    keys = ports.output_keys
    outputs: dict[str, Output] = {key: MidiOutput(ports, key) for key in keys}
    if synth is not None:
        outputs[SYNTH] = synth
    latencies_s = {output: latency_of(config, output, keys) for output in outputs}
    clocked = clocked_of(config, keys)
    clicked = (SYNTH,) if synth is not None else keys
    echo = EchoFilter(config.echo_window_s)
    beats = BeatsOut(
        {output: latencies_s[output] for output in clocked},
        {output: latencies_s[output] for output in clicked},
        ports.same_device,
    )
    to_synth = (SYNTH, players_channel) if synth is not None and config.sound_player else None
    thru = _thru(config, ports, to_synth)
    channel = config.channel - 1
    parts = Parts(
        DelayedPerformer(latencies_s, channel),
        Hearing(echo, RouteMerger(config.merge_window_s), config.channels, beats.is_own_clock),
        thru,
        Voices(channel, tuple(outputs), keys, [to_synth] if to_synth else []),
        beats,
        Outs(outputs, echo),
        ports,
    )
    return parts, _unknown(config, keys, thru)


def latency_of(config: StageConfig, output: str, keys: Sequence[str]) -> float:
    """How late an output sounds, in seconds: what is said of it by name goes before what is said of all."""
    found = 0.0
    for name, latency_s in port_texts.latencies_of(config.latency_ms):
        if name and output in _called(name, keys):
            return latency_s
        found = found if name else latency_s
    return found


def clocked_of(config: StageConfig, keys: Sequence[str]) -> tuple[str, ...]:
    """Outputs that get MIDI clock."""
    names = port_texts.names_of(config.clock_out)
    if port_texts.ALL in names:
        return tuple(keys)
    return tuple(key for key in keys if any(key in matching(name, keys) for name in names))


def _called(name: str, keys: Sequence[str]) -> list[str]:
    return [SYNTH] if name == port_texts.SYNTH else matching(name, keys)


def _thru(config: StageConfig, ports: Rig, to_synth: tuple[str, int] | None) -> ThruMatrix:
    own = [key for key in ports.output_keys if key == f"{config.name} out"]
    settings = ThruSettings(
        cast("Literal['auto', 'on', 'off']", config.thru),
        port_texts.routes_of(config.thru_routes),
        config.player_channel - 1 if config.player_channel else None,
    )
    named = [key for key in ports.output_keys if key not in own]
    synth = None if to_synth is None else (port_texts.SYNTH, *to_synth)
    return ThruMatrix(settings, named, own, synth, ports.same_device)


def _unknown(config: StageConfig, keys: Sequence[str], thru: ThruMatrix) -> list[str]:
    """Only of outputs is it known from the start which there may be."""
    if not keys:
        return []
    named = [
        *(("ports.thru_routes", name) for name in thru.unknown_outputs() if name != port_texts.SYNTH),
        *(("ports.latency_ms", name) for name, _ in port_texts.latencies_of(config.latency_ms) if name),
        *(("time.clock_out", name) for name in port_texts.names_of(config.clock_out)),
    ]
    there = ", ".join(f'"{key}"' for key in keys)
    return [
        f'{setting} names an output "{name}", but improv plays to none that is called so '
        f"({there}); add it to ports.output."
        for setting, name in named
        if name not in (port_texts.ALL, port_texts.SYNTH) and not matching(name, keys)
    ]
