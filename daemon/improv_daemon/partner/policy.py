"""What every mode is: a policy over turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

from improv_core.bars import Bars, TempoSource
from improv_core.improvising import Ask, Improvising
from improv_core.quantising_grid import STEPS, QuantisingGrid
from improv_core.recall import PhraseStore
from improv_core.representation import Pulse
from improv_core.turns import Call
from improv_daemon.directions import ask_of
from improv_daemon.partner.ears import Ears
from improv_daemon.partner.notices import Notice, Phase, Said
from improv_daemon.partner.takes import Takes
from improv_daemon.settings import FREE, Settings
from improv_daemon.wire import Command, Event, Played

PATIENCE_S: Final = 0.5
"""How long improv waits for the stage to say what has sounded before it goes on without."""

COUNT_FROM_S: Final = 0.1
"""The first click of a count-in comes no sooner."""


@dataclass(slots=True)
class Ensemble:
    """What all modes of a sitting share.

    Attributes:
        improviser: Draws the notes.
        ears: What the player does goes through them.
        settings: As they are now.
        seed: Of the choices that are not the improviser's.
        styles: That mean something to the model.
        beats: Whether beats do.
        notify: Called with what the terminal shows.
        turns: How many improv has begun.
        phrases: The player's, of the last minutes.
        count_in_s: When the latest count-in begins and ends; None: there was none.
        takes: What was played last by either.
    """

    improviser: Improvising
    ears: Ears
    settings: Settings
    seed: int
    styles: tuple[str, ...]
    beats: bool
    notify: Callable[[Notice], None]
    turns: int = 0
    phrases: PhraseStore = field(default_factory=PhraseStore)
    count_in_s: tuple[float, float] | None = None
    takes: Takes = field(default_factory=Takes)

    def next_turn(self) -> int:
        """Number another turn of improv's."""
        self.turns += 1
        return self.turns

    def say(self, text: str) -> list[Command]:
        """Tell the musician what cannot be, or what was done; that is all that is done."""
        self.notify(Said(text))
        return []

    def forget_answer(self, turn: int) -> bool:
        """Forget a turn of improv's, if nothing was played since; returns whether it is forgotten."""
        if not self.improviser.forget_answer(turn):
            return False
        self.phrases.go_back(turn)
        return True

    def forget_exchange(self) -> bool:
        """Forget what the player played last, and improv's turn after it; returns whether there was any."""
        forgotten = self.improviser.forget_exchange()
        if forgotten is None:
            return False
        if forgotten.turn is not None:
            self.phrases.go_back(forgotten.turn)
        self.takes.clear()
        return True

    def next_beat_s(self, now_s: float, within_s: float) -> float | None:
        """The player's next beat, or half of one, that comes so soon; None where the beat is not clear."""
        pulse = self.ears.pulse(now_s)
        if pulse is None:
            return None
        for beat_ms in (pulse.beat_ms, pulse.beat_ms / 2):
            behind_ms = (pulse.origin_ms - 1000 * now_s) % beat_ms
            if behind_ms <= 1000 * within_s:
                return now_s + behind_ms / 1000
        return None

    def grid(self, pulse: Pulse | None) -> QuantisingGrid | None:
        """What onsets are moved to, where the beats are like this; None: they are not moved."""
        time = self.settings.time
        if pulse is None or time.grid not in STEPS or not time.quantise:
            return None
        return QuantisingGrid(pulse, STEPS[time.grid], time.quantise)

    def beats_for_grid(self, now_s: float) -> Pulse | None:
        """The beats as they are estimated, where onsets are to be moved; that takes a while."""
        return self.ears.pulse(now_s) if self.settings.time.grid in STEPS else None

    def count_in(self, now_s: float) -> float | None:
        """Click some bars: from the next bar line on, or at once where nobody hears any bars yet.

        Returns:
            The bar line at their end; None where there is no tempo.
        """
        ruling = self.ears.tempo(now_s) or self.ears.bars(now_s, 1, tempo_bpm=self.ears.tempo_bpm)
        if ruling is None:
            return None
        source, bars = ruling
        from_s = now_s + COUNT_FROM_S
        if source is TempoSource.PLAYED:
            from_s = Bars(bars.pulse, 1).bar_start_after(from_s)
        if source in (TempoSource.PLAYED, TempoSource.SET):
            self.ears.kept.begin(from_s, bars.pulse.beat_ms / 1e3)
        else:
            from_s = bars.bar_start_after(from_s)
        count = max(1, self.settings.time.count_in_bars)
        beats = count * self.settings.time.beats_per_bar
        self.count_in_s = from_s, from_s + beats * bars.pulse.beat_ms / 1e3
        return self.count_in_s[1]

    def forget_count_in(self) -> None:
        """Nobody goes by the bars that were counted in any more, unless they are clicked or sent out."""
        self.count_in_s = None
        if not (self.settings.time.metronome or self.settings.time.clock_out):
            self.ears.kept.drop()

    def follow_pulse(self, now_s: float) -> None:
        """Let the model know where the beats are, if it knows what beats are."""
        if self.beats:
            self.improviser.follow(self.ears.pulse(now_s))

    def ask(self, call: Call | None = None, length_s: float | None = None) -> Ask:
        """What a turn is to be like by what is set, but for a style that means nothing to the model."""
        answer = self.settings.answer
        ask = ask_of(answer, call, length_s)
        known = answer.style == FREE or answer.style in self.styles
        return ask if known else Ask(None, ask.notes_per_s, ask.length_s)


class Policy(Protocol):
    """Who plays when. Pure: events and ``now_s`` in, commands for the stage out; it never waits."""

    @property
    def phase(self) -> Phase:
        """Who has the floor."""
        ...

    def played(self, event: Played, now_s: float) -> list[Command]:
        """Something came from the player; it is for the policy to let the ears have it."""
        ...

    def told(self, event: Event, now_s: float) -> list[Command]:
        """The stage tells what came of a plan."""
        ...

    def hand_over(self, now_s: float) -> list[Command]:
        """The player says: your turn."""
        ...

    def next_wakeup_s(self) -> float | None:
        """When `wake` wants to be called; None while only an event can change anything."""
        ...

    def wake(self, now_s: float) -> list[Command]:
        """Do what is due."""
        ...

    def another(self, now_s: float) -> list[Command]:
        """Forget the last answer and play a different one, or say why that cannot be."""
        ...

    def rest(self, now_s: float) -> list[Command]:
        """Be silent at once, and do nothing of itself until the player plays, or `resume`."""
        ...

    def resume(self, now_s: float) -> None:
        """Go on after `rest`."""
        ...

    def leave(self, now_s: float) -> list[Command]:
        """Another mode takes over: nothing new sounds from here on, and what sounds comes to its end."""
        ...


@runtime_checkable
class KeepsTime(Protocol):
    """A policy that goes by the tempo."""

    def retime(self, now_s: float) -> None:
        """MIDI clock or a tap has come: beats may be elsewhere than they were."""
        ...


@runtime_checkable
class CountsBars(Protocol):
    """A policy whose bars may be counted in."""

    @property
    def awaits_count_in(self) -> bool:
        """Whether nothing has begun, so that it may be counted in."""
        ...

    def count_in(self, until_s: float, now_s: float) -> list[Command]:
        """The player's bars begin then: they are being counted in."""
        ...
