"""Mode ``answer``: when the player stops, improv answers about as long, and gives way when they return."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from improv_core.duetting import ROLES, Company, register
from improv_core.turns import Call
from improv_daemon.partner.ears import is_note_on
from improv_daemon.partner.notices import CallHeard, Phase
from improv_daemon.partner.open_turn import OpenTurn
from improv_daemon.partner.policy import Ensemble
from improv_daemon.partner.responding import Responding
from improv_daemon.partner.taking_turns import NO_ANSWER, PLAYED_SINCE
from improv_daemon.settings import Settings
from improv_daemon.wire import Command, Played

ACCOMPANYING: Final = ROLES["support"]
"""What an answer becomes that plays on under the player."""

INVITATION_S: Final = 4.0
INVITATION_NOTES_PER_S: Final = 2.0
INVITATION_LOUDNESS: Final = 0.6
"""An invitation is short, sparse and soft."""


def is_return_of(settings: Settings, event: Played) -> bool:
    """Whether a note that the player strikes means that they are back."""
    yielding = settings.yielding
    _, pitch, velocity = event.data
    return velocity >= yielding.min_velocity and yielding.lowest_key <= pitch <= yielding.highest_key


class Answering(Responding):
    """Call and response.

    Args:
        ensemble: Who plays.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        super().__init__(ensemble)
        self._company = Company()
        self._ended_s = float("-inf")
        self._has_invited = False

    # --- events -----------------------------------------------------------------------------------

    def played(self, event: Played, now_s: float) -> list[Command]:
        """A message of the player's."""
        if is_note_on(event.data):
            self._has_invited = False
        if self.phase is Phase.YIELDING:
            self._withheld.append(event)
            return []
        if is_note_on(event.data):
            if self.phase is Phase.ANSWERING:
                return self._played_into(event, now_s)
            self._think_anew()
        self._all.ears.take(event)
        return []

    def _played_into(self, event: Played, now_s: float) -> list[Command]:
        """A key goes down while improv answers."""
        is_return, turn = is_return_of(self._all.settings, event), self._open
        how = self._all.settings.yielding.how if is_return else "overlap"
        if how == "cut":
            self._withheld.append(event)
            return self._cut(turn, now_s)
        if how == "finish_note":
            commands = self._stop(now_s)
            self._all.ears.take(event)
            return commands
        turn.interrupt(self._all.improviser, now_s)
        if how == "finish_phrase" and turn.closing is not None:
            length_s = turn.closing.end_by(now_s)
            if length_s is not None:
                turn.ask = replace(turn.ask, length_s=length_s)
                self._all.improviser.ask_for(turn.ask)
        self._all.ears.take(event)
        if is_return:
            self._accompany(turn, event, now_s)
        return []

    def _accompany(self, turn: OpenTurn, event: Played, now_s: float) -> None:
        """From here on the answer is what a duet's support is: softer, and out of the player's way."""
        self._company.press(event.data[1], event.at_s)
        held = self._all.ears.turns.keys_down
        theirs = self._company.pitches(now_s, held)
        turn.loudness = ACCOMPANYING.loudness
        self._all.improviser.lean(register(ACCOMPANYING, theirs, held, self._all.settings.duet.distance))

    def hand_over(self, now_s: float) -> list[Command]:
        """The player's turn is over, if anything was said in it."""
        if self.phase is not Phase.LISTENING or self._all.ears.turns.call is None:
            return []
        return self._begin(now_s, at_once=True)

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
        if self.phase is Phase.ANSWERING:
            return self._go_on(self._open, now_s)
        self._yield_on(now_s)
        return []

    def _listen_on(self, now_s: float) -> list[Command]:
        deadline_s = self._deadline_s()
        if deadline_s is not None and now_s >= deadline_s:
            return self._begin(now_s)
        invite_s = self._invite_s()
        if invite_s is not None and now_s >= invite_s:
            return self._invite(now_s)
        rehearse_s = self._rehearse_s()
        if rehearse_s is not None and now_s >= rehearse_s:
            self._rehearse_answer()
        else:
            self._background.wake(now_s)
        return []

    def _deadline_s(self) -> float | None:
        """When the player's turn is over unless something is played before."""
        return self._all.ears.turns.deadline_s()

    # --- answers that are thought of beforehand -----------------------------------------------------

    def _rehearse_s(self) -> float | None:
        return self._rehearse_before_s(self._deadline_s())

    def _rehearse_answer(self) -> None:
        deadline_s, call = self._deadline_s(), self._all.ears.turns.call
        assert deadline_s is not None
        assert call is not None
        if not self._is_rehearsing(deadline_s):
            ask = self._all.ask(call, self._length_s(call))
            self._begin_rehearsal(ask, deadline_s, self._first_s(deadline_s))
        self._rehearse_on()

    # --- the answer -------------------------------------------------------------------------------

    def _begin(self, now_s: float, *, at_once: bool = False) -> list[Command]:
        call = self._all.ears.turns.call
        if call is None:
            return []
        number = self._all.next_turn()
        self._all.notify(CallHeard(number, call, tuple(self._all.ears.pitches)))
        return self._answer(number, call, now_s, (now_s, now_s) if at_once else self._first_s(now_s))

    def _answer(self, number: int, call: Call, now_s: float, first_s: tuple[float, float]) -> list[Command]:
        self._answered = number, call
        length_s = self._length_s(call)
        ask = self._all.ask(call, length_s)
        idea = self._recollection.idea(number, call, now_s, length_s)
        return self._open_turn(number, ask, now_s, first_s, idea)

    def another(self, now_s: float) -> list[Command]:
        """Forget the answer, and play a different one to the same call."""
        if self._answered is None:
            return self._all.say(NO_ANSWER)
        is_playing = self.phase is Phase.ANSWERING
        if not is_playing and (self.phase is Phase.YIELDING or self._all.ears.turns.call is not None):
            return self._all.say(PLAYED_SINCE)
        commands = self.rest(now_s)
        number, call = self._answered
        if not self._all.forget_answer(number):
            return commands + self._all.say(PLAYED_SINCE if self._all.ears.turns.call else NO_ANSWER)
        return commands + self._answer(self._all.next_turn(), call, now_s, self._first_s(now_s))

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

    def _first_s(self, now_s: float) -> tuple[float, float]:
        """Earliest and latest onset of the first note: on the player's pulse, or within a gap of theirs."""
        wait_s = self._all.settings.turn.max_wait_s
        if self._all.settings.answer.on_pulse:
            beat_s = self._all.next_beat_s(now_s, wait_s)
            if beat_s is not None:
                return beat_s, beat_s
        pace_s = self._all.ears.turns.pace_s
        return now_s, now_s + min(wait_s, pace_s or wait_s)

    def _finish(self, times: dict[int, tuple[float, float]], now_s: float, *, yielded: bool = False) -> None:
        self._ended_s = now_s
        super()._finish(times, now_s, yielded=yielded)
