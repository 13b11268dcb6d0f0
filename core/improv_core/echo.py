"""improv's own output, come back at an input, is not the player."""

from __future__ import annotations

from collections import deque

from improv_core.ledger import CONTROL, NOTE_OFF, NOTE_ON, Bytes

_REMEMBERED = 1024


class EchoFilter:
    """Recognises messages that improv sent a moment ago, each of them once.

    A note-on or controller equal to one that improv sent within the window is an echo; so is the
    note-off that belongs to such a note-on. Of more than a thousand messages within one window the
    oldest are forgotten.
    """

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._sent: deque[tuple[float, Bytes]] = deque(maxlen=_REMEMBERED)
        self._echoed: dict[tuple[int, int], int] = {}
        self._held: set[tuple[int, int]] = set()
        self.dropped = 0

    def sent(self, message: Bytes, now_s: float) -> None:
        """Remember a message that improv sends now."""
        if message[0] & 0xF0 in (NOTE_ON, NOTE_OFF, CONTROL):
            self._sent.append((now_s, _plain(message)))

    def heard(self, message: Bytes, now_s: float) -> bool:
        """Whether an incoming message is improv's own; such a one is counted in `dropped`."""
        kind = message[0] & 0xF0 if message else 0
        if kind not in (NOTE_ON, NOTE_OFF, CONTROL):
            return False
        plain = _plain(message)
        if plain[0] & 0xF0 == NOTE_OFF:
            is_echo = self._is_echoed_off(plain, now_s)
        else:
            is_echo = self._take(plain, now_s)
            if plain[0] & 0xF0 == NOTE_ON:
                key = (plain[0] & 0x0F, plain[1])
                if is_echo:
                    self._echoed[key] = self._echoed.get(key, 0) + 1
                else:
                    self._held.add(key)
        self.dropped += is_echo
        return is_echo

    def _is_echoed_off(self, message: Bytes, now_s: float) -> bool:
        key = (message[0] & 0x0F, message[1])
        # Both improv and the player may hold this key: the off is improv's if improv just sent one.
        mine = key in self._echoed and (self._take(message, now_s) or key not in self._held)
        if not mine:
            self._held.discard(key)
            return False
        self._echoed[key] -= 1
        if not self._echoed[key]:
            del self._echoed[key]
        return True

    def _take(self, message: Bytes, now_s: float) -> bool:
        while self._sent and self._sent[0][0] < now_s - self._window_s:
            self._sent.popleft()
        for index, (_, sent) in enumerate(self._sent):
            if sent == message:
                del self._sent[index]
                return True
        return False


def _plain(message: Bytes) -> Bytes:
    """Note-offs without their velocity, which routes on the way may change; on with velocity 0 is off."""
    status, first, second = message
    if status & 0xF0 == NOTE_OFF or (status & 0xF0 == NOTE_ON and second == 0):
        return NOTE_OFF | status & 0x0F, first
    return message
