"""One answer of improv's while it lasts: what is planned of it, what has sounded, how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from improv_core.closing import Closing
from improv_core.improvising import Improvising, PlannedNote
from improv_daemon.wire import Command, MovePedal, PlayNote

FIRST_NOTE_LEAD_S = 0.01
"""The first note is planned no earlier than this from now, so that it is not late at the stage."""

RING_S = 0.4
"""How long the pedal holds the last notes of an answer."""

PEDAL_AFTER_ONSET_S = 0.06
"""The pedal goes down this long after the chord that it is to catch."""

LAST_RELEASE_S = 2.0
"""No note is held longer than this past the length of its answer: an answer ends when it should."""

_BEHIND_S = 0.02
"""A plan whose latest onset is this long past has fallen behind the clock."""


@dataclass(slots=True)
class OpenAnswer:
    """An answer from the end of the call to its own.

    Attributes:
        turn: Its number.
        begins_s: When the player's turn was found to be over; the length counts from the first onset.
        closing: Says how long it is planned to be, and where it ends.
        notes: What is planned, by onset.
        sounded: Onset of what has sounded, and release of what has ended, by index.
        pedal: Whether it is planned to be down after the latest note.
        drawn: Whether its last note is planned.
        ends_s: Once it is drawn: when it is over. While improv yields: when it stops waiting for the stage.
        overdue: Whether it is over but for acknowledgements that may never come.
    """

    turn: int
    begins_s: float
    closing: Closing
    notes: list[PlannedNote] = field(default_factory=list)
    sounded: dict[int, tuple[float, float | None]] = field(default_factory=dict)
    pedal: int = 0
    drawn: bool = False
    ends_s: float = 0.0
    overdue: bool = False

    @property
    def latest_release_s(self) -> float:
        """When its last note ends at the latest."""
        begins_s = self.notes[0].onset_s if self.notes else self.begins_s
        return begins_s + self.closing.length_s + LAST_RELEASE_S

    @property
    def last_onset_s(self) -> float:
        """Of what is planned; while nothing is, its beginning."""
        return self.notes[-1].onset_s if self.notes else self.begins_s

    @property
    def all_released(self) -> bool:
        """Whether the stage has told the end of every note."""
        return len(self.sounded) == len(self.notes) and all(r is not None for _, r in self.sounded.values())

    def times(self, now_s: float) -> dict[int, tuple[float, float]]:
        """Onset and release of every note that has sounded; what is not known to have ended ends now."""
        times = {}
        for index, (onset_s, release_s) in self.sounded.items():
            if release_s is None:
                release_s = max(onset_s, min(now_s, self.notes[index].release_s))
            times[index] = (onset_s, release_s)
        return times

    def draw(self, improviser: Improvising, now_s: float, max_wait_s: float) -> list[Command]:
        """Draw its next note, or find that it has come to its end; returns what the stage is to do.

        Args:
            improviser: Whose turn is open.
            now_s: No note is planned before, but for up to `_BEHIND_S`, to go on in time.
            max_wait_s: How long the first note may wait.
        """
        if not self.notes:
            earliest_s = now_s + FIRST_NOTE_LEAD_S
            note = improviser.draw(earliest_s, earliest_s + max_wait_s)
        else:
            last_s = self.last_onset_s
            # A plan that has fallen behind the clock goes on from now; a chord in it stays together.
            earliest_s = last_s if now_s - last_s < _BEHIND_S else now_s
            note = improviser.draw(earliest_s, last_s + self.closing.gap_s)
        if not self.closing.takes(note.onset_s):
            improviser.withdraw()
            return self._close()
        note = replace(note, release_s=min(note.release_s, self.latest_release_s))
        self.notes.append(note)
        return [*self._pedalling(note, now_s), _play(note)]

    def _pedalling(self, note: PlannedNote, now_s: float) -> list[Command]:
        """Up as the note is struck, or down in time to catch the notes before it."""
        if note.pedal == self.pedal:
            return []
        self.pedal = note.pedal
        at_s = note.onset_s
        if note.pedal and len(self.notes) > 1:
            at_s = min(at_s, max(now_s, self.notes[-2].onset_s + PEDAL_AFTER_ONSET_S))
        return [MovePedal(self.turn, 127 if note.pedal else 0, at_s)]

    def _close(self) -> list[Command]:
        self.drawn = True
        end_s = max(note.release_s for note in self.notes)
        if not self.pedal:
            self.ends_s = end_s
            return []
        self.ends_s = end_s + RING_S
        return [MovePedal(self.turn, 0, self.ends_s)]


def _play(note: PlannedNote) -> PlayNote:
    return PlayNote(note.turn, note.index, note.pitch, note.velocity, note.onset_s, note.release_s)
