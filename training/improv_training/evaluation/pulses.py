"""How well the player's beat is found, heard note by note, against beats that are known."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.pulse import PulseEstimate, PulseTracker
from improv_training.corpora.beats import BeatMap

FloatArray = NDArray[np.float64]

NEAR_S: Final = 0.07
"""A beat is found where one is estimated so near, as usual in the field."""

NEAR_BEATS: Final = 0.175
"""For a confidence it must be as near as this share of the beat too: in a short one 70 ms are anywhere."""

AHEAD_S: Final = 0.7
"""An answer begins about so long after the last note of the call."""

_SAME_TIME_S: Final = 0.03
_TWICE_AS_FAST = 2 / 3
_SHORTEST_BEAT_S, _LONGEST_BEAT_S = 0.15, 1.6
_NO_BEAT_AFTER_S: Final = 4.0


@dataclass(frozen=True, slots=True)
class Piece:
    """Onsets and beats of a piece, in seconds.

    Attributes:
        onset_s: Of each note, ascending, (notes,).
        velocity: Of each note, (notes,).
        beats_s: Its beats, ascending, (beats,); None where they are not known.
    """

    onset_s: FloatArray
    velocity: NDArray[np.int64]
    beats_s: FloatArray | None

    @property
    def has_tempo(self) -> bool:
        """Whether its beats are known, and no shorter or longer than people count."""
        if self.beats_s is None or len(self.beats_s) < 20:
            return False
        return _SHORTEST_BEAT_S < float(np.median(np.diff(self.beats_s))) < _LONGEST_BEAT_S

    def starting(self, from_s: float, to_s: float) -> Piece:
        """The notes of a stretch of it."""
        first, end = np.searchsorted(self.onset_s, (from_s, to_s))
        return Piece(self.onset_s[first:end], self.velocity[first:end], self.beats_s)


@dataclass(frozen=True, slots=True)
class Followed:
    """What was found in a piece.

    Attributes:
        beats_s: The beats as they were estimated by the time they came, (found,).
        clear: Whether the beat was clear then, (found,).
        played_s: How long the piece was heard.
        clear_s: During how much of it the beat was clear.
    """

    beats_s: FloatArray
    clear: NDArray[np.bool_]
    played_s: float
    clear_s: float


def beats_of(beats: BeatMap, last_s: float) -> FloatArray:
    """The whole beats up to a time, in seconds."""
    each_s = (beats.at_s[-1] - beats.at_s[-2]) / (beats.beat[-1] - beats.beat[-2])
    last = beats.beat[-1] + max(0.0, (last_s - beats.at_s[-1]) / each_s)
    whole = np.arange(math.ceil(beats.beat[0]), math.floor(last) + 1)
    after = np.maximum(whole - beats.beat[-1], 0.0) * each_s
    at_s: FloatArray = np.interp(whole, beats.beat, beats.at_s) + after
    return at_s


def estimates(piece: Piece) -> Iterator[tuple[float, float, PulseEstimate | None]]:
    """What is known after each note or chord: its time, the time of the next, and the estimate."""
    tracker = PulseTracker()
    notes = zip(piece.onset_s.tolist(), piece.velocity.tolist(), strict=True)
    for (at_s, velocity), (next_s, _) in itertools.pairwise(itertools.chain(notes, [(math.inf, 0)])):
        tracker.onset(at_s, velocity)
        if next_s - at_s >= _SAME_TIME_S:
            yield at_s, next_s, tracker.estimate(at_s)


def follow(piece: Piece) -> Followed:
    """Hear a piece; an estimated beat counts when it comes before another estimate has moved it."""
    found: list[tuple[float, bool]] = []
    clear_s = 0.0
    for at_s, next_s, estimate in estimates(piece):
        if estimate is None or next_s == math.inf:
            continue
        clear_s += (next_s - at_s) * estimate.clear
        beat_s = estimate.pulse.beat_ms / 1e3
        due_s = next_beat_s(estimate, at_s)
        while due_s <= min(next_s, at_s + _NO_BEAT_AFTER_S):
            if not found or due_s - found[-1][0] > beat_s / 2:
                found.append((due_s, estimate.clear))
            due_s += beat_s
    times, clear = np.array([one for one, _ in found]), np.array([one for _, one in found], dtype=np.bool_)
    return Followed(times, clear, float(piece.onset_s[-1] - piece.onset_s[0]), clear_s)


def next_beat_s(estimate: PulseEstimate, after_s: float) -> float:
    """The first beat after a time."""
    pulse = estimate.pulse
    beats = math.floor((after_s * 1e3 - pulse.origin_ms) / pulse.beat_ms) + 1
    return (pulse.origin_ms + beats * pulse.beat_ms) / 1e3


def f_measure(known_s: FloatArray, found_s: FloatArray) -> float:
    """Of beats that are matched one to one within `NEAR_S`; both ascending, no two found ones as near."""
    if not len(known_s) or not len(found_s):
        return 0.0
    known = found = matched = 0
    while known < len(known_s) and found < len(found_s):
        apart_s = found_s[found] - known_s[known]
        matched += bool(abs(apart_s) <= NEAR_S)
        known += bool(apart_s >= -NEAR_S)
        found += bool(apart_s <= NEAR_S)
    return 2 * matched / (len(known_s) + len(found_s))


def near(known_s: FloatArray, found_s: FloatArray, within_beats: float = math.inf) -> NDArray[np.bool_]:
    """Which found beats are within `NEAR_S`, and such a share of a beat, of a known one; (found,)."""
    place = np.clip(np.searchsorted(known_s, found_s), 1, len(known_s) - 1)
    before_s, after_s = known_s[place - 1], known_s[place]
    apart_s = np.minimum(np.abs(found_s - before_s), np.abs(found_s - after_s))
    hit: NDArray[np.bool_] = apart_s <= np.minimum(NEAR_S, within_beats * (after_s - before_s))
    return hit


def with_halves(known_s: FloatArray) -> FloatArray:
    """The beats, and what lies half-way between them."""
    return np.sort(np.concatenate((known_s, (known_s[1:] + known_s[:-1]) / 2)))


def on_its_level(known_s: FloatArray, due_s: float, beat_s: float) -> bool:
    """Whether a beat is one; of beats twice as fast as the known ones, whether it is half of one."""
    place = min(max(int(np.searchsorted(known_s, due_s)), 1), len(known_s) - 1)
    if beat_s < _TWICE_AS_FAST * (known_s[place] - known_s[place - 1]):
        known_s = with_halves(known_s[max(0, place - 2) : place + 2])
    return bool(near(known_s, np.array([due_s]), NEAR_BEATS)[0])


def after_playing(piece: Piece, heard_s: float, every_s: float) -> Iterator[tuple[float, bool, bool]]:
    """Stretches of a piece as if each were a sitting's first call: confidence, clear, found.

    The beat is asked for that comes `AHEAD_S` after the last note of the stretch.
    """
    first_s, last_s = float(piece.onset_s[0]), float(piece.onset_s[-1])
    for from_s in np.arange(first_s, last_s - heard_s, every_s).tolist():
        call = piece.starting(from_s, from_s + heard_s)
        tracker = PulseTracker()
        for at_s, velocity in zip(call.onset_s.tolist(), call.velocity.tolist(), strict=True):
            tracker.onset(at_s, velocity)
        if not len(call.onset_s):
            continue
        now_s = float(call.onset_s[-1]) + AHEAD_S
        estimate = tracker.estimate(now_s)
        if estimate is None:
            yield 0.0, False, False
            continue
        due_s = next_beat_s(estimate, now_s)
        known_s = piece.beats_s
        found = known_s is not None and on_its_level(known_s, due_s, estimate.pulse.beat_ms / 1e3)
        yield estimate.confidence, estimate.clear, found
