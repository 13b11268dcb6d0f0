"""Patterns that go round and round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from improv_core.notes import CHORD_MS

LATEST: Final = 64
"""So many notes back a repetition is looked for."""

SHORTEST: Final = 8
"""Fewer notes that come again are a motif, not a loop."""

_TOLERANCE: Final = 0.2
"""Of a time between two onsets: as far as two may be apart and still count as one."""

Played = tuple[int, int]
"""A pitch, and its onset in milliseconds after the one before."""


def repeating(notes: Sequence[Played]) -> dict[int, int]:
    """How the latest notes would go on if they repeated once more what was played before.

    Args:
        notes: Oldest first; only the last `LATEST` are looked at.

    Returns:
        For each pitch that would carry on a repetition of at least `SHORTEST` notes, their number: the
        longest suffix of the notes that occurred before with this pitch after it.
    """
    latest = notes[-LATEST:]
    found: dict[int, int] = {}
    for lag in range(1, len(latest) - SHORTEST + 1):
        if latest[-1 - lag][0] != latest[-1][0]:
            continue
        length = _repeated(latest, lag)
        if length >= SHORTEST:
            pitch = latest[-lag][0]
            found[pitch] = max(length, found.get(pitch, 0))
    return found


def _repeated(notes: Sequence[Played], lag: int) -> int:
    """How many of the last notes are as those ``lag`` before them."""
    length = 0
    while length < len(notes) - lag and _alike(notes[-1 - length], notes[-1 - length - lag]):
        length += 1
    return length


def _alike(one: Played, other: Played) -> bool:
    if one[0] != other[0]:
        return False
    return abs(one[1] - other[1]) <= max(CHORD_MS, _TOLERANCE * max(one[1], other[1]))
