"""What the player does at the instrument that is no music: gestures, knobs, programs, and learning one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from improv_core.errors import ConfigError
from improv_daemon.controls import Gestures
from improv_daemon.knobs import NOT_LEARNED, Knobs, Learning, Moved, learnable, learned, moved
from improv_daemon.partner.notices import Learned, Notice, Said
from improv_daemon.settings import Settings
from improv_daemon.settings.layers import value_of
from improv_daemon.settings.presets import by_program
from improv_daemon.wire import Change, Played

_PROGRAM: Final = 0xC0


@dataclass(frozen=True, slots=True)
class Meant:
    """What a message meant.

    Attributes:
        consumed: Whether it was no music.
        cue: That was told, if any.
        changes: Of settings.
        notices: For the musician.
    """

    consumed: bool = False
    cue: str | None = None
    changes: tuple[Change, ...] = ()
    notices: tuple[Notice, ...] = ()


class Surface:
    """Tells what is meant for improv from music.

    Args:
        settings: Those in force. They may become others at any time.
    """

    def __init__(self, settings: Settings) -> None:
        self._gestures = Gestures(settings.controls)
        self._knobs = Knobs(settings.controls.knobs)
        self._learning = Learning()
        self._settings = settings

    @property
    def settings(self) -> Settings:
        """Those in force."""
        return self._settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._settings = settings
        self._gestures.controls = settings.controls
        self._knobs.text = settings.controls.knobs
        self._knobs.keep(lambda key: value_of(settings, key))

    @property
    def learning(self) -> str:
        """For which setting a controller is awaited; empty for none."""
        return self._learning.key

    def learn(self, name: str) -> Said:
        """The controller that is moved next is meant for a setting or a cue; no name: none is, after all."""
        try:
            key = learnable(name) if name else ""
        except ConfigError as refusal:
            return Said(str(refusal))
        self._learning.begin(key)
        if not key:
            return Said("No controller is learned.")
        return Said(f"Move the knob, fader or pedal that is to be for {key}.")

    def take(self, event: Played) -> Meant:
        """What a message means."""
        if self._learning.key and (hand := moved(event)) and hand.controller not in NOT_LEARNED:
            self._gestures.take(event)  # that a switch comes up is not to be missed
            return self._learn(event, self._learning.key)
        self._learning.take(event)
        taken = self._gestures.take(event)
        if taken.consumed:
            return Meant(consumed=True, cue=taken.cue)
        turned = self._knobs.take(event)
        if turned.consumed:
            return Meant(consumed=True, changes=turned.changes)
        if self._settings.controls.presets_by_program and _is_program(event.data):
            return self._choose(event.data[1] + 1)
        return Meant()

    def _learn(self, event: Played, key: str) -> Meant:
        hand = self._learning.take(event)
        if hand is None:
            return Meant(consumed=True)
        changes = learned(self._settings.controls, key, hand)
        return Meant(
            consumed=True,
            changes=tuple(Change(name, value) for name, value in changes),
            notices=(Learned(key, _in_words(hand), changes),),
        )

    def _choose(self, program: int) -> Meant:
        try:
            name = by_program(self._settings.presets, program)
        except ConfigError as refusal:
            return Meant(consumed=True, notices=(Said(str(refusal)),))
        return Meant(consumed=True, changes=(Change("preset", name),))


def _in_words(hand: Moved) -> str:
    return f"controller {hand.controller} on channel {hand.channel}"


def _is_program(data: tuple[int, ...]) -> bool:
    return len(data) == 2 and data[0] & 0xF0 == _PROGRAM
