"""What a picture tells apart: player and improv, or files beside one another."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from improv_core.midi_files import Track
from improv_daemon.plotting.arrays import FloatArray, Notes
from improv_daemon.plotting.palette import Palette
from improv_daemon.studio.pieces import Piece


@dataclass(frozen=True, slots=True)
class Group:
    """Notes of one colour.

    Attributes:
        label: What they are.
        colour: As ``#rrggbb``.
        parts: The tracks of each piece: nothing is counted from one piece to the next.
    """

    label: str
    colour: str
    parts: tuple[tuple[Track, ...], ...]

    def notes(self) -> list[Notes]:
        """Of each piece."""
        return [
            Notes.of(itertools.chain.from_iterable(track.performance.notes for track in tracks))
            for tracks in self.parts
        ]

    def each(self, of: Callable[[Notes], FloatArray]) -> FloatArray:
        """What is counted of all pieces."""
        return np.concatenate([np.zeros(0), *map(of, self.notes())])


@dataclass(frozen=True, slots=True)
class Subject:
    """One of those that are looked at: a file, a session, or all files of a folder.

    Attributes:
        label: Its name.
        pieces: What is in it.
    """

    label: str
    pieces: tuple[Piece, ...]


def groups_of(subjects: Sequence[Subject], palette: Palette) -> tuple[Group, ...]:
    """Player and improv of a session that is looked at alone; else a group for each."""
    if len(subjects) == 1:
        (subject,) = subjects
        if any(piece.turns for piece in subject.pieces):
            return tuple(
                Group(who, colour, tuple(pitched(piece.played_by(who)) for piece in subject.pieces))
                for who, colour in (("player", palette.player), ("improv", palette.improv))
            )
    return tuple(
        Group(subject.label, palette.of(i), tuple(pitched(piece.tracks) for piece in subject.pieces))
        for i, subject in enumerate(subjects)
    )


def pitched(tracks: Sequence[Track]) -> tuple[Track, ...]:
    """Those without drums, unless there is nothing else."""
    without = tuple(track for track in tracks if not track.is_drum)
    return without or tuple(tracks)
