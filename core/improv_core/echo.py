"""improv's own output, come back at an input, is not the player."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from improv_core.ledger import (
    NOTE_OFF,
    NOTE_ON,
    RESET_CONTROLLERS,
    Bytes,
    held_by,
    is_rest,
    lets_go_of_all,
)

_REMEMBERED = 1024


@dataclass(slots=True)
class _Sent:
    """A message that went out to one output, and the inputs that it has come back at or cannot."""

    at_s: float
    plain: Bytes
    not_at: set[str] = field(default_factory=set)


class EchoFilter:
    """Recognises messages that improv sent a moment ago, once at each input for each output.

    A channel message equal to one that improv sent within the window is an echo, whatever input it comes
    back at; so is the note-off that belongs to such a note-on. What went out because the player played it
    is no echo at the input that they played it at, unless that one belongs to the same device. A pedal, bend
    or aftertouch that the player holds at an input is theirs to let go of there, and so is all that they hold
    on a channel. Of more than a thousand messages within one window the oldest are forgotten.
    """

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._sent: deque[_Sent] = deque()
        self._by_data: dict[Bytes, deque[_Sent]] = {}
        self._echoed: dict[tuple[str, int, int], int] = {}
        self._held: set[tuple[str, int, int]] = set()
        self._moved: set[tuple[str, int, tuple[int, int]]] = set()
        self.dropped = 0

    def sent(self, message: Bytes, now_s: float, played_at: str | None = None) -> None:
        """Remember a message that improv sends now to one output.

        Args:
            message: The message.
            now_s: When.
            played_at: The input that it came from, if it cannot come back there.
        """
        if not NOTE_OFF <= message[0] < 0xF0:
            return
        if len(self._sent) >= _REMEMBERED:
            self._drop_oldest()
        sent = _Sent(now_s, _plain(message), set() if played_at is None else {played_at})
        self._sent.append(sent)
        self._by_data.setdefault(sent.plain, deque()).append(sent)

    def heard(self, message: Bytes, now_s: float, source: str = "") -> bool:
        """Whether what comes in at an input is improv's own; such a message is counted in `dropped`."""
        if not message or not NOTE_OFF <= message[0] < 0xF0:
            return False
        plain = _plain(message)
        if plain[0] & 0xF0 == NOTE_OFF:
            is_echo = self._is_echoed_off(plain, now_s, source)
        elif plain[0] & 0xF0 == NOTE_ON:
            is_echo = self._take(plain, now_s, source)
            key = (source, plain[0] & 0x0F, plain[1])
            if is_echo:
                self._echoed[key] = self._echoed.get(key, 0) + 1
            else:
                self._held.add(key)
        elif self._lets_go_of_all(message, source):
            is_echo = False
        else:
            is_echo = self._is_echoed_move(message, now_s, source)
        self.dropped += is_echo
        return is_echo

    def forget(self, source: str) -> None:
        """An input has gone: no note-off will come there any more."""
        self._held = {key for key in self._held if key[0] != source}
        self._moved = {key for key in self._moved if key[0] != source}
        for key in [key for key in self._echoed if key[0] == source]:
            del self._echoed[key]

    def _is_echoed_off(self, message: Bytes, now_s: float, source: str) -> bool:
        key = (source, message[0] & 0x0F, message[1])
        # Both improv and the player may hold this key: the off is improv's if improv just sent one.
        mine = key in self._echoed and (self._take(message, now_s, source) or key not in self._held)
        if not mine:
            self._held.discard(key)
            return False
        self._echoed[key] -= 1
        if not self._echoed[key]:
            del self._echoed[key]
        return True

    def _lets_go_of_all(self, message: Bytes, source: str) -> bool:
        """Whether it ends what the player holds at an input, all of a channel at once."""
        if not lets_go_of_all(message):
            return False
        held: set[Any] = self._moved if message[1] == RESET_CONTROLLERS else self._held
        ended = {key for key in held if key[:2] == (source, message[0] & 0x0F)}
        held -= ended
        return bool(ended)

    def _is_echoed_move(self, message: Bytes, now_s: float, source: str) -> bool:
        what = held_by(message)
        if what is None:
            return self._take(message, now_s, source)
        key = (source, message[0] & 0x0F, what)
        if is_rest(message) and key in self._moved:
            self._moved.discard(key)
            return False
        is_echo = self._take(message, now_s, source)
        if not (is_echo or is_rest(message)):
            self._moved.add(key)
        return is_echo

    def _take(self, message: Bytes, now_s: float, source: str) -> bool:
        while self._sent and self._sent[0].at_s < now_s - self._window_s:
            self._drop_oldest()
        for sent in self._by_data.get(message, ()):
            if source not in sent.not_at:
                sent.not_at.add(source)
                return True
        return False

    def _drop_oldest(self) -> None:
        plain = self._sent.popleft().plain
        alike = self._by_data[plain]
        alike.popleft()
        if not alike:
            del self._by_data[plain]


def _plain(message: Bytes) -> Bytes:
    """Note-offs without their velocity, which routes on the way may change; on with velocity 0 is off."""
    kind = message[0] & 0xF0
    if kind == NOTE_OFF or (kind == NOTE_ON and message[2] == 0):
        return NOTE_OFF | message[0] & 0x0F, message[1]
    return message
