"""How the two of them sound, for the stage."""

from __future__ import annotations

from typing import Final

from improv_daemon.partner.policy import Ensemble
from improv_daemon.settings import Voices
from improv_daemon.wire import Command, SetVoice

_AS_IT_IS: Final = (SetVoice("player", 0, 0.0, 0), SetVoice("improv", 0, 0.0, 0))


class VoicesOut:
    """Tells the stage of instrument, place and loudness as they are set.

    Args:
        ensemble: Whose settings.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        self._all = ensemble
        self._told: tuple[SetVoice, ...] = _AS_IT_IS

    def commands(self, now_s: float) -> list[Command]:
        """Those that are set otherwise than the stage was told."""
        voices = _of(self._all.settings.voices)
        new: list[Command] = [one for one, before in zip(voices, self._told, strict=True) if one != before]
        self._told = voices
        return new

    def next_wakeup_s(self) -> float | None:
        """Only a change of the settings can change them."""
        return None


def _of(voices: Voices) -> tuple[SetVoice, ...]:
    return (
        SetVoice("player", voices.player_program, voices.player_pan, voices.player_volume),
        SetVoice("improv", voices.improv_program, voices.improv_pan, voices.improv_volume),
    )
