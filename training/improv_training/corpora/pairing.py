"""Which key up ends which key down."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from improv_core.representation.binning import IntArray


def paired(key: NDArray[np.uint16], is_on: NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    """Pair presses and releases of each key, first on first off.

    A release while its key is up counts for nothing.

    Args:
        key: Shape (events,), in the order of time.
        is_on: Shape (events,): pressed, else released.

    Returns:
        Two arrays of shape (presses,): the index of each press, and that of its release; ``events`` where
        there is none.
    """
    order = np.argsort(key, kind="stable")
    on, group = is_on[order], _groups(key[order])
    heard = on | ~_unheard(on, group)
    order, on, group = order[heard], on[heard], group[heard]
    pressed, released = order[on], order[~on]
    rank_pressed, rank_released = _ranks(group[on]), _ranks(group[~on])
    # The n-th release of a key ends its n-th press: both are looked up by (key, n).
    stride = len(key) + 1
    wanted, offered = group[on] * stride + rank_pressed, group[~on] * stride + rank_released
    at = np.searchsorted(offered, wanted)
    found = np.append(offered, -1)[at] == wanted
    return pressed, np.where(found, np.append(released, len(key))[at], len(key))


def _groups(sorted_keys: NDArray[np.uint16]) -> IntArray:
    """0, 1, 2 ... for each run of one key."""
    new = np.empty(len(sorted_keys), dtype=np.int64)
    new[:1] = 0
    np.not_equal(sorted_keys[1:], sorted_keys[:-1], out=new[1:], casting="unsafe")
    return np.cumsum(new)


def _ranks(groups: IntArray) -> IntArray:
    """0, 1, 2 ... within each run of one group."""
    index = np.arange(len(groups))
    first = np.zeros(len(groups), dtype=np.int64)
    first[1:] = np.where(groups[1:] != groups[:-1], index[1:], 0)
    return index - np.maximum.accumulate(first)


def _unheard(on: NDArray[np.bool_], group: IntArray) -> NDArray[np.bool_]:
    """Releases of keys that are up: those that bring presses less releases to a new low below zero."""
    depth = np.cumsum(np.where(on, 1, -1))
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    base = np.append(0, depth)[starts]
    depth -= base[group]
    # Each group lies below all of the one before, so that one running minimum serves them all.
    below = depth - group * (2 * len(on) + 2)
    floor = -group * (2 * len(on) + 2)
    lowest = np.minimum(np.minimum.accumulate(np.append(0, below)[:-1]), floor)
    return below < lowest
