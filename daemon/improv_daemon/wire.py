"""What mind and stage say to each other: one JSON object a line over a socket pair.

The same lines, with the mind's ``now_s`` added, are the journal's. All times are ``time.monotonic()``,
which both processes share.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from improv_core.performer import PedalMoved, Released, Sounded, TurnCancelled

__all__ = [
    "NO_BEATS",
    "CancelTurn",
    "Change",
    "Command",
    "Counts",
    "Cue",
    "Event",
    "FinishTurn",
    "KeepTime",
    "Learn",
    "LineBuffer",
    "Message",
    "MovePedal",
    "Panic",
    "PedalMoved",
    "PlayNote",
    "Played",
    "PortsChanged",
    "PressKey",
    "Quit",
    "Ready",
    "Released",
    "SendControl",
    "SetVoice",
    "Sounded",
    "Trouble",
    "TurnCancelled",
    "Wish",
    "Withhold",
    "Woken",
    "decode",
    "encode",
    "from_fields",
    "to_fields",
]

# --- mind to stage --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlayNote:
    """Sound one note of improv's; ``(turn, index)`` names it in every acknowledgement."""

    turn: int
    index: int
    pitch: int
    velocity: int
    onset_s: float
    release_s: float


@dataclass(frozen=True, slots=True)
class MovePedal:
    """Send CC64 on improv's channel."""

    turn: int
    value: int
    at_s: float


@dataclass(frozen=True, slots=True)
class CancelTurn:
    """Send no more note-ons of this turn, release what sounds of it and its pedal, at once."""

    turn: int


@dataclass(frozen=True, slots=True)
class FinishTurn:
    """Begin no more notes of this turn; those that sound end as planned, its pedal with the last of them."""

    turn: int


@dataclass(frozen=True, slots=True)
class PressKey:
    """A MIDI message that counts as played by the player at ``at_s`` (the demo's hands)."""

    data: tuple[int, ...]
    at_s: float


@dataclass(frozen=True, slots=True)
class KeepTime:
    """Where the beats are from now on, for MIDI clock out and for clicks.

    Attributes:
        origin_s: When a bar begins.
        beat_s: Length of a beat; 0: there is no tempo any more.
        beats_per_bar: Beats of a bar.
        click_from_s: Beats from then on are clicked ...
        click_until_s: ... and before then; the same as `click_from_s` for none.
        source: The input that the beats come from as MIDI clock, empty for none: what goes out by the same
            device would come back.
    """

    origin_s: float
    beat_s: float
    beats_per_bar: int
    click_from_s: float
    click_until_s: float
    source: str


NO_BEATS: Final = KeepTime(0.0, 0.0, 1, 0.0, 0.0, "")
"""There is no tempo any more."""


@dataclass(frozen=True, slots=True)
class SetVoice:
    """How a part sounds from now on.

    Attributes:
        part: ``player`` or ``improv``.
        program: General MIDI number 1..128, 0: as it is.
        pan: -1 (left) to 1 (right).
        volume: 1..127, 0: as it is.
    """

    part: str
    program: int
    pan: float
    volume: int


@dataclass(frozen=True, slots=True)
class SendControl:
    """Send a controller on improv's channel to the MIDI outputs now: it says how things stand."""

    controller: int
    value: int


@dataclass(frozen=True, slots=True)
class Withhold:
    """What of the player's tells improv something, and so goes on to no output; see `Withholding` in core.

    Attributes:
        places: Controllers, as `improv_core.withholding.place_of` numbers them.
        keys: Keys.
        programs: Whether program changes do.
    """

    places: tuple[int, ...]
    keys: tuple[int, ...]
    programs: bool


@dataclass(frozen=True, slots=True)
class Panic:
    """Release everything that sounds, whoever owns it, and forget what is planned; time is kept on."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Release everything and exit."""


# --- stage to mind; what came of a plan is told in the performer's own words ------------------------


@dataclass(frozen=True, slots=True)
class Ready:
    """The stage is up. ``sound`` describes the live synth, None without one.

    ``problems`` are sentences for the musician about what could not be opened.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    sound: str | None
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """The player's MIDI message, stamped at the port; ``source`` names the port."""

    data: tuple[int, ...]
    at_s: float
    source: str


@dataclass(frozen=True, slots=True)
class PortsChanged:
    """The ports there are now; see `Ready`. What there is to say of it comes as `Trouble`."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something for the musician to know, in one sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class Counts:
    """The stage's counters: events it left out, and why. The last thing it says before it exits.

    Attributes:
        inputs_dropped: Because too many waited.
        echoes_dropped: Because improv had sent them itself.
        events_unsent: Because the mind did not read them.
        merged: Because they had come by another way already.
        unsent: Messages to outputs that were not there.
    """

    inputs_dropped: int
    echoes_dropped: int
    events_unsent: int
    merged: int = 0
    unsent: int = 0


# --- to the mind from elsewhere, and what else the journal keeps ------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """A setting is to be another, from now on."""

    key: str
    value: str | int | float | bool


@dataclass(frozen=True, slots=True)
class Cue:
    """The musician wants something done now; see `improv_daemon.controls.CUES`."""

    name: str


@dataclass(frozen=True, slots=True)
class Learn:
    """The controller that is moved next is to set this setting; an empty key: none is, after all."""

    key: str


@dataclass(frozen=True, slots=True)
class Woken:
    """The mind's clock has come to something that was due, see `improv_daemon.partner.Partner.wake`."""


Command = (
    PlayNote
    | MovePedal
    | CancelTurn
    | FinishTurn
    | PressKey
    | KeepTime
    | SetVoice
    | SendControl
    | Withhold
    | Panic
    | Quit
)
Event = Ready | Played | Sounded | Released | PedalMoved | TurnCancelled | PortsChanged | Trouble | Counts
Wish = Change | Cue | Learn
Message = Command | Event | Wish | Woken

_KINDS: dict[str, type[Message]] = {
    kind.__name__: kind
    for kind in (
        *(PlayNote, MovePedal, CancelTurn, FinishTurn, PressKey, KeepTime, SetVoice, SendControl),
        *(Withhold, Panic, Quit, Ready, Played, Sounded, Released, PedalMoved, TurnCancelled, PortsChanged),
        *(Trouble, Counts, Change, Cue, Learn, Woken),
    )
}
_FIELDS = {kind: tuple(f.name for f in dataclasses.fields(kind)) for kind in _KINDS.values()}


def to_fields(message: Message) -> dict[str, Any]:
    """A message as a JSON object: its kind under ``kind``, then its fields."""
    fields: dict[str, Any] = {"kind": type(message).__name__}
    for name in _FIELDS[type(message)]:
        fields[name] = getattr(message, name)
    return fields


def from_fields(fields: dict[str, Any]) -> Message:
    """The inverse of `to_fields`; unknown fields are ignored.

    Raises:
        ValueError: The object is not a message of ours.
    """
    kind = _KINDS.get(fields.get("kind", ""))
    if kind is None:
        raise ValueError(f"no message of this kind: {fields.get('kind')!r}")
    values = {name: fields[name] for name in _FIELDS[kind] if name in fields}
    make: Callable[..., Message] = kind
    try:
        return make(**{n: tuple(v) if isinstance(v, list) else v for n, v in values.items()})
    except TypeError:
        missing = ", ".join(name for name in _FIELDS[kind] if name not in fields)
        raise ValueError(f"{fields['kind']} lacks {missing}") from None


def encode(message: Message) -> bytes:
    """One line of JSON."""
    return json.dumps(to_fields(message), separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Message:
    """The inverse of `encode`.

    Raises:
        ValueError: The line is not a message of ours.
    """
    return from_fields(json.loads(line))


class LineBuffer:
    """Cuts a byte stream into messages; keeps an unfinished line for the next call."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[Message]:
        """Every whole message so far, in order."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [decode(line) for line in lines if line]
