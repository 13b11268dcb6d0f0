"""A model whose next note is known, and a room without clock or ports where a partner can be played with."""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from improv_core.improviser import Improviser
from improv_core.improvising import Improvising, MemorySettings
from improv_core.model import Model
from improv_core.performer import Outcome, Performer
from improv_core.representation import ATTRIBUTE_NAMES, ATTRIBUTES, WritingRepresentation
from improv_core.representation.asking import ASKED
from improv_core.sampler import Sampling
from improv_daemon.models import load_model
from improv_daemon.partner import Notice, Partner
from improv_daemon.partner.notices import Drawn
from improv_daemon.partner.open_turn import OpenTurn
from improv_daemon.settings import Settings, Turn
from improv_daemon.wire import (
    CancelTurn,
    Command,
    Event,
    FinishTurn,
    MovePedal,
    Panic,
    Played,
    PlayNote,
    Wish,
)

ASKED_FROM, ASKED_TO = 40, 80
BY_PACE = Turn(silence_min_s=0.35, silence_max_s=1.5, silence_factor=2.5, by_model=False)
_CERTAIN = 1e3
_IMPROV_CHANNEL = 1
_ENDLESS = 500


@functools.cache
def packaged_model() -> Model:
    """The model that ships with improv; whatever it plays, it plays notes."""
    return load_model("default")


def rounding() -> float:
    """How far outputs of the packaged model may lie apart when it was given the same in other portions.

    In int8, what shares a call shares the scale of its rounding.
    """
    return 0.1 if packaged_model().metadata.get("precision") == "int8" else 0.0


def model_that_plays(**values: int) -> Model:
    """The packaged model with its mind made up about some attributes.

    Args:
        values: Attribute to a value of it: ``dt`` and ``duration`` in milliseconds, ``pedal``, ``pitch``,
            ``velocity``.
    """
    model = copy.copy(packaged_model())
    weights, biases = list(model.heads.weights), list(model.heads.biases)
    for name, value in values.items():
        i = ATTRIBUTE_NAMES.index(name)
        weights[i] = np.zeros_like(weights[i])
        biases[i] = np.zeros_like(biases[i])
        biases[i][int(ATTRIBUTES[i].binning.bins(np.int64(value)))] = _CERTAIN
    model.heads = replace(model.heads, weights=tuple(weights), biases=tuple(biases))
    return model


def model_that_plays_what_is_asked(condition: str, **values: int) -> Model:
    """`model_that_plays` with a pitch that is `ASKED_FROM` and the class of what is asked.

    Classes begin anew at `ASKED_FROM` where the next would be above `ASKED_TO`.

    Args:
        condition: The name of one of `improv_core.representation.asking.ASKED`.
        values: As in `model_that_plays`.
    """
    model = model_that_plays(**values)
    heads, pitch = model.heads, ATTRIBUTE_NAMES.index("pitch")
    width = heads.weights[pitch].shape[1]
    tables = [np.zeros((column.size, width), dtype=np.float32) for column in ASKED]
    place = [column.name for column in ASKED].index(condition)
    weights, biases = list(heads.weights), list(heads.biases)
    weights[pitch], biases[pitch] = np.zeros_like(weights[pitch]), np.zeros_like(biases[pitch])
    for asked in range(ASKED[place].size):
        heard_as = asked % (ASKED_TO - ASKED_FROM + 1)
        tables[place][asked, heard_as] = _CERTAIN
        weights[pitch][ASKED_FROM + heard_as, heard_as] = 1
    model.heads = replace(heads, asked=tuple(tables), weights=tuple(weights), biases=tuple(biases))
    return model


def model_trained_on(*styles: str, beats: bool = False) -> Model:
    """The packaged model as if it had been trained on these styles alone."""
    model = copy.copy(packaged_model())
    model.styles, model.beats = styles, beats
    return model


def model_of(representation: WritingRepresentation, preset: str) -> Model:
    """The packaged model under another name; good for all but playing."""
    model = copy.copy(packaged_model())
    model.representation, model.preset = representation, preset
    return model


def improviser_of(
    model: Model | None = None, *, seed: int = 1, window_notes: int = 64, **sampling: float
) -> Improviser:
    """An improviser that has heard nothing."""
    chosen = replace(Sampling(), **sampling)
    memory = MemorySettings(window_notes=window_notes)
    return Improviser(model or packaged_model(), chosen, seed=seed, memory=memory)


def partner_of(
    model: Model | None = None,
    notices: list[Notice] | None = None,
    *,
    improviser: Improvising | None = None,
    settings: Settings | None = None,
    **answer: float,
) -> Partner:
    """A partner with the default settings, but for those of its answers.

    Without settings of their own turns end by the pace alone, so that a test can tell when.
    """
    settings = settings or Settings(turn=BY_PACE)
    seen = notices if notices is not None else []

    def notify(notice: Notice) -> None:
        if not isinstance(notice, Drawn):  # there are as many as notes
            seen.append(notice)

    return Partner(
        improviser or improviser_of(model),
        replace(settings, answer=replace(settings.answer, **{"candidates": 1, **answer})),
        notify=notify,
    )


@dataclass
class Room:
    """A partner, a performer that does what the stage would, and one clock that the test moves.

    Attributes:
        deaf: Acknowledgements of these kinds are lost on the way to the partner.
        sent: Every MIDI message that went out, with its time.
        events: Every event that the partner was told.
        commands: Every command of the partner's, with the time it was given.
        noticed: What the partner has told the musician, where it is to be told here.
    """

    partner: Partner
    now_s: float = 0.0
    deaf: tuple[type[Event], ...] = ()
    sent: list[tuple[float, tuple[int, ...]]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    commands: list[tuple[float, Command]] = field(default_factory=list)
    noticed: Sequence[Notice] = ()
    performer: Performer = field(default_factory=lambda: Performer(("out",), _IMPROV_CHANNEL))

    def play(self, *data: int, early_s: float = 0.0, source: str = "keyboard") -> None:
        """The player does this now, stamped a little before."""
        self.tell(Played(data, self.now_s - early_s, source))

    def press(self, *pitches: int, velocity: int = 64) -> None:
        """Keys go down now."""
        for pitch in pitches:
            self.play(0x90, pitch, velocity)

    def release(self, *pitches: int) -> None:
        """Keys come up now."""
        for pitch in pitches:
            self.play(0x80, pitch, 0)

    def call(self, *pitches: int, gap_s: float = 0.25, duration_s: float = 0.2) -> None:
        """A short phrase, one note after the other."""
        for pitch in pitches:
            self.press(pitch)
            self.run_for(duration_s)
            self.release(pitch)
            self.run_for(gap_s - duration_s)

    def wish(self, wish: Wish) -> None:
        """The musician wants something now."""
        self.obey(self.partner.handle(wish, self.now_s))

    def tell(self, event: Event) -> None:
        """The partner is told something."""
        self.events.append(event)
        self.obey(self.partner.handle(event, self.now_s))

    def run_for(self, seconds: float) -> None:
        """Let time pass: everything that falls due happens at its time."""
        until_s, at_once = self.now_s + seconds, 0
        while (next_s := self.next_s()) is not None and next_s <= until_s:
            at_once = at_once + 1 if next_s <= self.now_s else 0
            assert at_once < _ENDLESS, "something is due again and again"
            self.now_s = max(self.now_s, next_s)
            self.carry_out(self.performer.advance(self.now_s))
            wakeup_s = self.partner.next_wakeup_s()
            if wakeup_s is not None and wakeup_s <= self.now_s:
                self.obey(self.partner.wake(self.now_s))
        self.now_s = until_s

    def next_s(self) -> float | None:
        """When something falls due."""
        times = (self.performer.next_deadline_s(), self.partner.next_wakeup_s())
        return min((at_s for at_s in times if at_s is not None), default=None)

    def obey(self, commands: list[Command]) -> None:
        """Do what the stage would."""
        self.commands += [(self.now_s, command) for command in commands]
        for command in commands:
            match command:
                case PlayNote(turn, index, pitch, velocity, onset_s, release_s):
                    self.performer.play_note(turn, index, pitch, velocity, onset_s, release_s)
                case MovePedal(turn, value, at_s):
                    self.performer.move_pedal(turn, value, at_s)
                case CancelTurn(turn):
                    self.carry_out(self.performer.cancel_turn(turn, self.now_s))
                case FinishTurn(turn):
                    self.carry_out(self.performer.finish_turn(turn, self.now_s))
                case Panic():
                    self.panic()

    def panic(self) -> None:
        """The stage lets go of everything."""
        self.carry_out(self.performer.panic(self.now_s))

    def carry_out(self, outcome: Outcome) -> None:
        """What goes out, and what the partner is told of it."""
        self.sent += [(self.now_s, sending.data) for sending in outcome.sendings]
        for acknowledgement in outcome.acknowledgements:
            if not isinstance(acknowledgement, self.deaf):
                self.tell(acknowledgement)

    def forget(self) -> None:
        """What has been sent, told and done so far."""
        self.sent.clear()
        self.events.clear()
        self.commands.clear()

    @property
    def improviser(self) -> Improvising:
        """Who draws the notes."""
        return self.partner._all.improviser

    @property
    def turn(self) -> OpenTurn:
        """improv's open turn."""
        turn: OpenTurn = self.partner._policy._turn
        return turn

    @property
    def onsets(self) -> list[tuple[float, int]]:
        """When improv has struck which pitch."""
        return [(at_s, data[1]) for at_s, data in self.sent if data[0] & 0xF0 == 0x90]

    @property
    def pedal(self) -> list[tuple[float, int]]:
        """How improv has moved its pedal."""
        return [(at_s, data[2]) for at_s, data in self.sent if data[0] & 0xF0 == 0xB0 and data[1] == 64]
