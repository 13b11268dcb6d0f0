"""Calls from held-out pieces, each with what the piece goes on with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from improv_core.notes import SUSTAIN_CONTROLLER, ControlChange, Note, Performance
from improv_core.representation import Notes
from improv_training.corpora.corpus import Corpus, Split

CALL_NOTES: Final = 64
CONTINUATION_NOTES: Final = 200


@dataclass(frozen=True, slots=True)
class Call:
    """A run of notes of a piece, and the notes after it.

    Attributes:
        corpus: Name of the corpus.
        file: The piece.
        begin: The call's first note, counted from 0.
        heard: The call.
        truth: What comes next in the piece; its first ``dt_ms`` is 0.
    """

    corpus: str
    file: str
    begin: int
    heard: Notes
    truth: Notes

    @property
    def piece(self) -> tuple[str, str]:
        """What tells pieces apart."""
        return self.corpus, self.file


def choose_calls(
    corpora: Sequence[Corpus],
    split: Split,
    count: int,
    *,
    call_notes: int = CALL_NOTES,
    continuation_notes: int = CONTINUATION_NOTES,
    seed: int = 1,
) -> list[Call]:
    """Calls that do not overlap, spread evenly over corpora and, in each, over its pieces.

    A corpus that has not enough room leaves its share to the others.

    Args:
        corpora: Where from.
        split: Of them.
        count: How many; fewer where there is no room for so many.
        call_notes: Of each call.
        continuation_notes: That follow it.
        seed: Of the choice.
    """
    rng = np.random.default_rng(seed)
    length = call_notes + continuation_notes
    begins = [_begins(corpus, split, length, rng) for corpus in corpora]
    quota = evenly([len(one) for one in begins], count)
    return [
        _call(corpus, index, begin, call_notes, length)
        for corpus, where, share in zip(corpora, begins, quota, strict=True)
        for index, begin in sorted(where[:share])
    ]


def evenly(room: Sequence[int], count: int) -> list[int]:
    """Divide ``count`` as evenly as the room of each allows; the remainder goes to the first."""
    given = [0] * len(room)
    while count > 0:
        open_ones = [i for i, most in enumerate(room) if given[i] < most]
        if not open_ones:
            break
        each = max(1, count // len(open_ones))
        for i in open_ones:
            more = min(each, room[i] - given[i], count)
            given[i] += more
            count -= more
    return given


def _begins(corpus: Corpus, split: Split, length: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """(piece, first note) of windows: one of each piece, then a second of each, and so on."""
    rounds: list[tuple[int, float, int, int]] = []
    for index, place in enumerate(corpus.split):
        notes = int(corpus.offsets[index + 1] - corpus.offsets[index])
        slots = notes // length
        if place != split or not slots:
            continue
        first = int(rng.integers(notes - slots * length + 1))
        for turn, slot in enumerate(rng.permutation(slots).tolist()):
            rounds.append((turn, float(rng.random()), index, first + slot * length))
    return [(index, begin) for _, _, index, begin in sorted(rounds)]


def _call(corpus: Corpus, index: int, begin: int, call_notes: int, length: int) -> Call:
    piece = corpus.piece(index)
    heard = section(piece, begin, begin + call_notes)
    truth = section(piece, begin + call_notes, begin + length)
    return Call(corpus.name, corpus.files[index], begin, heard, truth)


def section(notes: Notes, begin: int, end: int) -> Notes:
    """Some of the notes; time begins with the first of them."""
    rows = slice(begin, end)
    dt_ms = notes.dt_ms[rows].copy()
    dt_ms[:1] = 0
    setting = None if notes.setting is None else notes.setting[rows]
    pedal, pitch, velocity, duration_ms = (
        column[rows] for column in (notes.pedal, notes.pitch, notes.velocity, notes.duration_ms)
    )
    return Notes(dt_ms, pedal, pitch, velocity, duration_ms, setting)


def as_played(notes: Notes) -> Performance:
    """The inverse of `improv_core.representation.encode`: the pedal moves where its state is first known."""
    onset_s = notes.onset_ms / 1000
    columns = (notes.pitch, notes.velocity, onset_s, notes.duration_ms / 1000)
    played = [Note(int(p), int(v), float(s), float(d)) for p, v, s, d in zip(*columns, strict=True)]
    moved = np.flatnonzero(np.diff(notes.pedal, prepend=0))
    pedal = [ControlChange(SUSTAIN_CONTROLLER, 127 * int(notes.pedal[i]), float(onset_s[i])) for i in moved]
    return Performance.of(played, pedal)
