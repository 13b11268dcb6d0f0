"""What an improviser remembers of both players: the rolling seed window, and the live cache beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from improv_core.drawing import asked_of
from improv_core.heard import HeardNote
from improv_core.improvising import NOTHING_ASKED, MemorySettings, PlannedNote
from improv_core.live_cache import CONTEXT, LiveCache
from improv_core.notes import PEDAL_DOWN_FROM, Part
from improv_core.representation import ATTRIBUTES, to_ms
from improv_core.representation.piano import DURATION, HELD
from improv_core.sampler import Mixing
from improv_core.seed_window import Remembered, SeedWindow, WindowMark
from improv_core.tail import Entry, Press
from improv_core.voice import Voice


@dataclass(frozen=True, slots=True)
class MemoryMark:
    """What was remembered, for `RollingMemory.go_back`.

    Attributes:
        window: Of the window.
        heard: How many notes the cache had heard.
        latest: The latest pitches of these.
    """

    window: WindowMark
    heard: int
    latest: tuple[int, ...]


_PLAYERS_WEIGHT: Final = 1.0
"""In the cache, next to that of improv's own notes."""


class RollingMemory:
    """Takes notes as they have sounded into window and cache.

    Args:
        window: For the model's state.
        cache: For what is drawn.
        settings: How much is remembered.
    """

    def __init__(self, window: SeedWindow, cache: LiveCache, settings: MemorySettings) -> None:
        self._window, self._cache, self._settings = window, cache, settings
        self._down: dict[int, tuple[float, int]] = {}

    @property
    def settings(self) -> MemorySettings:
        """How much is remembered."""
        return self._settings

    @settings.setter
    def settings(self, settings: MemorySettings) -> None:
        before, window = self._settings, self._window
        if (settings.window_s, settings.own_weight) != (before.window_s, before.own_weight):
            window.read_again()
        window.notes, window.seconds = settings.window_notes, settings.window_s
        window.own_weight, self._cache.follow = settings.own_weight, settings.follow
        self._settings = settings

    # --- going back ---------------------------------------------------------------------------------

    def mark(self) -> MemoryMark:
        """What is remembered."""
        return MemoryMark(self._window.mark(), self._cache.count, self._cache.latest)

    def since(self, mark: MemoryMark) -> list[HeardNote]:
        """What was taken in after a mark and is remembered, oldest first."""
        return self._window.since(mark.window)

    def go_back(self, mark: MemoryMark) -> None:
        """Remember again what was remembered, and nothing since."""
        self._window.go_back(mark.window)
        self._cache.forget(mark.heard, mark.latest)
        self._down = {pitch: key for pitch, key in self._down.items() if key[1] < mark.heard}

    # --- the player's keys --------------------------------------------------------------------------

    def strike(self, press: Press, before: Voice, after: Voice) -> None:
        """A key goes down: the cache knows it at once.

        Args:
            press: The key.
            before: The place in the music before it.
            after: That after it.
        """
        token = self._cache_note(before, after, weight=_PLAYERS_WEIGHT)
        self._down[press.pitch] = press.onset_s, token

    def release(self, pitch: int, at_s: float) -> None:
        """A key comes up."""
        if pitch in self._down:
            onset_s, token = self._down.pop(pitch)
            self._cache.lasted(token, DURATION.index(max(1, to_ms(at_s) - to_ms(onset_s))))
        self._window.release(pitch, at_s)

    # --- what has sounded ---------------------------------------------------------------------------

    def keep_press(self, press: Press, after: Voice) -> None:
        """Take a key of the player's into the window."""
        self._window.release(press.pitch, press.onset_s)
        self._window.add(Remembered(after.latest, as_heard(press)))

    def keep(self, read: Sequence[tuple[Entry, Voice]], turn: int, *, is_first: bool) -> None:
        """Take what has sounded of a turn, and was played into it, into the memory.

        Args:
            read: Each with the voice after it, oldest first.
            turn: Its number.
            is_first: Whether nothing of the turn is in the memory yet.
        """
        latest = self._window.latest
        if read and is_first and latest is not None:
            latest.step = read[0][0].before.latest  # it was read again when improv took over
        for entry, after in read:
            if isinstance(entry.note, Press):
                self.keep_press(entry.note, after)
                continue
            self._window.add(Remembered(after.latest, as_heard(entry.note), turn))
            if self._settings.own_weight > 0:
                self._cache_note(entry.before, after, weight=self._settings.own_weight)

    def _cache_note(self, before: Voice, after: Voice, *, weight: float) -> int:
        classes = after.latest.columns[0, : len(ATTRIBUTES)].tolist()
        known = classes[:-1] if classes[-1] == HELD else classes
        asked = asked_of(NOTHING_ASKED, before.stream, None)
        return self._cache.heard(before.projected, asked, known, weight=weight)

    # --- what comes of it ---------------------------------------------------------------------------

    def mixing(self, pitches: Sequence[int]) -> Mixing:
        """What followed on the like.

        Args:
            pitches: Of the notes since the window's latest, oldest first; the last `CONTEXT` count.
        """
        since = list(pitches)[-CONTEXT:]
        before = self._window.last(CONTEXT - len(since))
        return self._cache.after([*(note.pitch for note in before), *since])


def as_heard(note: PlannedNote | Press) -> HeardNote:
    """A note of an open turn as both have heard it."""
    key = note.pitch, note.velocity, note.onset_s
    duration_s = None if note.release_s is None else max(0.0, note.release_s - note.onset_s)
    if isinstance(note, Press):
        return HeardNote(Part.PLAYER, *key, duration_s, int(note.pedal >= PEDAL_DOWN_FROM))
    return HeardNote(Part.IMPROV, *key, duration_s, note.pedal)
