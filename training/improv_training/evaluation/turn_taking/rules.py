"""Rules that say when a turn is over, and what becomes of a call under each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np

from improv_core.expectation import Expectation, expectation_of
from improv_core.model import Model
from improv_core.notes import Part
from improv_core.representation import Notes
from improv_core.turns import TurnBounds, TurnTaker
from improv_training.evaluation.turn_taking.phrases import Span

BEATS_PER_BAR: Final = 4
UNKNOWN_BAR_S: Final = 2.0

BEFORE: Final = 40
"""Notes before the call that a rule has heard: a player's pace outlives a turn."""

PAUSE_S: Final = 60.0
"""Between those and the call."""


class Rule(Protocol):
    """Hears the player and names the end of the turn, as `improv_core.turns.TurnTaker` does."""

    def press(self, pitch: int, at_s: float) -> None:
        """A key goes down."""
        ...

    def expect(self, expectation: Expectation | None) -> None:
        """What the model expects after it."""
        ...

    def release(self, pitch: int, at_s: float) -> None:
        """A key comes up."""
        ...

    def deadline_s(self) -> float | None:
        """When the turn ends unless something is played before."""
        ...

    def begin(self) -> None:
        """The next note begins a new turn."""
        ...


class FixedRule(TurnTaker):
    """So much silence after the latest onset, all keys up; with keys down as improv does."""

    def __init__(self, silence_s: float) -> None:
        super().__init__(replace(TurnBounds(), silence_min_s=silence_s, silence_max_s=silence_s))
        self._silence = silence_s

    def expect(self, expectation: Expectation | None) -> None:
        """Of no concern."""

    def deadline_s(self) -> float | None:
        """The same whatever was played."""
        if self.keys_down or self.call is None:
            return super().deadline_s()
        return self.call.last_onset_s + self._silence


class PaceRule(TurnTaker):
    """improv's without its model."""

    def expect(self, expectation: Expectation | None) -> None:
        """Of no concern."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A call in its piece.

    Attributes:
        corpus: Where from.
        notes: The piece, or a stretch of it.
        expectations: What the model expects after each of its notes, where that was asked for.
        span: The call.
    """

    corpus: str
    notes: Notes
    expectations: Sequence[Expectation | None]
    span: Span

    @property
    def bar_s(self) -> float:
        """How long a bar is where the call ends: four beats, or two seconds where the beat is unknown."""
        setting = self.notes.setting
        beat_ms = 0 if setting is None else int(setting.beat_ms[self.span.end - 1])
        return BEATS_PER_BAR * beat_ms / 1000 if beat_ms else UNKNOWN_BAR_S


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule makes of a call.

    Attributes:
        interrupted: How many silences within the call it took for its end.
        wait_s: From the call's last onset to the hand-over.
        wait_up_s: From its last release; 0 where keys are still down.
    """

    interrupted: int
    wait_s: float
    wait_up_s: float


def expectations_of(model: Model, notes: Notes) -> list[Expectation]:
    """What the model expects after each note, the player playing them live; nothing else is known."""
    plain = replace(notes, setting=None)
    read = model.representation.rows(plain, np.full(len(notes), int(Part.PLAYER))).read
    _, state = model.advance(model.representation.start(), model.initial_state())
    expectations = []
    for i in range(len(read)):  # one at a time: int8 takes its scales from whatever shares a call
        projected, state = model.advance(read[i : i + 1], state)
        expectations.append(expectation_of(model.heads, projected))
    return expectations


def outcome(heard: Heard, rule: Rule) -> Outcome:
    """Play a call to a rule; at its end the player stops for good.

    Args:
        heard: The call.
        rule: Which has heard nothing yet.
    """
    warm_up = Span(max(0, heard.span.begin - BEFORE), heard.span.begin)
    for _ in _played(heard, warm_up, rule, 0.0):
        pass
    rule.begin()
    interrupted, handed_over, last_onset_s, last_s = 0, False, 0.0, 0.0
    for at_s, is_press, next_s in _played(heard, heard.span, rule, PAUSE_S):
        if is_press:
            interrupted += handed_over
            handed_over, last_onset_s = False, at_s
        last_s = at_s
        deadline_s = rule.deadline_s()
        if not handed_over and deadline_s is not None and deadline_s < next_s:
            handed_over, over_s = True, max(deadline_s, at_s)
    return Outcome(interrupted, over_s - last_onset_s, max(0.0, over_s - last_s))


def _played(heard: Heard, span: Span, rule: Rule, later_s: float) -> Iterator[tuple[float, bool, float]]:
    """Let the rule hear some notes; gives when each key moved, whether down, and when the next one does."""
    onset_s = heard.notes.onset_ms / 1000 + later_s
    events = []
    for i in range(span.begin, span.end):
        events.append((float(onset_s[i]), 1, i))
        events.append((float(onset_s[i]) + int(heard.notes.duration_ms[i]) / 1000, 0, i))
    events.sort()
    nexts_s = [at_s for at_s, _, _ in events[1:]] + [math.inf]
    for (at_s, is_press, i), next_s in zip(events, nexts_s, strict=False):
        pitch = int(heard.notes.pitch[i])
        if is_press:
            rule.press(pitch, at_s)
            rule.expect(heard.expectations[i])
        else:
            rule.release(pitch, at_s)
        yield at_s, bool(is_press), next_s


Rules = dict[str, Callable[[Heard], Rule]]
"""By name; made anew for each call."""


def improv(heard: Heard, bounds: TurnBounds | None = None) -> Rule:
    """As it comes."""
    return TurnTaker(bounds or TurnBounds())


def pace(heard: Heard) -> Rule:
    """As it is where `by_model` is off."""
    return PaceRule(TurnBounds())


def fixed(silence_s: float) -> Callable[[Heard], Rule]:
    """A fixed silence."""
    return lambda heard: FixedRule(silence_s)


def bar(heard: Heard) -> Rule:
    """A silence of one bar."""
    return FixedRule(heard.bar_s)
