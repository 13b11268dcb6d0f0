"""Every setting: its name, type, default and range.

The packaged ``defaults.toml`` says the same again with comments for the musician; a test holds them equal.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

from improv_core.representation import STYLES
from improv_daemon.settings.rules import (
    Choice,
    FilePath,
    Gesture,
    Number,
    PortName,
    Rule,
    ScaleName,
    Switch,
    Text,
    Whole,
)

SCHEMA = 1
"""The version of the configuration files that this improv reads and writes."""

FREE = "free"
"""The style of which nothing is asked."""

MODES = ("answer", "trade", "duet", "harmonise", "solo", "listen")
"""Who plays when."""


@dataclass(frozen=True, slots=True)
class Ports:
    """MIDI in and out.

    Attributes:
        api: The MIDI system; ``auto`` takes the first that works, ``none`` opens nothing.
        name: Of the virtual ports "<name> in" and "<name> out".
        input: Part of the name of an input to listen to as well, empty for none.
        output: Part of the name of an output to play to as well, empty for none.
        virtual: Whether to open the virtual ports.
        channel: improv's MIDI channel, 1..16.
        echo_window_s: How long a message that improv sent counts as its own when it comes back.
    """

    api: Annotated[str, Choice(("auto", "alsa", "jack", "coremidi", "windows", "none"))] = "auto"
    name: Annotated[str, PortName()] = "improv"
    input: Annotated[str, Text()] = ""
    output: Annotated[str, Text()] = ""
    virtual: Annotated[bool, Switch()] = True
    channel: Annotated[int, Whole(1, 16)] = 2
    echo_window_s: Annotated[float, Number(0.0, 1.0)] = 0.06


@dataclass(frozen=True, slots=True)
class Sound:
    """The built-in synthesiser.

    Attributes:
        enabled: ``auto`` sounds when it can, ``on`` insists, ``off`` stays silent.
        soundfont: Path of an .sf2 or .sf3 file, empty to look in the usual places.
        driver: FluidSynth's audio driver; ``auto`` tries what the system has.
        gain: Loudness of the synthesiser.
        player: Whether the player's notes sound too.
    """

    enabled: Annotated[str, Choice(("auto", "on", "off"))] = "auto"
    soundfont: Annotated[str, FilePath(optional=True)] = ""
    driver: Annotated[str, Text()] = "auto"
    gain: Annotated[float, Number(0.0, 10.0)] = 0.5
    player: Annotated[bool, Switch()] = True


@dataclass(frozen=True, slots=True)
class Turn:
    """When the player's turn has ended.

    Attributes:
        silence_min_s: The shortest silence that ends a turn.
        silence_max_s: The longest silence that a turn survives.
        silence_factor: Times improv's patience, between those two bounds; without `by_model` the player's
            own usual gap.
        held_min_s: The same lower bound while keys stay down.
        held_max_s: The same upper bound while keys stay down.
        held_factor: The same factor while keys stay down.
        by_model: Whether the longest gap and what the model expects decide, instead of the usual gap.
        max_wait_s: How long the answer may wait for its moment after the turn has ended.
    """

    silence_min_s: Annotated[float, Number(0.05, 10.0)] = 0.65
    silence_max_s: Annotated[float, Number(0.05, 30.0)] = 1.8
    silence_factor: Annotated[float, Number(0.5, 20.0)] = 2.0
    held_min_s: Annotated[float, Number(0.1, 30.0)] = 1.5
    held_max_s: Annotated[float, Number(0.1, 60.0)] = 4.0
    held_factor: Annotated[float, Number(0.5, 50.0)] = 6.0
    by_model: Annotated[bool, Switch()] = True
    max_wait_s: Annotated[float, Number(0.0, 10.0)] = 0.8


@dataclass(frozen=True, slots=True)
class Answer:
    """How long improv answers, and how.

    Attributes:
        length_ratio: Length of the answer over the length of the call.
        length_min_s: No answer is planned shorter.
        length_max_s: No answer is planned longer.
        lookahead_s: How far ahead of their sound notes are drawn.
        max_gap_s: No gap between two of its notes is longer.
        style: What kind of music it is to be; ``free`` leaves it to the model.
        density_ratio: Its notes a second over those of the call; 0 leaves it to the model.
        on_pulse: Whether it begins on the player's pulse where that is clear.
        candidates: How many answers are drawn before it begins, of which the best is played.
    """

    length_ratio: Annotated[float, Number(0.1, 8.0)] = 1.0
    length_min_s: Annotated[float, Number(0.1, 120.0)] = 1.5
    length_max_s: Annotated[float, Number(0.5, 600.0)] = 20.0
    lookahead_s: Annotated[float, Number(0.05, 5.0)] = 0.25
    max_gap_s: Annotated[float, Number(0.1, 20.0)] = 1.5
    style: Annotated[str, Choice((FREE, *STYLES))] = FREE
    density_ratio: Annotated[float, Number(0.25, 4.0, optional=True)] = 0.0
    on_pulse: Annotated[bool, Switch()] = True
    candidates: Annotated[int, Whole(1, 16)] = 4


@dataclass(frozen=True, slots=True)
class Yielding:
    """What improv does when the player returns into its answer.

    Attributes:
        how: Stop at once, finish the notes that sound, finish the phrase, or play on under the player.
        min_velocity: A note of the player's softer than this is no return.
        lowest_key: Nor is one below this.
        highest_key: Nor one above this.
    """

    how: Annotated[str, Choice(("cut", "finish_note", "finish_phrase", "overlap"))] = "cut"
    min_velocity: Annotated[int, Whole(1, 127)] = 1
    lowest_key: Annotated[int, Whole(0, 127)] = 0
    highest_key: Annotated[int, Whole(0, 127)] = 127


@dataclass(frozen=True, slots=True)
class Trade:
    """How long each of the two plays in turn.

    Attributes:
        bars: Bars of each.
        beats_per_bar: Beats of a bar; MIDI clock does not say.
        seconds: Seconds of each instead of bars, 0 for bars.
        tempo_bpm: Beats a minute where neither MIDI clock nor tapping says; 0 takes the player's pulse.
    """

    bars: Annotated[int, Whole(1, 32)] = 4
    beats_per_bar: Annotated[int, Whole(1, 16)] = 4
    seconds: Annotated[float, Number(1.0, 120.0, optional=True)] = 0.0
    tempo_bpm: Annotated[float, Number(30.0, 300.0, optional=True)] = 0.0


@dataclass(frozen=True, slots=True)
class Duet:
    """How improv plays together with the player.

    Attributes:
        role: ``support`` plays under the player, ``sparse`` little, ``lead`` over the player.
        plan_s: How far ahead of their sound notes are fixed.
        distance: How many semitones it keeps away from what the player plays.
    """

    role: Annotated[str, Choice(("support", "sparse", "lead"))] = "support"
    plan_s: Annotated[float, Number(0.02, 1.0)] = 0.06
    distance: Annotated[int, Whole(0, 24)] = 4


@dataclass(frozen=True, slots=True)
class Harmonise:
    """Which notes go with each of the player's.

    Attributes:
        voices: How many notes.
        side: Under the player's note, over it, or both.
    """

    voices: Annotated[int, Whole(1, 4)] = 1
    side: Annotated[str, Choice(("below", "above", "both"))] = "below"


@dataclass(frozen=True, slots=True)
class Solo:
    """What improv goes on from alone.

    Attributes:
        prime: A MIDI file that it hears first, empty for none.
    """

    prime: Annotated[str, FilePath(optional=True)] = ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How daring the drawn notes are, one temperature for each attribute of a note."""

    temperature: Annotated[float, Number(0.05, 3.0)] = 1.0
    temperature_dt: Annotated[float, Number(0.05, 3.0)] = 1.0
    temperature_pedal: Annotated[float, Number(0.05, 3.0)] = 1.0
    temperature_pitch: Annotated[float, Number(0.05, 3.0)] = 1.0
    temperature_velocity: Annotated[float, Number(0.05, 3.0)] = 1.0
    temperature_duration: Annotated[float, Number(0.05, 3.0)] = 1.0
    guidance: Annotated[float, Number(0.0, 10.0)] = 2.5
    min_p: Annotated[float, Number(0.0, 0.9)] = 0.01
    top_p: Annotated[float, Number(0.05, 1.0)] = 1.0
    lowest_pitch: Annotated[int, Whole(0, 127)] = 21
    highest_pitch: Annotated[int, Whole(0, 127)] = 108
    scale: Annotated[str, ScaleName()] = "off"
    scale_strict: Annotated[bool, Switch()] = False
    velocity_follow: Annotated[float, Number(0.0, 1.0)] = 0.5
    polyphony: Annotated[int, Whole(0, 20)] = 0
    loop_guard: Annotated[bool, Switch()] = True


@dataclass(frozen=True, slots=True)
class Memory:
    """What improv remembers, and what it makes of it.

    Attributes:
        window_notes: How many notes back.
        window_s: How many seconds back.
        own_weight: How much of what improv itself has played counts as remembered.
        follow: How much its notes lean on those that the player has just played.
        recall: How often an answer takes up a phrase of the player's from minutes ago.
        initiative: Whether it invites after a long silence.
        initiative_after_s: How long that silence is.
    """

    window_notes: Annotated[int, Whole(16, 8192)] = 512
    window_s: Annotated[float, Number(5.0, 7200.0)] = 600.0
    own_weight: Annotated[float, Number(0.0, 1.0)] = 0.5
    follow: Annotated[float, Number(0.0, 0.5)] = 0.2
    recall: Annotated[float, Number(0.0, 1.0)] = 0.1
    initiative: Annotated[bool, Switch()] = False
    initiative_after_s: Annotated[float, Number(5.0, 600.0)] = 30.0


@dataclass(frozen=True, slots=True)
class Controls:
    """How improv is told things while both hands play.

    Each is ``cc N`` for a controller or foot switch, ``note N`` for a key, ``notes N+M`` for keys held
    together, or empty.

    Attributes:
        hand_over: Ends the player's turn.
        next_mode: Goes on to the next mode.
        tap: Taps the tempo.
        osc_port: UDP port on this computer where OSC messages are taken, 0 for none.
    """

    hand_over: Annotated[str, Gesture()] = ""
    next_mode: Annotated[str, Gesture()] = ""
    tap: Annotated[str, Gesture()] = ""
    osc_port: Annotated[int, Whole(0, 65535)] = 0


@dataclass(frozen=True, slots=True)
class Record:
    """Where sittings are kept, and as what."""

    folder: Annotated[str, FilePath()] = "sessions"
    mp3: Annotated[bool, Switch()] = True
    bitrate_kbps: Annotated[int, Choice((96, 128, 160, 192, 224, 256, 320))] = 192


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the musician may set.

    Attributes:
        mode: Who plays when.
        model: ``default``, or the path of an .onnx model file.
        seed: Of improv's dice; 0 draws a new one each time.
    """

    mode: Annotated[str, Choice(MODES)] = "answer"
    model: Annotated[str, FilePath()] = "default"
    seed: Annotated[int, Whole(0, 2**32 - 1)] = 0
    ports: Ports = Ports()
    sound: Sound = Sound()
    turn: Turn = Turn()
    answer: Answer = Answer()
    yielding: Yielding = Yielding()
    trade: Trade = Trade()
    duet: Duet = Duet()
    harmonise: Harmonise = Harmonise()
    solo: Solo = Solo()
    sampling: Sampling = Sampling()
    memory: Memory = Memory()
    controls: Controls = Controls()
    record: Record = Record()


ORDERED = (
    ("turn.silence_min_s", "turn.silence_max_s"),
    ("turn.held_min_s", "turn.held_max_s"),
    ("answer.length_min_s", "answer.length_max_s"),
    ("yielding.lowest_key", "yielding.highest_key"),
    ("sampling.lowest_pitch", "sampling.highest_pitch"),
)
"""Pairs of settings of which the first must not be above the second."""

SECTIONS: dict[str, type[Any]] = {
    name: kind
    for name, kind in get_type_hints(Settings).items()
    if isinstance(kind, type) and dataclasses.is_dataclass(kind)
}
"""Section name to its dataclass, in the order of `Settings`."""


def _rules(kind: type[Any], prefix: str) -> dict[str, Rule]:
    hints = get_type_hints(kind, include_extras=True)
    return {prefix + name: hint.__metadata__[0] for name, hint in hints.items() if name not in SECTIONS}


RULES: dict[str, Rule] = _rules(Settings, "") | {
    path: rule for name, kind in SECTIONS.items() for path, rule in _rules(kind, f"{name}.").items()
}
"""``key`` or ``section.key`` to what it may be, in the order of `Settings`."""
