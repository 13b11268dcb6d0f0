"""What an output is owed that has gone without a word: it may not have got what was sent to it last."""

from __future__ import annotations

from improv_core.ledger import HELD_CONTROLLERS, Ledger

_OWNER = "improv"
_NOTE_OFF, _NOTE_ON, _CONTROL, _BEND = 0x80, 0x90, 0xB0, 0xE0
_STRAIGHT = (0, 64)
_Key = tuple[int, int]


class Owed:
    """Remembers what sounds and is held on one output, and for a while what was let go of.

    Messages for a port that has gone are lost without an error, until somebody looks: the release of a note
    that was sent then never came.
    """

    __slots__ = ("_before", "_lately", "_ledger")

    def __init__(self) -> None:
        self._ledger = Ledger()
        self._lately: dict[_Key, tuple[int, ...]] = {}
        self._before: dict[_Key, tuple[int, ...]] = {}

    def sent(self, message: tuple[int, ...]) -> None:
        """Take note of a message that goes out now."""
        self._ledger.feed(_OWNER, message)
        if len(message) < 3:
            return
        released = _is_release(message)
        if released is None:
            return
        kind, channel = message[0] & 0xF0, message[0] & 0x0F
        key = (
            (_NOTE_OFF if kind == _NOTE_ON else kind) | channel,
            0 if kind == _BEND else message[1],
        )
        self._lately.pop(key, None)
        self._before.pop(key, None)
        if released:
            self._lately[key] = message

    def confirm(self) -> None:
        """The output is there: what was sent up to the call before this one has come to it."""
        self._before, self._lately = self._lately, {}

    def take(self) -> list[tuple[int, ...]]:
        """What lets go of everything that it may still sound and hold; nothing is remembered any more."""
        messages = [*self._ledger.release_all(), *self._before.values(), *self._lately.values()]
        self._before, self._lately = {}, {}
        return messages


def _is_release(message: tuple[int, ...]) -> bool | None:
    """Whether it lets go; None if it is about nothing that is held."""
    kind = message[0] & 0xF0
    if kind in (_NOTE_OFF, _NOTE_ON):
        return kind == _NOTE_OFF or message[2] == 0
    if kind == _CONTROL and message[1] in HELD_CONTROLLERS:
        return message[2] == 0
    return message[1:] == _STRAIGHT if kind == _BEND else None
