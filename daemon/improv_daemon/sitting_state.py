"""How a sitting stands: what the live view and ``improv status`` tell of it."""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from improv_core.bars import Bars, TempoSource
from improv_daemon.display import Opening
from improv_daemon.modes import IN_WORDS
from improv_daemon.notches import in_words, share_of
from improv_daemon.partner import Drawn, Looping, ModeChanged, Muted, Notice, Phase, Said
from improv_daemon.screen.snapshot import IMPROV, YOU, Dial, Sentence, Snapshot, Tempo, Timing
from improv_daemon.settings import Settings
from improv_daemon.settings.knob_texts import bindings_of
from improv_daemon.settings.layers import value_of
from improv_daemon.settings.schema import REGISTRY
from improv_daemon.sparing import Sparing
from improv_daemon.wire import (
    Command,
    Event,
    Played,
    PlayNote,
    PortsChanged,
    Ready,
    Released,
    Sounded,
    Trouble,
    TurnCancelled,
    Wish,
    Woken,
)

NOTES_KEPT: Final = 128
"""The roll has so many notes at most ..."""

KEPT_S: Final = 60.0
"""... that ended no longer ago than this."""

TEMPO_EACH_S: Final = 0.5
"""It is not asked for oftener: to find it in the playing takes a while."""

_SAID_KEPT: Final = 6
_TIMED: Final = 64
_MS: Final = 1e3
_ALL_OFF: Final = (120, 123)

_FIRST: Final = {
    "answer": (("answer.length_ratio", "length"), ("turn.silence_factor", "patience")),
    "trade": (("trade.bars", "bars each"), ("answer.candidates", "candidates")),
    "duet": (("duet.role", "role"), ("duet.distance", "distance")),
    "harmonise": (("harmonise.voices", "voices"), ("harmonise.side", "side")),
    "solo": (("answer.max_gap_s", "longest gap"), ("sampling.polyphony", "polyphony")),
    "listen": (),
}
_EVER: Final = (
    ("sampling.temperature", "temperature"),
    ("answer.density_ratio", "density"),
    ("answer.style", "style"),
    ("sampling.scale", "scale"),
    ("memory.follow", "follow"),
    ("sampling.velocity_follow", "loudness"),
    ("memory.own_weight", "own weight"),
    ("time.tempo_bpm", "tempo"),
    ("time.grid", "grid"),
    ("time.metronome", "metronome"),
)
"""What can be turned at the terminal: by mode, then in all; keys and short names."""


class Playing(Protocol):
    """What is asked of a partner."""

    @property
    def settings(self) -> Settings:
        """As they are now."""

    @property
    def phase(self) -> Phase:
        """Who has the floor."""

    @property
    def learning(self) -> str:
        """For which setting a controller is awaited; empty for none."""

    def tempo(self, now_s: float) -> tuple[TempoSource, Bars] | None:
        """The beats that are gone by, and who says so; None while nobody does."""


class SittingState:
    """Keeps what is needed to tell at any time how a sitting stands; a witness and a display.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._notes: deque[_Note] = deque(maxlen=NOTES_KEPT)
        self._sounding: dict[_Place, _Note] = {}
        self._late_s: deque[float] = deque(maxlen=_TIMED)
        self._thought_s: deque[float] = deque(maxlen=_TIMED)
        self._drawn = 0
        self._said: deque[Sentence] = deque(maxlen=_SAID_KEPT)
        self._sparing = Sparing()
        self._opening = Opening("", "", Ready((), (), None, ()))
        self._inputs: tuple[str, ...] = ()
        self._outputs: tuple[str, ...] = ()
        self._muted = self._looping = False
        self._dials: tuple[Dial, ...] = ()
        self._dials_of: Settings | None = None
        self._tempo: Tempo | None = None
        self._tempo_s = -math.inf

    # --- display --------------------------------------------------------------------------------------

    def opening(self, opening: Opening) -> None:
        """The stage is up."""
        self._opening = opening
        self._inputs, self._outputs = opening.ready.inputs, opening.ready.outputs
        for remark in opening.remarks:
            self.line(remark)
        for problem in opening.ready.problems:
            self.note(problem)
        if opening.hint and not self._inputs and opening.ready.sound is None:
            self.line("Without MIDI and sound, try: improv demo")

    def line(self, text: str) -> None:
        """A sentence that is good to know."""
        self._say(text, is_problem=False)

    def note(self, text: str) -> None:
        """A sentence about what is not as it should be."""
        self._say(text, is_problem=True)

    def event(self, event: Event) -> None:
        """The stage has said something."""
        match event:
            case Played():
                self._played(event)
            case Sounded(turn, index, pitch, _, at_s, late_s):
                self._begin(_Note(IMPROV, pitch, round(at_s, 3), (turn, index)))
                self._late_s.append(late_s)
            case Released(turn, index, _, at_s):
                self._let_go((turn, index), at_s)
            case TurnCancelled(turn, at_s, _):
                for place in [place for place in self._sounding if place[0] == turn]:
                    self._let_go(place, at_s)
            case PortsChanged(inputs, outputs):
                self._inputs, self._outputs = inputs, outputs
            case Trouble(text):
                self.note(text)

    def notice(self, notice: Notice) -> None:
        """The partner has something to tell."""
        match notice:
            case Drawn():
                self._drawn += 1
            case Said(text) if self._sparing.takes(text, self._clock()):
                self.line(text)
            case Muted(muted):
                self._muted = muted
            case Looping(looping):
                self._looping = looping
            case ModeChanged():
                self._looping = False

    def saw(
        self, message: Event | Wish | Woken, commands: Sequence[Command], begun_s: float, ended_s: float
    ) -> None:
        """What the mind did upon a message, and how long that took; see `improv_daemon.witness.Witness`."""
        notes = self._drawn or sum(isinstance(command, PlayNote) for command in commands)
        if notes:
            self._thought_s.append((ended_s - begun_s) / notes)
        self._drawn = 0

    def outcome(self, text: str) -> None:
        """See `improv_daemon.display.Display`."""

    def end(self) -> None:
        """See `improv_daemon.display.Display`."""

    # --- how it stands --------------------------------------------------------------------------------

    def snapshot(self, playing: Playing, now_s: float) -> Snapshot:
        """How things stand now.

        Args:
            playing: The partner.
            now_s: What time it is.
        """
        settings = playing.settings
        ready = self._opening.ready
        while self._notes and (end_s := self._notes[0].end_s) is not None and end_s < now_s - KEPT_S:
            self._notes.popleft()
        return Snapshot(
            mode=settings.mode,
            mode_words=IN_WORDS[settings.mode],
            phase=playing.phase.value,
            states=(*(("muted",) if self._muted else ()), *(("looping",) if self._looping else ())),
            model=self._opening.model,
            preset=settings.preset,
            tempo=self._tempo_of(playing, now_s),
            notes=tuple((note.who, note.pitch, note.onset_s, note.end_s) for note in self._notes),
            dials=self._dials_for(settings),
            inputs=self._inputs,
            outputs=self._outputs,
            sound=ready.sound,
            timing=self._timing(),
            said=tuple(self._said),
            learning=playing.learning,
        )

    @property
    def problems(self) -> tuple[Sentence, ...]:
        """What went wrong of late."""
        return tuple(one for one in self._said if one.is_problem)

    def _say(self, text: str, *, is_problem: bool) -> None:
        self._said.append(Sentence(text, round(self._clock(), 3), is_problem))

    def _played(self, event: Played) -> None:
        if len(event.data) != 3:
            return
        status, number, value = event.data
        kind = status & 0xF0
        if kind == 0x90 and value:
            self._let_go((_YOURS, number), event.at_s)
            self._begin(_Note(YOU, number, round(event.at_s, 3), (_YOURS, number)))
        elif kind in (0x80, 0x90):
            self._let_go((_YOURS, number), event.at_s)
        elif kind == 0xB0 and number in _ALL_OFF:
            for place in [place for place in self._sounding if place[0] == _YOURS]:
                self._let_go(place, event.at_s)

    def _let_go(self, place: _Place, at_s: float) -> None:
        note = self._sounding.pop(place, None)
        if note is not None:
            note.end_s = round(at_s, 3)

    def _begin(self, note: _Note) -> None:
        if len(self._notes) == NOTES_KEPT:
            # What sounds on and on and is no longer on the roll is not waited for.
            oldest = self._notes[0]
            if self._sounding.get(oldest.place) is oldest:
                del self._sounding[oldest.place]
        self._notes.append(note)
        self._sounding[note.place] = note

    def _tempo_of(self, playing: Playing, now_s: float) -> Tempo | None:
        if now_s - self._tempo_s >= TEMPO_EACH_S:
            self._tempo, self._tempo_s = _tempo(playing, now_s), now_s
        return self._tempo

    def _timing(self) -> Timing:
        late, thought = self._late_s, self._thought_s
        return Timing(
            round(_MS * statistics.median(late), 2) if late else None,
            round(_MS * max(late), 2) if late else None,
            round(_MS * statistics.median(thought), 2) if thought else None,
        )

    def _dials_for(self, settings: Settings) -> tuple[Dial, ...]:
        if settings is not self._dials_of:
            self._dials_of = settings
            named = (*_FIRST[settings.mode], *_EVER)
            self._dials = tuple(_dial(key, name, settings) for key, name in named)
        return self._dials


_Place = tuple[int, int]
"""Turn and index of a note of improv's; `_YOURS` and the pitch of the player's."""

_YOURS: Final = -1


@dataclass(slots=True)
class _Note:
    who: int
    pitch: int
    onset_s: float
    place: _Place
    end_s: float | None = None


def _dial(key: str, name: str, settings: Settings) -> Dial:
    value = value_of(settings, key)
    knobs = (f"cc {one.controller}" for one in bindings_of(settings.controls.knobs) if one.key == key)
    return Dial(key, name, in_words(key, value), share_of(key, value), REGISTRY[key].help, next(knobs, ""))


def _tempo(playing: Playing, now_s: float) -> Tempo | None:
    known = playing.tempo(now_s)
    if known is None:
        return None
    source, bars = known
    steady = source is not TempoSource.PLAYED
    beat_s, origin_s = round(bars.pulse.beat_ms / _MS, 5), round(bars.start_s(0), 3)
    return Tempo(beat_s, origin_s, bars.beats_per_bar, source.value, steady)
