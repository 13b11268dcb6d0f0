"""How often what occurs: pitches, intervals, times and velocities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from improv_core.representation.chord_names import pitch_name
from improv_daemon.plotting.arrays import FloatArray, Notes
from improv_daemon.plotting.axes_of_time import count_short_times
from improv_daemon.plotting.groups import Group, Subject, groups_of
from improv_daemon.plotting.palette import Palette
from improv_daemon.plotting.sheets import Look, Sheet, new_sheet, nothing, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OCTAVE: Final = 12
_LONGEST_S: Final = 10.0
_FEW_BINS: Final = 0.8
_CLASSES: Final = tuple(pitch_name(pitch).removesuffix("4") for pitch in range(60, 60 + _OCTAVE))


@dataclass(frozen=True, slots=True)
class Distribution:
    """One of what is counted.

    Attributes:
        title: What it is.
        unit: Of its axis.
        values: Of notes.
        edges: Of its bins, given all values.
        in_words: A value for people.
    """

    title: str
    unit: str
    values: Callable[[Notes], FloatArray]
    edges: Callable[[FloatArray], FloatArray]
    in_words: Callable[[float], str]


def _semitone_edges(values: FloatArray) -> FloatArray:
    low, high = float(values.min()), float(values.max())
    missing = max(0.0, 24 - (high - low)) // 2
    return np.arange(low - missing - 0.5, high + missing + 1.0)


def _interval_edges(values: FloatArray) -> FloatArray:
    reach = float(np.clip(np.abs(values).max(), _OCTAVE, 2 * _OCTAVE))
    return np.arange(-reach - 0.5, reach + 1.0)


def _short_time_edges(values: FloatArray) -> FloatArray:
    low = max(0.008, float(values.min()))
    return np.geomspace(min(0.02, low), 4.0 if values.max() < 4.0 else _LONGEST_S, 48)


def _in_time(value: float) -> str:
    return f"{value:.1f} s" if value >= 1 else f"{1000 * value:.0f} ms"


DISTRIBUTIONS: Final = {
    "pitch": Distribution(
        "Pitch", "", lambda notes: notes.pitch, _semitone_edges, lambda value: pitch_name(round(value))
    ),
    "pitch-class": Distribution(
        "Pitch class",
        "",
        lambda notes: notes.pitch % _OCTAVE,
        lambda values: np.arange(-0.5, _OCTAVE),
        lambda value: _CLASSES[round(value)],
    ),
    "interval": Distribution(
        "Interval",
        "semitones from top note to top note",
        lambda notes: notes.intervals,
        _interval_edges,
        lambda value: f"{value:+.0f}",
    ),
    "inter-onset": Distribution(
        "Inter-onset interval",
        "to the next onset, a chord being one",
        lambda notes: notes.inter_onset_s,
        _short_time_edges,
        _in_time,
    ),
    "duration": Distribution(
        "Duration", "key down to key up", lambda notes: notes.duration_s, _short_time_edges, _in_time
    ),
    "velocity": Distribution(
        "Velocity",
        "soft to loud",
        lambda notes: notes.velocity,
        lambda values: np.arange(0.5, 129, 4),
        lambda value: f"{value:.0f}",
    ),
}
PITCHES: Final = ("pitch", "pitch-class", "interval")


def distributions(subjects: Sequence[Subject], look: Look, names: Sequence[str]) -> Sheet:
    """A sheet with a panel for each of these names of `DISTRIBUTIONS`."""
    groups = groups_of(subjects, look.palette)
    sheet = new_sheet(look)
    columns = min(3, len(names))
    panels = sheet.panels(-(-len(names) // columns), columns, gap_in=(0.62, 0.86))
    for name, axes in zip(names, panels, strict=False):
        draw_distribution(axes, groups, name, look.palette)
    counts = [sum(map(len, group.notes())) for group in groups]
    if len(groups) == 1:
        words = f"{counts[0]:,} notes" if counts[0] != 1 else "1 note"
    else:
        words = ", ".join(f"{group.label} {count:,}" for group, count in zip(groups, counts, strict=True))
        words += " notes; shares of their own"
    title = subjects[0].label if len(subjects) == 1 else f"{len(subjects)} compared"
    legend = [(group.label, group.colour) for group in groups] if len(groups) > 1 else []
    sheet.head(title, words, legend)
    return sheet


def draw_distribution(axes: Axes, groups: Sequence[Group], name: str, palette: Palette) -> None:
    """One distribution of one or more groups: counts of one, shares of several."""
    one = DISTRIBUTIONS[name]
    plain(axes, palette)
    axes.set_title(one.title, loc="left", fontsize=12, fontweight="bold", color=palette.ink, pad=8)
    values = [group.each(one.values) for group in groups]
    everything = np.concatenate(values)
    if not len(everything):
        nothing(axes, palette, "too few notes" if any(map(len, groups[0].notes())) else "no notes")
        return
    edges = one.edges(everything)
    for i, (group, own) in enumerate(zip(groups, values, strict=True)):
        _bars(axes, own, edges, group.colour, (i, len(groups)), in_classes=name == "pitch-class")
    _scale(axes, name, edges)
    axes.set_xlabel(one.unit)
    axes.yaxis.grid(True, color=palette.grid, linewidth=0.7)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(bottom=0)
    if name != "pitch-class" and len(groups) == 1:
        median = one.in_words(float(np.median(everything)))
        axes.set_title(f"median {median}", loc="right", fontsize=10, color=palette.quiet, pad=8)


def _bars(
    axes: Axes,
    values: FloatArray,
    edges: FloatArray,
    colour: str,
    place: tuple[int, int],
    *,
    in_classes: bool,
) -> None:
    """Filled bars of one alone; outlines of several, so that none hides another."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    number, count = place
    heights = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0].astype(np.float64)
    if in_classes:
        width = 0.8 / count
        at = np.arange(_OCTAVE) + (number - (count - 1) / 2) * width
        axes.bar(at, heights * _scaled(values, count), width * 0.96, color=colour, linewidth=0)
    elif count == 1:
        gap = 0.9 if edges[1] - edges[0] > 0.2 else 1.0
        axes.bar(edges[:-1], heights, np.diff(edges) * gap, align="edge", color=colour, linewidth=0)
    else:
        shares = _softened(heights) * _scaled(values, count)
        middle = np.sqrt(edges[:-1] * edges[1:]) if edges[0] > 0 else (edges[:-1] + edges[1:]) / 2
        if count == 2:
            axes.fill_between(middle, shares, color=colour, alpha=0.13, linewidth=0)
        axes.plot(middle, shares, color=colour, linewidth=2.0)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=count == 1))
    if count > 1:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))


def _softened(heights: FloatArray) -> FloatArray:
    """Each bin shared with those beside it: curves over one another are read by their course."""
    at = np.arange(-3, 4)
    kernel = np.exp(-0.5 * (at / _FEW_BINS) ** 2)
    result: FloatArray = np.convolve(heights, kernel / kernel.sum(), "same")
    return result


def _scaled(values: FloatArray, groups: int) -> float:
    return 100 / max(1, len(values)) if groups > 1 else 1.0


def _scale(axes: Axes, name: str, edges: FloatArray) -> None:
    low, high = float(edges[0]), float(edges[-1])
    if name in ("inter-onset", "duration"):
        count_short_times(axes, low, high)
        return
    axes.set_xlim(low, high)
    if name == "pitch":
        octaves = [pitch for pitch in range(0, 128, _OCTAVE) if low <= pitch <= high]
        axes.set_xticks(octaves, [pitch_name(pitch) for pitch in octaves])
    elif name == "pitch-class":
        axes.set_xticks(range(_OCTAVE), _CLASSES)
    elif name == "interval":
        wide = high > 2 * _OCTAVE
        shown = [at for at in range(-24, 25, _OCTAVE if wide else _OCTAVE // 2) if low <= at <= high]
        names = {-24: "≤ −24", 0: "0", 24: "≥ +24"} if wide else {0: "0"}
        axes.set_xticks(shown, [names.get(at, f"{at:+d}".replace("-", "−")) for at in shown])
    else:
        axes.set_xticks([1, 32, 64, 96, 127])
