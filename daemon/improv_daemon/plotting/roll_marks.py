"""What stands around the notes of a piano roll: keys, drums, pedals, turns, and how loud a shade is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from improv_core.representation.chord_names import pitch_name
from improv_daemon.plotting.arrays import FloatArray, Notes
from improv_daemon.plotting.palette import Palette, mixed, shades
from improv_daemon.plotting.sheets import Sheet
from improv_daemon.studio.pieces import Piece

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from improv_daemon.recorder.turns import Turn

Place = Callable[[FloatArray], FloatArray]
"""Seconds to where they are on the axis."""

_BLACK: Final = (1, 3, 6, 8, 10)
_FEWEST_KEYS: Final = 25
_NAME_PX, _NUMBER_PX, _LINES_PX, _LABEL_PX = 124.0, 36.0, 30.0, 20.0
_WORDS_PX, _PLAIN_PX, _PEDAL_PX = 31.0, 10.0, 22.0


@dataclass(frozen=True, slots=True)
class Heights:
    """Which height belongs to what.

    Attributes:
        low: The lowest key; the lowest row of drums.
        high: The highest.
        drums: Drum keys from below, in place of pitches; empty for pitches.
        pedal: How high the rows below the keys are, 0 for none.
        turns: How high the row above the keys is, 0 for none.
    """

    low: float
    high: float
    drums: tuple[int, ...]
    pedal: float
    turns: float

    @classmethod
    def of(
        cls,
        axes: Axes,
        span: tuple[float, float],
        notes: Sequence[Notes],
        piece: Piece,
        has_pedal: bool,
        place: Place,
    ) -> Heights:
        """For these notes of a piece in axes that show this span."""
        pitches = np.concatenate([one.pitch for one in notes])
        if only_drums(piece):
            drums = tuple(int(pitch) for pitch in np.unique(pitches))
            return cls(0.0, max(3.0, len(drums) - 1.0), drums, 0.0, 0.0)
        low, high = float(pitches.min()) - 2, float(pitches.max()) + 2
        missing = max(0.0, _FEWEST_KEYS - (high - low))
        low, high = low - missing / 2, high + missing / 2
        box = axes.get_window_extent()
        per_px = (high - low) / (0.82 * box.height)
        band_px = 0.0
        if piece.turns:
            ends = place(np.array([[turn.start_s, turn.end_s] for turn in piece.turns]))
            width_px = float(np.median(ends[:, 1] - ends[:, 0])) * box.width / (span[1] - span[0])
            band_px = _WORDS_PX if width_px >= _NUMBER_PX else _PLAIN_PX
        return cls(
            low, high, (), min(_PEDAL_PX, 0.09 * box.height) * per_px if has_pedal else 0.0, band_px * per_px
        )

    @property
    def bottom(self) -> float:
        """Under everything."""
        return self.low - 0.5 - 1.5 * self.pedal

    @property
    def top(self) -> float:
        """Over everything."""
        return self.high + 0.5 + 1.2 * self.turns

    @property
    def span(self) -> float:
        """From bottom to top."""
        return self.top - self.bottom

    def rows(self, pitch: FloatArray) -> FloatArray:
        """Heights of the middles of notes."""
        if not self.drums:
            return pitch
        result: FloatArray = np.searchsorted(np.array(self.drums), pitch).astype(np.float64)
        return result


def only_drums(piece: Piece) -> bool:
    """Whether there is nothing else to see."""
    sounding = [track for track in piece.tracks if track.performance.notes]
    return bool(sounding) and all(track.is_drum for track in sounding)


def keys(axes: Axes, heights: Heights, palette: Palette) -> None:
    """Names of C's, and rows of black keys where they can be told apart."""
    axes.set_ylim(heights.bottom, heights.top)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    if heights.drums:
        from pretty_midi import note_number_to_drum_name

        names = [note_number_to_drum_name(key) or f"key {key}" for key in heights.drums]
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(axis="y", labelsize=min(10, 120 / len(names)))
        axes.grid(axis="y", color=palette.grid, linewidth=0.6)
        return
    per_px = heights.span / axes.get_window_extent().height
    step = 12 if 12 / per_px >= 1.3 * _LABEL_PX else 24
    octaves = [pitch for pitch in range(0, 128, step) if heights.low <= pitch <= heights.high]
    labels = [pitch_name(pitch) for pitch in octaves]
    low_row = heights.bottom + 0.7 * heights.pedal
    if heights.pedal:
        clear = [pitch for pitch in octaves if pitch - low_row > 1.3 * _LABEL_PX * per_px]
        axes.set_yticks([low_row, *clear], ["pedal", *labels[len(octaves) - len(clear) :]])
    else:
        axes.set_yticks(octaves, labels)
    if per_px <= 0.25:
        for pitch in range(int(heights.low), int(heights.high) + 1):
            if pitch % 12 in _BLACK:
                axes.axhspan(pitch - 0.5, pitch + 0.5, color=palette.stripe, linewidth=0, zorder=0.1)
    for pitch in octaves:
        axes.axhline(pitch - 0.5, color=palette.grid, linewidth=0.8, zorder=0.4)


def pedal(
    axes: Axes, spans: FloatArray, colour: str, heights: Heights, place: Place, palette: Palette
) -> None:
    """A line below the keys for as long as it is down."""
    if not len(spans) or not heights.pedal:
        return
    # Both may pedal at a time: improv's line is the lower one.
    middle = heights.bottom + (0.4 if colour == palette.improv else 0.95) * heights.pedal
    half = 0.19 * heights.pedal
    _boxes(axes, place(spans[:, 0]), place(spans[:, 1]), (middle - half, middle + half), colour, 0.75)


def turns(
    axes: Axes,
    all_turns: Sequence[Turn],
    heights: Heights,
    span: tuple[float, float],
    place: Place,
    palette: Palette,
) -> None:
    """A band above the keys, with whose turn it is and which, as far as there is room for words."""
    if not all_turns or not heights.turns:
        return
    low = heights.high + 0.5 + 0.2 * heights.turns
    px = axes.get_window_extent().width / (span[1] - span[0])
    ends = place(np.array([[turn.start_s, turn.end_s] for turn in all_turns]))
    lines = px * float(np.median(ends[:, 1] - ends[:, 0])) >= _LINES_PX
    seen_ones = np.flatnonzero((ends[:, 1] >= span[0]) & (ends[:, 0] < span[1])).tolist()
    shown = [all_turns[i] for i in seen_ones]
    for turn, (left, right) in zip(shown, ends[seen_ones].tolist(), strict=True):
        colour = palette.improv if turn.who == "improv" else palette.player
        # Where both play at a time, each has half of the band.
        both = any(o.who != turn.who and o.start_s < turn.end_s and turn.start_s < o.end_s for o in shown)
        up = 0.5 if both and turn.who == "player" else 0.0
        height = heights.turns * (0.5 if both else 1.0)
        y0 = low + up * heights.turns
        _boxes(axes, np.array([left]), np.array([right]), (y0, y0 + 0.92 * height), colour, 0.9)
        if not both:
            seen = (max(left, span[0]), min(right, span[1]))
            width_px = (seen[1] - seen[0]) * px
            words = turn.name if width_px >= _NAME_PX else str(turn.number) if width_px >= _NUMBER_PX else ""
            axes.text(
                sum(seen) / 2,
                y0 + 0.44 * height,
                words,
                ha="center",
                va="center_baseline",
                fontsize=8.5,
                color=palette.ground,
                fontweight="bold",
                zorder=5,
            )
        if lines and left >= span[0]:
            axes.axvline(left, color=tuple(mixed(colour, palette.ground, 0.4)), linewidth=0.8, zorder=1)


def loudness_key(sheet: Sheet, colour: str) -> None:
    """Which shade is how loud, under the legend."""
    from matplotlib.patches import Rectangle

    width_in, height_in = sheet.look.inches
    palette, steps = sheet.look.palette, 5
    y_in, cell_in = height_in - 0.66, 0.17
    right_in = width_in - 0.3
    colours = shades(np.linspace(16, 112, steps), colour, palette.ground)
    text: dict[str, Any] = {"fontsize": 9.5, "color": palette.quiet, "va": "center"}
    sheet.figure.text(right_in / width_in, (y_in + 0.07) / height_in, "loud", ha="right", **text)
    x_in = right_in - 0.42 - steps * cell_in
    for i, shade in enumerate(colours):
        box = ((x_in + i * cell_in) / width_in, y_in / height_in)
        sheet.figure.add_artist(
            Rectangle(box, cell_in / width_in, 0.14 / height_in, facecolor=shade, linewidth=0)
        )
    sheet.figure.text((x_in - 0.08) / width_in, (y_in + 0.07) / height_in, "soft", ha="right", **text)


def _boxes(
    axes: Axes, left: FloatArray, right: FloatArray, rows: tuple[float, float], colour: str, alpha: float
) -> None:
    from matplotlib.collections import PolyCollection

    low, high = np.full_like(left, rows[0]), np.full_like(left, rows[1])
    corners = [(left, low), (right, low), (right, high), (left, high)]
    shapes = np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1)
    axes.add_collection(
        PolyCollection(list(shapes), facecolors=colour, alpha=alpha, linewidths=0, zorder=4), autolim=False
    )
