"""What may be set of ports, sound, time and controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from improv_daemon.port_texts import channels_of, latencies_of, names_of, routes_of
from improv_daemon.settings.control_rules import Gesture, Knobs
from improv_daemon.settings.instruments import Instrument
from improv_daemon.settings.registry import Setting
from improv_daemon.settings.rules import (
    Choice,
    FilePath,
    Number,
    Parsed,
    PortName,
    Switch,
    Text,
    Whole,
)

GRIDS: Final = ("off", "1/4", "1/8", "1/8t", "1/16", "1/16t", "1/32")
"""What onsets may be moved to: parts of a whole note, t for triplets."""

_NAMES: Final = Parsed(
    names_of, 'names or parts of names in quotes, with commas between them, or "" for none'
)


@dataclass(frozen=True, slots=True)
class Ports:
    """MIDI in and out; `improv ports` lists what there is."""

    api: Annotated[
        str,
        Setting(
            Choice(("auto", "alsa", "jack", "coremidi", "windows", "none")),
            'the MIDI system: "auto", "alsa", "jack", "coremidi", "windows", or "none" for no ports at all',
            live=False,
        ),
    ] = "auto"
    name: Annotated[
        str, Setting(PortName(), 'names improv\'s own two ports, "improv in" and "improv out"', live=False)
    ] = "improv"
    input: Annotated[
        str,
        Setting(
            _NAMES,
            'listen to these too: "auto" = every keyboard that is plugged in, now or later; or parts '
            'of names, as "keystation, nanokontrol"; "" = none',
            live=False,
        ),
    ] = "auto"
    output: Annotated[
        str,
        Setting(
            _NAMES,
            'play to these too: parts of names, as "roland, minilogue"; one that is missing is taken '
            "up when it appears",
            live=False,
        ),
    ] = ""
    virtual: Annotated[
        bool,
        Setting(Switch(), 'open "improv in" and "improv out" for other programs to connect to', live=False),
    ] = True
    channel: Annotated[
        int,
        Setting(
            Whole(1, 16),
            "MIDI channel on which improv plays, 1 to 16; not the one of your keyboard",
            live=False,
        ),
    ] = 2
    player_channel: Annotated[
        int,
        Setting(
            Whole(0, 16),
            "your notes go on to the outputs on this channel; 0 = on the one they come on",
            live=False,
        ),
    ] = 0
    channels: Annotated[
        str,
        Setting(
            Parsed(
                channels_of,
                'channels such as "1-4 10", or by input "keystation 1-4, nanopad 10", or "" for all',
            ),
            'channels that are heard: "1-4 10", or by input, as "keystation 1-4, nanopad 10"; "" = all',
            live=False,
        ),
    ] = ""
    thru: Annotated[
        str,
        Setting(
            Choice(("auto", "on", "off")),
            'your notes go on to the MIDI outputs: "auto" = to those named in output that are not the'
            ' keyboard itself, "on" = to all, "off" = to none',
            live=False,
        ),
    ] = "auto"
    thru_routes: Annotated[
        str,
        Setting(
            Parsed(
                routes_of, 'routes such as "keystation > roland, nanopad > synth", or "" for the usual ones'
            ),
            'or just so: "keystation > roland, nanopad > synth" (synth is the built-in one); "" = as '
            "thru says",
            live=False,
        ),
    ] = ""
    merge_window_s: Annotated[
        float,
        Setting(
            Number(0.0, 0.5),
            "the same note coming by two ways within this many seconds is one; 0 = it is two",
            unit="s",
            live=False,
        ),
    ] = 0.03
    echo_window_s: Annotated[
        float,
        Setting(
            Number(0.0, 1.0),
            "improv's own notes coming back within this many seconds are not taken as yours",
            unit="s",
            live=False,
        ),
    ] = 0.06
    latency_ms: Annotated[
        str,
        Setting(
            Parsed(
                latencies_of,
                'milliseconds from 0 to 500, as "12" for all outputs or "roland 12, synth 30" by '
                'name, or "" for none',
            ),
            'how late an output sounds: it is sent to so much earlier; "12" = all of them, or by '
            'name, as "roland 12, synth 30"',
            unit="ms",
            live=False,
        ),
    ] = ""


@dataclass(frozen=True, slots=True)
class Sound:
    """The built-in synthesiser."""

    enabled: Annotated[
        str,
        Setting(
            Choice(("auto", "on", "off")),
            '"auto" = sound when it can, "on" = refuse to start without, "off" = MIDI only',
            live=False,
        ),
    ] = "auto"
    voice: Annotated[
        str,
        Setting(
            Choice(("auto", "soundfont", "piano")),
            '"soundfont" = FluidSynth with a soundfont, "piano" = the built-in piano, which needs neither; '
            '"auto" = a soundfont if there is one, else the piano',
            live=False,
        ),
    ] = "auto"
    soundfont: Annotated[
        str,
        Setting(
            FilePath(optional=True), 'path of an .sf2 or .sf3 file; "" looks in the usual places', live=False
        ),
    ] = ""
    driver: Annotated[
        str,
        Setting(
            Text(),
            'audio driver: "auto", or its name, such as "alsa" or "jack"; "null" = the piano plays unheard',
            live=False,
        ),
    ] = "auto"
    gain: Annotated[
        float, Setting(Number(0.0, 10.0), "loudness, 0 to 10; above 1 loud chords may crackle", live=False)
    ] = 0.5
    reverb: Annotated[
        float, Setting(Number(0.0, 1.0), "how much of the room is heard, 0 to 1", live=False)
    ] = 0.3
    player: Annotated[
        bool,
        Setting(Switch(), "sound your notes too; false if your keyboard makes its own sound", live=False),
    ] = True


@dataclass(frozen=True, slots=True)
class Voices:
    """How the two of you sound, in the synthesiser and on the outputs."""

    improv_program: Annotated[
        int,
        Setting(
            Instrument(),
            "improv's instrument, a General MIDI number from 1 to 128 (1 is a piano) or a name, as "
            '"Vibraphone"; 0 = as it is',
        ),
    ] = 0
    player_program: Annotated[
        int, Setting(Instrument(), "your instrument where your notes go on to, likewise; 0 = as it is")
    ] = 0
    improv_pan: Annotated[
        float, Setting(Number(-1.0, 1.0), "where improv is heard, from -1 = left to 1 = right")
    ] = 0.0
    player_pan: Annotated[
        float,
        Setting(
            Number(-1.0, 1.0), "where you are heard where your notes go on to, from -1 = left to 1 = right"
        ),
    ] = 0.0
    improv_volume: Annotated[int, Setting(Whole(0, 127), "how loud improv is, 1 to 127; 0 = as it is")] = 0
    player_volume: Annotated[
        int, Setting(Whole(0, 127), "how loud you are where your notes go on to, 1 to 127; 0 = as it is")
    ] = 0


@dataclass(frozen=True, slots=True)
class Time:
    """The beat, where one is needed."""

    tempo_bpm: Annotated[
        float,
        Setting(
            Number(30.0, 300.0, optional=True),
            "tempo where no MIDI clock or tapping gives one, 30 to 300; 0 = taken from your playing",
            unit="beats/min",
            knob=(60.0, 200.0),
        ),
    ] = 0.0
    beats_per_bar: Annotated[int, Setting(Whole(1, 16), "beats of a bar", unit="beats")] = 4
    follow_clock: Annotated[bool, Setting(Switch(), "go by MIDI clock where it comes in")] = True
    clock_out: Annotated[
        str,
        Setting(
            _NAMES, 'outputs that MIDI clock is sent to: "all", or parts of names; "" = none', live=False
        ),
    ] = ""
    metronome: Annotated[bool, Setting(Switch(), "click with the beat, where it is clear")] = False
    count_in_bars: Annotated[
        int,
        Setting(
            Whole(0, 4),
            "so many bars are clicked before it begins, where the tempo is set or tapped; 0 = none",
            unit="bars",
        ),
    ] = 0
    grid: Annotated[
        str,
        Setting(
            Choice(GRIDS),
            'improv\'s notes are moved to "1/4", "1/8", "1/8t", "1/16", "1/16t" or "1/32" (t for '
            'triplets); "off" = not moved',
        ),
    ] = "off"
    quantise: Annotated[
        float, Setting(Number(0.0, 1.0), "how far they are moved: 0 = not at all, 1 = all the way")
    ] = 1.0


@dataclass(frozen=True, slots=True)
class Controls:
    """What tells improv things while you play, and what improv tells back."""

    hand_over: Annotated[str, Setting(Gesture(), "your turn is over, improv plays")] = ""
    next_mode: Annotated[str, Setting(Gesture(), "go on to the next mode")] = ""
    next_preset: Annotated[str, Setting(Gesture(), "go on to the next preset")] = ""
    tap: Annotated[str, Setting(Gesture(), "tap the tempo")] = ""
    count_in: Annotated[
        str, Setting(Gesture(), "click a bar before it begins, or as many as time.count_in_bars")
    ] = ""
    panic: Annotated[str, Setting(Gesture(), "everything is silent at once")] = ""
    mute: Annotated[str, Setting(Gesture(), "improv is silent until told again")] = ""
    again: Annotated[str, Setting(Gesture(), "improv plays its last answer once more")] = ""
    another: Annotated[str, Setting(Gesture(), "improv answers the same call in another way")] = ""
    loop: Annotated[str, Setting(Gesture(), "what was played last goes round until told again")] = ""
    undo: Annotated[str, Setting(Gesture(), "the last turn is forgotten, yours and improv's")] = ""
    keep: Annotated[str, Setting(Gesture(), "keep what was played in the last minutes")] = ""
    knobs: Annotated[
        str,
        Setting(
            Knobs(),
            'controllers that set something: "cc 1 sampling.temperature, cc 74 ch 2 memory.follow 0..0.4"',
        ),
    ] = ""
    presets_by_program: Annotated[bool, Setting(Switch(), "program change 1, 2, 3 ... chooses a preset")] = (
        False
    )
    state_turn: Annotated[
        int,
        Setting(
            Whole(0, 119),
            "controller number that says whose turn it is: 0 yours, 64 improv gives way, 127 "
            "improv's; 0 = not sent",
        ),
    ] = 0
    state_mode: Annotated[
        int,
        Setting(
            Whole(0, 119), "controller number that says the mode: 0 answer, 1 trade, and so on; 0 = not sent"
        ),
    ] = 0
    osc_port: Annotated[
        int,
        Setting(
            Whole(0, 65535),
            "take OSC messages from this computer at this UDP port, e.g. 9000; 0 = none",
            live=False,
        ),
    ] = 0


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of a sitting."""

    folder: Annotated[
        str, Setting(FilePath(), "where sittings are kept, each named by its date and time", live=False)
    ] = "sessions"
    audio: Annotated[
        str,
        Setting(
            Choice(("mp3", "flac", "ogg", "wav", "off")),
            'how its sound is kept beside the MIDI file; "off" = not at all',
            live=False,
        ),
    ] = "mp3"
    bitrate_kbps: Annotated[
        int,
        Setting(
            Choice((0, 96, 128, 160, 192, 224, 256, 320)),
            "quality of the MP3: 96, 128, 160, 192, 224, 256 or 320; 0 = varying, as the music needs",
            unit="kbit/s",
            live=False,
        ),
    ] = 192
    bar_lines: Annotated[
        str,
        Setting(
            Choice(("auto", "estimated", "fixed")),
            'those of the MIDI file: "auto" = those of the MIDI clock, of the tapped or set tempo, or '
            'else estimated from your playing; "estimated" = always so; "fixed" = 120 beats a minute',
            live=False,
        ),
    ] = "auto"
    last_minutes: Annotated[
        int,
        Setting(
            Whole(0, 60),
            "`improv play` remembers so many, for controls.keep to keep after the fact; 0 = none",
            unit="min",
            live=False,
        ),
    ] = 10
