"""Whether improv keeps to its own plan for minutes: the slope of what is heard over what was planned."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
from jack_player import Timed

from bench.feel import playing
from bench.rig_rows import Effort, Row, figure, timed
from improv_daemon.journal import Journal
from improv_daemon.wire import PlayNote

_PAIRED_WITHIN_S = 0.1
_SOLO = ("--mode", "solo", "--plain", "--seed", "5")


def slope(effort: Effort) -> Iterator[Row]:
    """improv alone for minutes; its journal has the plan, the second process the times."""
    if not effort.slope_s:
        return
    with playing(*_SOLO) as (player, journal):
        player.wait_until(time.monotonic() + effort.slope_s)
        heard, kept = list(player.heard), journal()
    planned_s, late_s = paired(kept, heard)
    yield timed("improv alone, a note heard by the second process against its plan", "row", late_s)
    ppm, error_ppm = fitted_ppm(planned_s, late_s)
    minutes = (planned_s[-1] - planned_s[0]) / 60
    what = f"slope of {len(late_s)} notes over {minutes:.1f} minutes"
    yield figure(what, "below 1 ppm", f"{ppm:+.3f} ppm, standard error {error_ppm:.3f}")


def paired(kept: Journal, heard: Sequence[Timed]) -> tuple[list[float], list[float]]:
    """When the notes that came were planned, and how much later they came, each in order."""
    plans: dict[tuple[int, int], list[float]] = {}
    for entry in kept.entries:
        if isinstance(entry.message, PlayNote):
            note = entry.message
            plans.setdefault((note.pitch, note.velocity), []).append(note.onset_s)
    pairs = []
    for at_s, data in heard:
        if data[0] & 0xF0 == 0x90 and data[2]:
            nearest_s = min(plans.get(data[1:], []), key=lambda s: abs(s - at_s), default=float("inf"))
            if abs(at_s - nearest_s) < _PAIRED_WITHIN_S:
                pairs.append((nearest_s, at_s - nearest_s))
    pairs.sort()
    return [planned_s for planned_s, _ in pairs], [late_s for _, late_s in pairs]


def fitted_ppm(planned_s: Sequence[float], late_s: Sequence[float]) -> tuple[float, float]:
    """Slope of lateness over plan by least squares, and its standard error, in millionths."""
    x, y = np.asarray(planned_s), np.asarray(late_s)
    x = x - x.mean()
    rate = float((x * y).sum() / (x * x).sum())
    residual = y - y.mean() - rate * x
    error = float(np.sqrt((residual**2).sum() / (len(x) - 2) / (x * x).sum()))
    return 1e6 * rate, 1e6 * error
