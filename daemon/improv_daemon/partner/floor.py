"""Who has the floor: the mode, or what the musician has put in its place, be it silence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from improv_daemon.partner.answering import is_return_of
from improv_daemon.partner.ears import is_note_on
from improv_daemon.partner.notices import Looping, Muted, Phase
from improv_daemon.partner.policy import Ensemble, Policy
from improv_daemon.partner.repeating import Repetition
from improv_daemon.partner.resting import Resting
from improv_daemon.partner.takes import Take
from improv_daemon.wire import Command, Event, Panic, Played

NOTHING_TO_REPEAT: Final = "I have played nothing yet that I could play again."
NOTHING_TO_LOOP: Final = "Nothing has been played yet that could go round."
NOTHING_TO_UNDO: Final = "There is nothing more that I could forget."
UNDONE: Final = "The last turn is forgotten."
IS_MUTED: Final = "I am muted; unmute me first."
SOLO_IS_OVER: Final = "All is silent; hand over to me and the solo goes on."

_SUSTAIN: Final = 64
_ALL_NOTES_OFF: Final = 123

_YIELDING: Final = ("answer", "trade")
"""Modes in which what improv plays again makes way for the player."""


class Floor:
    """Carries out the cues that hold in every mode, and lets the mode play in between.

    Args:
        ensemble: Who plays.
        modes: What there is to choose from.
    """

    def __init__(self, ensemble: Ensemble, modes: Mapping[str, Callable[[Ensemble], Policy]]) -> None:
        self._all, self._modes = ensemble, modes
        self.policy: Policy = modes[ensemble.settings.mode](ensemble)
        self._resting = Resting(ensemble)
        self._again: Repetition | None = None
        self._is_muted = False

    @property
    def is_muted(self) -> bool:
        """Whether improv is to be silent."""
        return self._is_muted

    @property
    def is_looping(self) -> bool:
        """Whether something goes round."""
        return self._again is not None and self._again.goes_round

    @property
    def phase(self) -> Phase:
        """Who has the floor."""
        if self._again is not None:
            return Phase.TOGETHER if self._again.goes_round else Phase.ANSWERING
        return self._acting.phase

    @property
    def _is_resting(self) -> bool:
        return self._is_muted or self._again is not None

    @property
    def _acting(self) -> Policy:
        return self._resting if self._is_resting else self.policy

    # --- events -----------------------------------------------------------------------------------

    def played(self, event: Played, now_s: float) -> list[Command]:
        """A message of the player's that is music."""
        self._all.takes.played(event)
        commands = self._make_way(event, now_s) if is_note_on(event.data) else []
        return commands + self._noted(self._acting.played(event, now_s))

    def told(self, event: Event, now_s: float) -> list[Command]:
        """The stage tells what came of a plan."""
        self._all.takes.told(event)
        return self._noted(self.policy.told(event, now_s))

    def next_wakeup_s(self) -> float | None:
        """When there is something to do."""
        times = (self._acting.next_wakeup_s(), None if self._again is None else self._again.next_wakeup_s())
        return min((at_s for at_s in times if at_s is not None), default=None)

    def wake(self, now_s: float) -> list[Command]:
        """Do what is due."""
        again = self._again
        if again is not None and now_s >= again.next_wakeup_s():
            commands = again.wake(now_s)
            if again.is_over:
                self._end_repetition(now_s, [])
            return commands
        return self._noted(self._acting.wake(now_s))

    def _noted(self, commands: list[Command]) -> list[Command]:
        self._all.takes.commanded(commands)
        return commands

    # --- the mode -----------------------------------------------------------------------------------

    def go_over(self, now_s: float) -> list[Command]:
        """The mode is another: what goes round or is played again ends, silence stays."""
        commands = [] if self._again is None else self._end_repetition(now_s, self._again.finish())
        commands += self.policy.leave(now_s)
        self._all.ears.stir(now_s)
        self.policy = self._modes[self._all.settings.mode](self._all)
        return commands

    def hand_over(self, now_s: float) -> list[Command]:
        """The player says: your turn. What goes round ends with that."""
        if self._is_muted:
            return self._all.say(IS_MUTED)
        if self._again is None:
            return self._noted(self.policy.hand_over(now_s))
        commands = self._end_repetition(now_s, self._again.finish())
        if self._all.settings.mode == "solo":
            return commands  # it goes on by itself
        return commands + self._noted(self.policy.hand_over(now_s))

    # --- silence ------------------------------------------------------------------------------------

    def panic(self, now_s: float) -> list[Command]:
        """Everything is silent at once, the player's keys too; improv waits for the player."""
        commands = [] if self._is_resting else self.policy.rest(now_s)
        if self._again is not None:
            commands += self._drop(self._again.cancel())
        for number in (_ALL_NOTES_OFF, _SUSTAIN):
            let_go = Played((0xB0, number, 0), now_s, "")
            self._all.ears.take(let_go)
            self._all.takes.played(let_go)
        self._all.ears.begin()
        self._all.forget_count_in()
        if self._all.settings.mode == "solo" and not self._is_muted:
            self._all.say(SOLO_IS_OVER)
        return [*commands, Panic()]

    def mute(self, now_s: float) -> list[Command]:
        """Be silent from now on and listen, or no more."""
        commands: list[Command] = []
        if self._is_muted:
            self._is_muted = False
            self._go_on(now_s)
        else:
            commands = self._hold(now_s)
            self._is_muted = True
        self._all.ears.begin()
        self._all.ears.stir(now_s)
        self._all.notify(Muted(self._is_muted))
        return commands

    # --- once more ----------------------------------------------------------------------------------

    def again(self, now_s: float) -> list[Command]:
        """Play the last answer once more, from now on."""
        if self._is_muted:
            return self._all.say(IS_MUTED)
        if self._all.takes.answer(now_s) is None:
            return self._all.say(NOTHING_TO_REPEAT)
        return self._repeat(now_s, self._all.takes.answer, goes_round=False)

    def loop(self, now_s: float) -> list[Command]:
        """Let what was played last go round, or no more."""
        if self._again is not None and self._again.goes_round:
            commands = self._end_repetition(now_s, self._again.finish())
            self._all.ears.begin()
            return commands
        if self._is_muted:
            return self._all.say(IS_MUTED)
        if self._latest(now_s) is None:
            return self._all.say(NOTHING_TO_LOOP)
        commands = self._repeat(now_s, self._latest, goes_round=True)
        self._all.notify(Looping(True))
        return commands

    def _repeat(
        self, now_s: float, taken: Callable[[float], Take | None], *, goes_round: bool
    ) -> list[Command]:
        take = taken(now_s)
        if take is None:
            raise RuntimeError("nothing was played")
        commands = self._hold(now_s)
        self._all.ears.begin()
        self._again = Repetition(self._all, take, now_s, goes_round=goes_round)
        return commands + self._again.wake(now_s)

    def _latest(self, now_s: float) -> Take | None:
        takes, call = self._all.takes, self._all.ears.turns.call
        if not takes.is_players:
            return takes.answer(now_s)
        return takes.phrase(takes.call_from_s if call is None else call.first_onset_s, now_s)

    # --- what is forgotten --------------------------------------------------------------------------

    def another(self, now_s: float) -> list[Command]:
        """A different answer to the same call."""
        if self._is_muted:
            return self._all.say(IS_MUTED)
        commands = [] if self._again is None else self._end_repetition(now_s, self._again.cancel())
        return commands + self._noted(self.policy.another(now_s))

    def undo(self, now_s: float) -> list[Command]:
        """Forget the last turn of both; what goes round goes on."""
        stays = self._is_muted or self.is_looping
        commands = [] if stays else self._hold(now_s)
        self._all.ears.begin()
        self._resting.stop()
        is_forgotten = self._all.forget_exchange()
        if not stays:
            self._go_on(now_s)
        self._all.say(UNDONE if is_forgotten else NOTHING_TO_UNDO)
        return commands

    # --- between the mode and what stands for it --------------------------------------------------

    def _hold(self, now_s: float) -> list[Command]:
        """The mode is silent, and so is what stood for it."""
        if self._again is not None:
            return self._drop(self._again.cancel())
        return [] if self._is_muted else self.policy.rest(now_s)

    def _go_on(self, now_s: float) -> None:
        self._resting.stop()
        self.policy.resume(now_s)

    def _end_repetition(self, now_s: float, commands: list[Command]) -> list[Command]:
        self._drop(commands)
        self._go_on(now_s)
        return commands

    def _drop(self, commands: list[Command]) -> list[Command]:
        was_looping, self._again = self.is_looping, None
        if was_looping:
            self._all.notify(Looping(False))
        return commands

    def _make_way(self, event: Played, now_s: float) -> list[Command]:
        """An answer that is played again yields as an answer does."""
        settings, again = self._all.settings, self._again
        if again is None or again.goes_round or settings.mode not in _YIELDING:
            return []
        how = settings.yielding.how if settings.mode == "answer" else "finish_note"
        if not is_return_of(settings, event) or how not in ("cut", "finish_note"):
            return []
        return self._end_repetition(now_s, again.cancel() if how == "cut" else again.finish())
