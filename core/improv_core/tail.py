"""What has been read of an open turn and may yet turn out otherwise.

A planned note may be cut short or never sound; a key that the player strikes meanwhile comes before the notes
that are planned after it. Each entry keeps the voice before it, so that going back to what has sounded is
picking a snapshot and reading the few notes after it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from improv_core.improvising import PlannedNote
from improv_core.model import Model, State
from improv_core.representation import PianoStream, to_ms
from improv_core.sampler import FloatArray
from improv_core.voice import Voice

CUT_MS: Final = 20
"""A note released this much before its plan counts as cut, and what followed it is read again."""

MOVED_MS: Final = 20
"""Likewise one that sounded this much away from its planned onset."""

Times = Mapping[int, tuple[float, float]]
"""For the index of each of improv's notes that has sounded its onset and release in seconds."""


@dataclass(slots=True)
class Press:
    """A key of the player's while improv's turn is open.

    Attributes:
        pitch: 0..127.
        velocity: 1..127.
        onset_s: When it went down.
        pedal: The player's pedal then, 0..127.
        release_s: When it came up; None while it is down.
    """

    pitch: int
    velocity: int
    onset_s: float
    pedal: int
    release_s: float | None = None


@dataclass(slots=True)
class Entry:
    """A note of either player, and the voice before it."""

    note: PlannedNote | Press
    before: Voice


class Tail:
    """The entries of an open turn, by onset, and the voice after the last.

    What is planned is read when somebody asks for what comes of it: a note that is due goes out first.

    Args:
        model: Reads.
        voice: Before the turn.
        begins_s: When improv takes over.
    """

    def __init__(self, model: Model, voice: Voice, begins_s: float) -> None:
        self._model = model
        self._read_entries: list[Entry] = []
        self._ahead = voice
        self._begins_s: float | None = begins_s
        self._unread: PlannedNote | None = None
        self._is_players = False

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    @property
    def ahead(self) -> Voice:
        """The voice after the last entry."""
        self._read()
        return self._ahead

    @property
    def _entries(self) -> list[Entry]:
        self._read()
        return self._read_entries

    def _read(self) -> None:
        if self._begins_s is not None:
            begins_s, self._begins_s = self._begins_s, None
            self._ahead = self._ahead.handed_over(self._model, begins_s)
        if self._unread is not None:
            note, self._unread = self._unread, None
            self._read_entries.append(Entry(note, self._ahead))
            self._ahead = self._after(self._ahead, note)

    def latest(self, count: int) -> Sequence[Entry]:
        """The last of them, oldest first."""
        return self._entries[-count:]

    @property
    def own(self) -> Iterator[PlannedNote]:
        """The notes of improv's in it, latest first."""
        return (entry.note for entry in reversed(self._entries) if isinstance(entry.note, PlannedNote))

    def streams(self) -> Iterator[PianoStream]:
        """Of every voice that is kept."""
        yield from (entry.before.stream for entry in self._entries)
        yield self._ahead.stream

    # --- reading on -------------------------------------------------------------------------------

    def ready(self, at_s: float) -> Voice:
        """The voice from which improv's next note is drawn, at that time or later."""
        ahead = self.ahead
        if self._is_players:
            self._ahead, self._is_players = ahead.handed_over(self._model, at_s), False
        return self._ahead

    def plan(self, note: PlannedNote) -> None:
        """One of improv's notes is drawn from `ready`, or was thought of before."""
        if self._unread is not None or self._is_players:
            self.ready(note.onset_s)
        self._unread = note

    def withdraw(self) -> PlannedNote:
        """Take back the note that was planned last; nothing was pressed since."""
        if self._unread is not None:
            note, self._unread = self._unread, None
            return note
        entry = self._entries.pop()
        assert isinstance(entry.note, PlannedNote)
        self._ahead = entry.before
        return entry.note

    def press(self, press: Press) -> tuple[Voice, Voice]:
        """The player strikes a key; notes that are planned after it are read again behind it.

        Returns:
            The voices before the key and after it.
        """
        at_ms, place = to_ms(press.onset_s), len(self._entries)
        while place and to_ms(self._entries[place - 1].note.onset_s) > at_ms:
            place -= 1
        before = self._entries[place].before if place < len(self._entries) else self.ahead
        self._entries.insert(place, Entry(press, before))
        self._read_again(place)
        return before, next((entry.before for entry in self._entries[place + 1 :]), self.ahead)

    def release(self, pitch: int, at_s: float) -> None:
        """The player lets a key go, which may be one of before the turn."""
        for entry in self._entries:
            note = entry.note
            if isinstance(note, Press) and note.pitch == pitch and note.release_s is None:
                note.release_s = at_s
        for stream in self.streams():
            stream.release(pitch, to_ms(at_s))

    # --- what has become of it ----------------------------------------------------------------------

    def settled(self, sounded: Times) -> list[tuple[Entry, Voice]]:
        """Take out what will not change any more, with the voice after each.

        Args:
            sounded: The notes that have ended.
        """
        count = 0
        for entry in self._entries:
            if isinstance(entry.note, PlannedNote) and entry.note.index not in sounded:
                break
            count += 1
        self._correct(sounded, count)
        taken = self._taken(count)
        del self._entries[:count]
        return taken

    def closed(self, sounded: Times) -> list[tuple[Entry, Voice]]:
        """Take out everything that has sounded, with the voice after each; the rest never was."""
        self._correct(sounded, len(self._entries))
        taken = self._taken(len(self._entries))
        self._read_entries = []
        return taken

    def rebase(self, before: State, state: State, projected: FloatArray) -> None:
        """Put what the model makes of all that is settled in the place of what it made before.

        Args:
            before: Its state before the latest settled note.
            state: After it.
            projected: Its output after it, (projected,).
        """
        first = self._entries[0].before if self._entries else self.ahead
        again = replace(first, before=before, state=state, projected=projected)
        if self._entries:
            self._entries[0].before = again
            self._read_again(0)
        else:
            self._ahead = again

    def _taken(self, count: int) -> list[tuple[Entry, Voice]]:
        after = [entry.before for entry in self._entries[1:]] + [self.ahead]
        return list(zip(self._entries[:count], after, strict=False))[:count]

    def _correct(self, sounded: Times, count: int) -> None:
        """Put what has sounded in the place of what was planned among the first entries."""
        first: int | None = None
        kept: list[Entry] = []
        for place, entry in enumerate(self._entries):
            note = entry.note
            if place < count and isinstance(note, PlannedNote):
                times = sounded.get(note.index)
                if times is None or _differs(note, times):
                    first = len(kept) if first is None else first
                if times is None:
                    continue
                if _differs(note, times):
                    entry.note = _as_sounded(note, times)
            kept.append(entry)
        if first is None:
            return
        before = self._entries[first].before
        self._read_entries = kept
        if first < len(kept):
            kept[first].before = before
            self._read_again(first)
        else:
            self._ahead, self._is_players = before, self._follows_a_press(first)

    def _follows_a_press(self, place: int) -> bool:
        return place > 0 and isinstance(self._entries[place - 1].note, Press)

    def _read_again(self, place: int) -> None:
        voice = self._entries[place].before
        self._is_players = self._follows_a_press(place)
        for entry in self._entries[place:]:
            if self._is_players and isinstance(entry.note, PlannedNote):
                voice = voice.handed_over(self._model, entry.note.onset_s)
            entry.before = voice
            voice = self._after(voice, entry.note)
        self._ahead = voice

    def _after(self, voice: Voice, note: PlannedNote | Press) -> Voice:
        self._is_players = isinstance(note, Press)
        if isinstance(note, PlannedNote):
            return voice.played(
                self._model, note.pitch, note.velocity, note.pedal, note.onset_s, note.release_s
            )
        voice = voice.own()
        voice.stream.move_pedal(note.pedal)
        voice = voice.pressed(self._model, note.pitch, note.velocity, note.onset_s)
        if note.release_s is not None:
            voice.stream.release(note.pitch, to_ms(note.release_s))
        return voice


def _differs(note: PlannedNote, times: tuple[float, float]) -> bool:
    onset_s, release_s = times
    moved = abs(to_ms(onset_s) - to_ms(note.onset_s)) > MOVED_MS
    return moved or to_ms(release_s) + CUT_MS < to_ms(note.release_s)


def _as_sounded(note: PlannedNote, times: tuple[float, float]) -> PlannedNote:
    onset_s, release_s = times
    return PlannedNote(note.turn, note.index, note.pitch, note.velocity, note.pedal, onset_s, release_s)
