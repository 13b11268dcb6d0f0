"""The pitch of the next note given the past: one event space for every representation but ``frames``.

Notes come in the order of the file. What a model says in its own terms is summed to a distribution over the
128 pitches; where it is told more than the past, it is compared with what is told as much.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from improv_core.model import FloatArray
from improv_core.representation import KEYS, Notes
from improv_core.representation.onsets import CHORD_MS, onset_starts
from improv_core.representation.piano import DT
from improv_training.engine.batches import own_rows
from improv_training.evaluation.baselines import Baselines
from improv_training.evaluation.ppm import Ppm
from improv_training.evaluation.reading import projected_before
from improv_training.evaluation.scoring import Scorer
from improv_training.evaluation.spelling import Shares

Told = Literal["the past", "the past and the grouping", "the past, time and pedal"]
PAST: Final[Told] = "the past"
GROUPING: Final[Told] = "the past and the grouping"
TIMING: Final[Told] = "the past, time and pedal"

_PEDALS: Final = 2
_NOTES_AT_ONCE: Final = 2048


class PitchModel(Protocol):
    """Says of each note of a piece which pitch it will have."""

    def distributions(self, pieces: Sequence[Notes]) -> Iterator[Shares]:
        """For each piece of n notes the probability of every pitch at each note, (n, KEYS)."""
        ...


def pitch_nats(model: PitchModel, pieces: Sequence[Notes]) -> list[Shares]:
    """Nats of the pitch of every note of each piece, (n,)."""
    said = zip(model.distributions(pieces), pieces, strict=True)
    return [-np.log(shares[np.arange(len(notes)), notes.pitch]) for shares, notes in said]


# --- baselines ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UnigramPitch:
    """Pitches as often as in training.

    Attributes:
        baselines: Learned from notes whose first attribute is the pitch.
    """

    baselines: Baselines

    def distributions(self, pieces: Sequence[Notes]) -> Iterator[Shares]:
        """See `PitchModel`."""
        for notes in pieces:
            yield np.tile(self.baselines.unigram(0), (len(notes), 1))


@dataclass(frozen=True, slots=True)
class BigramPitch:
    """Pitches as often as after the one before.

    Attributes:
        baselines: Learned from notes whose first attribute is the pitch.
    """

    baselines: Baselines

    def distributions(self, pieces: Sequence[Notes]) -> Iterator[Shares]:
        """See `PitchModel`."""
        every = np.arange(KEYS)
        for notes in pieces:
            shares = self.baselines.bigram(0, notes.pitch[:-1, None], every[None, :])
            yield np.concatenate([self.baselines.unigram(0)[None], shares])[: len(notes)]


@dataclass(frozen=True, slots=True)
class PpmPitch:
    """Pitches as after the same few ones before."""

    ppm: Ppm

    def distributions(self, pieces: Sequence[Notes]) -> Iterator[Shares]:
        """See `PitchModel`."""
        for notes in pieces:
            yield self.ppm.distributions(notes.pitch)


# --- models whose step is a note ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NotePitch:
    """A model of ``notes`` whose pitch is told nothing of the note that it belongs to.

    Attributes:
        scorer: The model.
        window: See `improv_training.evaluation.reading.projected_before`.
    """

    scorer: Scorer
    window: int | None = None

    def distributions(self, pieces: Sequence[Notes]) -> Iterator[Shares]:
        """See `PitchModel`."""
        names = [attribute.name for attribute in self.scorer.representation.attributes]
        pitch = names.index("pitch")
        if self.scorer.heads.conditions[pitch]:
            raise ValueError("its pitch is told other attributes of the same note")
        rows = [own_rows(self.scorer.representation, notes) for notes in pieces]
        said = projected_before(self.scorer, [one.read for one in rows], self.window)
        for projected, one in zip(said, rows, strict=True):
            z = self.scorer.heads.begin(projected, one.asked)
            yield softmax(self.scorer.heads.outputs(pitch, z, ()))


@dataclass(frozen=True, slots=True)
class PianoPitch:
    """A model of ``piano`` whose time and pedal are summed over, exactly.

    The sum is over p(dt) p(pedal | dt) p(pitch | dt, pedal).

    Attributes:
        scorer: The model.
        told: ``the past and the grouping``: only those times are summed over with which the note belongs to
            the onset that it does belong to, see `time_shares`; ``the past, time and pedal``: there is
            nothing to sum over.
    """

    scorer: Scorer
    told: Told = PAST

    def distributions(self, pieces: Sequence[Notes]) -> Iterator[Shares]:
        """See `PitchModel`."""
        rows = [own_rows(self.scorer.representation, notes) for notes in pieces]
        said = projected_before(self.scorer, [one.read for one in rows])
        for projected, one, notes in zip(said, rows, pieces, strict=True):
            z = self.scorer.heads.begin(projected, one.asked)
            if self.told == TIMING:
                yield softmax(self.scorer.heads.outputs(2, z, list(one.targets.T)))
                continue
            allowed = time_shares(notes) if self.told == GROUPING else np.ones((len(notes), DT.size))
            parts = range(0, len(notes), _NOTES_AT_ONCE)
            summed = [self._summed(z[i : i + _NOTES_AT_ONCE], allowed[i : i + _NOTES_AT_ONCE]) for i in parts]
            yield np.concatenate([np.zeros((0, KEYS)), *summed])

    def _summed(self, z: FloatArray, allowed: Shares) -> Shares:
        """Over every time and pedal; each class of time counts for the share that is allowed of it."""
        heads, shares = self.scorer.heads, np.zeros((len(z), KEYS))
        times = softmax(heads.outputs(0, z, ())) * allowed
        times /= times.sum(axis=1, keepdims=True)
        for dt in np.flatnonzero(times.any(axis=0)).tolist():
            here = np.flatnonzero(times[:, dt])
            at = z[here]
            pedals = softmax(heads.outputs(1, at, (dt,)))
            for pedal in range(_PEDALS):
                weight = times[here, dt] * pedals[:, pedal]
                shares[here] += weight[:, None] * softmax(heads.outputs(2, at, (dt, pedal)))
        return shares


def time_shares(notes: Notes, chord_ms: int = CHORD_MS) -> Shares:
    """Which times since the note before would put each note where it belongs, into its onset or a new one.

    Returns:
        For each class of dt the share of its milliseconds with which that is so, (n, classes). Of the first
        note, every time is.
    """
    starts = onset_starts(notes, chord_ms)
    onset_ms = notes.onset_ms
    begins = np.zeros(len(notes), dtype=np.bool_)
    begins[starts] = True
    first_ms = onset_ms[starts][np.cumsum(begins) - 1]
    before = np.arange(len(notes)) - 1
    left_ms = first_ms[before] + chord_ms - onset_ms[before]  # the longest dt that does not begin an onset
    bounds_ms = DT.bounds_ms()
    low_ms, high_ms = bounds_ms[:-1], bounds_ms[1:]
    within = np.clip(left_ms[:, None] + 1 - low_ms, 0, high_ms - low_ms) / (high_ms - low_ms)
    shares: Shares = np.where(begins[:, None], 1 - within, within)
    shares[:1] = 1
    return shares


# --- events ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EventPitch:
    """A model of ``events`` where a key goes down; it knows that one does, when, how hard, and who let go."""

    scorer: Scorer

    def distributions(self, pieces: Sequence[Notes]) -> Iterator[Shares]:
        """See `PitchModel`."""
        rows = [own_rows(self.scorer.representation, notes) for notes in pieces]
        said = projected_before(self.scorer, [one.read for one in rows])
        for projected, one in zip(said, rows, strict=True):
            down = one.targets[:, 0] < KEYS
            z = self.scorer.heads.begin(projected[down], one.asked[down])
            yield softmax(self.scorer.heads.outputs(0, z, ())[:, :KEYS])


def softmax(logits: NDArray[np.floating]) -> Shares:
    """Probabilities along the last axis."""
    shares: Shares = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    return shares
