"""The live partner: listens, takes its turn, answers, yields. Pure; events and ``now_s`` in, commands out.

It never waits: `Partner.next_wakeup_s` says when it wants to be woken, whoever holds the clock.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from improv_core.closing import Closing
from improv_core.improvising import Improvising
from improv_core.notes import SUSTAIN_CONTROLLER
from improv_core.turns import Call, TurnTaker
from improv_daemon.directions import ask_of
from improv_daemon.open_answer import OpenAnswer
from improv_daemon.settings import Answer
from improv_daemon.wire import CancelTurn, Command, Event, Played, Released, Sounded, TurnCancelled

DRAWS_A_WAKE = 2
"""Notes drawn in one go, fewer if they are slow to draw; between two goes whatever was played is heard."""

PATIENCE_S = 0.5
"""How long improv waits for the stage to say what has sounded before it goes on without."""

REBUILD_AFTER_S = 3.0
"""A state that has outgrown the window is made anew from it when nothing has happened for this long."""

_ALL_SOUND_OFF, _ALL_NOTES_OFF = 120, 123


class Phase(enum.Enum):
    """Who has the floor."""

    LISTENING = "listening"
    ANSWERING = "answering"
    YIELDING = "yielding"
    """The player is back; improv waits for the stage to say what has sounded."""


@dataclass(frozen=True, slots=True)
class CallHeard:
    """The player's turn is over."""

    turn: int
    call: Call
    pitches: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AnswerEnded:
    """improv's turn is over; ``yielded`` when the player came back before its end."""

    turn: int
    pitches: tuple[int, ...]
    length_s: float
    yielded: bool


Notice = CallHeard | AnswerEnded


class Partner:
    """Turn policy ``answer``: when the player stops, improv answers about as long, and yields at a touch.

    Args:
        improviser: Draws the notes.
        turns: Says when the player's turn is over.
        settings: Lengths, lookahead and what is asked of the notes.
        max_wait_s: The first note of an answer comes within this after the turn is over.
        notify: Called with what the terminal shows.
    """

    def __init__(
        self,
        improviser: Improvising,
        turns: TurnTaker,
        settings: Answer,
        max_wait_s: float,
        notify: Callable[[Notice], None] = lambda notice: None,
    ) -> None:
        self._improviser = improviser
        self._turns = turns
        self._settings = settings
        self._max_wait_s = max_wait_s
        self._notify = notify
        self._answer: OpenAnswer | None = None
        self._withheld: list[Played] = []
        self._pitches: list[int] = []
        self._turn = 0
        self._idle_since_s: float | None = None
        self._rebuilding: Iterator[None] | None = None
        self.phase = Phase.LISTENING

    # --- events -----------------------------------------------------------------------------------

    def handle(self, event: Event, now_s: float) -> list[Command]:
        """Take one event of the stage; returns what the stage is to do now."""
        match event:
            case Played():
                return self._hear(event, now_s)
            case Sounded(turn, index, _, _, at_s, _) if self._is_current(turn):
                self._current.sounded[index] = (at_s, None)
            case Released(turn, index, _, at_s) if self._is_current(turn) and index in self._current.sounded:
                self._current.sounded[index] = (self._current.sounded[index][0], at_s)
                if self._current.overdue and self._current.all_released:
                    return self._finish(now_s, yielded=False)
            case TurnCancelled(turn, at_s, _) if self._is_current(turn):
                return self._finish(at_s, yielded=True)
        return []

    def _is_current(self, turn: int) -> bool:
        return self._answer is not None and self._answer.turn == turn

    @property
    def _current(self) -> OpenAnswer:
        if self._answer is None:
            raise RuntimeError("no answer is open")
        return self._answer

    def _hear(self, event: Played, now_s: float) -> list[Command]:
        self._idle_since_s, self._rebuilding = now_s, None
        if self.phase is Phase.YIELDING:
            self._withheld.append(event)
            return []
        if self.phase is Phase.ANSWERING and _is_note_on(event.data):
            self.phase = Phase.YIELDING
            self._current.ends_s, self._current.overdue = now_s + PATIENCE_S, False
            self._withheld.append(event)
            return [CancelTurn(self._current.turn)]
        self._take(event)
        return []

    def _take(self, event: Played) -> None:
        """Let improviser and turn-taker hear a message; only notes and controllers say anything to them."""
        if len(event.data) != 3:
            return
        status, *rest = event.data
        kind = status & 0xF0
        if _is_note_on(event.data):
            pitch, velocity = rest
            self._improviser.press(pitch, velocity, event.at_s)
            self._turns.press(pitch, event.at_s)
            self._pitches.append(pitch)
        elif kind in (0x80, 0x90):
            self._release(rest[0], event.at_s)
        elif kind == 0xB0 and rest[0] == SUSTAIN_CONTROLLER:
            self._improviser.move_pedal(rest[1])
        elif kind == 0xB0 and rest[0] in (_ALL_SOUND_OFF, _ALL_NOTES_OFF):
            for pitch in self._turns.keys_down:
                self._release(pitch, event.at_s)

    def _release(self, pitch: int, at_s: float) -> None:
        self._improviser.release(pitch, at_s)
        self._turns.release(pitch, at_s)

    # --- the clock --------------------------------------------------------------------------------

    def next_wakeup_s(self) -> float | None:
        """When `wake` wants to be called; None while only an event can change anything."""
        if self.phase is Phase.LISTENING:
            deadline_s = self._turns.deadline_s()
            return self._rebuild_at_s() if deadline_s is None else deadline_s
        answer = self._current
        if self.phase is Phase.YIELDING or answer.drawn:
            return answer.ends_s
        return answer.last_onset_s - self._settings.lookahead_s

    def wake(self, now_s: float) -> list[Command]:
        """Do what is due; returns what the stage is to do. Call again while `next_wakeup_s` is past."""
        if self.phase is Phase.LISTENING:
            deadline_s = self._turns.deadline_s()
            if deadline_s is not None and now_s >= deadline_s:
                return self._begin(now_s)
            if deadline_s is None:
                self._rebuild(now_s)
        elif self.phase is Phase.ANSWERING and not self._current.drawn:
            return self._draw(now_s)
        elif now_s >= self._current.ends_s:
            return self._end(now_s)
        return []

    def _end(self, now_s: float) -> list[Command]:
        """The answer is over; the last acknowledgements may still be on their way, or may never come."""
        answer = self._current
        if self.phase is Phase.YIELDING or answer.overdue or answer.all_released:
            return self._finish(now_s, yielded=self.phase is Phase.YIELDING)
        answer.ends_s, answer.overdue = now_s + PATIENCE_S, True
        return []

    def _begin(self, now_s: float) -> list[Command]:
        call = self._turns.call
        if call is None:
            return []
        self._turn += 1
        self._notify(CallHeard(self._turn, call, tuple(self._pitches)))
        settings = self._settings
        length_s = min(
            settings.length_max_s, max(settings.length_min_s, call.length_s * settings.length_ratio)
        )
        closing = Closing(length_s, settings.max_gap_s)
        self._answer = OpenAnswer(self._turn, now_s, closing)
        self._improviser.begin_turn(self._turn, now_s, ask_of(settings, call, length_s))
        self.phase = Phase.ANSWERING
        return self._draw(now_s)

    def _draw(self, now_s: float) -> list[Command]:
        """Draw a note or two, as long as the plan does not reach far enough ahead."""
        answer, commands = self._current, list[Command]()
        for _ in range(DRAWS_A_WAKE):
            if answer.notes and answer.last_onset_s - self._settings.lookahead_s > now_s:
                break
            if not self._improviser.prepare():
                break
            commands += answer.draw(self._improviser, now_s, self._max_wait_s)
            if answer.drawn:
                break
        return commands

    def _finish(self, now_s: float, *, yielded: bool) -> list[Command]:
        answer = self._current
        times = answer.times(now_s)
        self._improviser.close_turn(times)
        self._answer, self.phase = None, Phase.LISTENING
        self._pitches.clear()
        self._turns.begin()
        self._idle_since_s = now_s
        pitches = tuple(note.pitch for note in answer.notes if note.index in times)
        length_s = max((r for _, r in times.values()), default=now_s) - min(
            (o for o, _ in times.values()), default=now_s
        )
        self._notify(AnswerEnded(answer.turn, pitches, length_s, yielded))
        withheld, self._withheld = self._withheld, []
        for event in withheld:
            self._take(event)
        return []

    # --- the memory -------------------------------------------------------------------------------

    def _rebuild_at_s(self) -> float | None:
        if self._idle_since_s is None or self._turns.keys_down or not self._improviser.outgrown:
            return None
        return self._idle_since_s + REBUILD_AFTER_S

    def _rebuild(self, now_s: float) -> None:
        at_s = self._rebuild_at_s()
        if at_s is None or now_s < at_s:
            return
        self._rebuilding = self._rebuilding or self._improviser.rebuild()
        if next(self._rebuilding, self) is self:
            self._idle_since_s, self._rebuilding = None, None


def new_seed() -> int:
    """A seed for a session that asked for none in particular."""
    return random.SystemRandom().randrange(1, 2**32)


def _is_note_on(data: tuple[int, ...]) -> bool:
    return len(data) == 3 and data[0] & 0xF0 == 0x90 and data[2] > 0
