"""How many sentences a musician can read while playing; pure."""

from __future__ import annotations

from typing import Final

AT_ONCE: Final = 3
"""So many may come in a row ..."""

EACH_S: Final = 2.0
"""... and then one in so many seconds."""

AGAIN_AFTER_S: Final = 10.0
"""The same sentence is not said again before so many seconds have passed."""

_REMEMBERED: Final = 16


class Sparing:
    """Picks what is said of all that could be."""

    def __init__(self) -> None:
        self._said_s: dict[str, float] = {}
        self._allowance = float(AT_ONCE)
        self._last_s = 0.0

    def takes(self, sentence: str, now_s: float) -> bool:
        """Whether to say it."""
        if now_s - self._said_s.get(sentence, float("-inf")) < AGAIN_AFTER_S:
            return False
        self._allowance = min(AT_ONCE, self._allowance + (now_s - self._last_s) / EACH_S)
        self._last_s = now_s
        if self._allowance < 1.0:
            return False
        self._allowance -= 1.0
        self._said_s.pop(sentence, None)
        self._said_s[sentence] = now_s
        if len(self._said_s) > _REMEMBERED:
            del self._said_s[next(iter(self._said_s))]
        return True
