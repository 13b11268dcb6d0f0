"""The live partner: listens and plays as its mode says. Pure; events and ``now_s`` in, commands out.

It never waits: `Partner.next_wakeup_s` says when it wants to be woken, whoever holds the clock.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Final

from improv_core.bars import Bars, TempoSource
from improv_core.errors import ConfigError
from improv_core.improvising import Improvising, MemorySettings
from improv_core.sampler import Sampling
from improv_core.turns import TurnBounds, TurnTaker
from improv_daemon.directions import preset_in_words
from improv_daemon.partner.answering import Answering
from improv_daemon.partner.ears import Ears, is_pedal_up
from improv_daemon.partner.floor import Floor
from improv_daemon.partner.harmonising import Harmonising
from improv_daemon.partner.listening import Listening
from improv_daemon.partner.notices import KeepWanted, ModeChanged, Notice, Phase, Said
from improv_daemon.partner.policy import CountsBars, Ensemble, KeepsTime, Policy
from improv_daemon.partner.possible import cannot
from improv_daemon.partner.signals import signals_of
from improv_daemon.partner.surface import Surface
from improv_daemon.partner.timekeeping import Beats
from improv_daemon.partner.together import Duet, Solo
from improv_daemon.partner.trading import Trading
from improv_daemon.settings import MODES as MODE_NAMES
from improv_daemon.settings import Answer, Settings, changed
from improv_daemon.settings.presets import after
from improv_daemon.settings.rules import Value
from improv_daemon.wire import Change, Command, Cue, Event, KeepTime, Learn, Played, Wish

MODES: Final[Mapping[str, Callable[[Ensemble], Policy]]] = {
    "answer": Answering,
    "trade": Trading,
    "duet": Duet,
    "harmonise": Harmonising,
    "solo": Solo,
    "listen": Listening,
}


REFUSED_AGAIN_S: Final = 2.0
"""A knob or fader that is turned on and on is not refused at each of its steps, but after so long."""

NO_TEMPO_TO_COUNT: Final = (
    "There is no tempo to count in: send MIDI clock, tap the tempo, or set time.tempo_bpm."
)


class Partner:
    """Who plays when is the matter of its mode, which may be changed while playing, as may any setting.

    Args:
        improviser: Draws the notes.
        settings: To begin with.
        seed: Of choices that are not the improviser's.
        styles: That mean something to the model.
        beats: Whether beats do.
        notify: Called with what the terminal shows.
        unheeded: Says, with what the answers are to be like now, whether what was just set means nothing to
            the model; None: it does.

    Raises:
        ConfigError: The improviser cannot play in the mode.
    """

    def __init__(
        self,
        improviser: Improvising,
        settings: Settings,
        *,
        seed: int = 0,
        styles: tuple[str, ...] = (),
        beats: bool = False,
        notify: Callable[[Notice], None] = lambda notice: None,
        unheeded: Callable[[Change, Answer], str | None] = lambda change, answer: None,
    ) -> None:
        if refusal := cannot(improviser, settings.mode):
            raise ConfigError(refusal)
        ears = Ears(improviser, TurnTaker(bounds_of(settings)))
        ears.by_model = settings.turn.by_model
        self._all = Ensemble(improviser, ears, settings, seed, styles, beats, notify)
        self._floor = Floor(self._all, MODES)
        self._surface = Surface(settings)
        self._signals = signals_of(self._all, lambda: self.phase)
        self._unheeded = unheeded
        self._in_vain: tuple[str, float] = "", float("-inf")

    @property
    def mode(self) -> str:
        """Who plays when."""
        return self._all.settings.mode

    @property
    def phase(self) -> Phase:
        """Who has the floor."""
        return self._floor.phase

    @property
    def muted(self) -> bool:
        """Whether improv is silent until it is wanted again."""
        return self._floor.is_muted

    @property
    def looping(self) -> bool:
        """Whether something goes round."""
        return self._floor.is_looping

    @property
    def _is_apart(self) -> bool:
        """Whether the mode does nothing, as the musician wants it."""
        return self.muted or self.looping

    @property
    def _policy(self) -> Policy:
        return self._floor.policy

    @property
    def improviser(self) -> Improvising:
        """Who draws the notes."""
        return self._all.improviser

    @property
    def settings(self) -> Settings:
        """As they are now."""
        return self._all.settings

    @property
    def told_beats(self) -> KeepTime | None:
        """The beats that the stage goes by; None for none."""
        return next((signal.told for signal in self._signals if isinstance(signal, Beats)), None)

    @property
    def learning(self) -> str:
        """For which setting a controller is awaited; empty for none."""
        return self._surface.learning

    def tempo(self, now_s: float) -> tuple[TempoSource, Bars] | None:
        """The beats that are gone by now; None while nobody knows them."""
        time, ears = self._all.settings.time, self._all.ears
        known = ears.tempo(now_s)
        if known is not None or not time.tempo_bpm:
            return known
        return ears.bars(now_s, time.beats_per_bar, tempo_bpm=time.tempo_bpm)

    # --- events -----------------------------------------------------------------------------------

    def begin(self, now_s: float) -> list[Command]:
        """The sitting begins; returns what the stage is to be told before anything is played."""
        return self._count_in_if_set(now_s) + self._signalled(now_s)

    def handle(self, event: Event | Wish, now_s: float) -> list[Command]:
        """Take one event of the stage, or a wish of the musician; returns what the stage is to do now."""
        return self._taken(event, now_s) + self._signalled(now_s)

    def _taken(self, event: Event | Wish, now_s: float) -> list[Command]:
        match event:
            case Played():
                return self._played(event, now_s)
            case Change(key, value):
                return self._change(key, value, now_s)
            case Cue(name):
                return self._cue(name, now_s, now_s)
            case Learn(key):
                self._all.notify(self._surface.learn(key))
                return []
        return self._floor.told(event, now_s)

    def _signalled(self, now_s: float) -> list[Command]:
        return [command for signal in self._signals for command in signal.commands(now_s)]

    def _played(self, event: Played, now_s: float) -> list[Command]:
        if self._all.ears.keep_time(event):
            self._retime(now_s)
            return []
        meant = self._surface.take(event)
        is_heard = not meant.consumed or is_pedal_up(event.data)  # it may have gone down as music
        commands = self._floor.played(event, now_s) if is_heard else []
        for change in meant.changes:
            commands += self._change(change.key, change.value, now_s)
        for notice in meant.notices:
            self._all.notify(notice)
        return commands if meant.cue is None else commands + self._cue(meant.cue, event.at_s, now_s)

    def _cue(self, name: str, at_s: float, now_s: float) -> list[Command]:
        match name:
            case "hand_over":
                return self._floor.hand_over(now_s)
            case "panic":
                return self._floor.panic(now_s)
            case "mute":
                return self._floor.mute(now_s)
            case "again":
                return self._floor.again(now_s)
            case "another":
                return self._floor.another(now_s)
            case "loop":
                return self._floor.loop(now_s)
            case "undo":
                return self._floor.undo(now_s)
            case "keep":
                self._all.notify(KeepWanted())
                return []
            case "next_mode":
                return self._change("mode", self._next_mode(), now_s)
            case "next_preset":
                here = self._all.settings
                return self._change("preset", after(here.presets, here.preset), now_s)
            case "tap":
                self._all.ears.tap(at_s)
                self._retime(now_s)
                return self._count_in_if_set(now_s)
            case "count_in":
                return self._count_in(now_s)
        return []

    def _count_in_if_set(self, now_s: float) -> list[Command]:
        """Where the settings want bars to be counted in before it begins, and it has not yet."""
        counting = self._all.count_in_s is not None and now_s < self._all.count_in_s[1]
        waits = isinstance(self._policy, CountsBars) and self._policy.awaits_count_in and not self._is_apart
        ruling = self._all.ears.told_tempo(now_s)
        is_told = ruling is not None and ruling[0] is not TempoSource.CLOCK
        if counting or not waits or not self.settings.time.count_in_bars:
            return []
        return self._count_in(now_s) if is_told or self.settings.time.tempo_bpm else []

    def _count_in(self, now_s: float) -> list[Command]:
        until_s = self._all.count_in(now_s)
        if until_s is None:
            self._all.notify(Said(NO_TEMPO_TO_COUNT))
            return []
        if self._is_apart or not isinstance(self._policy, CountsBars):
            return []
        return self._policy.count_in(until_s, now_s)

    def _retime(self, now_s: float) -> None:
        if isinstance(self._policy, KeepsTime):
            self._policy.retime(now_s)

    def _next_mode(self) -> str:
        here = MODE_NAMES.index(self.mode)
        others = (*MODE_NAMES[here + 1 :], *MODE_NAMES[:here])
        possible = (mode for mode in others if mode in MODES and not cannot(self._all.improviser, mode))
        return next(possible, self.mode)

    def next_wakeup_s(self) -> float | None:
        """When `wake` wants to be called; None while only an event can change anything."""
        times = (self._floor.next_wakeup_s(), *(signal.next_wakeup_s() for signal in self._signals))
        return min((at_s for at_s in times if at_s is not None), default=None)

    def wake(self, now_s: float) -> list[Command]:
        """Do what is due; returns what the stage is to do. Call again while `next_wakeup_s` is past."""
        return self._floor.wake(now_s) + self._signalled(now_s)

    # --- settings ---------------------------------------------------------------------------------

    def _change(self, key: str, value: Value, now_s: float) -> list[Command]:
        try:
            settings = changed(self._all.settings, key, value)
            if settings.mode != self.mode and (refusal := cannot(self._all.improviser, settings.mode)):
                raise ConfigError(refusal)
            self._all.improviser.sampling = sampling_of(settings)
        except ConfigError as refusal:
            self._say_in_vain(key, value, str(refusal), now_s)
            return []
        before, self._all.settings = self._all.settings, settings
        self._all.improviser.memory = memory_of(settings)
        self._all.ears.turns.bounds = bounds_of(settings)
        self._all.ears.by_model = settings.turn.by_model
        self._surface.settings = settings
        if key == "preset" and settings.preset:
            self._all.notify(Said(preset_in_words(settings)))
        if in_vain := self._unheeded(Change(key, value), settings.answer):
            self._say_in_vain(key, value, in_vain, now_s)
        return self._go_over(settings, now_s) if settings.mode != before.mode else []

    def _say_in_vain(self, key: str, value: Value, text: str, now_s: float) -> None:
        """Text is typed, and answered each time; numbers come from knobs and faders, step by step."""
        latest, said_s = self._in_vain
        if isinstance(value, str) or key != latest or now_s >= said_s + REFUSED_AGAIN_S:
            self._all.notify(Said(text))
            self._in_vain = key, now_s

    def _go_over(self, settings: Settings, now_s: float) -> list[Command]:
        commands = self._floor.go_over(now_s)
        self._all.notify(ModeChanged(settings.mode))
        return commands + self._count_in_if_set(now_s)


def bounds_of(settings: Settings) -> TurnBounds:
    """How long improv waits."""
    turn = settings.turn
    return TurnBounds(
        turn.silence_min_s,
        turn.silence_max_s,
        turn.silence_factor,
        turn.held_min_s,
        turn.held_max_s,
        turn.held_factor,
    )


def sampling_of(settings: Settings) -> Sampling:
    """How freely notes are drawn."""
    sampling = settings.sampling
    return Sampling(**{name: getattr(sampling, name) for name in sampling.__slots__})


def memory_of(settings: Settings) -> MemorySettings:
    """How much is remembered."""
    memory = settings.memory
    return MemorySettings(memory.window_notes, memory.window_s, memory.own_weight, memory.follow)


def new_seed() -> int:
    """A seed for a sitting that asked for none in particular."""
    return random.SystemRandom().randrange(1, 2**32)
