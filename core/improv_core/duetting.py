"""How improv keeps out of the player's way while both play: register, density, and whose the next note is.

Pure. The side it plays on follows from its role, but where there is no room on that side it takes the other
one, and where there is none on either it plays between the player's notes.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.representation import KEYS
from improv_core.representation.asking import DENSITY_S
from improv_core.turns import CHORD_SPREAD_S

RECENT_S: Final = 4.0
"""The player's register is that of so many latest seconds."""

HELD_S: Final = 10.0
"""A key that has been down for longer says no more of the register: its note-off may have been lost."""

AWAY_NATS: Final = -9.0
"""What a pitch on the player's side is worth, or one that they have just played.

Of -6 and -9, which cost as little agreement, the one with fewer collisions on the validation splits.
"""

NEAR_NATS: Final = -3.0
"""What a pitch is worth that is as far from one of theirs as improv should keep; between, on a line."""

ROOM: Final = 12
"""Fewer keys than these beside the player are no room to play in."""

COMFORTABLE: Final = (33, 96)
"""The keys that count as room."""

TOGETHER_PER_S: Final = 12.0
"""More notes a second than these, of both together, are clutter."""

SLACK: Final = (0.75, 1.25)
"""Below the first of its asked density improv plays when it likes, above the second not before the player."""

_NOTES: Final = 256
_GAPS: Final = 8
_PAUSE_S: Final = 2.0
_GAP_S: Final = (0.08, 1.5)
_LATE: Final = 1.25


@dataclass(frozen=True, slots=True)
class Role:
    """What improv is to the player.

    Attributes:
        side: -1: under the player, 1: over them.
        ratio: Its notes a second over the player's.
        least_per_s: It plays no fewer notes a second,
        most_per_s: and no more.
        loudness: Times the velocity of its notes.
        max_gap_s: Longest inter-onset interval of its own while the player plays.
    """

    side: int
    ratio: float
    least_per_s: float
    most_per_s: float
    loudness: float
    max_gap_s: float

    def notes_per_s(self, players: float) -> float:
        """How dense it is to be beside so many notes a second of the player's."""
        room = min(self.most_per_s, TOGETHER_PER_S - players)
        return max(self.least_per_s, min(self.ratio * players, room))


ROLES: Final[Mapping[str, Role]] = {
    "support": Role(-1, ratio=1.0, least_per_s=1.0, most_per_s=6.0, loudness=0.85, max_gap_s=2.0),
    "sparse": Role(-1, ratio=0.3, least_per_s=0.4, most_per_s=1.5, loudness=0.85, max_gap_s=4.0),
    "lead": Role(1, ratio=0.8, least_per_s=1.5, most_per_s=6.0, loudness=1.0, max_gap_s=2.0),
}
"""By the name that the settings know."""


class Company:
    """What the player has done lately; all times are monotonic seconds and come in as arguments."""

    def __init__(self) -> None:
        self._notes: deque[tuple[float, int]] = deque(maxlen=_NOTES)
        self._own_s: deque[float] = deque(maxlen=_NOTES)
        self._gaps_s: deque[float] = deque(maxlen=_GAPS)
        self._onset_s = -math.inf

    @property
    def last_s(self) -> float:
        """The player's latest onset."""
        return self._onset_s

    @property
    def gap_s(self) -> float:
        """From one onset of the player's to the next, chords counted once."""
        usual_s = statistics.median(self._gaps_s) if self._gaps_s else _GAP_S[1]
        return min(_GAP_S[1], max(_GAP_S[0], usual_s))

    def press(self, pitch: int, at_s: float) -> None:
        """The player strikes a key."""
        gap_s = at_s - self._onset_s
        if CHORD_SPREAD_S < gap_s < _PAUSE_S:
            self._gaps_s.append(gap_s)
        self._onset_s = max(self._onset_s, at_s)
        self._notes.append((at_s, pitch))

    def played(self, at_s: float) -> None:
        """One of improv's notes sounds."""
        self._own_s.append(at_s)

    def notes_per_s(self, now_s: float) -> float:
        """The player's density: notes after the latest `DENSITY_S`, or after their beginning."""
        return _rate([at_s for at_s, _ in self._notes], now_s)

    def own_notes_per_s(self, now_s: float) -> float:
        """Likewise, of improv itself."""
        return _rate(self._own_s, now_s)

    def pitches(self, now_s: float, held: Collection[int]) -> frozenset[int]:
        """Where the player is: what they have struck lately, and what they hold."""
        return frozenset(
            pitch
            for at_s, pitch in self._notes
            if now_s - at_s <= RECENT_S or (pitch in held and now_s - at_s <= HELD_S)
        )

    def expected_s(self) -> float:
        """When the player's next note should have come."""
        return self._onset_s + _LATE * self.gap_s


def _rate(onsets_s: Collection[float], now_s: float) -> float:
    recent = [at_s for at_s in onsets_s if now_s - at_s <= DENSITY_S]
    # Of a second or less nothing can be said: the first chord is no density.
    return len(recent) / max(1.0, min(DENSITY_S, now_s - min(recent))) if recent else 0.0


def goes_first(role: Role, company: Company, now_s: float, chance: float, planned: int = 0) -> bool:
    """Whether improv may play before the player's next note.

    A model that is told who plays the next note draws when, on condition that it is really this one who plays
    it: somebody has to say how often that is so. It is said by how far improv is below the density that its
    role asks for.

    Args:
        role: improv's.
        company: What both have done.
        now_s: The time.
        chance: In [0, 1), drawn for this note.
        planned: How many notes of improv's are on their way.
    """
    own = company.own_notes_per_s(now_s) + planned / DENSITY_S
    share = own / role.notes_per_s(company.notes_per_s(now_s))
    least, most = SLACK
    return chance < (most - share) / (most - least)


def register(
    role: Role, players: Collection[int], held: Collection[int], distance: int
) -> NDArray[np.float64] | None:
    """What to add to the log-probabilities of improv's pitches.

    Args:
        role: improv's.
        players: Where the player is, see `Company.pitches`.
        held: The keys that they hold: never these.
        distance: So many semitones improv keeps away.

    Returns:
        Shape (KEYS,); None: the player is nowhere.
    """
    if not players and not held:
        return None
    bias = np.zeros(KEYS)
    if players:
        keys = np.arange(KEYS)
        low, high = min(players) - distance, max(players) + distance
        bias = _beside(keys, players, distance)
        free = [side for side in (role.side, -role.side) if _room(side, low, high) >= ROOM]
        if free:
            bias[keys >= low if free[0] < 0 else keys <= high] = AWAY_NATS
    bias[list(held)] = -np.inf
    return bias


def _beside(keys: NDArray[np.int64], players: Collection[int], distance: int) -> NDArray[np.float64]:
    """So much against the keys near those of the player's."""
    away = np.abs(keys[:, None] - np.array(sorted(players))).min(axis=1)
    graded = AWAY_NATS + (NEAR_NATS - AWAY_NATS) * away / max(1, distance)
    return np.where(away <= distance, graded, 0.0)


def _room(side: int, low: int, high: int) -> int:
    lowest, highest = COMFORTABLE
    return low - lowest if side < 0 else highest - high
