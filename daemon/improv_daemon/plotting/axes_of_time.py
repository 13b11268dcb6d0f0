"""Axes that count seconds, bars, or times from a hundredth of a second to many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from improv_daemon.plotting.palette import Palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STEPS_S: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_MINUTE_S: Final = 60.0
_STEPS_BARS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_LOG_TICKS_S: Final = (0.01, 0.1, 1.0, 10.0)
_LOG_MARKS_S: Final = (0.02, 0.03, 0.05, 0.2, 0.3, 0.5, 2.0, 3.0, 5.0)


def clock(at_s: float, step_s: float = 1.0) -> str:
    """A moment as it stands on a clock: 0:05, 1:02:03, or with a tenth where that tells them apart."""
    tenths = f"{at_s % 60:04.1f}" if step_s < 1 else f"{round(at_s) % 60:02d}"
    minutes = int((at_s if step_s < 1 else round(at_s)) // 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{tenths}" if minutes >= 60 else f"{minutes}:{tenths}"


def count_seconds(axes: Axes, from_s: float, until_s: float, palette: Palette, *, ticks: int = 10) -> None:
    """Ticks at round moments."""
    step = next((step for step in _STEPS_S if (until_s - from_s) / step <= ticks), _STEPS_S[-1])
    at = np.arange(np.ceil(from_s / step - 1e-9), np.floor(until_s / step + 1e-9) + 1) * step + 0.0
    axes.set_xlim(from_s, until_s)
    named = (
        [f"{one:g}" for one in np.round(at, 3)]
        if until_s < _MINUTE_S
        else [clock(float(one), step) for one in at]
    )
    axes.set_xticks(at.tolist(), named)
    axes.grid(axis="x", color=palette.grid, linewidth=0.7)


def count_bars(axes: Axes, first: float, last: float, palette: Palette, *, ticks: int = 16) -> None:
    """A line at each bar, as long as that is no wall of lines."""
    step = next((step for step in _STEPS_BARS if (last - first) / step <= ticks), _STEPS_BARS[-1])
    numbers = np.arange(np.ceil(first - 1e-9), np.floor(last + 1e-9) + 1)
    labelled = numbers[(numbers - 1) % step == 0]
    axes.set_xlim(first, last)
    axes.set_xticks(labelled.tolist(), [f"{one:.0f}" for one in labelled])
    axes.grid(axis="x", color=palette.grid, linewidth=1.1)
    if len(numbers) <= 8 * ticks:
        for one in numbers.tolist():
            axes.axvline(one, color=palette.grid, linewidth=0.6, zorder=0.5)


def count_short_times(axes: Axes, from_s: float, until_s: float) -> None:
    """A logarithmic axis that is labelled in milliseconds and seconds."""
    axes.set_xscale("log")
    axes.set_xlim(from_s, until_s)
    shown = [one for one in _LOG_TICKS_S if from_s <= one <= until_s]
    axes.set_xticks(shown, [f"{one:g} s" if one >= 1 else f"{1000 * one:g} ms" for one in shown])
    axes.set_xticks([one for one in _LOG_MARKS_S if from_s <= one <= until_s], [], minor=True)


def time_unit(until_s: float) -> str:
    """What an axis of `count_seconds` counts."""
    return (
        "seconds"
        if until_s < _MINUTE_S
        else "minutes and seconds"
        if until_s < 60 * _MINUTE_S
        else "hours, minutes and seconds"
    )


def length_in_words(length_s: float) -> str:
    """As one says it: 47 s, 2 min 5 s, 1 h 58 min."""
    if length_s < 60:
        return f"{length_s:.1f} s" if length_s < 10 else f"{length_s:.0f} s"
    minutes, seconds = divmod(round(length_s), 60)
    return f"{minutes} min {seconds} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
