"""How the two of them sound: instrument, place and loudness at each output; and what lamps were told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from improv_core.ledger import CONTROL, PROGRAM
from improv_core.performer import Sending
from improv_core.thru import Way
from improv_daemon.wire import SendControl, SetVoice

VOICES = "voices"
"""The ledger's owner of what is said of voices."""

STATE = "state"
"""The ledger's owner of the controllers that say how things stand."""

_VOLUME, _PAN = 7, 10


class Voices:
    """Knows what each output has to be told, now and when it comes back.

    Nothing is said of a voice that nobody has set. The player's is said of each channel of an output that
    thru has used, before its first message there.
    """

    def __init__(
        self,
        channel: int,
        outputs: Sequence[str],
        midi: Iterable[str],
        players: Iterable[tuple[str, int]] = (),
    ) -> None:
        """
        Args:
            channel: improv's, 0..15.
            outputs: All that improv plays to.
            midi: Those of them that are told the state.
            players: Outputs and channels that are the player's whatever they play.
        """
        self._improvs = tuple((output, channel) for output in outputs)
        self._channel = channel
        self._midi = tuple(midi)
        self._players = dict.fromkeys(players)
        self._voices: dict[str, SetVoice] = {}
        self._state: dict[int, int] = {}

    def set(self, voice: SetVoice) -> list[Sending]:
        """A part sounds otherwise from now on.

        Raises:
            ValueError: It is not a voice.
        """
        if voice.part not in ("player", "improv"):
            raise ValueError(f"nobody is called {voice.part!r}")
        if not (0 <= voice.program <= 128 and -1 <= voice.pan <= 1 and 0 <= voice.volume <= 127):
            raise ValueError(f"{voice} is out of range")
        self._voices[voice.part] = voice
        places = self._players if voice.part == "player" else self._improvs
        return [sending for place in places for sending in _said(voice, *place)]

    def show(self, control: SendControl) -> list[Sending]:
        """A controller says how things stand.

        Raises:
            ValueError: There is no such controller or value.
        """
        if not (0 <= control.controller <= 127 and 0 <= control.value <= 127):
            raise ValueError(f"{control} is out of range")
        self._state[control.controller] = control.value
        return [self._shown(output, control.controller) for output in self._midi]

    def before_thru(self, ways: Iterable[Way], channel: int) -> list[Sending]:
        """What has to go out before a message of the player's that comes on this channel."""
        sendings: list[Sending] = []
        for way in ways:
            place = way.output, channel if way.channel is None else way.channel
            if place not in self._players:
                self._players[place] = None
                if (voice := self._voices.get("player")) is not None:
                    sendings += _said(voice, *place)
        return sendings

    def of(self, output: str) -> list[Sending]:
        """Everything that an output has to be told which has just come."""
        sendings: list[Sending] = []
        for part, places in (("improv", self._improvs), ("player", tuple(self._players))):
            if (voice := self._voices.get(part)) is not None:
                for place in places:
                    sendings += _said(voice, *place) if place[0] == output else []
        return sendings

    def state_of(self, output: str) -> list[Sending]:
        """The controllers that an output has to be told which has just come."""
        return [self._shown(output, controller) for controller in self._state if output in self._midi]

    def _shown(self, output: str, controller: int) -> Sending:
        return Sending(output, (CONTROL | self._channel, controller, self._state[controller]))


def _said(voice: SetVoice, output: str, channel: int) -> list[Sending]:
    said = [(PROGRAM | channel, voice.program - 1)] if voice.program else []
    controllers = [(_PAN, max(0, min(127, round(64 + 64 * voice.pan))))]
    controllers += [(_VOLUME, voice.volume)] if voice.volume else []
    messages = [*said, *((CONTROL | channel, number, value) for number, value in controllers)]
    return [Sending(output, message) for message in messages]
