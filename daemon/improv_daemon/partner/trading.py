"""Mode ``trade``: the player and improv play in turn, so many bars or seconds each."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from improv_core.closing import CLOSE_S
from improv_core.improvising import Ask
from improv_core.representation import Pulse
from improv_daemon.partner.ears import is_note_on
from improv_daemon.partner.notices import CallHeard, Phase, Said
from improv_daemon.partner.open_turn import OpenTurn
from improv_daemon.partner.policy import Ensemble
from improv_daemon.partner.responding import Responding
from improv_daemon.partner.stretch import Measure, Stretch
from improv_daemon.partner.taking_turns import PLAYED_SINCE
from improv_daemon.wire import Command, Played

LEAD_S: Final = 0.06
"""improv takes over so long before its bar line, that its first note be at the stage in time."""

ROOM_S: Final = CLOSE_S + 0.25
"""What improv plays is planned to end so long before its bars do, so that it closes and rings within them."""

MOST_ROOM: Final = 0.25
"""But no more than this part of them."""

SOONER_S: Final = 0.1
"""Where they end so much sooner than was planned, so does it."""

SHORTEST_S: Final = 0.15
"""Less than this left of its bars is nothing to begin in."""

NOT_MY_BARS: Final = "Another answer can only be had while my bars last, and these are not mine any more."

NO_TEMPO: Final = (
    "There is no tempo to trade bars by, so each of us plays {seconds:g} s: send MIDI clock, tap the tempo, "
    "or set time.tempo_bpm."
)


class Trading(Responding):
    """The player begins; then improv and the player have so many bars each, strictly.

    What the player plays into improv's bars is heard and cuts nothing. A player who says nothing in all of
    their bars rests, and so does improv: the next note begins anew. So does the one after the clock has
    stopped; until then whoever has the floor plays to the end of their bars.

    Args:
        ensemble: Who plays.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        super().__init__(ensemble)
        self._stretch: Stretch | None = None
        self._planned_to_s = 0.0
        self._has_picked_up = False
        self._has_said = False

    # --- events -----------------------------------------------------------------------------------

    def played(self, event: Played, now_s: float) -> list[Command]:
        """A message of the player's."""
        if self.phase is Phase.YIELDING:
            self._withheld.append(event)
        else:
            self._hear(event, now_s)
        return []

    def _hear(self, event: Played, now_s: float) -> None:
        ears = self._all.ears
        if is_note_on(event.data):
            if self._turn is not None:
                self._turn.interrupt(self._all.improviser, now_s)
            self._think_anew()
            stretch = self._stretch
            if stretch is None:
                ears.begin()
                self._stretch = Stretch.first(ears, Measure.of(self._all.settings), event.at_s, now_s)
            elif stretch.is_improvs and not self._has_picked_up and event.at_s >= stretch.pick_up_s:
                self._has_picked_up = True
                ears.begin()
        ears.take(event)
        if is_note_on(event.data):
            self.retime(now_s)

    def retime(self, now_s: float) -> None:
        """The bar lines are where the clock, whoever taps, or the player wants them now."""
        stretch = self._stretch
        if stretch is None:
            return
        stretch.follow(now_s)
        if stretch.is_improvs and self._turn is not None:
            self._turn.until_s = stretch.end_s
            if stretch.end_s < self._planned_to_s - SOONER_S:
                self._close_sooner(self._turn, stretch)

    def _close_sooner(self, turn: OpenTurn, stretch: Stretch) -> None:
        """The tempo has risen: what was planned would be cut off before it closes."""
        self._planned_to_s = stretch.end_s
        if turn.drawn or turn.closing is None:
            return
        length_s = turn.closing.end_by(stretch.end_s - _room_s(stretch))
        if length_s is not None:
            turn.ask = replace(turn.ask, length_s=length_s)
            self._all.improviser.ask_for(turn.ask)

    @property
    def awaits_count_in(self) -> bool:
        """Whether nobody's bars have begun."""
        return self._stretch is None and self._turn is None

    def count_in(self, until_s: float, now_s: float) -> list[Command]:
        """The player's bars begin then, whatever was going on."""
        commands = [] if self._turn is None or self.phase is Phase.YIELDING else self._cut(self._turn, now_s)
        self._think_anew()
        self._all.ears.begin()
        self._stretch = Stretch(self._all.ears, Measure.of(self._all.settings), until_s, now_s)
        return commands

    def hand_over(self, now_s: float) -> list[Command]:
        """The player's bars end with this one, if anything was said in them."""
        stretch = self._stretch
        if stretch is None or stretch.is_improvs or self._all.ears.turns.call is None:
            return []
        stretch.end_soon(now_s + LEAD_S)
        self._think_anew()
        return []

    def leave(self, now_s: float) -> list[Command]:
        """What sounds comes to its end, nothing else of the bars does."""
        commands = super().leave(now_s)
        self._stretch = None
        self._all.forget_count_in()
        self._all.ears.forget_taps()  # elsewhere nobody would remember having tapped
        return commands

    def rest(self, now_s: float) -> list[Command]:
        """Be silent at once; the player's next note begins anew."""
        commands = super().rest(now_s)
        self._stretch = None
        return commands

    def another(self, now_s: float) -> list[Command]:
        """Forget what was played in these bars of improv's, and play something else in what is left."""
        mine = self._stretch
        if mine is None or not mine.is_improvs or self.phase is Phase.YIELDING or self._answered is None:
            return self._all.say(NOT_MY_BARS)
        entry_s = mine.entry_s(now_s)
        left_s = mine.end_s - max(now_s, entry_s)
        if left_s < SHORTEST_S:
            return self._all.say(NOT_MY_BARS)
        (number, call), commands = self._answered, super().rest(now_s)
        if not self._all.forget_answer(number):
            return commands + self._all.say(PLAYED_SINCE)
        number = self._all.next_turn()
        self._answered = number, call
        length_s = left_s - min(ROOM_S, MOST_ROOM * left_s)
        ask, idea = (
            self._all.ask(call, length_s),
            self._recollection.idea(number, call, now_s, length_s),
        )
        return commands + self._open_turn(number, ask, now_s, (entry_s, entry_s), idea, until_s=mine.end_s)

    @property
    def _has_yielded(self) -> bool:
        # At the end of its bars it has not: it is over then.
        return self.phase is not Phase.YIELDING

    # --- the clock --------------------------------------------------------------------------------

    def next_wakeup_s(self) -> float | None:
        """When there is something to do."""
        if self.phase is Phase.YIELDING:
            return self._open.ends_s
        stretch = self._stretch
        times = [] if stretch is None else [self._due_s(stretch), self._rehearse_s(stretch)]
        times.append(self._background.next_wakeup_s() if self._turn is None else self._next_note_s())
        return min((at_s for at_s in times if at_s is not None), default=None)

    def wake(self, now_s: float) -> list[Command]:
        """Do what is due; call again while `next_wakeup_s` is past."""
        if self.phase is Phase.YIELDING:
            self._yield_on(now_s)
            return []
        self.retime(now_s)
        stretch = self._stretch
        if stretch is not None and now_s >= self._due_s(stretch):
            return self._give_back(stretch, now_s) if stretch.is_improvs else self._take_over(stretch, now_s)
        next_note_s = self._next_note_s()
        if next_note_s is not None:
            return self._play_on(self._open, now_s) if now_s >= next_note_s else []
        rehearse_s = None if stretch is None else self._rehearse_s(stretch)
        if stretch is not None and rehearse_s is not None and now_s >= rehearse_s:
            begin_s = self._due_s(stretch)
            if not self._is_rehearsing(begin_s):
                mine = stretch.next(Measure.of(self._all.settings), now_s)
                self._begin_rehearsal(self._ask(mine), begin_s, (mine.start_s, mine.start_s))
            self._rehearse_on()
        elif self._turn is None:
            self._background.wake(now_s)
        return []

    def _due_s(self, stretch: Stretch) -> float:
        """When the other is to take over."""
        return stretch.end_s if stretch.is_improvs else stretch.end_s - LEAD_S

    def _rehearse_s(self, stretch: Stretch) -> float | None:
        return None if stretch.is_improvs else self._rehearse_before_s(stretch.end_s - LEAD_S)

    def _next_note_s(self) -> float | None:
        """When something is to be drawn or sent; None where all is."""
        turn = self._turn
        if turn is None or (turn.drawn and turn.next_s >= turn.ends_s):
            return None
        return turn.next_s

    # --- from bar line to bar line ------------------------------------------------------------------

    def _take_over(self, stretch: Stretch, now_s: float) -> list[Command]:
        """The bars of improv begin, unless there is nothing to answer."""
        call = self._all.ears.turns.call
        if call is None or stretch.is_last:
            self._rest()
            return []
        mine = self._stretch = stretch.next(Measure.of(self._all.settings), now_s)
        self._has_picked_up = False
        if mine.end_s - now_s < SHORTEST_S:
            self._all.ears.begin()
            return []
        if mine.is_without_tempo and not self._has_said:
            self._has_said = True
            self._all.notify(Said(NO_TEMPO.format(seconds=mine.end_s - mine.start_s)))
        number, ask = self._all.next_turn(), self._ask(mine)
        self._all.notify(CallHeard(number, call, tuple(self._all.ears.pitches)))
        self._answered = number, call
        idea = self._recollection.idea(number, call, now_s, ask.length_s or 0.0)
        entry_s = mine.entry_s(now_s)
        return self._open_turn(number, ask, now_s, (entry_s, entry_s), idea, until_s=mine.end_s)

    def _give_back(self, stretch: Stretch, now_s: float) -> list[Command]:
        """The player's bars begin: nothing of improv's sounds any more."""
        if not self._has_picked_up:
            self._all.ears.begin()
        if stretch.is_last:
            self._rest()
        else:
            self._stretch = stretch.next(Measure.of(self._all.settings), now_s)
        return [] if self._turn is None else self._cut(self._turn, now_s)

    def _rest(self) -> None:
        self._stretch = None
        self._think_anew()
        self._all.ears.begin()
        self._all.forget_count_in()

    def _ask(self, mine: Stretch) -> Ask:
        self._planned_to_s = mine.end_s
        return self._all.ask(self._all.ears.turns.call, mine.end_s - mine.start_s - _room_s(mine))

    def _told_beats(self, now_s: float) -> Pulse | None:
        stretch = self._stretch
        return None if stretch is None or stretch.source is None else stretch.bars.pulse

    def _keep_time(self, now_s: float) -> None:
        """Let the model know where the beats are: those of the bars."""
        super()._keep_time(now_s)
        stretch = self._stretch
        if self._all.beats and stretch is not None and stretch.source is not None:
            self._all.improviser.follow(stretch.bars.pulse)


def _room_s(stretch: Stretch) -> float:
    """How long before the end of improv's bars what it plays is to end."""
    return min(ROOM_S, MOST_ROOM * (stretch.end_s - stretch.start_s))
