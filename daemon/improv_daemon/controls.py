"""What the player does at the instrument to tell improv something: messages in, cues out; pure.

A gesture is a controller or foot switch (``cc N``), a key (``note N``), or keys struck together
(``notes N+M``). What it is made of is not heard as music, but for those keys of a chord that were struck
before its last one: when they were, nothing told them from music.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from improv_daemon.settings import Controls
from improv_daemon.wire import Played

CUES: Final = (
    *("hand_over", "next_mode", "next_preset", "tap", "count_in"),
    *("panic", "mute", "again", "another", "loop", "undo", "keep"),
)
"""What can be told, as the settings call it; of two with the same gesture the first is meant."""

TOGETHER_S: Final = 0.5
"""Keys that are struck within so long of each other, and held, are struck together."""

PRESSED_FROM: Final = 64
"""A controller from this value on is pressed."""

_CONTROL: Final = 0xB0
_ALL_SOUND_OFF: Final = 120
_ALL_NOTES_OFF: Final = 123

_Place = tuple[str, int, int]
"""Source, channel, key or controller."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a message meant.

    Attributes:
        cue: One of `CUES`, if it told improv something.
        consumed: Whether it was no music.
    """

    cue: str | None = None
    consumed: bool = False


MUSIC: Final = Taken()


@dataclass(frozen=True, slots=True)
class _Gesture:
    cue: str
    kind: str
    numbers: frozenset[int]

    @classmethod
    def parsed(cls, cue: str, text: str) -> _Gesture:
        kind, numbers = text.split(" ")
        return cls(cue, kind, frozenset(map(int, numbers.split("+"))))


class Gestures:
    """Tells cues from music.

    Args:
        controls: The gestures. They may become others at any time.
    """

    def __init__(self, controls: Controls) -> None:
        self._gestures: tuple[_Gesture, ...] = ()
        self._pressed: set[_Place] = set()
        self._struck_s: dict[_Place, float] = {}
        self._consumed: set[_Place] = set()
        self.controls = controls

    @property
    def controls(self) -> Controls:
        """The gestures as they are set."""
        return self._controls

    @controls.setter
    def controls(self, controls: Controls) -> None:
        self._controls = controls
        texts = ((cue, getattr(controls, cue)) for cue in CUES)
        self._gestures = tuple(_Gesture.parsed(cue, text) for cue, text in texts if text)

    def take(self, event: Played) -> Taken:
        """What a message means."""
        if len(event.data) != 3:
            return MUSIC
        status, number, value = event.data
        kind, place = status & 0xF0, (event.source, status & 0x0F, number)
        if kind == _CONTROL:
            return self._moved(place, value)
        if kind == 0x90 and value:
            return self._struck(place, event.at_s)
        return self._let_go(place) if kind in (0x80, 0x90) else MUSIC

    def _moved(self, place: _Place, value: int) -> Taken:
        number = place[2]
        if number in (_ALL_SOUND_OFF, _ALL_NOTES_OFF):
            self._struck_s.clear()
        was_pressed, is_pressed = place in self._pressed, value >= PRESSED_FROM
        if is_pressed:
            self._pressed.add(place)
        else:
            self._pressed.discard(place)
        gesture = self._first("cc", number)
        if gesture is None:
            return MUSIC
        return Taken(gesture.cue if is_pressed and not was_pressed else None, consumed=True)

    def _struck(self, place: _Place, at_s: float) -> Taken:
        self._struck_s[place] = at_s
        gesture = self._first("note", place[2]) or self._chord(place[2], at_s)
        if gesture is None:
            self._consumed.discard(place)
            return MUSIC
        self._consumed.add(place)
        return Taken(gesture.cue, consumed=True)

    def _let_go(self, place: _Place) -> Taken:
        self._struck_s.pop(place, None)
        if place not in self._consumed:
            return MUSIC
        self._consumed.discard(place)
        return Taken(None, consumed=True)

    def _first(self, kind: str, number: int) -> _Gesture | None:
        matching = (g for g in self._gestures if g.kind == kind and number in g.numbers)
        return next(matching, None)

    def _chord(self, number: int, at_s: float) -> _Gesture | None:
        """The chord that this key completes. Its keys must all be struck anew before it counts again."""
        fresh = {place[2] for place, struck_s in self._struck_s.items() if at_s - struck_s <= TOGETHER_S}
        for gesture in self._gestures:
            if gesture.kind == "notes" and number in gesture.numbers <= fresh:
                self._struck_s = {p: s for p, s in self._struck_s.items() if p[2] not in gesture.numbers}
                return gesture
        return None
