"""Which of the player's messages tell improv something, and so go on to no output. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

ANY_CHANNEL: Final = 0

_SWITCHES: Final = range(64, 70)
"""Pedals and other switches: up from 0 to 63."""

_DOWN_FROM: Final = 64


def place_of(controller: int, channel: int = ANY_CHANNEL) -> int:
    """A controller on a channel, 1..16 or any, as one number."""
    return 128 * channel + controller


class Withholding:
    """Tells what goes on to the outputs from what does not.

    Whatever lets go of something goes on, so that nothing stays held that went on before.
    """

    def __init__(self) -> None:
        self._places: frozenset[int] = frozenset()
        self._keys: frozenset[int] = frozenset()
        self._programs = False

    def withhold(self, places: Iterable[int], keys: Iterable[int], *, programs: bool) -> None:
        """From now on these, and nothing else.

        Args:
            places: Controllers, see `place_of`.
            keys: That are gestures by themselves.
            programs: Whether program changes choose something of improv's.
        """
        self._places, self._keys, self._programs = frozenset(places), frozenset(keys), programs

    def withholds(self, data: tuple[int, ...]) -> bool:
        """Whether a message of the player's goes on to no output."""
        kind = data[0] & 0xF0 if data else 0
        if kind == 0xC0:
            return self._programs
        if len(data) != 3:
            return False
        if kind == 0x90:
            return data[2] > 0 and data[1] in self._keys
        return kind == 0xB0 and self._is_withheld(*data)

    def _is_withheld(self, status: int, controller: int, value: int) -> bool:
        if controller in _SWITCHES and value < _DOWN_FROM:
            return False
        places = (place_of(controller), place_of(controller, (status & 0x0F) + 1))
        return any(place in self._places for place in places)
