"""Phrases of the player's that come back minutes later: kept, chosen, and varied so that they stay known."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from improv_core.heard import HeardNote
from improv_core.motifs import Phrase, motif_overlap
from improv_core.notes import CHORD_MS
from improv_core.traits import pitch_classes

FORGOTTEN_AFTER_S: Final = 1200.0
MOST_PHRASES: Final = 64
"""Longer ago than this, or so many phrases ago, nothing is kept."""

LEAST_AGO_S: Final = 60.0
"""What was played since comes back by itself."""

AGAIN_AFTER_S: Final = 300.0
"""A phrase that was taken up rests for so long."""

LEAST_NOTES: Final = 5
LEAST_S: Final = 1.0
"""Less than this is no phrase that anyone would know again."""

TURNS_KEPT: Final = 8
"""So many of improv's latest turns can be forgotten here."""

MOST_NOTES: Final = 200
"""No more of a phrase is kept."""

KNOWN_FROM: Final = 0.5
"""Least share of the phrase's motifs that are in its variation, and the other way round."""

TRANSPOSITIONS: Final = (0, 5, -5, 7, -7, 2, -2, 3, -3, 4, -4, 12, -12)
"""Semitones, the likelier first: to the same pitches, the fourth and fifth, and keys near by."""

_SAME_PITCH_COUNTS = 0.15
"""A transposition has to fit better by so much of a cosine, or is not worth leaving the pitches for."""

_SOFTEST, _LOUDEST = 12, 120
_ORNAMENT_FROM_S = 0.3
_ORNAMENT_S = 0.09
_MOST_VARIED = 8
"""At most one note in so many is ornamented or left out."""


@dataclass(frozen=True, slots=True)
class Idea:
    """A note that is yet to be played, or played again.

    Attributes:
        pitch: 0..127.
        velocity: 1..127.
        pedal: 0 or 1, at its onset.
        onset_s: On any clock; here, from the onset of the first.
        duration_s: Key down to key up.
    """

    pitch: int
    velocity: int
    pedal: int
    onset_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class Remembered:
    """A phrase that the player has played.

    Attributes:
        number: Counted from 0.
        ended_s: Its last release.
        ideas: Its notes by onset.
    """

    number: int
    ended_s: float
    ideas: tuple[Idea, ...]


@dataclass(frozen=True, slots=True)
class _Stored:
    """What a store held before a turn of improv's."""

    turn: int
    phrases: tuple[Remembered, ...]
    taken_s: dict[int, float]
    kept: int


class PhraseStore:
    """The player's phrases of the last minutes."""

    def __init__(self) -> None:
        self._before: deque[_Stored] = deque(maxlen=TURNS_KEPT)
        self._phrases: deque[Remembered] = deque(maxlen=MOST_PHRASES)
        self._taken_s: dict[int, float] = {}
        self._kept = 0

    def __len__(self) -> int:
        return len(self._phrases)

    def mark(self, turn: int) -> None:
        """A turn of improv's begins: what is held now is that before it, for `go_back`."""
        self._before.append(_Stored(turn, tuple(self._phrases), dict(self._taken_s), self._kept))

    def go_back(self, turn: int) -> None:
        """Hold again what was held before that turn, or any later one; nothing happens if none is known."""
        while self._before and self._before[-1].turn >= turn:
            before = self._before.pop()
            self._phrases = deque(before.phrases, maxlen=MOST_PHRASES)
            self._taken_s, self._kept = dict(before.taken_s), before.kept

    def keep(self, notes: Sequence[HeardNote]) -> None:
        """A phrase is over.

        Args:
            notes: As they were played; of a key that is still held the end is that of the phrase.
        """
        ideas = _ideas(notes)
        if len(ideas) < LEAST_NOTES or ideas[-1].onset_s < LEAST_S:
            return
        begin_s = min(note.onset_s for note in notes)
        ended_s = begin_s + max(one.onset_s + one.duration_s for one in ideas)
        self._phrases.append(Remembered(self._kept, ended_s, ideas))
        self._kept += 1

    def choose(self, now_s: float, rng: np.random.Generator) -> Remembered | None:
        """A phrase of some time ago, which counts as taken up from now on; None: there is none."""
        self._forget(now_s)
        ready = [
            one
            for one in self._phrases
            if now_s - one.ended_s >= LEAST_AGO_S
            and now_s - self._taken_s.get(one.number, -np.inf) >= AGAIN_AFTER_S
        ]
        if not ready:
            return None
        chosen = ready[int(rng.integers(len(ready)))]
        self._taken_s[chosen.number] = now_s
        return chosen

    def _forget(self, now_s: float) -> None:
        while self._phrases and now_s - self._phrases[0].ended_s > FORGOTTEN_AFTER_S:
            self._phrases.popleft()
        there = {one.number for one in self._phrases}
        self._taken_s = {number: at_s for number, at_s in self._taken_s.items() if number in there}


def _ideas(notes: Sequence[HeardNote]) -> tuple[Idea, ...]:
    if not notes:
        return ()
    first_s = min(note.onset_s for note in notes)
    end_s = max(note.onset_s + (note.duration_s or 0.0) for note in notes)
    ideas = [
        Idea(
            note.pitch,
            note.velocity,
            note.pedal,
            note.onset_s - first_s,
            max(0.03, end_s - note.onset_s) if note.duration_s is None else note.duration_s,
        )
        for note in notes
    ]
    return _by_onset(ideas)[:MOST_NOTES]


def _by_onset(ideas: Iterable[Idea]) -> tuple[Idea, ...]:
    return tuple(sorted(ideas, key=lambda one: (one.onset_s, one.pitch)))


def varied(
    ideas: Sequence[Idea],
    rng: np.random.Generator,
    *,
    call: Sequence[HeardNote] = (),
    scale: Collection[int] | None = None,
    lowest_pitch: int = 21,
    highest_pitch: int = 108,
    longest_s: float = float("inf"),
) -> tuple[Idea, ...]:
    """A phrase as it comes back: in the key of what is played now, about as loud, and a little varied.

    At least `KNOWN_FROM` of its motifs stay as they were, and as much of what is played is of it: a variation
    that would leave less is not made. What lies out of range after all is left out.

    Args:
        ideas: The phrase.
        rng: Where chance comes from.
        call: What has just been played, towards which it is transposed.
        scale: Pitch classes that ornaments are taken from; None: those of phrase and call.
        lowest_pitch: Of improv's notes.
        highest_pitch: Of improv's notes.
        longest_s: What begins later in the phrase is left out.
    """
    within = tuple(one for one in ideas if one.onset_s <= longest_s)
    heard = Phrase.heard(call)
    moved = _transposed(within, _transposition(within, heard, rng, lowest_pitch, highest_pitch))
    moved = _as_loud(tuple(one for one in moved if lowest_pitch <= one.pitch <= highest_pitch), heard)
    classes = {one.pitch % 12 for one in moved} | set((heard.pitch % 12).tolist()) if scale is None else scale
    ways: list[Callable[[], tuple[Idea, ...]]] = [
        lambda: _ornamented(moved, rng, set(classes), lowest_pitch, highest_pitch),
        lambda: _thinned(moved, rng),
        lambda: _displaced(moved, rng),
    ]
    for way in rng.permutation(len(ways)).tolist():
        made: tuple[Idea, ...] = ways[way]()
        if made != moved and likeness(made, moved) >= KNOWN_FROM:
            return made
    return moved


def likeness(one: Sequence[Idea], other: Sequence[Idea]) -> float:
    """Motif overlap of two phrases, the smaller of both ways."""
    phrase, original = phrase_of(one), phrase_of(other)
    return min(motif_overlap(phrase, original), motif_overlap(original, phrase))


def phrase_of(ideas: Sequence[Idea]) -> Phrase:
    """As those see it who compare phrases."""
    return Phrase.of((one.onset_s, one.pitch, one.velocity, one.duration_s) for one in ideas)


# --- transposed -----------------------------------------------------------------------------------


def _transposition(
    ideas: Sequence[Idea], heard: Phrase, rng: np.random.Generator, lowest: int, highest: int
) -> int:
    """The one whose pitch classes and register are nearest to the call's; without a call, any."""
    pitches = np.array([one.pitch for one in ideas], dtype=np.int64)
    if not len(pitches):
        return 0
    fitting = [by for by in TRANSPOSITIONS if pitches.min() + by >= lowest and pitches.max() + by <= highest]
    if not fitting or not len(heard):
        return fitting[int(rng.integers(len(fitting)))] if fitting else 0
    wanted = pitch_classes(heard)
    wanted /= np.linalg.norm(wanted)

    def fits(by: int) -> float:
        classes = np.bincount((pitches + by) % 12, minlength=12)
        cosine = float(wanted @ classes) / float(np.linalg.norm(classes))
        apart = abs(float(pitches.mean()) + by - float(heard.pitch.mean()))
        return cosine - apart / 48 + (_SAME_PITCH_COUNTS if by == 0 else 0.0)

    return max(fitting, key=fits)


def _transposed(ideas: Sequence[Idea], semitones: int) -> tuple[Idea, ...]:
    return tuple(
        replace(one, pitch=one.pitch + semitones) for one in ideas if 0 <= one.pitch + semitones <= 127
    )


def _as_loud(ideas: tuple[Idea, ...], heard: Phrase) -> tuple[Idea, ...]:
    """Half way to the loudness of the call."""
    if not ideas or not len(heard):
        return ideas
    by = (float(heard.velocity.mean()) - float(np.mean([one.velocity for one in ideas]))) / 2
    return tuple(
        replace(one, velocity=min(_LOUDEST, max(_SOFTEST, round(one.velocity + by)))) for one in ideas
    )


# --- varied ---------------------------------------------------------------------------------------


def _ornamented(
    ideas: tuple[Idea, ...], rng: np.random.Generator, classes: set[int], lowest: int, highest: int
) -> tuple[Idea, ...]:
    """Before some long notes of the highest voice comes the note of the scale above or below, softly."""
    room = [
        place
        for before, place in pairwise(_highest(ideas))
        if ideas[place].duration_s >= _ORNAMENT_FROM_S
        and ideas[place].onset_s - ideas[before].onset_s > 2 * _ORNAMENT_S
    ]
    made = list(ideas)
    for i in _some(room, len(ideas), rng):
        neighbours = [
            pitch
            for step in (1, -1)
            for pitch in [_neighbour(ideas[i].pitch, step, classes)]
            if pitch is not None and lowest <= pitch <= highest
        ]
        if neighbours:
            made.append(_grace(ideas[i], neighbours[int(rng.integers(len(neighbours)))]))
    return _by_onset(made)


def _grace(idea: Idea, pitch: int) -> Idea:
    return replace(
        idea,
        pitch=pitch,
        velocity=max(_SOFTEST, idea.velocity - 12),
        onset_s=idea.onset_s - _ORNAMENT_S,
        duration_s=_ORNAMENT_S,
    )


def _neighbour(pitch: int, step: int, classes: set[int]) -> int | None:
    return next((pitch + step * by for by in (1, 2) if (pitch + step * by) % 12 in classes), None)


def _thinned(ideas: tuple[Idea, ...], rng: np.random.Generator) -> tuple[Idea, ...]:
    """Some short notes are left out, never the first or the last."""
    typical_s = float(np.median([one.duration_s for one in ideas])) if ideas else 0.0
    short = [i for i in range(1, len(ideas) - 1) if ideas[i].duration_s <= typical_s]
    gone = set(_some(short, len(ideas), rng))
    return tuple(one for i, one in enumerate(ideas) if i not in gone)


def _displaced(ideas: tuple[Idea, ...], rng: np.random.Generator) -> tuple[Idea, ...]:
    """From some onset on everything comes later, by the inter-onset interval before it: it hesitates."""
    onsets_s = phrase_of(ideas).onsets_s
    if len(onsets_s) < 4:
        return ideas
    place = int(rng.integers(len(onsets_s) // 2, len(onsets_s)))
    from_s, by_s = float(onsets_s[place]), min(0.75, float(onsets_s[place] - onsets_s[place - 1]))
    return tuple(replace(one, onset_s=one.onset_s + by_s) if one.onset_s >= from_s else one for one in ideas)


def _some(places: Sequence[int], notes: int, rng: np.random.Generator) -> list[int]:
    """One of them at least, where there are any, and one in `_MOST_VARIED` notes at most."""
    if not places:
        return []
    count = int(rng.integers(1, max(2, notes // _MOST_VARIED + 1)))
    return sorted(rng.choice(places, size=min(count, len(places)), replace=False).tolist())


def _highest(ideas: Sequence[Idea]) -> list[int]:
    """Of each chord the place of its highest note."""
    places: list[int] = []
    for i, one in enumerate(ideas):
        if places and one.onset_s - ideas[places[-1]].onset_s <= CHORD_MS / 1000:
            if one.pitch >= ideas[places[-1]].pitch:
                places[-1] = i
        else:
            places.append(i)
    return places
