"""What the modes have in common in which improv plays after the player has played."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from improv_core.closing import Closing
from improv_core.improvising import Ask
from improv_core.quantising_grid import QuantisingGrid
from improv_core.recall import Idea
from improv_core.representation import Pulse
from improv_core.turns import Call
from improv_daemon.partner.notices import Phase
from improv_daemon.partner.open_turn import OpenTurn
from improv_daemon.partner.policy import PATIENCE_S, Ensemble
from improv_daemon.partner.recollection import Recollection
from improv_daemon.partner.taking_turns import TakingTurns
from improv_daemon.wire import CancelTurn, Command, Played

REHEARSE_BEFORE_S: Final = 0.2
"""Answers are drawn beforehand from so long before the turn would be over: time for a hundred notes."""

REHEARSE_AFTER_S: Final = 0.05
"""Their first notes when nothing was struck for so long."""

MOVED_S: Final = 0.05
"""They are thought of anew where they would begin so much sooner or later: a key came up, say."""


class Responding(TakingTurns):
    """What is thought of before a turn of improv's, and what the player plays while it yields.

    Args:
        ensemble: Who plays.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        super().__init__(ensemble)
        self._withheld: list[Played] = []
        self._rehearsing: Iterator[None] | None = None
        self._rehearsed = False
        self._thought_for_s = 0.0
        self._recollection = Recollection(ensemble)
        self._answered: tuple[int, Call] | None = None
        self.phase = Phase.LISTENING

    @property
    def _open(self) -> OpenTurn:
        if self._turn is None:
            raise RuntimeError("no answer is open")
        return self._turn

    def _cut(self, turn: OpenTurn, now_s: float) -> list[Command]:
        """It ends at once; what has sounded of it the stage tells, or nobody."""
        self.phase = Phase.YIELDING
        turn.ends_s, turn.overdue = now_s + PATIENCE_S, False
        return [CancelTurn(turn.turn)]

    def _yield_on(self, now_s: float) -> None:
        """Wait for the stage to tell what has sounded of a turn that was cut, but not for ever."""
        turn = self._open
        if now_s >= turn.ends_s:
            self._finish(turn.times(now_s), now_s, yielded=self._has_yielded)

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

    def _is_rehearsing(self, begin_s: float) -> bool:
        """Whether what is thought of begins then."""
        return self._rehearsing is not None and abs(begin_s - self._thought_for_s) <= MOVED_S

    def _begin_rehearsal(self, ask: Ask, begin_s: float, first_s: tuple[float, float]) -> None:
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

    def _rehearse_on(self) -> None:
        """Draw a note more of each."""
        if self._rehearsing is None or next(self._rehearsing, self) is self:
            self._rehearsing, self._rehearsed = None, True

    def _think_anew(self) -> None:
        """Something was played: what was thought of is no answer to that."""
        self._rehearsing, self._rehearsed = None, False

    def rest(self, now_s: float) -> list[Command]:
        """Be silent at once."""
        commands = super().rest(now_s)
        self._think_anew()
        return commands

    # --- the answer -------------------------------------------------------------------------------

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
        grid = self._grid(now_s)
        self._begin_turn(number, ask, now_s, idea)
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
            grid=grid,
        )
        self.phase = Phase.ANSWERING
        return self._play_on(self._turn, now_s)

    def _grid(self, now_s: float) -> Callable[[float], QuantisingGrid | None]:
        """What a turn that begins now is moved to: by the beats of then, where nobody tells others."""
        before = self._told_beats(now_s) or self._all.beats_for_grid(now_s)
        return lambda at_s: self._all.grid(self._told_beats(at_s) or before)

    def _told_beats(self, now_s: float) -> Pulse | None:
        """The beats by anything but an estimate."""
        told = self._all.ears.told_tempo(now_s)
        return None if told is None else told[1].pulse

    def _finish(self, times: dict[int, tuple[float, float]], now_s: float, *, yielded: bool = False) -> None:
        self.phase = Phase.LISTENING
        super()._finish(times, now_s, yielded=yielded)
        withheld, self._withheld = self._withheld, []
        for event in withheld:
            self._hear(event, now_s)

    def _hear(self, event: Played, now_s: float) -> None:
        """Something of the player's while improv is silent."""
        self._all.ears.take(event)
