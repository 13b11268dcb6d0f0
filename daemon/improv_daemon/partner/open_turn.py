"""One turn of improv's while it lasts: what is planned of it, what has sounded, how it ends."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from improv_core.closing import Closing
from improv_core.improvising import Ask, Improvising, PlannedNote
from improv_core.quantising_grid import Quantiser, QuantisingGrid
from improv_daemon.wire import Command, MovePedal, PlayNote, Released, Sounded

RING_S: Final = 0.4
"""How long the pedal holds the last notes of an answer."""

PEDAL_AFTER_ONSET_S: Final = 0.06
"""The pedal goes down this long after the chord that it is to catch."""

LAST_RELEASE_S: Final = 2.0
"""No note is held longer than this past the length of its answer: an answer ends when it should."""

LEAST_S: Final = 0.05
"""A turn that has to be over at a certain time begins no note so shortly before."""

MOST_A_SECOND: Final = 40
"""Nobody plays more notes, but a model that has heard a fist on the keys may go on and on with them."""

SETTLE_NOTES: Final = 32
"""So many notes that have ended are taken into the memory at a time."""

_LOST_S: Final = 1.0
"""A note whose end was not told for so long after it was due has ended."""

_BEHIND_S: Final = 0.02
"""A plan whose latest onset is this long past has fallen behind the clock."""


@dataclass(frozen=True, slots=True)
class _Before:
    """How things stood before the note that is held back."""

    latest: PlannedNote | None
    origin_s: float | None
    begun_s: float | None
    last_release_s: float
    pedal: tuple[int, float]
    closing: Closing | None
    moved: tuple[Quantiser, float]


@dataclass(slots=True)
class OpenTurn:
    """A turn from its beginning to its end. Notes are drawn one ahead, and go to the stage when near.

    Attributes:
        turn: Its number.
        ask: What it is to be like.
        first_s: Earliest and latest onset of its first note.
        lookahead_s: A note goes to the stage so long before its onset; from then on it stands.
        max_gap_s: Longest inter-onset interval, where nothing else says so.
        loudness: Times the velocity of its notes.
        closing: Says how long it is planned to be, and where it ends; None: it goes on.
        notes: What is planned and not yet in the memory, by index.
        sounded: Onset of what has sounded, and release of what has ended, by index.
        pitches: Of all that has sounded, or of the latest where that is much.
        pedal: Whether it is planned to be down after the latest note.
        drawn: Whether its last note is planned.
        ends_s: Once it is drawn: when it is over. While improv yields: when it stops waiting for the stage.
        overdue: Whether it is over but for acknowledgements that may never come.
        within: Asked, with the time, before each note is drawn: the earliest and latest onset for it.
        settle_notes: So many notes that have ended are taken into the memory at a time.
        stands: What sounds is never cut, so that it counts as ended, as planned, when it begins.
        until_s: No note begins at that time or later, and none is planned to last longer.
        grid: Asked, with the time, as each note is drawn: what its onset is moved to; None: it is not moved.
            What is drawn next goes on from where the note was drawn.
    """

    turn: int
    ask: Ask
    first_s: tuple[float, float]
    lookahead_s: float
    max_gap_s: float
    closing: Closing | None = None
    loudness: float = 1.0
    notes: dict[int, PlannedNote] = field(default_factory=dict)
    sounded: dict[int, tuple[float, float | None]] = field(default_factory=dict)
    pitches: deque[int] = field(default_factory=deque)
    pedal: int = 0
    drawn: bool = False
    ends_s: float = 0.0
    overdue: bool = False
    within: Callable[[float], tuple[float, float]] | None = None
    settle_notes: int = SETTLE_NOTES
    stands: bool = False
    until_s: float = float("inf")
    grid: Callable[[float], QuantisingGrid | None] | None = None
    _moved: tuple[Quantiser, float] = (Quantiser(), float("-inf"))
    _origin_s: float | None = None
    _begun_s: float | None = None
    _latest: PlannedNote | None = None
    _last_release_s: float = 0.0
    _pedal_s: float = float("-inf")
    _heard_s: float = float("-inf")
    _span_s: tuple[float, float] | None = None
    _onsets_s: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_A_SECOND))
    _held: deque[tuple[float, Command]] = field(default_factory=deque)
    _before: _Before | None = None

    # --- what came of it ----------------------------------------------------------------------------

    def told(self, event: Sounded | Released, improviser: Improvising) -> None:
        """A note has begun or ended."""
        if event.index not in self.notes:
            return
        if isinstance(event, Sounded):
            self.sounded[event.index] = (event.at_s, None)
            self.pitches.append(event.pitch)
            self._span(event.at_s)
        elif event.index in self.sounded:
            self.sounded[event.index] = (self.sounded[event.index][0], event.at_s)
            self._span(event.at_s)
        self._settle(improviser, event.at_s)

    def _settle(self, improviser: Improvising, now_s: float) -> None:
        ended = {i: (on, off) for i, (on, off) in self.sounded.items() if off is not None}
        for index, note in self.notes.items():
            # Of what is long past nothing will be told any more, and what comes after it would wait for ever.
            is_lost = note.release_s + _LOST_S < now_s
            if index not in ended and (is_lost or (self.stands and index in self.sounded)):
                onset_s, _ = self.sounded.get(index, (note.onset_s, None))
                ended[index] = onset_s, max(onset_s, note.release_s)
        if len(ended) < self.settle_notes:
            return
        first = improviser.settle(ended)
        for index in [i for i in self.notes if i < first]:
            del self.notes[index]
            self.sounded.pop(index, None)

    def _span(self, at_s: float) -> None:
        first_s, last_s = self._span_s or (at_s, at_s)
        self._span_s = first_s, max(last_s, at_s)

    def on_their_way(self, now_s: float) -> int:
        """How many notes are planned and have not begun."""
        return sum(i not in self.sounded and n.onset_s > now_s - _LOST_S for i, n in self.notes.items())

    @property
    def latest(self) -> PlannedNote | None:
        """The note that was drawn last."""
        return self._latest

    @property
    def length_s(self) -> float:
        """From the first onset that has sounded to the last release."""
        return 0.0 if self._span_s is None else self._span_s[1] - self._span_s[0]

    @property
    def all_released(self) -> bool:
        """Whether the stage has told the end of every note."""
        return len(self.sounded) == len(self.notes) and all(r is not None for _, r in self.sounded.values())

    def times(self, now_s: float | None = None) -> dict[int, tuple[float, float]]:
        """Onset and release of every note that has sounded.

        Args:
            now_s: What is not known to have ended ends now; None: it ends as it was planned to.
        """
        times = {}
        for index, (onset_s, release_s) in self.sounded.items():
            if release_s is None:
                planned_s = self.notes[index].release_s
                release_s = max(onset_s, planned_s if now_s is None else min(now_s, planned_s))
            times[index] = (onset_s, release_s)
        return times

    # --- the plan -----------------------------------------------------------------------------------

    @property
    def next_s(self) -> float:
        """When there is something to do: a note to be drawn, to be sent, or the end."""
        if self._held:
            return min(at_s for at_s, _ in self._held) - self.lookahead_s
        if self.drawn:
            return self.ends_s
        return self._moved[1] - self.lookahead_s

    def go_on(self, improviser: Improvising, now_s: float) -> list[Command]:
        """Send what is near or, if nothing is, draw what comes next: a note never waits for one after it."""
        if len(self.notes) > 2 * self.settle_notes:
            self._settle(improviser, now_s)  # the stage may have fallen silent
        if self._held and not self.drawn and now_s - self._held[-1][0] >= _BEHIND_S:
            self._take_back(improviser)
        commands = self._near(now_s)
        if commands or self._held or self.drawn or not improviser.prepare():
            return commands
        self._draw(improviser, now_s)
        return self._near(now_s)

    def interrupt(self, improviser: Improvising, now_s: float) -> None:
        """The player is about to be heard: what is drawn and not sent is taken back."""
        self._heard_s = now_s
        self._take_back(improviser)

    def _take_back(self, improviser: Improvising) -> None:
        if self.drawn or not self._held:
            return
        assert self._latest is not None
        assert self._before is not None
        improviser.withdraw()
        del self.notes[self._latest.index]
        self._onsets_s.pop()
        before = self._before
        self._latest, self._origin_s, self._begun_s = before.latest, before.origin_s, before.begun_s
        self._last_release_s, self.closing = before.last_release_s, before.closing
        self._moved = before.moved
        if any(isinstance(command, MovePedal) for _, command in self._held):
            self.pedal, self._pedal_s = before.pedal  # otherwise it has moved already, or does not
        self._held.clear()

    def close_in(self, length_s: float, improviser: Improvising, now_s: float) -> None:
        """Bring a turn that goes on to its close, about so long from now."""
        self._take_back(improviser)
        self.closing, self._begun_s = Closing(length_s, self.max_gap_s), None
        begun_s = now_s if self._origin_s is None else self._origin_s
        self.ask = replace(self.ask, length_s=now_s + length_s - begun_s)
        improviser.ask_for(self.ask)

    def keep_on(self, improviser: Improvising) -> None:
        """It does not come to its close after all; only before its last note is drawn."""
        self._take_back(improviser)
        self.closing = None
        self.ask = replace(self.ask, length_s=None)
        improviser.ask_for(self.ask)

    def _near(self, now_s: float) -> list[Command]:
        near = [command for at_s, command in self._held if at_s - self.lookahead_s <= now_s]
        self._held = deque(one for one in self._held if one[0] - self.lookahead_s > now_s)
        return near

    def _draw(self, improviser: Improvising, now_s: float) -> None:
        self._before = self._as_it_stands()
        drawn = improviser.draw(*self._bounds_s(now_s))
        moved, at_s = self._move(drawn.onset_s, now_s)
        if not self._takes(drawn.onset_s) or at_s >= self.until_s - LEAST_S:
            improviser.withdraw()
            self._close(now_s)
            return
        release_s = min(drawn.release_s + at_s - drawn.onset_s, self._latest_release_s(drawn.onset_s))
        note = replace(drawn, onset_s=at_s, release_s=max(at_s, release_s))
        self._begun_s = drawn.onset_s if self._begun_s is None else self._begun_s
        self._origin_s = drawn.onset_s if self._origin_s is None else self._origin_s
        self.notes[note.index] = note
        self._onsets_s.append(drawn.onset_s)
        self._last_release_s = max(self._last_release_s, note.release_s)
        self._pedalling(note, now_s)
        self._latest, self._moved = drawn, (moved, at_s)
        self._held.append((note.onset_s, _play(note, self.loudness)))

    def _as_it_stands(self) -> _Before:
        times = self._origin_s, self._begun_s, self._last_release_s
        pedal = self.pedal, self._pedal_s
        return _Before(self._latest, *times, pedal, copy.copy(self.closing), self._moved)

    def _move(self, onset_s: float, now_s: float) -> tuple[Quantiser, float]:
        """Where the note that was drawn for then is to sound."""
        quantiser, latest_s = self._moved
        grid = None if self.grid is None else self.grid(now_s)
        if grid is None:
            return Quantiser(), onset_s if quantiser == Quantiser() else max(onset_s, latest_s)
        return quantiser.moved(onset_s, grid, now_s)

    def _takes(self, onset_s: float) -> bool:
        in_time = onset_s < self.until_s - LEAST_S
        return in_time and (self.closing is None or self.closing.takes(onset_s))

    def _latest_release_s(self, onset_s: float) -> float:
        if self.closing is None:
            return self.until_s
        begun_s = onset_s if self._begun_s is None else self._begun_s
        return min(self.until_s, begun_s + self.closing.length_s + LAST_RELEASE_S)

    def _bounds_s(self, now_s: float) -> tuple[float, float]:
        asked_s = (float("-inf"), float("inf")) if self.within is None else self.within(now_s)
        if self._latest is None:
            earliest_s = max(now_s, self.first_s[0], asked_s[0])
            return earliest_s, max(earliest_s, self.first_s[1])
        last_s = max(self._latest.onset_s, self._heard_s)
        # A plan that has fallen behind the clock goes on from now; a chord in it stays together.
        is_behind = (
            now_s - max(self._moved[1], self._heard_s) >= _BEHIND_S or self._heard_s > self._latest.onset_s
        )
        crowded_s = self._onsets_s[0] + 1.0 if len(self._onsets_s) == MOST_A_SECOND else float("-inf")
        earliest_s = max(now_s if is_behind else last_s, asked_s[0], crowded_s)
        gap_s = self.max_gap_s if self.closing is None else self.closing.gap_s
        return earliest_s, max(earliest_s, min(last_s + gap_s, asked_s[1]))

    def _pedalling(self, note: PlannedNote, now_s: float) -> None:
        """Up as the note is struck, or down in time to catch the notes before it."""
        if note.pedal == self.pedal:
            return
        self.pedal = note.pedal
        at_s = note.onset_s
        if note.pedal and self._latest is not None:
            at_s = min(at_s, max(now_s, self._moved[1] + PEDAL_AFTER_ONSET_S))
        # One that is on its way already, for a note that was taken back since, must not come after this one.
        at_s = self._pedal_s = max(at_s, self._pedal_s)
        self._held.append((at_s, MovePedal(self.turn, 127 if note.pedal else 0, at_s)))

    def _close(self, now_s: float) -> None:
        self.drawn = True
        self.ends_s = max(now_s, self._last_release_s)
        if self.pedal:
            self.ends_s = max(now_s, self._pedal_s, min(self.ends_s + RING_S, self.until_s))
            self._held.append((self.ends_s, MovePedal(self.turn, 0, self.ends_s)))


def _play(note: PlannedNote, loudness: float) -> PlayNote:
    velocity = max(1, min(127, round(note.velocity * loudness)))
    return PlayNote(note.turn, note.index, note.pitch, velocity, note.onset_s, note.release_s)
