"""What the modes have in common in which improv takes turns of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from improv_core.improvising import Ask
from improv_core.recall import Idea
from improv_daemon.partner.background import Background
from improv_daemon.partner.notices import AnswerEnded, Drawn
from improv_daemon.partner.open_turn import OpenTurn
from improv_daemon.partner.policy import PATIENCE_S, Ensemble
from improv_daemon.wire import CancelTurn, Command, Event, FinishTurn, Released, Sounded, TurnCancelled

NO_ANSWER: Final = "There is no answer yet that another one could replace."
TOGETHER: Final = "In mode {mode} we play at once, so there is no answer that another one could replace."
PLAYED_SINCE: Final = "You have played since that answer, so it stays; I answer what you play now."


class TakingTurns:
    """A turn of improv's, if any, what is told of it, and how it comes to its end.

    Args:
        ensemble: Who plays.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        self._all = ensemble
        self._turn: OpenTurn | None = None
        self._background = Background(ensemble)

    def told(self, event: Event, now_s: float) -> list[Command]:
        """The stage tells what came of the turn."""
        turn = self._turn
        match event:
            case Sounded(turn=number) | Released(turn=number) if turn is not None and turn.turn == number:
                turn.told(event, self._all.improviser)
                if turn.overdue and turn.all_released:
                    self._finish(turn.times(now_s), now_s)
            case TurnCancelled(turn=number, at_s=at_s) if turn is not None and turn.turn == number:
                times = turn.times(None if turn.stands else at_s)
                self._finish(times, now_s, yielded=self._has_yielded)
        return []

    @property
    def _has_yielded(self) -> bool:
        """What it means that a turn was cancelled."""
        return True

    def leave(self, now_s: float) -> list[Command]:
        """What sounds comes to its end, nothing else of the turn does; what was played is no call now."""
        commands = self._stop(now_s)
        self._all.ears.begin()
        return commands

    def rest(self, now_s: float) -> list[Command]:
        """Be silent at once."""
        self._background.abandon()
        turn = self._turn
        if turn is None:
            return []
        self._finish(turn.times(now_s), now_s, yielded=True)
        return [CancelTurn(turn.turn)]

    def resume(self, now_s: float) -> None:
        """It goes by the player."""

    def another(self, now_s: float) -> list[Command]:
        """Both play at once: nothing was an answer."""
        return self._all.say(TOGETHER.format(mode=self._all.settings.mode))

    def _begin_turn(self, number: int, ask: Ask, now_s: float, idea: Sequence[Idea] = ()) -> None:
        """The improviser takes over; what the player plays from here on is another call."""
        self._background.abandon()
        self._keep_time(now_s)
        self._all.improviser.begin_turn(number, now_s, ask, idea)
        self._all.takes.begin(number, self._all.ears.turns.call)
        self._all.ears.begin()

    def _keep_time(self, now_s: float) -> None:
        """Let the model know where the beats are."""
        self._all.follow_pulse(now_s)

    def _play_on(self, turn: OpenTurn, now_s: float) -> list[Command]:
        """Send what is near, or draw what comes next, and tell of it."""
        before = turn.latest
        commands = turn.go_on(self._all.improviser, now_s)
        note = turn.latest
        if note is not None and note is not before:
            self._all.notify(Drawn(note.turn, note.index))
        return commands

    def _go_on(self, turn: OpenTurn, now_s: float) -> list[Command]:
        commands = self._play_on(turn, now_s)
        if not commands and turn.drawn and now_s >= turn.ends_s:
            self._end(turn, now_s)
        return commands

    def _end(self, turn: OpenTurn, now_s: float) -> None:
        """It is over; the last acknowledgements may still be on their way, or may never come."""
        if turn.overdue or turn.all_released:
            self._finish(turn.times(now_s), now_s)
        else:
            turn.ends_s, turn.overdue = now_s + PATIENCE_S, True

    def _stop(self, now_s: float) -> list[Command]:
        """Begin no note more of it."""
        turn = self._turn
        if turn is None:
            return []
        self._finish(turn.times(), now_s, yielded=True)
        return [FinishTurn(turn.turn)]

    def _finish(self, times: dict[int, tuple[float, float]], now_s: float, *, yielded: bool = False) -> None:
        turn = self._turn
        if turn is None:
            raise RuntimeError("no turn is open")
        self._all.improviser.close_turn(times)
        self._background.abandon()
        self._all.improviser.lean(None)
        self._all.improviser.follow(None)  # where the beats of what comes next are nobody knows yet
        self._turn = None
        self._all.notify(AnswerEnded(turn.turn, tuple(turn.pitches), turn.length_s, yielded))
