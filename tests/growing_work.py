"""How the work of something grows: a ratio, which says the same on a slow and on a busy machine."""

from __future__ import annotations

import time
from collections.abc import Callable

_TRIES = 3


def growth(small: Callable[[], object], large: Callable[[], object]) -> float:
    """Processor time of the large work over that of the small, each at its best of a few tries."""
    return _at_best_s(large) / max(_at_best_s(small), 1e-6)


def _at_best_s(work: Callable[[], object]) -> float:
    taken_s = []
    for _ in range(_TRIES):
        begin_s = time.process_time()
        work()
        taken_s.append(time.process_time() - begin_s)
    return min(taken_s)
