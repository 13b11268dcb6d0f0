"""Where MIDI files come from: a folder here, an archive in `improv_training.corpora.archives`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from improv_core.errors import MidiFileError
from improv_core.midi_files import load_midi
from improv_training.corpora.beats import ANNOTATIONS

LARGEST_FILE = 8 << 20
"""Bytes of a MIDI file; ten times the longest sonatas and concertos."""

_JOURNAL_KEY = "improv_journal"
_LONGEST_LINE = 1 << 20
_IN_FOLDER = "journal.jsonl"
"""What the journal is called in a session's folder; of old, it was called after the session."""


@dataclass(frozen=True, slots=True)
class Member:
    """A MIDI file of a source.

    Attributes:
        name: Its path inside the source.
        label: What to call it in sentences.
        content: Where it is, its bytes, or a sentence that says why it cannot be read.
        done: How much of the source is read with it.
        total: How much there is, in the same unit.
        beats: The annotations of its beats, where they lie beside it.
    """

    name: str
    label: str
    content: Path | bytes | str
    done: int
    total: int
    beats: Path | None = None


class Source(Protocol):
    """Something that holds MIDI files."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def name(self) -> str:
        """Of the corpus that it makes."""

    @property
    def state(self) -> str:
        """What changes when one of its files does."""

    def members(self) -> Iterator[Member]:
        """Every MIDI file in it.

        Raises:
            DataError: It cannot be read.
        """


@dataclass(frozen=True, slots=True)
class Folder:
    """The .mid and .midi files of a folder at every depth, in the order of their names.

    Annotations of beats that lie beside a file belong to it.

    A folder of recorded sessions may hold journals beside the MIDI files that were made of them; a journal
    without its MIDI file is named among what could not be read.
    """

    path: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name or self.path.resolve().name

    @property
    def state(self) -> str:
        """Every name, size and time of change."""
        lines = []
        files = self._files()
        beats = {beats.relative_to(self.path).as_posix() for beats in files.values() if beats is not None}
        for name in sorted({*files, *beats}):
            found = (self.path / name).stat()
            lines.append(f"{name} {found.st_size} {found.st_mtime_ns}\n")
        return "".join(lines)

    def members(self) -> Iterator[Member]:
        """The files, where they are."""
        files = self._files()
        for done, (name, beats) in enumerate(files.items(), start=1):
            path = self.path / name
            content = path if is_midi(name) else _unrendered(path)
            yield Member(name, str(path), content, done, len(files), beats)

    def _files(self) -> dict[str, Path | None]:
        """Each file, in order, and the annotations of beats beside it."""
        found = {path for path in self.path.rglob("*") if path.is_file()}
        wanted = [
            path
            for path in found
            if is_midi(path.name) or (_is_journal(path) and _midi_of(path) not in found)
        ]
        named = sorted((path.relative_to(self.path).as_posix(), path) for path in wanted)
        beside = ((name, path.with_name(ANNOTATIONS)) for name, path in named)
        return {name: beats if beats in found else None for name, beats in beside}


def load_member(content: Path | bytes) -> bytes:
    """The bytes of a file.

    Raises:
        MidiFileError: It cannot be read, or is no MIDI file.
    """
    if isinstance(content, bytes):
        return content
    try:
        size = content.stat().st_size
    except OSError:
        size = 0  # what is wrong, load_midi says
    if size > LARGEST_FILE:
        raise MidiFileError(f"{content} {too_large(size)}")
    return load_midi(content)


def too_large(size: int) -> str:
    """Why a file of so many bytes is left out."""
    return (
        f"is left out: no MIDI file of music has {size / 1e6:.0f} MB, the limit is {LARGEST_FILE / 1e6:.0f}."
    )


def is_midi(name: str) -> bool:
    """Whether a file's name is that of a MIDI file."""
    return name.lower().endswith((".mid", ".midi"))


def _unrendered(journal: Path) -> str:
    makes = f"sessions recover {journal.parent}" if journal.name == _IN_FOLDER else f"render {journal}"
    return f"{journal} is a session without its MIDI file; make it with: improv {makes}"


def _midi_of(journal: Path) -> Path:
    """Where a session's MIDI file is: in its folder, or, of old, beside its journal under the same name."""
    return journal.with_name("session.mid") if journal.name == _IN_FOLDER else journal.with_suffix(".mid")


def _is_journal(path: Path) -> bool:
    if path.suffix.lower() != ".jsonl":
        return False
    try:
        with path.open("rb") as file:
            first = json.loads(file.readline(_LONGEST_LINE))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(first, dict) and _JOURNAL_KEY in first
