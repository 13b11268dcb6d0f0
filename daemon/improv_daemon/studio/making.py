"""Pieces that improv makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from improv_daemon.studio.checks import check_at_least
from improv_daemon.studio.pieces import Piece

Value = str | int | float | bool


def example() -> Piece:
    """The three calls that ``improv demo`` plays, one after the other: a piece to try things with."""
    from dataclasses import replace

    from improv_daemon.phrases import demo_phrases

    notes, controls, begin_s = [], [], 0.0
    for phrase in demo_phrases():
        notes += [replace(note, onset_s=begin_s + note.onset_s) for note in phrase.notes]
        controls += [replace(control, at_s=begin_s + control.at_s) for control in phrase.controls]
        begin_s += phrase.end_s + 1.0
    return Piece.of(notes, controls, name="example")


def generate(
    seed: Piece | Path | str | None = None,
    *,
    seconds: float = 30.0,
    notes: int | None = None,
    bars: int | None = None,
    join: bool = False,
    dice: int = 0,
    model: str = "default",
    settings: Mapping[str, Value] | None = None,
    say: Callable[[str], None] = print,
) -> Piece:
    """What improv plays on from a piece; see ``improv generate``.

    Args:
        seed: What it goes on from: a piece, whatever `load` takes, or None for nothing.
        seconds: How long, unless ``notes`` or ``bars`` say so.
        notes: How many notes.
        bars: How many bars.
        join: Whether the seed comes first in the piece.
        dice: The same number gives the same notes; 0: others each time.
        model: ``default`` or an .onnx file.
        settings: More of them, as ``{"sampling.temperature": 1.1}``; ``improv settings`` lists them.
        say: Told what the model lacks, and what is asked in vain.

    Raises:
        ImprovError: The seed, the model, a number or a setting cannot be used.
    """
    check_at_least("seconds", seconds, 0.1)
    check_at_least("notes", notes, 1)
    check_at_least("bars", bars, 1)
    check_at_least("dice", dice, 0)
    from improv_daemon.generating import Wanted, compose
    from improv_daemon.models import load_model
    from improv_daemon.partner import new_seed
    from improv_daemon.seeds import NOTHING, Seed
    from improv_daemon.settings import Assignment, load_settings
    from improv_daemon.studio.beats import beats_of_conductor
    from improv_daemon.studio.loading import load

    piece = load(seed, say=say) if isinstance(seed, Path | str) else seed
    assigned = [Assignment(key, str(value), "settings") for key, value in (settings or {}).items()]
    made = compose(
        NOTHING if piece is None else Seed(piece.name, piece.tracks, beats=piece.beats),
        load_settings(None, assigned),
        Wanted(seconds=seconds, notes=notes, bars=bars, join=join),
        model=load_model(model),
        dice=dice or new_seed(),
        say=say,
    )
    name = "improv" if piece is None else f"improv, after {piece.name}"
    whole = Piece.of_tracks(name, made.tracks)
    beats = beats_of_conductor(made.conductor, whole.length_s)
    return Piece(whole.name, whole.tracks, whole.turns, beats)
