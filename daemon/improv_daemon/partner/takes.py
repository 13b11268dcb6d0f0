"""What was played last by either, as it sounded, so that it can be played once more."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from improv_core.notes import SUSTAIN_CONTROLLER
from improv_core.turns import CHORD_SPREAD_S, Call
from improv_daemon.partner.ears import is_note_on
from improv_daemon.wire import Command, Event, PedalMoved, Played, PlayNote, Released, Sounded

MOST_NOTES: Final = 512
"""Of a turn, or of the player's, the latest so many can be played again."""

KEPT_S: Final = 60.0
"""Of the player's no more than what they have played in the last minute of their playing."""

SHORTEST_S: Final = 0.03
"""No note is played again shorter than this."""

_USUAL_GAP_S: Final = 0.5
_ALL_OFF: Final = (120, 123)


@dataclass(frozen=True, slots=True)
class TakenNote:
    """A note of a take; its onset is counted from the first of the take."""

    pitch: int
    velocity: int
    onset_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class Take:
    """Something that was played.

    Attributes:
        begun_s: When its first note was struck.
        notes: By onset; one at least.
        pedal: When it moved, counted like onsets, and where to, 0..127.
    """

    begun_s: float
    notes: tuple[TakenNote, ...]
    pedal: tuple[tuple[float, int], ...]

    @property
    def last_onset_s(self) -> float:
        """From the first onset to the last."""
        return self.notes[-1].onset_s

    @property
    def end_s(self) -> float:
        """From the first onset to the last release, of keys and pedal."""
        return max(*(at_s for at_s, _ in self.pedal), *(n.onset_s + n.duration_s for n in self.notes), 0.0)

    @property
    def natural_s(self) -> float:
        """How long it is with the rest that belongs to it: one more of its usual gaps, or its last note."""
        gaps_s = [b.onset_s - a.onset_s for a, b in pairwise(self.notes)]
        usual_s = [gap_s for gap_s in gaps_s if gap_s > CHORD_SPREAD_S]
        gap_s = statistics.median(usual_s) if usual_s else _USUAL_GAP_S
        return max(self.last_onset_s + gap_s, *(n.onset_s + n.duration_s for n in self.notes))

    def latest(self, seconds: float) -> Take:
        """What was struck in its last seconds."""
        from_s = self.last_onset_s - seconds
        kept = [note for note in self.notes if note.onset_s >= from_s]
        return _take([replace(n, onset_s=n.onset_s + self.begun_s) for n in kept], self._moves())

    def _moves(self) -> list[tuple[float, int]]:
        return [(at_s + self.begun_s, value) for at_s, value in self.pedal]


@dataclass(slots=True)
class _Struck:
    pitch: int
    velocity: int
    onset_s: float
    release_s: float

    def as_taken(self, now_s: float) -> TakenNote:
        lasted_s = max(SHORTEST_S, min(self.release_s, now_s) - self.onset_s)
        return TakenNote(self.pitch, self.velocity, self.onset_s, lasted_s)


class _Turn:
    """One of improv's, as the stage has told of it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.planned_s: dict[int, float] = {}
        self.struck: dict[int, _Struck] = {}
        self.pedal: deque[tuple[float, int]] = deque(maxlen=MOST_NOTES)

    def plan(self, note: PlayNote) -> None:
        self.planned_s[note.index] = note.release_s - note.onset_s
        while len(self.planned_s) > MOST_NOTES:
            oldest = next(iter(self.planned_s))
            del self.planned_s[oldest]
            self.struck.pop(oldest, None)

    def told(self, event: Sounded | Released | PedalMoved) -> None:
        match event:
            case Sounded(_, index, pitch, velocity, at_s, _) if index in self.planned_s:
                self.struck[index] = _Struck(pitch, velocity, at_s, at_s + self.planned_s[index])
            case Released(_, index, _, at_s) if index in self.struck:
                self.struck[index].release_s = at_s
            case PedalMoved(_, value, at_s):
                self.pedal.append((at_s, value))


class Takes:
    """Listens to both; bounded, and no part of what the model knows.

    Attributes:
        call_from_s: When the player's last phrase that was answered began.
    """

    def __init__(self) -> None:
        self._turns: deque[_Turn] = deque(maxlen=2)
        self._played: deque[_Struck] = deque(maxlen=MOST_NOTES)
        self._down: dict[int, _Struck] = {}
        self._pedal: deque[tuple[float, int]] = deque(maxlen=MOST_NOTES)
        self.call_from_s = float("-inf")

    def begin(self, turn: int, call: Call | None) -> None:
        """A turn of improv's begins; until something of it sounds the one before is the last.

        Args:
            turn: Its number.
            call: That it answers.
        """
        if call is not None:
            self.call_from_s = call.first_onset_s
        if self._turns and not self._turns[-1].struck:
            self._turns.pop()
        self._turns.append(_Turn(turn))

    def clear(self) -> None:
        """Nothing was played."""
        self._turns.clear()
        self._played.clear()
        self._down.clear()

    # --- what is played -----------------------------------------------------------------------------

    def commanded(self, commands: Iterable[Command]) -> None:
        """What the stage is told to play."""
        for command in commands:
            if isinstance(command, PlayNote):
                for turn in self._turns:
                    if turn.number == command.turn:
                        turn.plan(command)

    def told(self, event: Event) -> None:
        """What the stage tells of it."""
        if isinstance(event, Sounded | Released | PedalMoved):
            for turn in self._turns:
                if turn.number == event.turn:
                    turn.told(event)

    def played(self, event: Played) -> None:
        """A message of the player's."""
        if len(event.data) != 3:
            return
        self._forget(event.at_s - KEPT_S)
        kind, number, value = event.data[0] & 0xF0, *event.data[1:]
        if is_note_on(event.data):
            self._let_go(number, event.at_s)
            self._down[number] = _Struck(number, value, event.at_s, float("inf"))
            self._played.append(self._down[number])
        elif kind in (0x80, 0x90):
            self._let_go(number, event.at_s)
        elif kind == 0xB0 and number == SUSTAIN_CONTROLLER:
            self._pedal.append((event.at_s, value))
        elif kind == 0xB0 and number in _ALL_OFF:
            for pitch in tuple(self._down):
                self._let_go(pitch, event.at_s)

    def _forget(self, before_s: float) -> None:
        while self._played and self._played[0].onset_s < before_s:
            self._played.popleft()
        while len(self._pedal) > 1 and self._pedal[0][0] < before_s:
            self._pedal.popleft()

    def _let_go(self, pitch: int, at_s: float) -> None:
        key = self._down.pop(pitch, None)
        if key is not None:
            key.release_s = max(key.onset_s, at_s)

    # --- what was played ----------------------------------------------------------------------------

    def answer(self, now_s: float) -> Take | None:
        """The last turn of improv's of which anything has sounded, as far as it has; None without any."""
        turn = self._answer
        if turn is None:
            return None
        return _take([one.as_taken(now_s) for one in turn.struck.values()], turn.pedal)

    @property
    def _answer(self) -> _Turn | None:
        return next((turn for turn in reversed(self._turns) if turn.struck), None)

    def phrase(self, from_s: float, now_s: float) -> Take | None:
        """What the player has struck since; None if nothing."""
        notes = [one.as_taken(now_s) for one in self._played if one.onset_s >= from_s]
        if not notes:
            return None
        before = [value for at_s, value in self._pedal if at_s < from_s][-1:]
        since = [move for move in self._pedal if move[0] >= from_s]
        return _take(notes, [*((from_s, value) for value in before), *since])

    @property
    def is_players(self) -> bool:
        """Whether the player has struck the last note."""
        turn = self._answer
        if turn is None or not self._played:
            return bool(self._played)
        return self._played[-1].onset_s > max(one.onset_s for one in turn.struck.values())


def _take(notes: Sequence[TakenNote], pedal: Iterable[tuple[float, int]]) -> Take:
    """Times of both are moments; a pedal that was down before the first note is down with it."""
    begun_s = min(note.onset_s for note in notes)
    counted = [replace(note, onset_s=note.onset_s - begun_s) for note in notes]
    counted.sort(key=lambda note: (note.onset_s, note.pitch))
    moves = [(at_s - begun_s, value) for at_s, value in pedal]
    before = [value for at_s, value in moves if at_s <= 0][-1:]
    kept = [*((0.0, value) for value in before if value), *(move for move in moves if move[0] > 0)]
    return Take(begun_s, tuple(counted), tuple(kept))
