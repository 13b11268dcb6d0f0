"""What bears on a note beside the model: scale, register, the player's loudness, polyphony, loops."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from improv_core.heard import HeardNote
from improv_core.improvising import PlannedNote
from improv_core.key_finding import scale_of
from improv_core.loops import LATEST, SHORTEST, Played, repeating
from improv_core.notes import CHORD_MS, Part
from improv_core.representation import KEYS, to_ms
from improv_core.scales import AUTO, OFF, outside

if TYPE_CHECKING:
    from improv_core.sampler import Sampling

FloatArray = NDArray[np.floating]

OUTSIDE_NATS: Final = -2.0
"""What a pitch outside the scale is worth where the scale is not strict."""

LOOP_NATS: Final = -2.0
"""What the pitch that carries a loop on is worth, once for every `SHORTEST` notes that it has lasted."""

LOOP_TEMPERATURE: Final = 1.25
"""Times the temperature of pitch while a loop lasts."""

RECENT_NOTES: Final = 16
"""Of the player's, whose mean velocity is followed."""

_RINGING_NOTES: Final = 256


@dataclass(frozen=True, slots=True)
class Leaning:
    """What bears on one note.

    Attributes:
        earliest_ms: Its onset is at least so much after the one before it.
        pitch: Added to the logits of its pitch, (KEYS,): finite is soft, minus infinity forbids. What
            forbids the whole range is ignored.
        velocity: Towards which its distribution is moved; None: nowhere.
        velocity_follow: How much of the way from the distribution's mean, 0..1.
        pitch_temperature: Times the temperature of its pitch.
    """

    earliest_ms: int = 0
    pitch: FloatArray | None = None
    velocity: float | None = None
    velocity_follow: float = 0.0
    pitch_temperature: float = 1.0


NO_LEANING: Final = Leaning()


class Leanings:
    """The leaning of each note of a turn. Nothing of it is random, nor does it depend on earlier calls.

    Args:
        sampling: What the musician has set.
        heard: What has been played before the turn, by either, oldest first.
        register: Added to the logits of every pitch, (KEYS,).

    Attributes:
        sampling: May be replaced between notes.
        register: May be replaced between notes.
    """

    def __init__(
        self, sampling: Sampling, heard: Sequence[HeardNote], *, register: FloatArray | None = None
    ) -> None:
        self.sampling, self.register = sampling, register
        self._heard = heard

    def next(self, own: Sequence[PlannedNote]) -> Leaning:
        """The leaning of the note that follows the turn's notes so far."""
        looped = repeating(self._generated(own)) if self.sampling.loop_guard else {}
        return Leaning(
            earliest_ms=self._earliest_ms(own),
            pitch=self._pitch(looped),
            velocity=self._followed if self.sampling.velocity_follow else None,
            velocity_follow=self.sampling.velocity_follow,
            pitch_temperature=LOOP_TEMPERATURE if looped else 1.0,
        )

    # --- pitch ------------------------------------------------------------------------------------

    @cached_property
    def _heard_scale(self) -> str | None:
        return scale_of([note for note in self._heard if note.part is Part.PLAYER])

    @property
    def scale(self) -> str | None:
        """The name of the scale that is kept to, None if none is."""
        scale = self.sampling.scale
        return self._heard_scale if scale == AUTO else None if scale == OFF else scale

    def _pitch(self, looped: dict[int, int]) -> FloatArray | None:
        scale = self.scale
        if scale is None and not looped:
            return self.register
        bias = np.zeros(KEYS) if self.register is None else self.register.astype(np.float64)
        if scale is not None:
            bias[outside(scale)] += -np.inf if self.sampling.scale_strict else OUTSIDE_NATS
        for pitch, length in looped.items():
            bias[pitch] += LOOP_NATS * (length // SHORTEST)
        return bias

    def _generated(self, own: Sequence[PlannedNote]) -> list[Played]:
        """The latest of improv's own notes, those before the turn included."""
        notes = [(note.pitch, note.onset_s) for note in own[-LATEST:]]
        first_s = notes[0][1] if notes else np.inf
        before = [note for note in self._sounded if note[1] < first_s]
        notes = (before + notes)[-LATEST:]
        first = [(notes[0][0], 0)] if notes else []
        return first + [(note[0], to_ms(note[1] - last[1])) for last, note in pairwise(notes)]

    @cached_property
    def _sounded(self) -> list[tuple[int, float]]:
        """Pitch and onset of improv's latest notes that were heard."""
        return [(n.pitch, n.onset_s) for n in self._heard if n.part is Part.IMPROV][-2 * LATEST :]

    # --- velocity ---------------------------------------------------------------------------------

    @cached_property
    def _followed(self) -> float | None:
        """How loudly the player plays."""
        recent = [note.velocity for note in self._heard if note.part is Part.PLAYER][-RECENT_NOTES:]
        return sum(recent) / len(recent) if recent else None

    # --- polyphony --------------------------------------------------------------------------------

    def _earliest_ms(self, own: Sequence[PlannedNote]) -> int:
        """After so much fewer keys than the cap are down; those of a chord count as long as it lasts."""
        most = self.sampling.polyphony
        if most == 0 or not (own or self._heard):
            return 0
        until_ms = self._ringing_ms | {
            note.pitch: _until_ms(note.onset_s, note.release_s) for note in own[-_RINGING_NOTES:]
        }
        if len(until_ms) < most:
            return 0
        latest_s = max([note.onset_s for note in own[-1:]] + [note.onset_s for note in self._heard[-1:]])
        return max(0, heapq.nlargest(most, until_ms.values())[-1] - to_ms(latest_s))

    @cached_property
    def _ringing_ms(self) -> dict[int, int]:
        """For each key of improv's that was down before the turn, until when."""
        return {
            note.pitch: _until_ms(note.onset_s, note.onset_s + note.duration_s)
            for note in self._heard[-_RINGING_NOTES:]
            if note.part is Part.IMPROV and note.duration_s is not None
        }


def _until_ms(onset_s: float, release_s: float) -> int:
    return max(to_ms(release_s), to_ms(onset_s) + CHORD_MS)
