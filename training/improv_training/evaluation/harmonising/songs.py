"""POP909: the tunes of a song, its chords and its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from improv_core.heard import HeardNote
from improv_core.notes import Part
from improv_core.representation.chord_names import OCTAVE
from improv_training.corpora.fast_midi import read_voices

QUALITIES: Final = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "sus4(b7)": (0, 5, 7, 10),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "minmaj7": (0, 3, 7, 11),
    "maj6": (0, 4, 7, 9),
    "min6": (0, 3, 7, 9),
    "hdim7": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
}
SCALES: Final = {"maj": (0, 2, 4, 5, 7, 9, 11), "min": (0, 2, 3, 5, 7, 8, 10)}

_LETTERS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def classes_of(label: str, shapes: Mapping[str, tuple[int, ...]]) -> frozenset[int]:
    """Pitch classes of a label such as ``Eb:min7/b7``; the bass is one of them. Empty for ``N``."""
    root_name, _, rest = label.partition(":")
    if not rest:
        return frozenset()
    root = _LETTERS[root_name[0]] + root_name.count("#") - root_name.count("b")
    return frozenset((root + one) % OCTAVE for one in shapes[rest.partition("/")[0]])


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time with a chord or in a key; seconds."""

    begin_s: float
    end_s: float
    classes: frozenset[int]


def read_spans(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> list[Span]:
    """Lines of begin, end and label; those without a chord are left out."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    spans = [Span(float(begin), float(end), classes_of(label.strip(), shapes)) for begin, end, label in rows]
    return [span for span in spans if span.classes]


def during(spans: Sequence[Span], at_s: float) -> frozenset[int] | None:
    """What holds at a time."""
    return next((one.classes for one in spans if one.begin_s <= at_s < one.end_s), None)


@dataclass(frozen=True, slots=True)
class Song:
    """A song of POP909; its notes in the order of their onsets.

    Attributes:
        file: Its path in the corpus.
        melody: Of the voice.
        piano: Of the accompaniment.
        other: Neither.
        chords: Annotated.
        key: Pitch classes of the annotated key that lasts longest.
    """

    file: str
    melody: tuple[HeardNote, ...]
    piano: tuple[HeardNote, ...]
    other: tuple[HeardNote, ...]
    chords: tuple[Span, ...]
    key: frozenset[int]


def read_song(folder: Path, file: str) -> Song:
    """A song with its annotations.

    Args:
        folder: The corpus.
        file: Of the song in it.
    """
    path = folder / file
    voices = read_voices(path.read_bytes(), file)
    keys = read_spans(path.with_name("key_audio.txt"), SCALES)
    parts: dict[str, list[HeardNote]] = {"MELODY": [], "PIANO": [], "BRIDGE": []}
    for voice in voices:
        rows = zip(voice.pitch, voice.velocity, voice.onset_s, voice.release_s - voice.onset_s, strict=True)
        heard = [
            HeardNote(Part.PLAYER, int(p), int(v), float(at), float(lasted)) for p, v, at, lasted in rows
        ]
        parts.setdefault(voice.name.strip(), []).extend(heard)
    melody, piano, bridge = (
        tuple(sorted(parts[name], key=lambda note: (note.onset_s, note.pitch)))
        for name in ("MELODY", "PIANO", "BRIDGE")
    )
    chords = tuple(read_spans(path.with_name("chord_midi.txt"), QUALITIES))
    key = max(keys, key=lambda one: one.end_s - one.begin_s).classes
    return Song(file, melody, piano, bridge, chords, key)
