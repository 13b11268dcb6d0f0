"""What the modes have in common in which improv plays after the player has played."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from improv_core.closing import Closing
from improv_core.improvising import Ask
from improv_core.recall import Idea
from improv_daemon.partner.background import Background
from improv_daemon.partner.notices import AnswerEnded, Phase
from improv_daemon.partner.open_turn import OpenTurn
from improv_daemon.partner.policy import Ensemble
from improv_daemon.partner.recollection import Recollection
from improv_daemon.wire import Command, Event, FinishTurn, Played, Released, Sounded, TurnCancelled

REHEARSE_BEFORE_S: Final = 0.2
"""Answers are drawn beforehand from so long before the turn would be over: time for a hundred notes."""

REHEARSE_AFTER_S: Final = 0.05
"""Their first notes when nothing was struck for so long."""

MOVED_S: Final = 0.05
"""They are thought of anew where they would begin so much sooner or later: a key came up, say."""


class Responding:
    """A turn of improv's, if any, what is thought of before it, and what becomes of it.

    Args:
        ensemble: Who plays.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        self._all = ensemble
        self._turn: OpenTurn | None = None
        self._withheld: list[Played] = []
        self._rehearsing: Iterator[None] | None = None
        self._rehearsed = False
        self._thought_for_s = 0.0
        self._background = Background(ensemble)
        self._recollection = Recollection(ensemble)
        self.phase = Phase.LISTENING

    @property
    def _open(self) -> OpenTurn:
        if self._turn is None:
            raise RuntimeError("no answer is open")
        return self._turn

    def _is_current(self, turn: int) -> bool:
        return self._turn is not None and self._turn.turn == turn

    def told(self, event: Event, now_s: float) -> list[Command]:
        """The stage tells what came of the answer."""
        match event:
            case Sounded(turn=turn) | Released(turn=turn) if self._is_current(turn):
                self._open.told(event, self._all.improviser)
                if self._open.overdue and self._open.all_released:
                    self._finish(self._open.times(now_s), now_s, yielded=False)
            case TurnCancelled(turn=turn, at_s=at_s) if self._is_current(turn):
                self._finish(self._open.times(at_s), at_s, yielded=self._has_yielded)
        return []

    @property
    def _has_yielded(self) -> bool:
        """What it means that a turn was cancelled."""
        return True

    def leave(self, now_s: float) -> list[Command]:
        """What sounds comes to its end, nothing else of the answer does; what was played is no call now."""
        turn = self._turn
        if turn is not None:
            self._finish(turn.times(), now_s, yielded=True)
        self._all.ears.begin()
        return [] if turn is None else [FinishTurn(turn.turn)]

    # --- answers that are thought of beforehand -----------------------------------------------------

    def _rehearse_before_s(self, begin_s: float | None) -> float | None:
        """When to think on of answers that begin then; None where that is done, or nothing was said.

        Their first notes come at once: nobody knows when the player hands over.
        """
        call = self._all.ears.turns.call
        if begin_s is None or call is None or self._rehearsed:
            return None
        begun_s = call.last_onset_s + REHEARSE_AFTER_S
        return begun_s if self._rehearsing is None else max(begun_s, begin_s - REHEARSE_BEFORE_S)

    def _rehearse(self, ask: Ask, begin_s: float, first_s: tuple[float, float]) -> None:
        """Draw a note more of each."""
        if self._rehearsing is None or abs(begin_s - self._thought_for_s) > MOVED_S:
            self._thought_for_s = begin_s
            self._keep_time(begin_s)
            answer = self._all.settings.answer
            self._rehearsing = self._all.improviser.rehearse(
                self._all.turns + 1,
                ask,
                count=answer.candidates,
                first_s=first_s,
                max_gap_s=answer.max_gap_s,
            )
        if next(self._rehearsing, self) is self:
            self._rehearsing, self._rehearsed = None, True

    def _think_anew(self) -> None:
        """Something was played: what was thought of is no answer to that."""
        self._rehearsing, self._rehearsed = None, False

    # --- the answer -------------------------------------------------------------------------------

    def _keep_time(self, now_s: float) -> None:
        """Let the model know where the beats are."""
        self._all.follow_pulse(now_s)

    def _open_turn(
        self,
        number: int,
        ask: Ask,
        now_s: float,
        first_s: tuple[float, float],
        idea: Sequence[Idea] = (),
        *,
        loudness: float = 1.0,
        until_s: float = float("inf"),
    ) -> list[Command]:
        answer = self._all.settings.answer
        self._background.abandon()
        self._keep_time(now_s)
        self._all.improviser.begin_turn(number, now_s, ask, idea)
        self._think_anew()
        closing = Closing(ask.length_s or answer.length_min_s, answer.max_gap_s)
        self._turn = OpenTurn(
            number,
            ask,
            first_s,
            answer.lookahead_s,
            answer.max_gap_s,
            closing,
            loudness=loudness,
            until_s=until_s,
        )
        self._all.ears.begin()
        self.phase = Phase.ANSWERING
        return self._turn.go_on(self._all.improviser, now_s)

    def _finish(self, times: dict[int, tuple[float, float]], now_s: float, *, yielded: bool) -> None:
        turn = self._open
        self._all.improviser.close_turn(times)
        self._all.improviser.lean(None)
        self._all.improviser.follow(None)  # where the beats of what comes next are nobody knows yet
        self._turn, self.phase = None, Phase.LISTENING
        self._all.notify(AnswerEnded(turn.turn, tuple(turn.pitches), turn.length_s, yielded))
        withheld, self._withheld = self._withheld, []
        for event in withheld:
            self._hear(event, now_s)

    def _hear(self, event: Played, now_s: float) -> None:
        """Something of the player's while improv is silent."""
        self._all.ears.take(event)
