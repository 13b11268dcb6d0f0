"""Modes in which improv need not wait for the player's end: ``duet``, both at once, and ``solo``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np

from improv_core.closing import Closing
from improv_core.duetting import ROLES, Company, Role, goes_first, register
from improv_core.improvising import Ask
from improv_core.notes import Part
from improv_core.turns import CHORD_SPREAD_S
from improv_daemon.partner.ears import is_note_on
from improv_daemon.partner.notices import Phase
from improv_daemon.partner.open_turn import OpenTurn
from improv_daemon.partner.policy import Ensemble
from improv_daemon.partner.taking_turns import NO_ANSWER, TakingTurns
from improv_daemon.wire import Command, Event, Played, Sounded

SETTLE_NOTES: Final = 4
"""So many of improv's notes that have ended go into the memory at a time: re-planning may read the rest."""

PITCHES_TOLD: Final = 256
"""Of a turn that goes on and on the latest so many are told at its end."""

# --- duet

BEGIN_AFTER_S: Final = 0.6
"""improv joins in with the player's second onset, or so long after the only one."""

REST_GAPS: Final = 8.0
REST_AFTER_S: Final = (2.5, 6.0)
"""After so many of their usual gaps without a note, between these bounds, the player has stopped."""

HELD_LONGER: Final = 2.0
"""Times that while keys are down."""

CLOSE_S: Final = 2.0
"""When the player has stopped, improv comes to its close in about so long."""

_WHO_IS_NEXT: Final = 1 << 36

# --- solo

PHRASE_S: Final = (6.0, 14.0)
"""Phrases of a solo are between these long."""

BREATH_S: Final = (0.4, 1.6)
"""And so long is it from the end of one to the beginning of the next."""

DENSITY: Final = (0.7, 1.3)
"""Each phrase is so dense, over what the player has played or, where that is little, over `USUAL_PER_S`:
left to itself a model drifts, within a minute to thirty notes a second."""

USUAL_PER_S: Final = 5.0
LEAST_PER_S: Final = 1.5
MOST_PER_S: Final = 9.0
_RATED_NOTES: Final = 64
_REST_S: Final = 1.0

ENTRY_S: Final = 0.3
"""In which its first note is to come."""

HEARD_SINCE: Final = "You have played since that phrase, so it stays; another one follows."
_FORM: Final = 1 << 37


class _Together(TakingTurns):
    """What both have in common: improv plays whether the player does or not."""

    @property
    def phase(self) -> Phase:
        """Whether improv plays."""
        return Phase.LISTENING if self._turn is None else Phase.TOGETHER

    def _open_turn(
        self,
        number: int,
        ask: Ask,
        now_s: float,
        first_s: tuple[float, float],
        lookahead_s: float,
        max_gap_s: float,
        *,
        closing: Closing | None = None,
        within: Callable[[float], tuple[float, float]] | None = None,
    ) -> list[Command]:
        self._turn = OpenTurn(
            number,
            ask,
            first_s,
            lookahead_s,
            max_gap_s,
            closing,
            pitches=deque(maxlen=PITCHES_TOLD),
            within=within,
            settle_notes=SETTLE_NOTES,
            stands=True,
            grid=lambda at_s: self._all.grid(self._all.beats_for_grid(at_s)),
        )
        return self._play_on(self._turn, now_s)


class Duet(_Together):
    """Both play at once: improv plans as little ahead as it can, and anew with each note of the player's.

    It joins in when the player plays, and comes to its close when they stop.

    Args:
        ensemble: Who plays.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        super().__init__(ensemble)
        self._company = Company()
        self._presses = 0
        self._begin_s: float | None = None
        self._joined_s = 0.0
        self._closing = False

    @property
    def _role(self) -> Role:
        return ROLES[self._all.settings.duet.role]

    # --- events -----------------------------------------------------------------------------------

    def played(self, event: Played, now_s: float) -> list[Command]:
        """What the player plays changes what improv plays next."""
        if not is_note_on(event.data):
            self._all.ears.take(event)
            return []
        commands: list[Command] = []
        turn = self._turn
        if turn is not None and turn.drawn:
            commands, turn = self._stop(now_s), None
        if turn is not None:
            turn.interrupt(self._all.improviser, now_s)
        self._all.ears.take(event)
        self._hear(event, now_s)
        self._all.follow_pulse(now_s)
        if turn is not None and self._closing:
            turn.keep_on(self._all.improviser)
            self._closing = False
        return commands

    def _hear(self, event: Played, now_s: float) -> None:
        self._presses += 1
        joins = self._begin_s is not None and self._company.last_s + CHORD_SPREAD_S < event.at_s
        self._company.press(event.data[1], event.at_s)
        if self._turn is None:
            first_s = now_s + BEGIN_AFTER_S if self._begin_s is None else self._begin_s
            self._begin_s = now_s if joins else first_s
        elif len(self._all.ears.pitches) > PITCHES_TOLD:
            self._all.ears.begin()

    def told(self, event: Event, now_s: float) -> list[Command]:
        """The stage tells what came of a plan."""
        if isinstance(event, Sounded) and self._turn is not None and self._turn.turn == event.turn:
            self._company.played(event.at_s)
        return super().told(event, now_s)

    def rest(self, now_s: float) -> list[Command]:
        """Be silent at once, until the player goes on."""
        self._begin_s, self._closing = None, False
        return super().rest(now_s)

    def hand_over(self, now_s: float) -> list[Command]:
        """Join in at once."""
        return [] if self._turn is not None else self._join(now_s)

    # --- the clock --------------------------------------------------------------------------------

    def next_wakeup_s(self) -> float | None:
        """When there is something to do."""
        turn = self._turn
        times = [self._begin_s, None] if turn is None else [turn.next_s, self._rest_s()]
        times.append(self._background.next_wakeup_s())
        return min((at_s for at_s in times if at_s is not None), default=None)

    def wake(self, now_s: float) -> list[Command]:
        """Do what is due."""
        turn = self._turn
        if turn is None:
            if self._begin_s is not None and now_s >= self._begin_s:
                return self._join(now_s)
        else:
            rest_s = self._rest_s()
            if rest_s is not None and now_s >= rest_s:
                self._closing = True
                turn.close_in(CLOSE_S, self._all.improviser, now_s)
            if now_s >= turn.next_s:
                return self._go_on(turn, now_s)
        self._background.wake(now_s)
        return []

    def _rest_s(self) -> float | None:
        """When the player has stopped, unless they play before."""
        turn = self._turn
        if turn is None or self._closing or turn.drawn:
            return None
        least_s, most_s = REST_AFTER_S
        patience_s = min(most_s, max(least_s, REST_GAPS * self._company.gap_s))
        if self._all.ears.turns.keys_down:
            patience_s *= HELD_LONGER
        return max(self._company.last_s, self._joined_s) + patience_s

    # --- the turn ---------------------------------------------------------------------------------

    def _join(self, now_s: float) -> list[Command]:
        role, ask = self._role, self._all.ask()
        number = self._all.next_turn()
        self._begin_turn(number, ask, now_s)
        self._begin_s, self._joined_s, self._closing = None, now_s, False
        beat_s = self._all.next_beat_s(now_s, role.max_gap_s)
        first_s = (now_s, now_s + role.max_gap_s) if beat_s is None else (beat_s, beat_s)
        plan_s = self._all.settings.duet.plan_s
        return self._open_turn(
            number, ask, now_s, first_s, plan_s, role.max_gap_s, within=self._before_drawing
        )

    def _before_drawing(self, now_s: float) -> tuple[float, float]:
        """Say where the next note may lie, and how many there should be; returns when it may come."""
        turn = self._turn
        if turn is None:
            raise RuntimeError("no turn is open")
        role, company, improviser = self._role, self._company, self._all.improviser
        duet, held = self._all.settings.duet, self._all.ears.turns.keys_down
        turn.lookahead_s, turn.max_gap_s, turn.loudness = duet.plan_s, role.max_gap_s, role.loudness
        notes_per_s = role.notes_per_s(company.notes_per_s(now_s))
        turn.ask = replace(turn.ask, style=self._all.ask().style, notes_per_s=notes_per_s)
        improviser.ask_for(turn.ask)
        improviser.lean(register(role, company.pitches(now_s, held), held, duet.distance))
        if turn.latest is None:
            return float("-inf"), float("inf")
        last_s = turn.latest.onset_s
        latest_s = float("inf") if self._closing else last_s + role.max_gap_s
        key = (self._all.seed, turn.turn, turn.latest.index, self._presses, _WHO_IS_NEXT)
        chance = float(np.random.default_rng(key).random())
        if goes_first(role, company, now_s, chance, planned=turn.on_their_way(now_s)):
            return float("-inf"), latest_s
        return max(company.expected_s(), last_s + company.gap_s), latest_s


class Solo(_Together):
    """improv goes on alone, phrase after phrase; what is played into it is heard and changes how.

    Args:
        ensemble: Who plays.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        super().__init__(ensemble)
        self._begin_s: float | None = float("-inf")
        self._phrase: int | None = None
        self._is_to_go_on = False

    def played(self, event: Played, now_s: float) -> list[Command]:
        """It is heard."""
        if not is_note_on(event.data):
            self._all.ears.take(event)
            return []
        if self._turn is not None:
            self._turn.interrupt(self._all.improviser, now_s)
        self._all.ears.take(event)
        self._all.follow_pulse(now_s)
        if len(self._all.ears.pitches) > PITCHES_TOLD:
            self._all.ears.begin()
        return []

    def rest(self, now_s: float) -> list[Command]:
        """Be silent at once, and for good unless `resume` follows, or the player hands over."""
        self._is_to_go_on = self._turn is not None or self._begin_s is not None
        commands = super().rest(now_s)
        self._begin_s = None
        return commands

    def resume(self, now_s: float) -> None:
        """Go on with the next phrase, unless it had been stopped before."""
        if self._is_to_go_on:
            self._begin_s = now_s
        self._is_to_go_on = False

    def another(self, now_s: float) -> list[Command]:
        """Forget the phrase, and play another."""
        if self._phrase is None:
            return self._all.say(NO_ANSWER)
        commands = self.rest(now_s)
        if not self._all.forget_answer(self._phrase):
            self.resume(now_s)
            return commands + self._all.say(HEARD_SINCE)
        return commands + self._begin_phrase(now_s)

    def hand_over(self, now_s: float) -> list[Command]:
        """Stop; or begin again, after having stopped."""
        if self._turn is None and self._begin_s is None:
            return self._begin_phrase(now_s)
        commands = self._stop(now_s)
        self._begin_s = None
        return commands

    def next_wakeup_s(self) -> float | None:
        """When there is something to do."""
        at_s = self._begin_s if self._turn is None else self._turn.next_s
        times = (at_s, self._background.next_wakeup_s())
        return min((at_s for at_s in times if at_s is not None), default=None)

    def wake(self, now_s: float) -> list[Command]:
        """Do what is due."""
        turn = self._turn
        if turn is not None and now_s >= turn.next_s:
            return self._go_on(turn, now_s)
        if turn is None and self._begin_s is not None and now_s >= self._begin_s:
            return self._begin_phrase(now_s)
        self._background.wake(now_s)
        return []

    def _begin_phrase(self, now_s: float) -> list[Command]:
        length_s = self._chosen(PHRASE_S, self._all.turns + 1)
        answer, ask = self._all.settings.answer, self._all.ask(length_s=length_s)
        ask = replace(ask, notes_per_s=self._notes_per_s())
        number = self._phrase = self._all.next_turn()
        self._begin_turn(number, ask, now_s)
        self._begin_s = None
        first_s, closing = (now_s, now_s + ENTRY_S), Closing(length_s, answer.max_gap_s)
        return self._open_turn(
            number, ask, now_s, first_s, answer.lookahead_s, answer.max_gap_s, closing=closing
        )

    def _notes_per_s(self) -> float:
        onsets_s = [n.onset_s for n in self._all.improviser.heard if n.part is Part.PLAYER][-_RATED_NOTES:]
        per_s = USUAL_PER_S
        if len(onsets_s) == _RATED_NOTES:
            gaps_s = [min(_REST_S, after - before) for before, after in pairwise(onsets_s)]
            per_s = len(gaps_s) / max(sum(gaps_s), 1.0)
        per_s *= self._chosen(DENSITY, self._all.turns + 1) * (self._all.settings.answer.density_ratio or 1.0)
        return min(MOST_PER_S, max(LEAST_PER_S, per_s))

    def _chosen(self, bounds: tuple[float, float], turn: int) -> float:
        key = (self._all.seed, turn, round(1000 * bounds[0]), _FORM)
        return float(np.random.default_rng(key).uniform(*bounds))

    def _finish(self, times: dict[int, tuple[float, float]], now_s: float, *, yielded: bool = False) -> None:
        super()._finish(times, now_s, yielded=yielded)
        self._begin_s = now_s + self._chosen(BREATH_S, self._all.turns)
