"""What may be set of how improv plays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from improv_core.representation import STYLES
from improv_daemon.settings.registry import Setting
from improv_daemon.settings.rules import Choice, FilePath, Number, ScaleName, Switch, Whole

FREE: Final = "free"
"""The style of which nothing is asked."""


@dataclass(frozen=True, slots=True)
class Turn:
    """When improv takes it that you have finished."""

    silence_min_s: Annotated[
        float,
        Setting(
            Number(0.05, 10.0),
            "your turn never ends before so many seconds with no key down",
            unit="s",
            knob=(0.2, 2.0),
        ),
    ] = 0.65
    silence_max_s: Annotated[
        float,
        Setting(
            Number(0.05, 30.0),
            "your turn always ends after so many seconds with no key down",
            unit="s",
            knob=(0.5, 6.0),
        ),
    ] = 1.8
    silence_factor: Annotated[
        float,
        Setting(
            Number(0.5, 20.0),
            "between those two it ends sooner or later by this: twice as much is twice as patient",
            knob=(0.5, 8.0),
        ),
    ] = 2.0
    held_min_s: Annotated[
        float,
        Setting(
            Number(0.1, 30.0),
            "while you hold a last chord your turn never ends before so many seconds",
            unit="s",
            knob=(0.3, 5.0),
        ),
    ] = 1.5
    held_max_s: Annotated[
        float,
        Setting(
            Number(0.1, 60.0),
            "while you hold a last chord your turn always ends after so many seconds",
            unit="s",
            knob=(1.0, 12.0),
        ),
    ] = 4.0
    held_factor: Annotated[
        float,
        Setting(
            Number(0.5, 50.0),
            "between those two it ends after so many times your own usual gap",
            knob=(0.5, 20.0),
        ),
    ] = 6.0
    by_model: Annotated[
        bool,
        Setting(
            Switch(),
            "your longest gaps and what improv expects say how patient it is; false = your usual gap",
        ),
    ] = True
    max_wait_s: Annotated[
        float,
        Setting(
            Number(0.0, 10.0),
            "when your turn is over, improv may wait so many seconds for the right moment to come in",
            unit="s",
            knob=(0.0, 3.0),
        ),
    ] = 0.8


@dataclass(frozen=True, slots=True)
class Answer:
    """How much improv says, and how."""

    length_ratio: Annotated[
        float,
        Setting(
            Number(0.1, 8.0), "length of the answer over the length of what you played", knob=(0.25, 4.0)
        ),
    ] = 1.0
    length_min_s: Annotated[
        float, Setting(Number(0.1, 120.0), "shortest answer, in seconds", unit="s", knob=(0.5, 10.0))
    ] = 1.5
    length_max_s: Annotated[
        float,
        Setting(
            Number(0.5, 600.0),
            "longest answer, in seconds; to close it may take a moment more",
            unit="s",
            knob=(2.0, 60.0),
        ),
    ] = 20.0
    lookahead_s: Annotated[
        float,
        Setting(
            Number(0.05, 5.0),
            "notes are decided this many seconds before they sound",
            unit="s",
            knob=(0.05, 1.0),
        ),
    ] = 0.25
    max_gap_s: Annotated[
        float,
        Setting(
            Number(0.1, 20.0), "no pause inside an answer is longer than this", unit="s", knob=(0.3, 4.0)
        ),
    ] = 1.5
    style: Annotated[
        str,
        Setting(
            Choice((FREE, *STYLES)),
            '"classical", "roll era", "pop", "jazz line", or "free" = as the model likes',
        ),
    ] = FREE
    density_ratio: Annotated[
        float,
        Setting(
            Number(0.25, 4.0, optional=True),
            "notes a second over those of what you played, 0.25 to 4; 0 = as the model likes",
        ),
    ] = 0.0
    on_pulse: Annotated[bool, Setting(Switch(), "begin on your beat where it is clear")] = True
    candidates: Annotated[
        int, Setting(Whole(1, 16), "so many answers are thought of, and the best is played, 1 to 16")
    ] = 4


@dataclass(frozen=True, slots=True)
class Yielding:
    """When you come back while improv answers."""

    how: Annotated[
        str,
        Setting(
            Choice(("cut", "finish_note", "finish_phrase", "overlap")),
            '"cut" = it stops at once, "finish_note" = what sounds rings on, "finish_phrase" = it '
            'comes to a close, "overlap" = it plays on under you',
        ),
    ] = "cut"
    min_velocity: Annotated[
        int, Setting(Whole(1, 127), "notes softer than this do not make it give way (a brushed key)")
    ] = 1
    lowest_key: Annotated[int, Setting(Whole(0, 127), "keys below this do not make it give way")] = 0
    highest_key: Annotated[
        int, Setting(Whole(0, 127), "keys above this do not make it give way (60 is middle C)")
    ] = 127


@dataclass(frozen=True, slots=True)
class Trade:
    """Mode "trade"."""

    bars: Annotated[int, Setting(Whole(1, 32), "so many bars each", unit="bars", knob=(1, 16))] = 4
    seconds: Annotated[
        float,
        Setting(
            Number(1.0, 120.0, optional=True),
            "so many seconds each instead, 1 to 120; 0 = bars",
            unit="s",
            knob=(1.0, 30.0),
        ),
    ] = 0.0


@dataclass(frozen=True, slots=True)
class Duet:
    """Mode "duet"."""

    role: Annotated[
        str,
        Setting(
            Choice(("support", "sparse", "lead")),
            '"support" = under you, "sparse" = only a little, "lead" = above you',
        ),
    ] = "support"
    plan_s: Annotated[
        float,
        Setting(
            Number(0.02, 1.0),
            "notes are fixed this many seconds before they sound",
            unit="s",
            knob=(0.02, 0.5),
        ),
    ] = 0.06
    distance: Annotated[
        int, Setting(Whole(0, 24), "it keeps so many semitones away from what you play", unit="semitones")
    ] = 4


@dataclass(frozen=True, slots=True)
class Harmonise:
    """Mode "harmonise"."""

    voices: Annotated[int, Setting(Whole(1, 4), "so many notes to each of yours, 1 to 4")] = 1
    side: Annotated[
        str, Setting(Choice(("below", "above", "both")), '"below" your note, "above" it, or "both"')
    ] = "below"


@dataclass(frozen=True, slots=True)
class Solo:
    """Mode "solo"."""

    prime: Annotated[
        str,
        Setting(
            FilePath(optional=True),
            'a MIDI file to begin from, as --prime does; "" = from what it has heard, or nothing',
            live=False,
        ),
    ] = ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How daring the notes are: 1 = as the model learnt, lower = safer, higher = wilder."""

    temperature: Annotated[
        float,
        Setting(
            Number(0.05, 3.0),
            "how daring all of it is: 1 as learnt, less is safer, more wilder",
            knob=(0.5, 1.5),
        ),
    ] = 1.0
    temperature_dt: Annotated[
        float,
        Setting(
            Number(0.05, 3.0), "how daring the rhythm is: the time from one note to the next", knob=(0.5, 1.5)
        ),
    ] = 1.0
    temperature_pedal: Annotated[
        float, Setting(Number(0.05, 3.0), "how daring the sustain pedal is", knob=(0.5, 1.5))
    ] = 1.0
    temperature_pitch: Annotated[
        float, Setting(Number(0.05, 3.0), "how daring the choice of notes is", knob=(0.5, 1.5))
    ] = 1.0
    temperature_velocity: Annotated[
        float, Setting(Number(0.05, 3.0), "how daring the loudness is", knob=(0.5, 1.5))
    ] = 1.0
    temperature_duration: Annotated[
        float, Setting(Number(0.05, 3.0), "how daring the lengths are", knob=(0.5, 1.5))
    ] = 1.0
    guidance: Annotated[
        float,
        Setting(
            Number(0.0, 10.0),
            "how closely the style and density you ask for are kept to, 0 to 10; 1 = as learnt",
            knob=(0.0, 5.0),
        ),
    ] = 2.5
    min_p: Annotated[
        float,
        Setting(
            Number(0.0, 0.9),
            "drop choices less likely than this share of the likeliest, 0 to 0.9",
            knob=(0.0, 0.2),
        ),
    ] = 0.01
    top_p: Annotated[
        float,
        Setting(
            Number(0.05, 1.0),
            "keep only the likeliest choices that make up this share, 0.05 to 1",
            knob=(0.5, 1.0),
        ),
    ] = 1.0
    lowest_pitch: Annotated[
        int,
        Setting(
            Whole(0, 127),
            "lowest key improv plays (21 is the lowest of a piano, 60 is middle C)",
            knob=(21, 108),
        ),
    ] = 21
    highest_pitch: Annotated[
        int,
        Setting(Whole(0, 127), "highest key improv plays (108 is the highest of a piano)", knob=(21, 108)),
    ] = 108
    scale: Annotated[
        str,
        Setting(
            ScaleName(), 'keep to a scale: "off", "auto" = that of what you play, or one by name, "D minor"'
        ),
    ] = "off"
    scale_strict: Annotated[bool, Setting(Switch(), "true = never a note outside it; false = seldom")] = False
    velocity_follow: Annotated[
        float, Setting(Number(0.0, 1.0), "how much it plays as loudly as you, 0 to 1")
    ] = 0.5
    polyphony: Annotated[
        int, Setting(Whole(0, 20), "at most so many notes at a time; 0 = as many as it likes", knob=(0, 10))
    ] = 0
    loop_guard: Annotated[bool, Setting(Switch(), "leave a pattern that goes round and round")] = True


@dataclass(frozen=True, slots=True)
class Memory:
    """What improv remembers of the sitting, and what it makes of it."""

    window_notes: Annotated[
        int,
        Setting(
            Whole(16, 8192),
            "how many notes back improv remembers, yours and its own",
            unit="notes",
            knob=(16, 1024),
        ),
    ] = 512
    window_s: Annotated[
        float,
        Setting(Number(5.0, 7200.0), "how many seconds back improv remembers", unit="s", knob=(5.0, 1800.0)),
    ] = 600.0
    own_weight: Annotated[
        float, Setting(Number(0.0, 1.0), "how much of its own playing counts in that, 0 to 1")
    ] = 0.5
    follow: Annotated[
        float, Setting(Number(0.0, 0.5), "how much it takes up what you just played, 0 to 0.5")
    ] = 0.2
    recall: Annotated[
        float,
        Setting(Number(0.0, 1.0), "how often it comes back to a phrase of yours from minutes ago, 0 to 1"),
    ] = 0.1
    initiative: Annotated[
        bool, Setting(Switch(), "true = it invites you with a few notes after a long silence")
    ] = False
    initiative_after_s: Annotated[
        float,
        Setting(Number(5.0, 600.0), "a silence is long after this many seconds", unit="s", knob=(5.0, 120.0)),
    ] = 30.0
