"""What the stage is told when it starts."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class StageConfig:
    """The settings the stage needs, fixed for its life.

    Attributes:
        name: Name of the virtual ports: "<name> in" and "<name> out".
        api: MIDI system: auto, alsa, jack, coremidi, windows or none.
        input: Parts of names of input ports to connect, with commas, or auto; see `port_texts.names_of`.
        output: Parts of names of output ports to connect, with commas.
        virtual: Open the virtual ports.
        channel: improv's MIDI channel, 1..16.
        player_channel: On which the player's notes go on to MIDI outputs, 1..16; 0: on which they come.
        channels: Which are heard; see `port_texts.channels_of`.
        thru: Whether the player's notes go on to MIDI outputs: auto, on, off.
        thru_routes: From which input to which output they go; see `port_texts.routes_of`.
        merge_window_s: How long after one of two ways the other may bring the same event.
        latency_ms: How late outputs sound; see `port_texts.latencies_of`.
        clock_out: Outputs that get MIDI clock: parts of names with commas, or all.
        echo_window_s: How long after sending it improv's own output is recognised at an input.
        sound: Live synth: auto (if it can be had), on (refuse to start without), off.
        voice: What sounds: soundfont, piano (the built-in one), or auto.
        soundfont: Path of a soundfont; empty for an installed one.
        driver: Audio driver by FluidSynth's name for it, or auto; null: the piano plays unheard.
        gain: Loudness of the synth, 0..10.
        reverb: How much of the room is heard, 0..1.
        sound_player: Sound the player's notes through the synth too.
    """

    name: str = "improv"
    api: str = "auto"
    input: str = "auto"
    output: str = ""
    virtual: bool = True
    channel: int = 2
    player_channel: int = 0
    channels: str = ""
    thru: str = "auto"
    thru_routes: str = ""
    merge_window_s: float = 0.03
    echo_window_s: float = 0.06
    latency_ms: str = ""
    clock_out: str = ""
    sound: str = "auto"
    voice: str = "auto"
    soundfont: str = ""
    driver: str = "auto"
    gain: float = 0.5
    reverb: float = 0.3
    sound_player: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.channel <= 16:
            raise ValueError(f"channel must be in 1..16, got {self.channel}")
        if self.sound not in ("auto", "on", "off"):
            raise ValueError(f"sound must be auto, on or off, got {self.sound!r}")
        if self.voice not in ("auto", "soundfont", "piano"):
            raise ValueError(f"voice must be auto, soundfont or piano, got {self.voice!r}")

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> StageConfig:
        """The inverse of `to_json`.

        Raises:
            ValueError: The text is not a configuration of ours.
        """
        fields: dict[str, Any] = json.loads(text)
        try:
            return cls(**fields)
        except TypeError as error:
            raise ValueError(f"not a stage configuration: {error}") from None
