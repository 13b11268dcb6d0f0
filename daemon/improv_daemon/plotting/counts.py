"""The notes and the chords that occur most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from improv_core.chord_symbols import chord_symbol
from improv_core.representation.chord_names import pitch_name
from improv_daemon.plotting.arrays import Notes
from improv_daemon.plotting.groups import Group, Subject, groups_of
from improv_daemon.plotting.palette import Palette
from improv_daemon.plotting.sheets import Look, Sheet, new_sheet, nothing, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST: Final = 18
_TITLES: Final = {"notes": "Notes", "chords": "Chords"}


def counts(subjects: Sequence[Subject], look: Look) -> Sheet:
    """A sheet with the most frequent notes and chords."""
    groups = groups_of(subjects, look.palette)
    sheet = new_sheet(look)
    left, right = sheet.panels(1, 2, gap_in=(1.75, 0.0), left_in=0.95)
    found = {}
    for name, axes in (("notes", left), ("chords", right)):
        found[name] = draw_counts(axes, groups, name, look.palette)
    words = [f"{total:,} {name}, {kinds:,} different" for name, (total, kinds) in found.items()]
    title = subjects[0].label if len(subjects) == 1 else f"{len(subjects)} compared"
    legend = [(group.label, group.colour) for group in groups] if len(groups) > 1 else []
    sheet.head(title, "   ·   ".join(words), legend)
    return sheet


def draw_counts(axes: Axes, groups: Sequence[Group], name: str, palette: Palette) -> tuple[int, int]:
    """The most frequent ``notes`` or ``chords``: counts of one group, shares of several.

    Returns:
        How many there are, and how many different ones.
    """
    plain(axes, palette)
    axes.set_title(_TITLES[name], loc="left", fontsize=12, fontweight="bold", color=palette.ink, pad=8)
    of = _note_names if name == "notes" else _chord_names
    counted = [Counter(symbol for notes in group.notes() for symbol in of(notes)) for group in groups]
    totals = [max(1, counter.total()) for counter in counted]
    everything = sum(counted, Counter[str]())
    if not everything:
        nothing(axes, palette, f"no {name}")
        return 0, 0
    shares = list(zip(counted, totals, strict=True))
    # Equally frequent ones in the order of the alphabet, so that the picture is the same each time.
    ranks = {symbol: -sum(counter[symbol] / total for counter, total in shares) for symbol in everything}
    symbols = sorted(everything, key=lambda symbol: (ranks[symbol], symbol))[:MOST]
    _bars(axes, symbols, counted, totals, groups, palette)
    return everything.total(), len(everything)


def _bars(
    axes: Axes,
    symbols: Sequence[str],
    counted: Sequence[Counter[str]],
    totals: Sequence[int],
    groups: Sequence[Group],
    palette: Palette,
) -> None:
    several = len(groups) > 1
    height = 0.8 / len(groups)
    for i, (counter, total, group) in enumerate(zip(counted, totals, groups, strict=True)):
        widths = np.array([counter[one] * (100 / total if several else 1.0) for one in symbols])
        at = np.arange(len(symbols)) + (i - (len(groups) - 1) / 2) * height
        bars = axes.barh(at, widths, height * 0.94, color=group.colour, linewidth=0)
        if not several:
            axes.bar_label(
                bars, [f"{width:,.0f}" for width in widths], padding=4, color=palette.quiet, fontsize=9
            )
    axes.set_yticks(range(len(symbols)), symbols)
    axes.tick_params(axis="y", labelsize=10.5, labelcolor=palette.ink, length=0)
    axes.set_ylim(MOST - 0.4, -0.6)
    axes.margins(x=0.08)
    axes.xaxis.grid(True, color=palette.grid, linewidth=0.7)
    axes.set_xlabel("share of each one's own, %" if several else "times")


def _note_names(notes: Notes) -> Iterator[str]:
    return (pitch_name(int(pitch)) for pitch in notes.pitch)


def _chord_names(notes: Notes) -> Iterator[str]:
    """Of onsets with more than one pitch class."""
    for struck in np.split(notes.pitch, notes.chord_starts[1:]):
        pitches = struck.astype(int).tolist()
        if len({pitch % 12 for pitch in pitches}) > 1:
            yield chord_symbol(pitches)
