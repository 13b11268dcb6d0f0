"""What every mode is: a policy over turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

from improv_core.improvising import Ask, Improvising
from improv_core.recall import PhraseStore
from improv_core.turns import Call
from improv_daemon.directions import ask_of
from improv_daemon.partner.ears import Ears
from improv_daemon.partner.notices import Notice, Phase
from improv_daemon.settings import FREE, Settings
from improv_daemon.wire import Command, Event, Played

PATIENCE_S: Final = 0.5
"""How long improv waits for the stage to say what has sounded before it goes on without."""


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

    def next_turn(self) -> int:
        """Number another turn of improv's."""
        self.turns += 1
        return self.turns

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

    def leave(self, now_s: float) -> list[Command]:
        """Another mode takes over: nothing new sounds from here on, and what sounds comes to its end."""
        ...


@runtime_checkable
class KeepsTime(Protocol):
    """A policy that goes by the tempo."""

    def retime(self, now_s: float) -> None:
        """MIDI clock or a tap has come: beats may be elsewhere than they were."""
        ...
