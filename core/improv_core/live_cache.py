"""The live cache: what was played lately becomes likelier where the music is as it was then.

A continuous neural cache (Grave, Joulin and Usunier 2017) of the last notes: the key of a note is what each
head read when it was to be predicted, its value the class that was played. Three things are added to it:

- A twin of the pitches holds intervals to the note before, so that motifs return transposed.
- A note counts for more, the more of the pitch intervals before it are those before the note to be drawn, as
  in improvisers that continue the longest context they remember (Pachet 2003).
- The model's own opinion is one entry of the cache. Where nothing fits, the cache says what the model says,
  and mixing it in at any strength changes nothing.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.following import Following
from improv_core.model import Heads
from improv_core.representation import ATTRIBUTE_NAMES, ATTRIBUTES, KEYS

FloatArray = NDArray[np.floating]
Singles = NDArray[np.float32]

NOTES: Final = 768
"""How many notes a cache holds, unless told otherwise."""

SPARE: Final = 768
"""So many of the latest notes can be forgotten, and what had made room for them is there again."""

CONTEXT: Final = 6
"""How many of the latest pitches count in the comparison of intervals."""

_MOST_ALIKE: Final = CONTEXT - 1
_DIMENSIONS: Final = 32
_NO_INTERVAL: Final = 2 * KEYS
_PITCH: Final = ATTRIBUTE_NAMES.index("pitch")
_UNKNOWN: Final = tuple(attribute.binning.size for attribute in ATTRIBUTES)
_LEAST: Final = 1e-6
_PLACES: Final = np.arange(CONTEXT, dtype=np.float32)
_MOST_NATS: Final = 80.0
"""Above it weights leave single precision."""


@dataclass(frozen=True, slots=True)
class Trust:
    """How one attribute is looked up; chosen on the validation splits by `bench.live_cache`.

    Attributes:
        sharpness: Nats for each unit of cosine between a note's key and what the head reads now.
        interval: Nats for each interval of the context that is the same, the latest first, up to the first
            that is not.
        doubt: What the model's own opinion weighs; a note of the same key and no interval in common weighs 1.
        transposed: What a note's interval weighs, its class 1; of pitch alone.
    """

    sharpness: float
    interval: float
    doubt: float
    transposed: float = 0.0

    def __post_init__(self) -> None:
        if self.sharpness + _MOST_ALIKE * self.interval > _MOST_NATS:
            raise ValueError(f"too sharp for single precision: {self}")

    @property
    def opinion(self) -> float:
        """`doubt` on the scale of the weights, on which a note of the same key has exp(sharpness)."""
        return self.doubt * math.exp(self.sharpness)


TRUSTS: Final[tuple[Trust | None, ...]] = (
    Trust(sharpness=32.0, interval=0.8, doubt=1.3),
    None,
    Trust(sharpness=40.0, interval=2.3, doubt=0.65, transposed=3.0),
    Trust(sharpness=24.0, interval=0.7, doubt=0.5),
    Trust(sharpness=22.0, interval=0.7, doubt=0.6),
)
"""For each of `ATTRIBUTES`. The pedal is left out: 0.02 nats would take a fifth of the time."""


class LiveCache:
    """The latest notes, from which what is drawn may borrow.

    As a `improv_core.sampler.Mixing` it speaks of the note after those that it has heard; see `after` for
    one that follows notes which have not sounded.

    Args:
        heads: Of the model that plays, for the representation ``piano``.
        follow: Share of the cache in what is drawn, 0..1; may be set at any time.
        notes: How many it holds; the oldest makes room.
        trusts: How each attribute is looked up; None: it is not.
    """

    def __init__(
        self,
        heads: Heads,
        follow: float = 0.0,
        *,
        notes: int = NOTES,
        trusts: Sequence[Trust | None] = TRUSTS,
    ) -> None:
        if notes < 1:
            raise ValueError(f"a cache holds a note at least, got {notes}")
        self.follow = follow
        self._heads, self._notes, self._trusts = heads, notes, tuple(trusts)
        self._looked_up = tuple(i for i, trust in enumerate(trusts) if trust is not None)
        self._projection = _signs(heads.weights[0].shape[1])
        # Every note stands in two places, so that the latest are always one run of rows, oldest first.
        self._period = notes + SPARE
        rows = 2 * self._period
        self._keys = np.zeros((len(ATTRIBUTES), rows, _DIMENSIONS), dtype=np.float32)
        self._classes = np.zeros((len(ATTRIBUTES), rows), dtype=np.int64)
        self._intervals = np.full(rows, _NO_INTERVAL, dtype=np.int64)
        self._log_weights = np.zeros(rows, dtype=np.float32)
        self._pitches: deque[int] = deque(maxlen=CONTEXT)
        self._count = self._most = 0
        self._changes = 0
        self._here = Following(self, self._pitches)

    def __len__(self) -> int:
        """How many notes it holds."""
        oldest = max(0, self._most - self._period)
        return max(0, min(self._count - oldest, self._notes))

    @property
    def changes(self) -> int:
        """How often it has become another."""
        return self._changes

    @property
    def count(self) -> int:
        """How many notes it has ever heard, but for those that are forgotten."""
        return self._count

    @property
    def latest(self) -> tuple[int, ...]:
        """The pitches of its latest notes, oldest first, as `forget` wants them."""
        return tuple(self._pitches)

    def forget(self, count: int, latest: Sequence[int]) -> None:
        """Go back to when so many notes had been heard; `SPARE` of them leave no gap.

        Args:
            count: From `count`, then.
            latest: From `latest`, then.
        """
        self._count = count
        self._changes += 1
        self._pitches.clear()
        self._pitches.extend(latest)

    # --- what is heard ----------------------------------------------------------------------------

    def heard(
        self, projected: FloatArray, asked: Sequence[int], classes: Sequence[int], *, weight: float = 1.0
    ) -> int:
        """Take in a note that has been played.

        Args:
            projected: The model's output before it, (projected,).
            asked: What the heads would have been told of it; best that which they are told of improv's notes.
            classes: Of its attributes, in order; without the last, while its key is down.
            weight: How much it counts, 0..1.

        Returns:
            A token, for `lasted`.
        """
        token, pitch = self._count, classes[_PITCH]
        places = self._places(token)
        for i, key in zip(self._looked_up, self._keys_of(projected, asked, classes), strict=True):
            self._keys[i, places] = key
        self._classes[:, places] = np.array([*classes, *_UNKNOWN[len(classes) :]])[:, None]
        self._intervals[places] = pitch - self._pitches[-1] if self._pitches else _NO_INTERVAL
        self._log_weights[places] = math.log(weight) if weight > 0 else -math.inf
        self._pitches.append(pitch)
        self._count += 1
        self._most = max(self._most, self._count)
        self._changes += 1
        return token

    def lasted(self, token: int, duration: int) -> None:
        """The key of a note came up.

        Args:
            token: From `heard`; a note that has made room for others is ignored.
            duration: The class of its duration.
        """
        if 0 < self._count - token <= self._notes:
            self._classes[-1, self._places(token)] = duration

    def _places(self, token: int) -> slice:
        """Both rows of a note."""
        return slice(token % self._period, None, self._period)

    def _keys_of(self, projected: FloatArray, asked: Sequence[int], classes: Sequence[int]) -> Singles:
        begun = self._heads.begin(projected.astype(np.float32, copy=False), asked)
        inputs = [self._heads.inputs(i, begun, classes) for i in self._looked_up]
        keys: Singles = np.stack(inputs) @ self._projection
        keys /= np.maximum(np.sqrt(np.einsum("ij,ij->i", keys, keys)), _LEAST)[:, None]
        return keys

    # --- what is said -----------------------------------------------------------------------------

    def after(self, pitches: Sequence[int]) -> Following:
        """The same cache, for a note that follows these.

        Args:
            pitches: Of the latest notes before it, whoever plays them and whether they have sounded or not,
                oldest first; the last `CONTEXT` count.
        """
        return Following(self, pitches[-CONTEXT:])

    def mixed(
        self, attribute: int, z: FloatArray, classes: Sequence[int], probabilities: FloatArray
    ) -> FloatArray:
        """See `Following.mixed`."""
        return self._here.mixed(attribute, z, classes, probabilities)

    def alike(self, pitches: Sequence[int]) -> Singles:
        """For each note, oldest first, how many intervals before it are those of a context, (notes held,).

        Args:
            pitches: The context, oldest first.
        """
        intervals = self._intervals[self._rows]
        alike = np.zeros(len(intervals), dtype=np.float32)
        same = np.array(pitches[1:]) - np.array(pitches[:-1])
        among = np.flatnonzero(intervals[:-1] == same[-1]) + 1 if len(same) else same
        for back in range(1, len(pitches)):
            alike[among] = back
            if back == len(same) or not len(among):
                break
            among = among[intervals[among - back - 1] == same[-back - 1]]
        first = alike[
            : len(_PLACES)
        ]  # what would be before the oldest note was not compared but wrapped round
        np.minimum(first, _PLACES[: len(first)], out=first)
        return alike

    def favour(self, attribute: int, alike: Singles) -> Singles:
        """For each note the nats that are added to the likeness of its key, (notes held,)."""
        trust = self._trusts[attribute]
        favour = self._log_weights[self._rows]
        return favour if trust is None else favour + np.float32(trust.interval) * alike

    def with_interval(self, alike: Singles, interval: int) -> Singles:
        """`alike`, once the interval to the note itself is known as well."""
        longer: Singles = np.minimum(alike + np.float32(1), np.float32(_MOST_ALIKE))
        longer *= self._intervals[self._rows] == interval
        return longer

    def mix(
        self,
        attribute: int,
        z: FloatArray,
        probabilities: FloatArray,
        *,
        follow: float,
        favour: Singles,
        latest: int | None,
    ) -> FloatArray:
        """The model's probabilities and the cache's in one, (classes,), sum 1.

        Args:
            attribute: Index of it.
            z: What its head reads, (projected,).
            probabilities: The model's, (classes,).
            follow: Share of the cache; 1 is what it says alone.
            favour: From `favour`.
            latest: The pitch before the note, from which intervals count; None: there is none.
        """
        trust, rows, size = self._trusts[attribute], self._rows, len(probabilities)
        if trust is None:
            return probabilities
        weights: Singles = self._keys[attribute, rows] @ self._query(z, trust.sharpness)
        weights += favour
        np.exp(weights, out=weights)
        counted = np.bincount(self._classes[attribute, rows], weights, size + 1)
        votes = np.asarray(counted[:size], dtype=np.float64)
        if attribute == _PITCH and latest is not None:
            landing = self._intervals[rows] + (latest + KEYS)
            votes += trust.transposed * np.bincount(landing, weights, 4 * KEYS)[KEYS : 2 * KEYS]
        scale = follow / (float(votes.sum()) + trust.opinion)
        votes *= scale
        votes += (1 - follow + scale * trust.opinion) * probabilities
        return votes

    def _query(self, z: FloatArray, sharpness: float) -> Singles:
        query: Singles = z.astype(np.float32, copy=False) @ self._projection
        query *= sharpness / max(math.sqrt(query @ query), _LEAST)
        return query

    @property
    def _rows(self) -> slice:
        held = len(self)
        begin = (self._count - held) % self._period
        return slice(begin, begin + held)


def _signs(width: int) -> Singles:
    """A projection that keeps angles nearly as they are (Achlioptas 2003), (width, _DIMENSIONS)."""
    chance = np.random.default_rng(0)
    return chance.choice(np.array([-1, 1], dtype=np.float32), (width, _DIMENSIONS))
