"""A piece of music to look at, to hear and to go on from."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from improv_core.midi_files import Track, write_midi
from improv_core.notes import ControlChange, Note, Performance

if TYPE_CHECKING:
    from pandas import DataFrame

    from improv_daemon.recorder.turns import Turn
    from improv_daemon.studio.beats import Beats

Who = Literal["player", "improv"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A MIDI file, a session, or what improv made of either.

    Attributes:
        name: What to call it.
        tracks: Its voices; times are seconds from its beginning.
        turns: Who played when, where there is an improv in it.
        beats: Where its beats and bars are; None where nothing says so.
    """

    name: str
    tracks: tuple[Track, ...]
    turns: tuple[Turn, ...] = ()
    beats: Beats | None = None

    @classmethod
    def of(cls, notes: Iterable[Note], controls: Iterable[ControlChange] = (), name: str = "piece") -> Piece:
        """A piece of one voice."""
        return cls(name, (Track(name, Performance.of(notes, controls)),))

    @classmethod
    def of_tracks(cls, name: str, tracks: Iterable[Track], beats: Beats | None = None) -> Piece:
        """A piece of these voices; one that improv plays in with somebody else has turns."""
        voices = tuple(tracks)
        piece = cls(name, voices, beats=beats)
        player, improv = (_together(piece.played_by(who)) for who in ("player", "improv"))
        if not player.notes or not improv.notes:
            return piece
        from improv_daemon.recorder.turns import turns_between

        return cls(name, voices, turns_between(player, improv), beats)

    @property
    def notes(self) -> tuple[Note, ...]:
        """All notes by (onset, pitch), drums among them."""
        return _together(self.tracks).notes

    @property
    def length_s(self) -> float:
        """Until the last release, in seconds."""
        return max((n.release_s for track in self.tracks for n in track.performance.notes), default=0.0)

    @property
    def has_improv(self) -> bool:
        """Whether improv plays in it."""
        return any(track.name == "improv" for track in self.tracks)

    def played_by(self, who: str) -> tuple[Track, ...]:
        """The voices of ``player`` or ``improv``; all that is not improv's is the player's."""
        return tuple(track for track in self.tracks if (track.name == "improv") == (who == "improv"))

    def save(self, path: Path | str) -> Path:
        """Write it as a MIDI file, with its tempos and bars; a file that is there is replaced.

        Raises:
            StorageError: It cannot be written.
        """
        write_midi(Path(path), self.tracks, conductor=None if self.beats is None else self.beats.conductor)
        return Path(path)

    def table(self) -> DataFrame | list[dict[str, object]]:
        """`improv_daemon.studio.table` of it."""
        from improv_daemon.studio.tables import table

        return table(self)

    def __repr__(self) -> str:
        notes, minutes = len(self.notes), int(self.length_s // 60)
        return f"Piece({self.name!r}: {notes:,} notes, {minutes}:{self.length_s % 60:04.1f})"


def _together(tracks: Iterable[Track]) -> Performance:
    voices = [track.performance for track in tracks]
    return Performance.of(
        itertools.chain.from_iterable(voice.notes for voice in voices),
        itertools.chain.from_iterable(voice.controls for voice in voices),
    )
