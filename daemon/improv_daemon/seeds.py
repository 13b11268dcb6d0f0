"""What ``improv generate`` goes on from: a file, a session, a part of it, or a random piece of a folder."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from improv_core.errors import MidiFileError
from improv_core.excerpts import excerpt
from improv_core.midi_files import Track
from improv_core.notes import Note, Performance

if TYPE_CHECKING:
    from improv_daemon.studio.beats import Beats
    from improv_daemon.studio.pieces import Piece

PASSAGE_S: Final = 30.0
"""So much of a random piece is heard."""

_PIECE_KEY: Final = 1 << 34
"""Keys the choice of a piece apart from what is drawn after it."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a piece.

    Attributes:
        from_s: Where it begins.
        to_s: Where it ends; None: with the piece.
    """

    from_s: float = 0.0
    to_s: float | None = None

    def __str__(self) -> str:
        begin = clock_time(self.from_s)
        return f"from {begin}" if self.to_s is None else f"from {begin} to {clock_time(self.to_s)}"


WHOLE: Final = Span()


@dataclass(frozen=True, slots=True)
class Seed:
    """What is heard first.

    Attributes:
        name: For the musician.
        tracks: Its voices, in seconds from its own beginning.
        span: Which part of the piece it is.
        beats: Of the piece, from the piece's beginning; None where nothing says where they are.
    """

    name: str
    tracks: tuple[Track, ...] = ()
    span: Span = WHOLE
    beats: Beats | None = None

    @property
    def performance(self) -> Performance:
        """All but the drums, as if one had played it."""
        voices = [track.performance for track in self.tracks if not track.is_drum]
        return Performance.of(
            itertools.chain.from_iterable(voice.notes for voice in voices),
            itertools.chain.from_iterable(voice.controls for voice in voices),
        )


NOTHING: Final = Seed("nothing")
"""To begin from silence."""


def seed_of(
    source: str,
    span: Span = WHOLE,
    *,
    beats: bool = False,
    sessions: Path | None = None,
    say: Callable[[str], None] = lambda sentence: None,
) -> Seed:
    """The seed of a MIDI file, a session's name or folder, or a journal.

    Args:
        source: As typed.
        span: Which part of it.
        beats: Whether its beats matter; to find them takes time.
        sessions: The folder that sessions are kept in; that of the settings by default.
        say: Told what is missing from a session's journal.

    Raises:
        MidiFileError: It is no MIDI file, or has no notes there.
        StorageError: There is no such session.
    """
    from improv_daemon.studio.loading import load

    return _part(load(source, sessions=sessions, beats=beats, say=say), source, span)


def random_seed(
    folder: Path,
    seed: int,
    span: Span | None = None,
    *,
    beats: bool = False,
    say: Callable[[str], None] = lambda sentence: None,
) -> Seed:
    """Some seconds out of a piece of a folder, both chosen by the dice.

    Args:
        folder: With MIDI files, in folders of any depth.
        seed: Of the dice.
        span: Which part of the piece instead.
        beats: As of `seed_of`.
        say: Told of files that cannot be used; another is taken then.

    Raises:
        MidiFileError: No file there can be used.
        StorageError: The folder cannot be read.
    """
    from improv_daemon.studio.loading import midi_files_in, of_midi

    files = midi_files_in(folder)
    dice = np.random.default_rng((seed, _PIECE_KEY))
    for i in dice.permutation(len(files)).tolist():
        name = files[i].relative_to(folder).as_posix()
        try:
            piece = of_midi(files[i], beats=beats)
            chosen = span or _passage(_part(piece, name, WHOLE).performance.notes, dice)
            return _part(piece, name, chosen)
        except MidiFileError as error:
            say(f"{str(error).removesuffix('.')}; another piece is taken.")
    if files:
        raise MidiFileError(f"Of the MIDI files in {folder} none can be used; name another folder.")
    raise MidiFileError(f"There are no MIDI files in {folder}; name a folder that holds some.")


def seeds(
    source: str | None,
    data: Path | None,
    span: Span | None,
    *,
    beats: bool = False,
    sessions: Path | None = None,
    say: Callable[[str], None] = lambda sentence: None,
) -> Callable[[int], Seed]:
    """What to go on from, by the number that decides what is left to chance; arguments as of the others.

    Without a source and a folder it is nothing.

    Raises:
        MidiFileError, StorageError: As `seed_of`, at once; as `random_seed`, when called.
    """
    if source is not None:
        named = seed_of(source, span or WHOLE, beats=beats, sessions=sessions, say=say)
        return lambda dice: named
    if data is None:
        return lambda dice: NOTHING

    def draw(dice: int) -> Seed:
        seed = random_seed(data, dice, span, beats=beats, say=say)
        say(f"Going on from {data / seed.name}, {seed.span}.")
        return seed

    return draw


def clock_time(at_s: float) -> str:
    """``1:02``, ``1:02.5``, or ``1:02:03``."""
    minutes, seconds = divmod(round(at_s, 1), 60)
    hours, minutes = divmod(minutes, 60)
    begin = f"{hours:.0f}:{minutes:02.0f}" if hours else f"{minutes:.0f}"
    return f"{begin}:{seconds:04.1f}".removesuffix(".0")


def _part(piece: Piece, name: str, span: Span) -> Seed:
    tracks = piece.tracks if span == WHOLE else excerpt(piece.tracks, span.from_s, span.to_s)
    seed = Seed(name, tracks, span, piece.beats)
    if next(_pitched(tracks), None) is None:
        drums = " but those of drums" if any(track.performance.notes for track in tracks) else ""
        where = "" if span == WHOLE else f" {span}"
        raise MidiFileError(f"{name} holds no notes{drums}{where}.")
    return seed


def _pitched(tracks: tuple[Track, ...]) -> Iterator[Note]:
    return itertools.chain.from_iterable(t.performance.notes for t in tracks if not t.is_drum)


def _passage(notes: tuple[Note, ...], dice: np.random.Generator) -> Span:
    """It ends with a note that the dice choose, though not with one of the first."""
    end_s = max(note.release_s for note in notes)
    late = [note.onset_s for note in notes if note.onset_s >= min(PASSAGE_S, end_s / 2)]
    last_s = late[int(dice.integers(len(late)))] if late else notes[-1].onset_s
    to_s = math.ceil(10 * last_s + 1) / 10  # as it is shown, so that it can be typed
    return Span(round(max(0.0, to_s - PASSAGE_S), 1), to_s)
