"""A piano roll, frame by frame: the sounding pitches ascending, then an end mark (Walder 2016)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from improv_core.representation.binning import Identity, IntArray
from improv_core.representation.onsets import LONGEST_SILENCE_MS, OpenNotes
from improv_core.representation.steps import (
    KEYS,
    Attribute,
    Column,
    Dense,
    Lack,
    Notes,
    Rows,
    Steps,
    Wishes,
    nothing_asked,
)
from improv_core.representation.writing import Ink, Written

BoolArray = NDArray[np.bool_]

LOWEST: Final = 21
"""MIDI key of class 0: the classes are the keys of a piano."""
PITCHES: Final = 88
HIGHEST: Final = LOWEST + PITCHES - 1
END: Final = PITCHES
START: Final = PITCHES + 1

COUNTS: Final = 24
"""Notes of a frame so far are counted up to here."""
BAR: Final = 16
"""Frames are counted modulo this."""

_EARLIER: Final = 2
"""Frames before that are read."""
_WINDOW: Final = 2 * PITCHES - 1
_MIDDLE: Final = 40


@dataclass(frozen=True, slots=True)
class Frames:
    """A step is a pitch of the frame or its end.

    Read with it: how many notes the frame has so far, its place modulo 16, the frame so far and the two
    frames before, as they are and once more as seen from the latest pitch, so that what holds for one key
    of the keyboard is learned for all.

    Attributes:
        frame_ms: Length of a frame.
    """

    kind: ClassVar[str] = "frames"
    attributes: ClassVar[tuple[Attribute, ...]] = (Attribute("pitch", Identity(PITCHES + 1)),)
    columns: ClassVar[tuple[Column, ...]] = (
        Column("pitch", PITCHES + 2),
        Column("count", COUNTS),
        Column("place", BAR),
    )
    dense: ClassVar[Dense] = Dense((1 + _EARLIER) * PITCHES + _EARLIER * _WINDOW + PITCHES)
    asked: ClassVar[tuple[Column, ...]] = ()
    lacks: ClassVar[tuple[Lack, ...]] = ("loudness", "pedal")

    frame_ms: int = 125

    def __post_init__(self) -> None:
        if self.frame_ms < 1:
            raise ValueError("a frame lasts a millisecond at least")

    def spec(self) -> dict[str, Any]:
        """Kind and length of a frame."""
        return {"kind": self.kind, "frame_ms": self.frame_ms}

    def learned(self, pieces: Iterable[Notes]) -> Self:
        """Itself: nothing depends on the music."""
        return self

    def start(self) -> Steps:
        """Before the first frame."""
        nothing = np.zeros((1, PITCHES), dtype=np.bool_)
        return read_steps(np.array([START]), nothing, [nothing] * _EARLIER, np.array([0]))

    def roll(self, notes: Notes) -> BoolArray:
        """Which key of the keyboard sounds in which frame, (frames, PITCHES); a note does in one at least."""
        begin = (notes.onset_ms + self.frame_ms // 2) // self.frame_ms
        end = (notes.onset_ms + notes.duration_ms + self.frame_ms // 2) // self.frame_ms
        end = np.maximum(begin + 1, end)
        changes = np.zeros((int(end.max(initial=0)) + 1, KEYS), dtype=np.int32)
        np.add.at(changes, (begin, notes.pitch), 1)
        np.add.at(changes, (end, notes.pitch), -1)
        sounding: BoolArray = np.cumsum(changes, axis=0)[:-1] > 0
        return sounding

    def rows(self, notes: Notes, part: IntArray, wishes: Wishes | None = None) -> Rows:
        """Every pitch and every end is a step; the first frame is read but not scored.

        A pitch beyond the piano's keyboard is lost, and charged as one of 128.
        """
        sounding = self.roll(notes)
        roll = sounding[:, LOWEST : LOWEST + PITCHES]
        frame, word = np.nonzero(np.concatenate([roll, np.ones((len(roll), 1), dtype=np.bool_)], axis=1))
        ended = word == END
        so_far = (np.arange(PITCHES)[None, :] <= word[:, None]) & roll[frame] & ~ended[:, None]
        padded = np.concatenate([np.zeros((_EARLIER, PITCHES), dtype=np.bool_), roll])
        latest = frame + _EARLIER - 1 + ended  # in the padded roll: of a frame that has ended, itself
        earlier = [padded[latest - i] for i in range(_EARLIER)]
        lost = np.where(ended, (sounding.sum(1) - roll.sum(1))[frame], 0)
        return Rows(
            read=read_steps(word, so_far, earlier, frame + ended),
            targets=word[:, None].astype(np.int64),
            asked=nothing_asked(len(word)),
            scored=frame > 0,
            notes=(~ended).astype(np.int64) + lost,
            lost=lost,
            charge=lost * np.log(KEYS),
        )

    def writer(self, notes: Notes, ink: Ink) -> FrameWriter:
        """For what follows ``notes``, from the frame after their last."""
        if not len(notes):
            return FrameWriter(self, ink, np.zeros((0, PITCHES), dtype=np.bool_), 0)
        roll = self.roll(notes)[:, LOWEST : LOWEST + PITCHES]
        return FrameWriter(self, ink, roll, len(roll) * self.frame_ms - int(notes.onset_ms[-1]))


def read_steps(word: IntArray, so_far: BoolArray, earlier: Sequence[BoolArray], place: IntArray) -> Steps:
    """What the model reads of n steps.

    Args:
        word: Pitches, `END` or `START`, (n,).
        so_far: The frame as it is by then, (n, PITCHES); empty after its end.
        earlier: The frames before it, the latest first, each (n, PITCHES).
        place: Number of the frame, (n,).
    """
    pitched = word < PITCHES
    lowest = np.where(earlier[0].any(axis=1), earlier[0].argmax(axis=1), _MIDDLE)
    seen_from = np.where(pitched, word, lowest)
    windows = [_seen_from(frame, seen_from)[:, :_WINDOW] for frame in earlier]
    below = _seen_from(so_far, seen_from)[:, PITCHES - 1 :: -1]
    columns = np.stack([word, np.minimum(so_far.sum(axis=1), COUNTS - 1), place % BAR], axis=1)
    dense = np.concatenate([so_far, *earlier, *windows, below], axis=1)
    return Steps(columns.astype(np.int64), dense)


def _seen_from(frame: BoolArray, pitch: IntArray) -> BoolArray:
    """Column ``PITCHES - 1`` is the pitch itself, the others lie above and below it; (n, _WINDOW)."""
    room = np.zeros((len(frame), 3 * PITCHES - 2), dtype=np.bool_)
    room[:, PITCHES - 1 : 2 * PITCHES - 1] = frame
    seen: BoolArray = sliding_window_view(room, _WINDOW, axis=1)[np.arange(len(frame)), pitch]
    return seen


class FrameWriter:
    """A note begins with the first frame that has it and ends with the first that does not.

    Args:
        representation: Length of a frame.
        ink: Range and habits.
        roll: The frames before, (frames, PITCHES).
        now_ms: Where the first frame begins.
    """

    def __init__(self, representation: Frames, ink: Ink, roll: BoolArray, now_ms: int) -> None:
        self._representation = representation
        self._ink = ink
        padded = np.concatenate([np.zeros((_EARLIER, PITCHES), dtype=np.bool_), roll])
        self._earlier = [padded[-1 - i][None] for i in range(_EARLIER)]
        self._frame = np.zeros((1, PITCHES), dtype=np.bool_)
        self._place = len(roll)
        self._now_ms = now_ms
        self._silent_ms = 0
        self._open = OpenNotes()

    def mask(self, attribute: int, values: Sequence[int]) -> NDArray[np.float64] | None:
        """Pitches ascend, and a silence ends."""
        mask = np.append(self._ink.pitch_mask()[LOWEST : LOWEST + PITCHES], 0.0)
        sounding = np.flatnonzero(self._frame)
        if len(sounding):
            mask[: sounding[-1] + 1] = -np.inf
        elif self._silent_ms >= LONGEST_SILENCE_MS:
            mask[END] = -np.inf
        return mask

    def take(self, values: Sequence[int]) -> tuple[list[Written], Steps]:
        """At the end of a frame: the notes that it does not go on with."""
        (word,) = values
        if word < END:
            self._frame = self._frame.copy()
            self._frame[0, word] = True
            return [], self._read(word)
        self._close_frame()
        return self._open.take_ready(), self._read(END)

    def _close_frame(self) -> None:
        frame_ms = self._representation.frame_ms
        sounding = {LOWEST + key for key in np.flatnonzero(self._frame).tolist()}
        for pitch in set(self._open.onsets_ms) - sounding:
            self._open.end(pitch, self._now_ms)
        self._open.end_overlong(self._now_ms)
        begun = sorted(sounding - set(self._open.onsets_ms))
        if begun:
            habit = self._ink.habits.next_onset()
            for pitch in begun:
                self._open.begin(Written(self._now_ms, pitch, habit.velocity, habit.pedal, frame_ms))
        self._silent_ms = 0 if sounding else self._silent_ms + frame_ms
        self._now_ms += frame_ms
        self._earlier = [self._frame, *self._earlier[:-1]]
        self._frame = np.zeros((1, PITCHES), dtype=np.bool_)
        self._place += 1

    def _read(self, word: int) -> Steps:
        return read_steps(np.array([word]), self._frame, self._earlier, np.array([self._place]))
