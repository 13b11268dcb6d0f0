"""The same steps as `encode`, one event at a time: what the improviser reads while somebody plays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from improv_core.notes import PEDAL_DOWN_FROM, Part
from improv_core.representation.asking import (
    ALONE,
    COMPANY_NOTES,
    NO_PERIOD,
    NO_PHASE,
    Pulse,
    beat_class,
    style_class,
)
from improv_core.representation.piano import ATTRIBUTES, DURATION, HELD
from improv_core.representation.steps import KEYS, Steps

_STILL_DOWN = 1 << 62


@dataclass(frozen=True, slots=True)
class _Key:
    onset_ms: int
    release_ms: int


class PianoStream:
    """Turns key and pedal events into model steps as they arrive.

    Times are whole milliseconds on any one clock and must not go back.

    Attributes:
        style: What the notes to come are read as, one of `improv_core.representation.STYLES`; None: free.
        pulse: Where their beats are; None: unknown.
    """

    __slots__ = ("_count", "_keys", "_last", "_latest", "_pedal", "_previous", "pulse", "style")

    def __init__(self) -> None:
        self.style: str | None = None
        self.pulse: Pulse | None = None
        self._keys: dict[tuple[Part, int], _Key] = {}
        self._previous: tuple[Part, int] | None = None
        self._count = 0
        self._latest: dict[Part, tuple[int, int]] = {}
        self._pedal = 0
        self._last: Steps | None = None

    def copy(self) -> PianoStream:
        """A snapshot that goes its own way."""
        twin = PianoStream()
        twin._keys = dict(self._keys)
        twin._previous, twin._pedal, twin._last = self._previous, self._pedal, self._last
        twin._count, twin._latest = self._count, dict(self._latest)
        twin.style, twin.pulse = self.style, self.pulse
        return twin

    @property
    def last_onset_ms(self) -> int | None:
        """Onset of the latest note, None before the first."""
        return None if self._previous is None else self._keys[self._previous].onset_ms

    def own_pitch(self, part: Part) -> int:
        """What the heads are told as ``own`` if that part is to play next."""
        if any(self._count - at > COMPANY_NOTES for at, _ in self._latest.values()) or len(self._latest) < 2:
            return ALONE
        return self._latest[part][1]

    def move_pedal(self, value: int) -> None:
        """The player's sustain pedal, 0..127."""
        self._pedal = int(value >= PEDAL_DOWN_FROM)

    def press(self, pitch: int, velocity: int, at_ms: int) -> Steps:
        """The player strikes a key: one step, the duration not known yet."""
        self.release(pitch, at_ms)
        return self._note(Part.PLAYER, pitch, velocity, self._pedal, at_ms, None)

    def release(self, pitch: int, at_ms: int) -> None:
        """The player lets a key go; a key that is not down is ignored."""
        key = self._keys.get((Part.PLAYER, pitch))
        if key is not None and key.release_ms == _STILL_DOWN:
            self._keys[Part.PLAYER, pitch] = replace(key, release_ms=max(at_ms, key.onset_ms + 1))

    def play(self, pitch: int, velocity: int, pedal: int, at_ms: int, duration_ms: int) -> Steps:
        """One of improv's own notes: one step with its full duration (at least 1 ms)."""
        return self._note(Part.IMPROV, pitch, velocity, pedal, at_ms, duration_ms)

    def hand_over(self, now_ms: int) -> Steps | None:
        """The latest step again, with the keys that are down by now; None before the first note.

        It takes the place of the latest step in the model's state when improv takes over.
        """
        if self._last is None:
            return None
        return Steps(self._last.columns, self._down(now_ms))

    def _note(
        self, part: Part, pitch: int, velocity: int, pedal: int, at_ms: int, duration_ms: int | None
    ) -> Steps:
        last_onset_ms = self.last_onset_ms
        dt_ms = 0 if last_onset_ms is None else at_ms - last_onset_ms
        raw = (dt_ms, pedal, pitch, velocity, duration_ms or 1)
        bins = [a.binning.index(v) for a, v in zip(ATTRIBUTES, raw, strict=True)]
        if duration_ms is None:
            bins[-1] = HELD
        before, known = self._previous_columns(at_ms), self._known_columns(at_ms)
        columns = np.array([[*bins, part, *before, *known]], dtype=np.int64)
        release_ms = _STILL_DOWN if duration_ms is None else at_ms + duration_ms
        self._forget_released(at_ms)
        self._keys[part, pitch] = _Key(at_ms, release_ms)
        self._previous = (part, pitch)
        self._latest[part] = (self._count, pitch)
        self._count += 1
        self._last = Steps(columns, self._down(at_ms))
        return self._last

    def _previous_columns(self, at_ms: int) -> tuple[int, int]:
        if self._previous is None:
            return DURATION.size, 0
        previous = self._keys[self._previous]
        lasted_ms = min(previous.release_ms, at_ms) - previous.onset_ms
        return DURATION.index(lasted_ms), int(previous.release_ms > at_ms)

    def _known_columns(self, at_ms: int) -> tuple[int, int, int]:
        style = style_class(self.style)
        if self.pulse is None:
            return style, NO_PHASE, NO_PERIOD
        return style, *beat_class(self.pulse.ticks(at_ms), round(self.pulse.beat_ms))

    def _forget_released(self, at_ms: int) -> None:
        self._keys = {name: key for name, key in self._keys.items() if key.release_ms > at_ms}

    def _down(self, at_ms: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        keys = np.zeros((1, KEYS), dtype=np.bool_)
        for (_, pitch), key in self._keys.items():
            if key.release_ms > at_ms:
                keys[0, pitch] = True
        return keys
