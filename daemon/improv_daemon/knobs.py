"""Controllers that set something: messages in, changes out; or learned by moving them. Pure.

A controller that sets something is not heard as music. What it does is what its position says, so of two
positions that come to the same value only the first changes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from improv_core.errors import ConfigError
from improv_core.notes import SUSTAIN_CONTROLLER
from improv_daemon.settings import Controls
from improv_daemon.settings.control_rules import HIGHEST_CONTROLLER, Gesture
from improv_daemon.settings.knob_texts import (
    Binding,
    bindings_of,
    check_turned,
    with_learned,
    without_controller,
)
from improv_daemon.settings.rules import Value
from improv_daemon.settings.schema import REGISTRY
from improv_daemon.wire import Change, Played

TRAVEL: Final = 3
"""So far a controller is moved before it is learned: some send a step up and down by themselves."""

NOT_LEARNED: Final = frozenset({0, 6, 32, 38, SUSTAIN_CONTROLLER, *range(96, 102)})
"""Bank and parameter numbers, which come along with others, and the sustain pedal, which is played."""

_CONTROL: Final = 0xB0
_ENDS: Final = (0, 127)

_Place = tuple[str, int, int]
"""Source, channel 1..16, controller."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A controller that was moved."""

    source: str
    channel: int
    controller: int
    position: int

    @property
    def place(self) -> _Place:
        """Which one it is."""
        return (self.source, self.channel, self.controller)


def moved(event: Played) -> Moved | None:
    """The controller of a message, None where it has none."""
    if len(event.data) != 3 or event.data[0] & 0xF0 != _CONTROL or event.data[1] > HIGHEST_CONTROLLER:
        return None
    status, controller, position = event.data
    return Moved(event.source, (status & 0x0F) + 1, controller, position)


@dataclass(frozen=True, slots=True)
class Turned:
    """What a controller set.

    Attributes:
        changes: Of settings, perhaps none.
        consumed: Whether it was no music.
    """

    changes: tuple[Change, ...] = ()
    consumed: bool = False


class Knobs:
    """Tells changes of settings from music.

    Args:
        text: Which controllers set what, as in the setting ``controls.knobs``. It may become another at any
            time.
    """

    def __init__(self, text: str) -> None:
        self._text, self._bindings = "", tuple[Binding, ...]()
        self._rest: dict[_Place, _AtRest] = {}
        self._sent: dict[tuple[_Place, str], Value] = {}
        self.text = text

    @property
    def text(self) -> str:
        """The knobs as they are set."""
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        if text != self._text:
            self._text, self._bindings = text, bindings_of(text)
            self._sent.clear()

    def keep(self, value_of: Callable[[str], Value]) -> None:
        """What stands otherwise than a controller has set it is set anew with the next move.

        Args:
            value_of: What a setting is now.
        """
        self._sent = {place: value for place, value in self._sent.items() if value_of(place[1]) == value}

    def take(self, event: Played) -> Turned:
        """What a message sets."""
        hand = moved(event)
        if hand is None:
            return Turned()
        bound = [one for one in self._bindings if one.hears(hand.controller, hand.channel)]
        if not bound:
            return Turned()
        if not self._rest.setdefault(hand.place, _AtRest()).leaves_for(hand.position):
            return Turned(consumed=True)
        return Turned(tuple(self._changes(bound, hand)), consumed=True)

    def _changes(self, bound: list[Binding], hand: Moved) -> Iterator[Change]:
        for binding in bound:
            value = binding.value(hand.position)
            if self._sent.get((hand.place, binding.key)) != value:
                self._sent[hand.place, binding.key] = value
                yield Change(binding.key, value)


@dataclass(slots=True)
class _AtRest:
    """Where a controller stands; a step back to where it came from is its own unrest, but for its ends."""

    position: int | None = None
    way: int = 0

    def leaves_for(self, position: int) -> bool:
        step = 0 if self.position is None else position - self.position
        if self.position is not None and not step:
            return False
        if abs(step) == 1 and step == -self.way and position not in _ENDS:
            return False
        self.position, self.way = position, (step > 0) - (step < 0)
        return True


# --- learning ---------------------------------------------------------------------------------------


def learnable(name: str) -> str:
    """The setting that is meant by a name: a setting's, or that of a cue.

    Raises:
        ConfigError: No controller can set it, in a sentence.
    """
    gesture = f"controls.{name}"
    key = gesture if gesture in REGISTRY else name
    if key in REGISTRY and isinstance(REGISTRY[key].rule, Gesture):
        return key
    try:
        check_turned(key)
    except ConfigError as refusal:
        sentence = f"No controller can be learned: {refusal}"
        raise ConfigError(sentence if sentence.endswith("?") else f"{sentence}.") from None
    return key


class Learning:
    """Waits for the controller that is meant."""

    def __init__(self) -> None:
        self._seen: dict[_Place, int] = {}
        self._from: dict[_Place, int] = {}
        self.key = ""

    def begin(self, key: str) -> None:
        """The controller that is moved next is meant for this setting; an empty key: none is, after all."""
        self.key = key
        self._from = dict(self._seen)

    def take(self, event: Played) -> Moved | None:
        """The controller that is meant, if this message says so; nothing more is waited for then."""
        hand = moved(event)
        if hand is None:
            return None
        self._seen[hand.place] = hand.position
        if not self.key or hand.controller in NOT_LEARNED or not self._has_travelled(hand):
            return None
        self.key = ""
        return hand

    def _has_travelled(self, hand: Moved) -> bool:
        """A button, which knows its two ends alone, counts at once."""
        if hand.place not in self._from and hand.position in _ENDS:
            return True
        return abs(hand.position - self._from.setdefault(hand.place, hand.position)) >= TRAVEL


def learned(controls: Controls, key: str, hand: Moved) -> tuple[tuple[str, str], ...]:
    """The settings that let a controller set something from now on, and nothing else.

    Args:
        controls: As they are set.
        key: What `learnable` gave.
        hand: The controller.
    """
    gesture = f"cc {hand.controller}"
    changes = {
        f"controls.{name}": ""
        for name in controls.__slots__
        if isinstance(REGISTRY[f"controls.{name}"].rule, Gesture) and getattr(controls, name) == gesture
    }
    if isinstance(REGISTRY[key].rule, Gesture):
        knobs, changes[key] = without_controller(controls.knobs, hand.controller), gesture
    else:
        knobs = with_learned(controls.knobs, Binding(hand.controller, key, hand.channel))
    if knobs != controls.knobs:
        changes["controls.knobs"] = knobs
    return tuple(changes.items())
