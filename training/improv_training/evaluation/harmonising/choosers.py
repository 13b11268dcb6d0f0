"""Who chooses voices: improv, parallel thirds, and how often either is right."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from improv_core.harmony import Harmoniser
from improv_core.key_finding import likeliest_scale
from improv_core.model import Model
from improv_core.notes import Part
from improv_core.representation.chord_names import OCTAVE
from improv_core.scales import pitch_classes
from improv_training.evaluation.harmonising.moments import Chooser, Moment


def by(harmoniser: Harmoniser, model: Model | None, voices: int) -> Chooser:
    """What improv would play below the note; without a model it goes by the chord alone."""

    def choose(moment: Moment) -> Sequence[int]:
        note = moment.note
        chosen = harmoniser.choose(
            note.pitch,
            note.velocity,
            note.onset_s,
            heads=None if model is None else model.heads,
            projected=moment.projected,
            asked=moment.asked,
            held=moment.held,
            heard=moment.heard,
            voices=voices,
        )
        return [pitch for pitch, _ in chosen]

    return choose


def fixed(*semitones: int) -> Chooser:
    """So many semitones below, whatever is played."""
    return lambda moment: [moment.note.pitch - one for one in semitones]


def diatonic(scale_of: Callable[[Moment], Collection[int]], *steps: int) -> Chooser:
    """So many steps of a scale below; a third is two."""

    def choose(moment: Moment) -> Sequence[int]:
        scale = scale_of(moment)
        under = [p for p in range(moment.note.pitch - 1, moment.note.pitch - 14, -1) if p % OCTAVE in scale]
        return [under[one - 1] for one in steps]

    return choose


def estimated_key(moment: Moment) -> Collection[int]:
    """Of all that is remembered of the player."""
    name, _ = likeliest_scale([note.pitch for note in moment.heard if note.part == Part.PLAYER])
    return pitch_classes(name)


def annotated_key(moment: Moment) -> Collection[int]:
    """Of the song.

    Raises:
        ValueError: It has none.
    """
    if moment.key is None:
        raise ValueError("no key is annotated")
    return moment.key


def agreement(pitches: Sequence[int], classes: Collection[int]) -> float:
    """Share of the pitches whose class is among those."""
    return sum(pitch % OCTAVE in classes for pitch in pitches) / len(pitches)
