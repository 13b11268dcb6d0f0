"""The beats and bars of what improv goes on from."""

from __future__ import annotations

import bisect
import dataclasses
from typing import Final

from improv_core.metre import Metre
from improv_core.notes import Performance
from improv_daemon.seeds import Seed

_LATE_S: Final = 0.05
"""A note no earlier than this before a bar line belongs to the bar after it."""


def metre_of(seed: Seed, tempo_bpm: float | None) -> Metre:
    """That of its end, at a tempo of one's own if there is one."""
    last = metres_of(seed)[-1][1]
    return last if tempo_bpm is None else dataclasses.replace(last, bpm=tempo_bpm)


def metres_of(seed: Seed) -> list[tuple[float, Metre]]:
    """(when, in seconds of the seed, what it is from there on), the first at zero."""
    beats, begin_s = seed.beats, seed.span.from_s
    if beats is None:
        return [(0.0, Metre())]
    end_s = begin_s + seed.performance.end_s
    tempo_s, line_s = [at_s for at_s, _ in beats.tempos], beats.bar_lines_s
    moments = {
        at_s for at_s in (begin_s, *tempo_s, *line_s[:-1]) if begin_s <= at_s < max(end_s, begin_s + 1e-9)
    }
    metres = []
    for at_s in sorted(moments):
        bpm = beats.tempos[max(0, bisect.bisect_right(tempo_s, at_s) - 1)][1]
        beats_per_bar = beats.beats_per_bar[max(0, bisect.bisect_right(line_s, at_s) - 1)]
        metres.append((at_s - begin_s, Metre(bpm, beats_per_bar)))
    return metres


def end_of(seed: Seed, performance: Performance, *, on_bar_line: bool) -> float:
    """Where improv goes on, in seconds of the seed: where the last note ends, or at the bar line there."""
    if not performance.notes:
        return 0.0
    end_s = max(note.release_s for note in performance.notes)
    if not on_bar_line or seed.beats is None:
        return end_s
    last_s = performance.notes[-1].onset_s + _LATE_S
    lines = (line_s - seed.span.from_s for line_s in seed.beats.bar_lines_s)
    return next((line_s for line_s in lines if line_s > last_s), end_s)
