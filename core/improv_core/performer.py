"""Plays the plan: what goes out to which output now, and what came of every planned note."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from improv_core.ledger import CONTROL, Bytes, Ledger
from improv_core.notes import SUSTAIN_CONTROLLER
from improv_core.scheduler import Due, Rank, Scheduler
from improv_core.thru import Way

PLAYER = "player"
"""The ledger's owner of all that the player holds, where it does not matter at which input."""

_ALL_NOTES_OFF = 123
_SHORTEST_S = 0.02
"""A note that sounds late keeps at least this much of its duration."""


# --- what came of it (the fields are those of the messages to the mind) ---------------------------


@dataclass(frozen=True, slots=True)
class Sounded:
    """A planned note's note-on goes out at `at_s`, `late_s` after its deadline."""

    turn: int
    index: int
    pitch: int
    velocity: int
    at_s: float
    late_s: float


@dataclass(frozen=True, slots=True)
class Released:
    """A planned note has ended."""

    turn: int
    index: int
    pitch: int
    at_s: float


@dataclass(frozen=True, slots=True)
class PedalMoved:
    """improv's sustain pedal was moved."""

    turn: int
    value: int
    at_s: float


@dataclass(frozen=True, slots=True)
class TurnCancelled:
    """Nothing of the turn sounds any more; `unplayed` of its notes never did."""

    turn: int
    at_s: float
    unplayed: int


Acknowledgement = Sounded | Released | PedalMoved | TurnCancelled


@dataclass(frozen=True, slots=True)
class Sending:
    """One MIDI message for one output."""

    output: str
    data: Bytes


@dataclass(slots=True)
class Outcome:
    """Messages to send, in order, and acknowledgements to give once they are sent."""

    sendings: list[Sending] = field(default_factory=list)
    acknowledgements: list[Acknowledgement] = field(default_factory=list)


# --- the plan -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _On:
    turn: int
    index: int
    pitch: int
    velocity: int
    onset_s: float
    release_s: float


@dataclass(frozen=True, slots=True)
class _Off:
    turn: int
    index: int
    pitch: int
    onset_s: float
    release_s: float


@dataclass(frozen=True, slots=True)
class _Pedal:
    turn: int
    value: int


class Performer:
    """One schedule of improv's, one ledger for each output, and the player's thru.

    Time comes in as `now_s`; the same class serves the stage, offline generation and virtual time.
    Planned notes sound on every output, on improv's channel. A note-off is planned when its note sounds,
    so that a cancelled plan owes nothing. A pitch that improv strikes again ends the earlier note.
    """

    def __init__(self, outputs: Sequence[str], channel: int, capacity: int = 4096) -> None:
        """
        Args:
            outputs: Names of the outputs.
            channel: improv's MIDI channel, 0..15.
            capacity: Largest number of planned events.
        """
        self._ledgers = {name: Ledger() for name in outputs}
        self._channel = channel
        self._plan: Scheduler[_On | _Off | _Pedal] = Scheduler(capacity)
        self._voices: dict[int, _Off] = {}
        self._pedal = _Pedal(turn=0, value=0)
        self._cancelled = _CancelledTurns()
        self.after_cancel = 0
        """Planned events that came for a turn already cancelled, and were dropped."""

    @property
    def refused(self) -> int:
        """Planned events refused because the schedule was full."""
        return self._plan.refused

    @property
    def silent(self) -> bool:
        """No output owes a note-off, a pedal up or a bend back."""
        return all(ledger.silent for ledger in self._ledgers.values())

    def next_deadline_s(self) -> float | None:
        """When `advance` has something to do, None when nothing is planned."""
        return self._plan.next_deadline_s()

    def play_note(
        self, turn: int, index: int, pitch: int, velocity: int, onset_s: float, release_s: float
    ) -> bool:
        """Plan one note.

        Returns:
            False when it was dropped: its turn is cancelled or the schedule is full.

        Raises:
            ValueError: Pitch, velocity or times are out of range.
        """
        if not (0 <= pitch <= 127 and 1 <= velocity <= 127):
            raise ValueError(f"no note has pitch {pitch} and velocity {velocity}")
        if not (math.isfinite(onset_s) and math.isfinite(release_s)):
            raise ValueError(f"a note cannot last from {onset_s} to {release_s}")
        note = _On(turn, index, pitch, velocity, onset_s, release_s)
        return self._add(onset_s, Rank.ON, note)

    def move_pedal(self, turn: int, value: int, at_s: float) -> bool:
        """Plan a movement of improv's sustain pedal; the rest as for `play_note`."""
        if not 0 <= value <= 127:
            raise ValueError(f"a pedal value must be in 0..127, got {value}")
        if not math.isfinite(at_s):
            raise ValueError(f"a pedal cannot move at {at_s}")
        return self._add(at_s, Rank.PEDAL, _Pedal(turn, value))

    def advance(self, now_s: float) -> Outcome:
        """Play everything whose deadline is not after `now_s`."""
        outcome = Outcome()
        # One at a time: a note that sounds plans its own release, which may be due at once.
        while (due := self._plan.pop_due(now_s)) is not None:
            match due.item:
                case _On() as note:
                    self._sound(note, now_s, outcome)
                case _Off() as voice:
                    self._end(voice, now_s, outcome)
                case _Pedal() as pedal:
                    self._move(pedal, now_s, outcome)
        return outcome

    def cancel_turn(self, turn: int, now_s: float) -> Outcome:
        """Play nothing more of a turn, now or later, and release what sounds of it and its pedal."""
        self._cancelled.add(turn)
        dropped = self._plan.cancel(("turn", turn))
        self._plan.cancel(("ending", turn))
        outcome = Outcome()
        self._silence(turn, now_s, outcome)
        outcome.acknowledgements.append(TurnCancelled(turn, now_s, _count_notes(dropped)))
        return outcome

    def finish_turn(self, turn: int, now_s: float, begun_by_s: float = math.inf) -> Outcome:
        """Begin no more notes of a turn; what sounds ends as planned, its pedal comes up with the last.

        Args:
            turn: The turn.
            now_s: Now.
            begun_by_s: What was to begin after then counts as not begun.
        """
        self._cancelled.add(turn)
        dropped = self._plan.cancel(("turn", turn))
        outcome = Outcome()
        for voice in [v for v in self._voices.values() if v.turn == turn and v.onset_s > begun_by_s]:
            self._plan.cancel(voice)
            self._end(voice, now_s, outcome)
        if self._pedal.turn == turn and self._pedal.value:
            last_s = max((v.release_s for v in self._voices.values() if v.turn == turn), default=now_s)
            up = _Pedal(turn, 0)
            if not self._plan.add(max(now_s, last_s), Rank.PEDAL, ("ending", turn), up):
                self._move(up, now_s, outcome)
        outcome.acknowledgements.append(TurnCancelled(turn, now_s, _count_notes(dropped)))
        return outcome

    def thru(self, message: Bytes, ways: Iterable[Way], owner: Hashable = PLAYER) -> list[Sending]:
        """Sound what the player plays.

        Args:
            message: A MIDI message; only those of a channel are sounded.
            ways: To which outputs, on which channels.
            owner: Who holds what it presses: the input that it came in at.
        """
        if not message or not 0x80 <= message[0] < 0xF0:
            return []
        kind, channel = message[0] & 0xF0, message[0] & 0x0F
        return [
            sending
            for way in ways
            for sending in self.feed(
                way.output, owner, (kind | (channel if way.channel is None else way.channel), *message[1:])
            )
        ]

    def feed(self, output: str, owner: Hashable, message: Bytes) -> list[Sending]:
        """Send any channel message to one output, kept account of as this owner's."""
        return [Sending(output, data) for data in self._ledgers[output].feed(owner, message)]

    def renew(self, output: str) -> list[Sending]:
        """Bring an output to silence that was away and may have missed something; nothing is held there."""
        return [*(Sending(output, data) for data in self._ledgers[output].release_all()), *self._care(output)]

    def panic(self, now_s: float) -> Outcome:
        """Release all that sounds, whoever owns it, and cancel every turn that has anything planned."""
        outcome = Outcome()
        planned = self._plan.due(math.inf)
        turns = {due.item.turn for due in planned} | {voice.turn for voice in self._voices.values()}
        turns |= {self._pedal.turn} if self._pedal.value else set()
        for turn in sorted(turns):
            self._cancelled.add(turn)
            self._silence(turn, now_s, outcome)
            unplayed = _count_notes([due for due in planned if due.item.turn == turn])
            outcome.acknowledgements.append(TurnCancelled(turn, now_s, unplayed))
        for output, ledger in self._ledgers.items():
            outcome.sendings += [Sending(output, data) for data in ledger.release_all()]
            outcome.sendings += self._care(output)
        return outcome

    def _care(self, output: str) -> list[Sending]:
        """For receivers that are out of step with the ledger, whatever the cause."""
        controllers = (SUSTAIN_CONTROLLER, _ALL_NOTES_OFF)
        return [Sending(output, (CONTROL | self._channel, number, 0)) for number in controllers]

    def _add(self, deadline_s: float, rank: Rank, item: _On | _Pedal) -> bool:
        if item.turn in self._cancelled:
            self.after_cancel += 1
            return False
        return self._plan.add(deadline_s, rank, ("turn", item.turn), item)

    def _sound(self, note: _On, now_s: float, outcome: Outcome) -> None:
        earlier = self._voices.get(note.pitch)
        if earlier is not None:
            self._plan.cancel(earlier)
            self._end(earlier, now_s, outcome)
        owner = ("improv", note.turn)
        for output, ledger in self._ledgers.items():
            messages = ledger.note_on(owner, self._channel, note.pitch, note.velocity)
            outcome.sendings += [Sending(output, data) for data in messages]
        late_s = now_s - note.onset_s
        outcome.acknowledgements.append(
            Sounded(note.turn, note.index, note.pitch, note.velocity, now_s, late_s)
        )
        shortest_s = min(max(0.0, note.release_s - note.onset_s), _SHORTEST_S)
        release_s = max(note.release_s, now_s + shortest_s)
        voice = _Off(note.turn, note.index, note.pitch, note.onset_s, release_s)
        self._voices[note.pitch] = voice
        self._plan.add(release_s, Rank.OFF, voice, voice)

    def _end(self, voice: _Off, now_s: float, outcome: Outcome) -> None:
        del self._voices[voice.pitch]
        for output, ledger in self._ledgers.items():
            messages = ledger.note_off(("improv", voice.turn), self._channel, voice.pitch)
            outcome.sendings += [Sending(output, data) for data in messages]
        outcome.acknowledgements.append(Released(voice.turn, voice.index, voice.pitch, now_s))

    def _move(self, pedal: _Pedal, now_s: float, outcome: Outcome) -> None:
        before, self._pedal = self._pedal, pedal
        for output, ledger in self._ledgers.items():
            moves = [(pedal.turn, pedal.value)]
            if before.turn != pedal.turn:
                # improv has one foot: what an earlier turn left down is now this turn's to move.
                self._plan.cancel(("ending", before.turn))
                moves.append((before.turn, 0))
            for turn, value in moves:
                messages = ledger.control(("improv", turn), self._channel, SUSTAIN_CONTROLLER, value)
                outcome.sendings += [Sending(output, data) for data in messages]
        outcome.acknowledgements.append(PedalMoved(pedal.turn, pedal.value, now_s))

    def _silence(self, turn: int, now_s: float, outcome: Outcome) -> None:
        for voice in [v for v in self._voices.values() if v.turn == turn]:
            self._plan.cancel(voice)
            self._end(voice, now_s, outcome)
        if self._pedal.turn == turn and self._pedal.value:
            self._move(_Pedal(turn, 0), now_s, outcome)


class _CancelledTurns:
    """The latest cancelled turns; those long before them count as cancelled too."""

    _REMEMBERED = 256

    def __init__(self) -> None:
        self._turns: dict[int, None] = {}
        self._all_up_to: int | None = None

    def __contains__(self, turn: int) -> bool:
        return turn in self._turns or (self._all_up_to is not None and turn <= self._all_up_to)

    def add(self, turn: int) -> None:
        self._turns[turn] = None
        if len(self._turns) > self._REMEMBERED:
            oldest = min(self._turns)
            del self._turns[oldest]
            self._all_up_to = oldest


def _count_notes(planned: Sequence[Due[_On | _Off | _Pedal]]) -> int:
    return sum(isinstance(due.item, _On) for due in planned)
