"""Mode ``answer``: when the player stops, improv answers about as long, and gives way when they return."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from improv_core.closing import Closing
from improv_core.duetting import ROLES, Company, register
from improv_core.improvising import Ask
from improv_core.recall import Idea
from improv_core.turns import Call
from improv_daemon.partner.background import Background
from improv_daemon.partner.ears import is_note_on
from improv_daemon.partner.notices import AnswerEnded, CallHeard, Phase
from improv_daemon.partner.open_turn import OpenTurn
from improv_daemon.partner.policy import PATIENCE_S, Ensemble
from improv_daemon.partner.recollection import Recollection
from improv_daemon.wire import (
    CancelTurn,
    Command,
    Event,
    FinishTurn,
    Played,
    Released,
    Sounded,
    TurnCancelled,
)

REHEARSE_BEFORE_S: Final = 0.4
"""Answers are drawn beforehand from so long before the turn would be over."""

REHEARSE_AFTER_S: Final = 0.05
"""But not before nothing was struck for so long: most turns go on."""

ACCOMPANYING: Final = ROLES["support"]
"""What an answer becomes that plays on under the player."""

INVITATION_S: Final = 4.0
INVITATION_NOTES_PER_S: Final = 2.0
INVITATION_LOUDNESS: Final = 0.6
"""An invitation is short, sparse and soft."""


class Answering:
    """Call and response.

    Args:
        ensemble: Who plays.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        self._all = ensemble
        self._turn: OpenTurn | None = None
        self._withheld: list[Played] = []
        self._rehearsing: Iterator[None] | None = None
        self._rehearsed = False
        self._background = Background(ensemble)
        self._recollection = Recollection(ensemble)
        self._company = Company()
        self._ended_s = float("-inf")
        self._has_invited = False
        self.phase = Phase.LISTENING

    # --- events -----------------------------------------------------------------------------------

    def played(self, event: Played, now_s: float) -> list[Command]:
        """A message of the player's."""
        if self.phase is Phase.YIELDING:
            self._withheld.append(event)
            return []
        if is_note_on(event.data):
            if self.phase is Phase.ANSWERING:
                return self._played_into(event, now_s)
            self._rehearsing, self._rehearsed, self._has_invited = None, False, False
        self._all.ears.take(event)
        return []

    def _played_into(self, event: Played, now_s: float) -> list[Command]:
        """A key goes down while improv answers."""
        how = self._all.settings.yielding.how if self._is_return(event) else "overlap"
        turn = self._open
        if how == "cut":
            self.phase = Phase.YIELDING
            turn.ends_s, turn.overdue = now_s + PATIENCE_S, False
            self._withheld.append(event)
            return [CancelTurn(turn.turn)]
        if how == "finish_note":
            self._finish(turn.times(), now_s, yielded=True)
            self._all.ears.take(event)
            return [FinishTurn(turn.turn)]
        turn.interrupt(self._all.improviser, now_s)
        if how == "finish_phrase" and turn.closing is not None:
            length_s = turn.closing.end_by(now_s)
            if length_s is not None:
                turn.ask = replace(turn.ask, length_s=length_s)
                self._all.improviser.ask_for(turn.ask)
        self._all.ears.take(event)
        self._accompany(turn, event, now_s)
        return []

    def _accompany(self, turn: OpenTurn, event: Played, now_s: float) -> None:
        """From here on the answer is what a duet's support is: softer, and out of the player's way."""
        self._company.press(event.data[1], event.at_s)
        held = self._all.ears.turns.keys_down
        theirs = self._company.pitches(now_s, held)
        turn.loudness = ACCOMPANYING.loudness
        self._all.improviser.lean(register(ACCOMPANYING, theirs, held, self._all.settings.duet.distance))

    def _is_return(self, event: Played) -> bool:
        yielding = self._all.settings.yielding
        _, pitch, velocity = event.data
        return velocity >= yielding.min_velocity and yielding.lowest_key <= pitch <= yielding.highest_key

    def told(self, event: Event, now_s: float) -> list[Command]:
        """The stage tells what came of the answer."""
        match event:
            case Sounded(turn=turn) | Released(turn=turn) if self._is_current(turn):
                self._open.told(event, self._all.improviser)
                if self._open.overdue and self._open.all_released:
                    self._finish(self._open.times(now_s), now_s, yielded=False)
            case TurnCancelled(turn=turn, at_s=at_s) if self._is_current(turn):
                self._finish(self._open.times(at_s), at_s, yielded=True)
        return []

    def _is_current(self, turn: int) -> bool:
        return self._turn is not None and self._turn.turn == turn

    @property
    def _open(self) -> OpenTurn:
        if self._turn is None:
            raise RuntimeError("no answer is open")
        return self._turn

    def hand_over(self, now_s: float) -> list[Command]:
        """The player's turn is over, if anything was said in it."""
        if self.phase is not Phase.LISTENING or self._all.ears.turns.call is None:
            return []
        return self._begin(now_s, at_once=True)

    def leave(self, now_s: float) -> list[Command]:
        """What sounds comes to its end, nothing else of the answer does."""
        if self._turn is None:
            return []
        turn = self._turn
        self._finish(turn.times(), now_s, yielded=True)
        return [FinishTurn(turn.turn)]

    # --- the clock --------------------------------------------------------------------------------

    def next_wakeup_s(self) -> float | None:
        """When there is something to do."""
        if self.phase is Phase.YIELDING:
            return self._open.ends_s
        if self.phase is Phase.ANSWERING:
            return self._open.next_s
        times = (
            self._deadline_s(),
            self._rehearse_s(),
            self._invite_s(),
            self._background.next_wakeup_s(),
        )
        return min((at_s for at_s in times if at_s is not None), default=None)

    def wake(self, now_s: float) -> list[Command]:
        """Do what is due; call again while `next_wakeup_s` is past."""
        if self.phase is Phase.LISTENING:
            return self._listen_on(now_s)
        turn = self._open
        if self.phase is Phase.ANSWERING:
            commands = turn.go_on(self._all.improviser, now_s)
            if commands or not turn.drawn:
                return commands
        return self._end(now_s) if now_s >= turn.ends_s else []

    def _listen_on(self, now_s: float) -> list[Command]:
        deadline_s = self._deadline_s()
        if deadline_s is not None and now_s >= deadline_s:
            return self._begin(now_s)
        invite_s = self._invite_s()
        if invite_s is not None and now_s >= invite_s:
            return self._invite(now_s)
        rehearse_s = self._rehearse_s()
        if rehearse_s is not None and now_s >= rehearse_s:
            self._rehearse()
        else:
            self._background.wake(now_s)
        return []

    def _deadline_s(self) -> float | None:
        """When the player's turn is over unless something is played before."""
        return self._all.ears.turns.deadline_s()

    # --- answers that are thought of beforehand -----------------------------------------------------

    def _rehearse_s(self) -> float | None:
        deadline_s, call = self._deadline_s(), self._all.ears.turns.call
        if deadline_s is None or call is None or self._rehearsed:
            return None
        return max(call.last_onset_s + REHEARSE_AFTER_S, deadline_s - REHEARSE_BEFORE_S)

    def _rehearse(self) -> None:
        """Draw a note more of each."""
        if self._rehearsing is None:
            deadline_s, call = self._deadline_s(), self._all.ears.turns.call
            assert deadline_s is not None and call is not None
            self._all.follow_pulse(deadline_s)
            answer = self._all.settings.answer
            self._rehearsing = self._all.improviser.rehearse(
                self._all.turns + 1,
                self._all.ask(call, self._length_s(call)),
                count=answer.candidates,
                first_s=self._first_s(deadline_s, call),
                max_gap_s=answer.max_gap_s,
            )
        if next(self._rehearsing, self) is self:
            self._rehearsing, self._rehearsed = None, True

    # --- the answer -------------------------------------------------------------------------------

    def _begin(self, now_s: float, *, at_once: bool = False) -> list[Command]:
        call = self._all.ears.turns.call
        if call is None:
            return []
        number = self._all.next_turn()
        self._all.notify(CallHeard(number, call, tuple(self._all.ears.pitches)))
        length_s = self._length_s(call)
        ask = self._all.ask(call, length_s)
        idea = self._recollection.idea(number, call, now_s, length_s)
        first_s = (now_s, now_s) if at_once else self._first_s(now_s, call)
        return self._open_turn(number, ask, now_s, first_s, idea)

    def _open_turn(
        self,
        number: int,
        ask: Ask,
        now_s: float,
        first_s: tuple[float, float],
        idea: Sequence[Idea] = (),
        *,
        loudness: float = 1.0,
    ) -> list[Command]:
        answer = self._all.settings.answer
        self._background.abandon()
        self._all.follow_pulse(now_s)
        self._all.improviser.begin_turn(number, now_s, ask, idea)
        self._rehearsing, self._rehearsed = None, False
        closing = Closing(ask.length_s or answer.length_min_s, answer.max_gap_s)
        self._turn = OpenTurn(
            number, ask, first_s, answer.lookahead_s, answer.max_gap_s, closing, loudness=loudness
        )
        self._all.ears.begin()
        self.phase = Phase.ANSWERING
        return self._turn.go_on(self._all.improviser, now_s)

    # --- the invitation -----------------------------------------------------------------------------

    def _invite_s(self) -> float | None:
        """When improv invites the player, once after each time that something was played."""
        memory, last_s = self._all.settings.memory, self._all.ears.last_s
        if not memory.initiative or last_s is None or self._all.ears.turns.call is not None:
            return None
        silent_from_s = max(last_s, self._ended_s)
        return None if self._has_invited else silent_from_s + memory.initiative_after_s

    def _invite(self, now_s: float) -> list[Command]:
        self._has_invited = True
        ask = replace(self._all.ask(length_s=INVITATION_S), notes_per_s=INVITATION_NOTES_PER_S)
        return self._open_turn(
            self._all.next_turn(), ask, now_s, (now_s, now_s), loudness=INVITATION_LOUDNESS
        )

    def _length_s(self, call: Call) -> float:
        answer = self._all.settings.answer
        return min(answer.length_max_s, max(answer.length_min_s, call.length_s * answer.length_ratio))

    def _first_s(self, now_s: float, call: Call) -> tuple[float, float]:
        """Earliest and latest onset of the first note: on the player's pulse, or within a gap of theirs."""
        wait_s = self._all.settings.turn.max_wait_s
        if self._all.settings.answer.on_pulse:
            beat_s = self._all.next_beat_s(now_s, wait_s)
            if beat_s is not None:
                return beat_s, beat_s
        pace_s = self._all.ears.turns.pace_s
        return now_s, now_s + min(wait_s, pace_s or wait_s)

    def _end(self, now_s: float) -> list[Command]:
        """The answer is over; the last acknowledgements may still be on their way, or may never come."""
        turn = self._open
        if self.phase is Phase.YIELDING or turn.overdue or turn.all_released:
            self._finish(turn.times(now_s), now_s, yielded=self.phase is Phase.YIELDING)
        else:
            turn.ends_s, turn.overdue = now_s + PATIENCE_S, True
        return []

    def _finish(self, times: dict[int, tuple[float, float]], now_s: float, *, yielded: bool) -> None:
        turn = self._open
        self._all.improviser.close_turn(times)
        self._all.improviser.lean(None)
        self._turn, self.phase, self._ended_s = None, Phase.LISTENING, now_s
        self._all.notify(AnswerEnded(turn.turn, tuple(turn.pitches), turn.length_s, yielded))
        withheld, self._withheld = self._withheld, []
        for event in withheld:
            self._all.ears.take(event)
