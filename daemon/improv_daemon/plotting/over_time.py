"""What changes while a piece goes on: how dense it is, and how fast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from improv_core.errors import ConfigError
from improv_daemon.plotting.arrays import FloatArray, Notes
from improv_daemon.plotting.axes_of_time import count_seconds, time_unit
from improv_daemon.plotting.groups import Group, Subject, groups_of, pitched
from improv_daemon.plotting.palette import Palette, mixed
from improv_daemon.plotting.sheets import Look, Sheet, new_sheet, nothing, plain
from improv_daemon.plotting.windows import Window
from improv_daemon.studio.pieces import Piece

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS: Final = 600
_LEAST_WINDOW_S: Final = 2.0
_WINDOWS: Final = 90.0
_SAME_TEMPO: Final = 0.08
_SOON_S: Final = 10.0
_CLEAR: Final = 0.5
_LEAST_ROOM: Final = 0.2
_EVERY_S: Final = 1.0
_MOST_ESTIMATES: Final = 900


def density(subjects: Sequence[Subject], look: Look, window: Window) -> Sheet:
    """A sheet with notes a second over time."""
    groups = groups_of(subjects, look.palette)
    sheet = new_sheet(look)
    (axes,) = sheet.panels(1)
    smoothed_s = draw_density(axes, groups, window, look.palette)
    if len(subjects) == 1:
        for piece in subjects[0].pieces:
            shade_turns(axes, piece, look.palette)
    title = subjects[0].label if len(subjects) == 1 else f"{len(subjects)} compared"
    legend = [(group.label, group.colour) for group in groups] if len(groups) > 1 else []
    words = f"notes a second, in a window of {smoothed_s:.0f} s" if smoothed_s else "notes a second"
    sheet.head(title, words, legend)
    return sheet


def draw_density(axes: Axes, groups: Sequence[Group], window: Window, palette: Palette) -> float:
    """Notes a second, smoothed.

    Returns:
        Over how long, in seconds; 0 for no notes.
    """
    plain(axes, palette)
    parts = [(group, notes) for group in groups for notes in group.notes() if len(notes)]
    if not parts:
        nothing(axes, palette, "no notes")
        return 0.0
    end_s = max(1.0, *(float(notes.release_s.max()) for _, notes in parts))
    until_s = window.until_in(end_s)
    smoothed_s = max(_LEAST_WINDOW_S, round((until_s - window.from_s) / _WINDOWS))
    at_s = np.linspace(window.from_s, until_s, _POINTS)
    for group, notes in parts:
        curve = _smoothed(notes.onset_s, at_s, smoothed_s)
        if len(parts) <= 2:
            axes.fill_between(at_s, curve, color=group.colour, alpha=0.18, linewidth=0, zorder=2)
        axes.plot(at_s, curve, color=group.colour, linewidth=1.8, zorder=3)
    count_seconds(axes, window.from_s, until_s, palette)
    axes.yaxis.grid(True, color=palette.grid, linewidth=0.7)
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel(time_unit(until_s))
    axes.set_ylabel("notes a second")
    return smoothed_s


def shade_turns(axes: Axes, piece: Piece, palette: Palette) -> None:
    """Improv's turns as paler and the player's as plain ground."""
    for turn in piece.turns:
        colour = palette.improv if turn.who == "improv" else palette.player
        shade = tuple(mixed(colour, palette.ground, 0.09))
        axes.axvspan(turn.start_s, turn.end_s, color=shade, linewidth=0, zorder=0.2)


def tempo(subjects: Sequence[Subject], look: Look, window: Window) -> Sheet:
    """A sheet with the tempo: what the file says, and where one can be heard, what is played."""
    sheet = new_sheet(look)
    (axes,) = sheet.panels(1)
    pieces = [piece for subject in subjects for piece in subject.pieces]
    palette = look.palette
    colours = [palette.improv] if len(pieces) == 1 else [palette.of(i) for i in range(len(pieces))]
    draw_tempo(axes, list(zip(pieces, colours, strict=True)), window, palette)
    legend = list(zip((piece.name for piece in pieces), colours, strict=True)) if len(pieces) > 1 else []
    title = subjects[0].label if len(subjects) == 1 else f"{len(subjects)} compared"
    unset = any(piece.beats is not None and piece.beats.is_plain for piece in pieces)
    line = "dashed: 120, where nobody set a tempo" if unset else "line: as the file says"
    sheet.head(title, f"{line}   ·   dots: as it is played, where that can be told", legend)
    return sheet


def draw_tempo(axes: Axes, pieces: Sequence[tuple[Piece, str]], window: Window, palette: Palette) -> None:
    """Beats a minute over time.

    Raises:
        ConfigError: Nothing says what the tempo is.
    """
    plain(axes, palette)
    end_s, shown = max(1.0, *(piece.length_s for piece, _ in pieces)), []
    until_s = window.until_in(end_s)
    for piece, colour in pieces:
        at_s, bpm = heard_tempo(piece)
        axes.plot(at_s, bpm, "o", color=colour, markersize=4.5, alpha=0.6, markeredgewidth=0, zorder=2)
        shown += bpm[(window.from_s <= at_s) & (at_s < until_s)].tolist()
        if piece.beats is not None:
            times, tempos = zip(*piece.beats.tempos, strict=True)
            style = "--" if piece.beats.is_plain else "-"
            ends = [*times, piece.length_s], [*tempos, tempos[-1]]
            axes.step(*ends, style, where="post", color=colour, linewidth=1.8)
            here = [bpm for at, bpm in piece.beats.tempos if at <= window.from_s][-1:]
            shown += here + [bpm for at, bpm in piece.beats.tempos if window.from_s < at < until_s]
    if not shown:
        names = " and ".join(piece.name for piece, _ in pieces)
        raise ConfigError(f"Nothing says what the tempo of {names} is.")
    low, high = np.percentile(shown, [1, 99])
    room = max(_LEAST_ROOM * low, 0.15 * (high - low))
    axes.set_ylim(max(0.0, low - room), high + room)
    count_seconds(axes, window.from_s, until_s, palette)
    axes.yaxis.grid(True, color=palette.grid, linewidth=0.7)
    axes.set_xlabel(time_unit(until_s))
    axes.set_ylabel("beats a minute")


def heard_tempo(piece: Piece) -> tuple[FloatArray, FloatArray]:
    """(when, beats a minute) where the pulse of what is played is clear."""
    from improv_core.pulse import PulseTracker

    notes = Notes.of(n for track in pitched(piece.tracks) for n in track.performance.notes)
    tracker = PulseTracker()
    found: list[tuple[float, float]] = []
    every_s = max(_EVERY_S, piece.length_s / _MOST_ESTIMATES)
    next_s = every_s
    for at_s, velocity in zip(notes.onset_s.tolist(), notes.velocity.tolist(), strict=True):
        while at_s > next_s:
            estimate = tracker.estimate(next_s)
            if estimate is not None and estimate.confidence >= _CLEAR:
                found.append((next_s, 60_000 / estimate.pulse.beat_ms))
            next_s += every_s
        tracker.onset(at_s, int(velocity))
    steady = [one for i, one in enumerate(found) if any(_agree(one, other) for other in _beside(found, i))]
    columns = np.array(steady, dtype=np.float64).reshape(-1, 2).T
    return columns[0], columns[1]


def _beside(found: Sequence[tuple[float, float]], i: int) -> Sequence[tuple[float, float]]:
    return [*found[max(0, i - 1) : i], *found[i + 1 : i + 2]]


def _agree(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two estimates tell of one tempo; what is found for a moment only is none."""
    return abs(one[1] / other[1] - 1) < _SAME_TEMPO and abs(one[0] - other[0]) < _SOON_S


def _smoothed(onset_s: FloatArray, at_s: FloatArray, window_s: float) -> FloatArray:
    """Onsets a second in a window that ends softly on both sides (Hann)."""
    fine_s = window_s / 24
    count = int(max(at_s[-1], onset_s[-1]) / fine_s) + 2
    per_bin = np.bincount((onset_s / fine_s).astype(int), minlength=count)
    kernel = np.hanning(51)
    rates = np.convolve(per_bin, kernel / kernel.sum(), mode="same") / fine_s
    result: FloatArray = np.interp(at_s, (np.arange(len(rates)) + 0.5) * fine_s, rates)
    return result
