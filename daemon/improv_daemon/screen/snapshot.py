"""What the screen is told and what it asks for: a JSON object a line, over a socket pair."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

YOU: Final = 0
IMPROV: Final = 1

PROBLEM_SHOWN_S: Final = 30.0
SAID_SHOWN_S: Final = 10.0
"""So long a sentence stands: what is wrong, and what is only to be known."""

RollNote = tuple[int, int, float, float | None]
"""Who (`YOU` or `IMPROV`), pitch, onset and end in seconds; None while it sounds."""


@dataclass(frozen=True, slots=True)
class Tempo:
    """The beats as they are followed now.

    Attributes:
        beat_s: Seconds of a beat.
        origin_s: When the first bar began.
        beats_per_bar: Beats of each bar.
        source: Who says so, in words.
        steady: Whether bars can be drawn by it: not those that are only guessed from the playing.
    """

    beat_s: float
    origin_s: float
    beats_per_bar: int
    source: str
    steady: bool


@dataclass(frozen=True, slots=True)
class Dial:
    """A parameter that can be changed at the terminal.

    Attributes:
        key: As the settings call it.
        name: In short.
        value: In words, with its unit.
        share: How far it is turned up, 0 to 1; None for words.
        help: What it does.
        knob: The controller that turns it, if one does.
    """

    key: str
    name: str
    value: str
    share: float | None
    help: str
    knob: str


@dataclass(frozen=True, slots=True)
class Timing:
    """Of the latest notes: how late they were sent, and how long the model took to think; milliseconds."""

    late_ms: float | None
    worst_ms: float | None
    model_ms: float | None


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence for the musician, and when it was said."""

    text: str
    at_s: float
    is_problem: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A sitting at a moment; times are ``time.monotonic()``, which all processes share.

    Attributes:
        mode: Who plays when.
        mode_words: The same in a few words.
        phase: Who has the floor: ``listening``, ``answering``, ``yielding`` or ``together``.
        states: What else is the case, as "muted".
        model: Its name.
        preset: Of the settings; empty for none.
        tempo: None while nobody knows it.
        notes: The latest, for the roll.
        dials: What can be changed.
        inputs: Names of MIDI inputs.
        outputs: Names of MIDI outputs.
        sound: What the built-in synth is, None without.
        timing: Of the latest notes.
        said: The latest sentences.
        learning: The key of the parameter for which a controller is awaited; empty for none.
    """

    mode: str
    mode_words: str
    phase: str
    states: tuple[str, ...]
    model: str
    preset: str
    tempo: Tempo | None
    notes: tuple[RollNote, ...]
    dials: tuple[Dial, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    sound: str | None
    timing: Timing
    said: tuple[Sentence, ...]
    learning: str = ""


@dataclass(frozen=True, slots=True)
class Hide:
    """The mind is about to be suspended: give the terminal back until `Show`."""


@dataclass(frozen=True, slots=True)
class Show:
    """The mind is back."""


@dataclass(frozen=True, slots=True)
class Bye:
    """The sitting is over; a mind that hangs up without a word was killed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the musician asks for at the terminal, or the screen has to say.

    Attributes:
        what: ``cue``, ``turn`` (a dial), ``learn``, ``quit``; ``hidden`` answers `Hide`, ``failed`` is the
            screen's own end.
        name: Of the cue, the key of the parameter, or what has failed.
        steps: How far a dial is turned, down below 0.
    """

    what: str
    name: str = ""
    steps: int = 0


ToScreen = Snapshot | Hide | Show | Bye

_FIELDS: Final[dict[type[Any], tuple[str, ...]]] = {
    kind: tuple(one.name for one in dataclasses.fields(kind))
    for kind in (Snapshot, Tempo, Dial, Timing, Sentence, Hide, Show, Bye, Asked)
}


def to_line(message: ToScreen | Asked) -> bytes:
    """One line of JSON."""
    fields = {"kind": type(message).__name__, **_fields(message)}
    return json.dumps(fields, separators=(",", ":"), default=_fields).encode() + b"\n"


def to_screen(line: bytes) -> ToScreen:
    """The inverse of `to_line`, for what the mind sends.

    Raises:
        ValueError: The line is none of these.
    """
    fields = json.loads(line)
    match fields.pop("kind", None):
        case "Snapshot":
            return _snapshot(fields)
        case "Hide":
            return Hide()
        case "Show":
            return Show()
        case "Bye":
            return Bye()
    raise ValueError("no message for the screen")


def from_screen(line: bytes) -> Asked:
    """The inverse of `to_line`, for what the screen sends.

    Raises:
        ValueError: The line is none of these.
    """
    fields = json.loads(line)
    if not isinstance(fields, dict) or fields.pop("kind", None) != "Asked":
        raise ValueError("no message of the screen")
    return Asked(str(fields["what"]), str(fields["name"]), int(fields["steps"]))


def _fields(message: Any) -> dict[str, Any]:  # noqa: ANN401 - what json.dumps asks about may be anything
    return {name: getattr(message, name) for name in _FIELDS[type(message)]}


def _snapshot(fields: dict[str, Any]) -> Snapshot:
    tempo = fields.pop("tempo")
    make: Callable[..., Snapshot] = Snapshot
    return make(
        tempo=None if tempo is None else Tempo(**tempo),
        notes=tuple((who, pitch, onset_s, end_s) for who, pitch, onset_s, end_s in fields.pop("notes")),
        dials=tuple(Dial(**dial) for dial in fields.pop("dials")),
        timing=Timing(**fields.pop("timing")),
        said=tuple(Sentence(**one) for one in fields.pop("said")),
        **{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()},
    )
