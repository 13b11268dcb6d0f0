"""Piano rolls: one piece in systems below one another, as in a score, or a few pieces on one clock."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from improv_core.errors import ConfigError
from improv_daemon.plotting import roll_marks as marks
from improv_daemon.plotting.arrays import FloatArray, Notes, pedal_spans
from improv_daemon.plotting.axes_of_time import count_bars, count_seconds, length_in_words, time_unit
from improv_daemon.plotting.groups import Subject, pitched
from improv_daemon.plotting.palette import Palette, shades
from improv_daemon.plotting.sheets import LEFT_IN, Look, Sheet, new_sheet, nothing, plain
from improv_daemon.plotting.windows import Window
from improv_daemon.studio.pieces import Piece

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SYSTEM_S: Final = 60.0
_MOST_SYSTEMS: Final = 8
_BARS_A_SYSTEM: Final = 24
_SYSTEM_PX, _HEAD_PX = 215, 270
_VECTORS: Final = 5_000
_MOST_VOICES: Final = 7
_LEAST_PX: Final = 2.0
_DRUMS_IN: Final = 1.75
_OVERSHOOT: Final = 0.04


@dataclass(frozen=True, slots=True)
class Voice:
    """Notes of one colour, and the pedal that goes with them."""

    label: str
    colour: str
    notes: Notes
    pedal: FloatArray


def voices_of(piece: Piece, palette: Palette, colour: str | None = None) -> tuple[Voice, ...]:
    """Player and improv, or a voice for each track; all of one colour where one is given."""
    tracks = [track for track in pitched(piece.tracks) if track.performance.notes]
    end_s = piece.length_s
    if piece.has_improv or colour is not None or len(tracks) > _MOST_VOICES:
        groups = [
            (
                who,
                colour or getattr(palette, who),
                [track for track in piece.played_by(who) if track in tracks],
            )
            for who in ("player", "improv")
        ]
    else:
        groups = [(track.name or f"track {i + 1}", palette.of(i), [track]) for i, track in enumerate(tracks)]
    return tuple(
        Voice(
            label,
            one_colour,
            Notes.of(note for track in of for note in track.performance.notes),
            np.concatenate(
                [np.zeros((0, 2)), *(pedal_spans(track.performance.pedal, end_s) for track in of)]
            ),
        )
        for label, one_colour, of in groups
        if of
    )


def roll(subjects: Sequence[Subject], look: Look, window: Window) -> Sheet:
    """A sheet with the roll of one piece, or the rolls of several.

    Raises:
        ConfigError: Bars are asked for, and there are none.
    """
    pieces = [piece for subject in subjects for piece in subject.pieces]
    if len(pieces) == 1:
        return _of_one(pieces[0], look, window)
    return _of_several(pieces, look, window)


def draw_roll(axes: Axes, piece: Piece, window: Window, palette: Palette) -> None:
    """Draw a piece into axes of one's own.

    Raises:
        ConfigError: Bars are asked for, and there are none.
    """
    voices = voices_of(piece, palette)
    begin, end = _span(piece, window)
    _system(axes, piece, voices, (begin, end), window, palette, labelled=True)


def _of_one(piece: Piece, look: Look, window: Window) -> Sheet:
    palette = look.palette
    voices = voices_of(piece, palette)
    begin, end = _span(piece, window)
    systems = _systems(end - begin, window)
    sheet = new_sheet(look, height_px=_height_px(look, systems))
    each = _each(begin, end, systems, window)
    left_in = _DRUMS_IN if marks.only_drums(piece) else LEFT_IN
    for i, axes in enumerate(sheet.panels(systems, gap_in=(0.0, 0.36), left_in=left_in)):
        span = (begin + i * each, max(end if i == systems - 1 else 0.0, begin + (i + 1) * each))
        _system(axes, piece, voices, span, window, palette, labelled=i == systems - 1)
    legend = [(voice.label, voice.colour) for voice in voices] if len(voices) > 1 else []
    sheet.head(piece.name, _facts(piece, voices), legend)
    if any(len(voice.notes) for voice in voices):
        marks.loudness_key(sheet, voices[0].colour if len(voices) == 1 else palette.quiet)
    return sheet


def _height_px(look: Look, rows: int) -> int:
    """Many rows need more height than a picture has by itself."""
    return max(look.height_px, _HEAD_PX + _SYSTEM_PX * rows) if rows > 1 else look.height_px


def _of_several(pieces: Sequence[Piece], look: Look, window: Window) -> Sheet:
    palette, rows = look.palette, len(pieces)
    sheet = new_sheet(look, height_px=_height_px(look, rows))
    end = max((_span(piece, window)[1] for piece in pieces), default=1.0)
    begin = _span(pieces[0], window)[0]
    both = any(piece.turns for piece in pieces)
    for i, (piece, axes) in enumerate(zip(pieces, sheet.panels(rows, gap_in=(0.0, 0.62)), strict=True)):
        # The first colours of the series are the player's and improv's.
        voices = voices_of(piece, palette, None if piece.turns else palette.of(i + 2 * both))
        _system(axes, piece, voices, (begin, end), window, palette, labelled=i == rows - 1)
        notes = sum(len(voice.notes) for voice in voices)
        axes.set_title(
            f"{piece.name}   ", loc="left", fontsize=11.5, fontweight="bold", color=palette.ink, pad=5
        )
        axes.set_title(
            f"{notes:,} notes, {length_in_words(piece.length_s)}",
            loc="right",
            fontsize=10,
            color=palette.quiet,
        )
    legend = [("player", palette.player), ("improv", palette.improv)] if both else []
    sheet.head(f"{rows} pieces", "on one clock", legend)
    return sheet


def _span(piece: Piece, window: Window) -> tuple[float, float]:
    """Where the picture begins and ends, in seconds or in bars."""
    until_s = max(window.until_in(piece.length_s), window.from_s + 1.0)
    if not window.bars:
        return window.from_s, until_s
    if piece.beats is None:
        raise ConfigError(
            f"Nothing says where the bars of {piece.name} are; plot it in seconds, without --bars."
        )
    first, last = piece.beats.bars(np.array([window.from_s, until_s])).tolist()
    return math.floor(first + 1e-6), max(math.ceil(last - 1e-6), math.floor(first + 1e-6) + 1)


def _systems(length: float, window: Window) -> int:
    if window.systems:
        return window.systems
    each = _BARS_A_SYSTEM if window.bars else _SYSTEM_S
    return max(1, min(_MOST_SYSTEMS, math.ceil(length / (1.34 * each))))


def _each(begin: float, end: float, systems: int, window: Window) -> float:
    """What a system holds; of whole bars, or of a round number of seconds, if there are several."""
    each = (end - begin) / systems
    if systems == 1:
        return each * 1.004 if not window.bars else each
    if window.bars:
        return math.ceil(each)
    step = 60.0 if each > 600 else 10.0 if each > 100 else 5.0 if each > 20 else 1.0
    return math.ceil(each / step - _OVERSHOOT) * step


def _system(
    axes: Axes,
    piece: Piece,
    voices: Sequence[Voice],
    span: tuple[float, float],
    window: Window,
    palette: Palette,
    *,
    labelled: bool,
) -> None:
    """One row: notes, pedals and turns between two moments (or bars)."""
    plain(axes, palette)
    if window.bars:
        count_bars(axes, *span, palette)
        axes.set_xlabel("bar" if labelled else "")
    else:
        count_seconds(axes, *span, palette)
        axes.set_xlabel(time_unit(span[1]) if labelled else "")
    if not any(len(voice.notes) for voice in voices):
        axes.set_xlabel("")
        nothing(axes, palette, "no notes")
        return

    def place(at_s: FloatArray) -> FloatArray:
        return piece.beats.bars(at_s) if window.bars and piece.beats is not None else at_s

    heights = marks.Heights.of(
        axes, span, [voice.notes for voice in voices], piece, any(len(v.pedal) for v in voices), place
    )
    marks.keys(axes, heights, palette)
    for voice in voices:
        _notes(axes, voice, heights, span, place, palette)
        marks.pedal(axes, voice.pedal, voice.colour, heights, place, palette)
    marks.turns(axes, piece.turns, heights, span, place, palette)


def _notes(
    axes: Axes,
    voice: Voice,
    heights: marks.Heights,
    span: tuple[float, float],
    place: marks.Place,
    palette: Palette,
) -> None:
    """A bar for each note; none is thinner than can be seen."""
    from matplotlib.collections import PolyCollection

    notes = voice.notes
    left, right = place(notes.onset_s), place(notes.release_s)
    there = (right >= span[0]) & (left < span[1])
    if not there.any():
        return
    box = axes.get_window_extent()
    least = _LEAST_PX * (span[1] - span[0]) / box.width
    left = left[there]
    right = np.maximum(right[there], left + least)
    middle = heights.rows(notes.pitch[there])
    half = max(0.3 if heights.drums else 0.42, 0.65 * _LEAST_PX * heights.span / box.height)
    corners = [(left, middle - half), (right, middle - half), (right, middle + half), (left, middle + half)]
    shapes = np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1)
    tall = box.height / heights.span >= 5 and len(left) < 4000
    axes.add_collection(
        PolyCollection(
            list(shapes),
            facecolors=shades(notes.velocity[there], voice.colour, palette.ground),
            edgecolors=palette.ground if tall else "none",
            linewidths=0.4 if tall else 0.0,
            rasterized=len(notes) > _VECTORS,
            zorder=3,
        ),
        autolim=False,
    )


def _facts(piece: Piece, voices: Sequence[Voice]) -> str:
    """In a line what there is to know of a piece."""
    total = sum(len(voice.notes) for voice in voices)
    facts = [length_in_words(piece.length_s), f"{total:,} notes" if total != 1 else "1 note"]
    if piece.turns:
        each = ", ".join(f"{voice.label} {len(voice.notes):,}" for voice in voices)
        facts[-1] += f" ({each})"
        facts.append(f"{len(piece.turns)} turns")
    drums = [track for track in piece.tracks if track.is_drum]
    if drums and len(drums) < len([track for track in piece.tracks if track.performance.notes]):
        facts.append("drums not shown")
    return "   ·   ".join(facts)
