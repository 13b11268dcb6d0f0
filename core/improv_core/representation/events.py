"""Performances as a stream of events: key down, key up, time shift, velocity.

The vocabulary is PerformanceRNN's (Simon and Oore 2017): 128 note-ons, 128 note-offs, 100 time shifts of
10 ms to 1 s, 32 velocities, in this order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from improv_core.representation.binning import CELL_MS, Identity, IntArray
from improv_core.representation.onsets import LONGEST_SILENCE_MS, OpenNotes
from improv_core.representation.steps import KEYS, Attribute, Column, Dense, Lack, Notes, Rows, Steps, Wishes
from improv_core.representation.writing import Ink, Written

OFF: Final = KEYS
SHIFT: Final = 2 * KEYS
SHIFTS: Final = 100
VELOCITY: Final = SHIFT + SHIFTS
VELOCITIES: Final = 32
WORDS: Final = VELOCITY + VELOCITIES

_VELOCITY_WIDTH: Final = 4


def sustained_ms(notes: Notes) -> IntArray:
    """Durations with the pedal in them, as far as `Notes` know it: the pedal as it is at each onset.

    A key let go while the pedal is down sounds until the first onset that finds it up, or until it is
    struck again.
    """
    onset_ms, release_ms = notes.onset_ms, notes.onset_ms + notes.duration_ms
    count = len(notes)
    up = np.where(notes.pedal == 0, np.arange(count), count)
    next_up = np.minimum.accumulate(up[::-1])[::-1]
    last = np.searchsorted(onset_ms, release_ms, side="right") - 1
    lifted = np.append(onset_ms, release_ms.max(initial=0))[np.append(next_up, count)[last + 1]]
    ends = np.where(notes.pedal[last] == 1, lifted, release_ms)
    struck_again: dict[int, int] = {}
    for i in range(count - 1, -1, -1):
        pitch = int(notes.pitch[i])
        ends[i] = min(ends[i], struck_again.get(pitch, ends[i]))
        struck_again[pitch] = int(onset_ms[i])
    return np.maximum(1, ends - onset_ms)


def words_of(notes: Notes) -> IntArray:
    """A piece as words on a grid of 10 ms, (words,); key-ups come before key-downs of the same time."""
    begin = (notes.onset_ms + CELL_MS // 2) // CELL_MS
    end = np.maximum(begin + 1, (notes.onset_ms + sustained_ms(notes) + CELL_MS // 2) // CELL_MS)
    count = len(notes)
    cells = np.concatenate([end, begin])
    kinds = np.repeat([0, 1], count)
    order = np.lexsort((np.tile(np.arange(count), 2), kinds, cells))
    velocity = np.clip(notes.velocity // _VELOCITY_WIDTH, 0, VELOCITIES - 1).tolist()
    pitch, words, now, loudness = notes.pitch.tolist(), list[int](), 0, -1
    for event in order.tolist():
        index = event % count
        waiting, now = int(cells[event]) - now, int(cells[event])
        while waiting > 0:
            words.append(SHIFT + min(waiting, SHIFTS) - 1)
            waiting -= SHIFTS
        if event < count:
            words.append(OFF + pitch[index])
            continue
        if velocity[index] != loudness:
            loudness = velocity[index]
            words.append(VELOCITY + loudness)
        words.append(pitch[index])
    return np.array(words, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Events:
    """An event is a step of one attribute, its word; durations have the pedal in them."""

    kind: ClassVar[str] = "events"
    attributes: ClassVar[tuple[Attribute, ...]] = (Attribute("word", Identity(WORDS)),)
    columns: ClassVar[tuple[Column, ...]] = (Column("word", WORDS + 1),)
    dense: ClassVar[Dense] = Dense()
    asked: ClassVar[tuple[Column, ...]] = ()
    lacks: ClassVar[tuple[Lack, ...]] = ()

    @classmethod
    def from_spec(cls, spec: dict[str, Any]) -> Events:
        """The inverse of `spec`, which need not name the words.

        Raises:
            ValueError: It has another number of words.
        """
        if spec.get("words", WORDS) != WORDS:
            raise ValueError(f"there are {WORDS} words, not {spec['words']}")
        return cls()

    def spec(self) -> dict[str, Any]:
        """Kind and size."""
        return {"kind": self.kind, "words": WORDS}

    def learned(self, pieces: Iterable[Notes]) -> Self:
        """Itself: nothing depends on the music."""
        return self

    def start(self) -> Steps:
        """A word of its own."""
        return self.read(WORDS)

    def read(self, word: int) -> Steps:
        """What the model reads of one word."""
        return Steps(np.array([[word]], dtype=np.int64), np.zeros((1, 0), dtype=np.float32))

    def rows(self, notes: Notes, part: IntArray, wishes: Wishes | None = None) -> Rows:
        """Every event is a step; a note counts where its key goes down."""
        words = words_of(notes)[:, None]
        read = Steps(words, np.zeros((len(words), 0), dtype=np.float32))
        return Rows.plain(read, words, notes=(words[:, 0] < KEYS).astype(np.int64))

    def writer(self, notes: Notes, ink: Ink) -> EventWriter:
        """For what follows ``notes``, once all of them have ended."""
        if not len(notes):
            return EventWriter(self, ink, 0, 64)
        since_ms = int((notes.onset_ms + sustained_ms(notes)).max() - notes.onset_ms[-1])
        return EventWriter(self, ink, since_ms, int(notes.velocity[-1]))


class EventWriter:
    """A note is complete when its key comes up, and given when all that began before it are."""

    def __init__(self, representation: Events, ink: Ink, now_ms: int, velocity: int) -> None:
        self._representation = representation
        self._pitch_mask = ink.pitch_mask()
        self._velocity = velocity
        self._now_ms = now_ms
        self._silent_ms = 0
        self._changed_velocity = False
        self._open = OpenNotes()

    def mask(self, attribute: int, values: Sequence[int]) -> NDArray[np.float64] | None:
        """Only keys that are down come up, not at once; none goes down twice; a silence ends."""
        mask = np.zeros(WORDS)
        mask[:OFF], mask[OFF:SHIFT] = self._pitch_mask, -np.inf
        for pitch, onset_ms in self._open.onsets_ms.items():
            mask[pitch] = -np.inf
            mask[OFF + pitch] = 0 if onset_ms < self._now_ms else -np.inf
        if self._changed_velocity:
            mask[VELOCITY:] = -np.inf
        if self._silent_ms >= LONGEST_SILENCE_MS:
            mask[SHIFT:VELOCITY] = -np.inf
        return mask

    def take(self, values: Sequence[int]) -> tuple[list[Written], Steps]:
        """The notes that a key-up has completed."""
        (word,) = values
        self._changed_velocity = word >= VELOCITY
        if word < OFF:
            self._silent_ms = 0
            self._open.begin(Written(self._now_ms, word, self._velocity, 0, 1))
        elif word < SHIFT:
            self._open.end(word - OFF, self._now_ms)
        elif word < VELOCITY:
            waiting_ms = CELL_MS * (word - SHIFT + 1)
            self._now_ms += waiting_ms
            self._silent_ms = 0 if self._open.onsets_ms else self._silent_ms + waiting_ms
            self._open.end_overlong(self._now_ms)
        else:
            self._velocity = max(1, _VELOCITY_WIDTH * (word - VELOCITY) + _VELOCITY_WIDTH // 2)
        return self._open.take_ready(), self._representation.read(word)
