"""What an improviser of the representation ``piano`` hears and remembers: model state, window and cache."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from improv_core.drawing import asked_of
from improv_core.exchanges import Forgetting
from improv_core.expectation import Expectation, expectation_of
from improv_core.heard import HeardNote
from improv_core.improvised_turn import ImprovisedTurn
from improv_core.improvising import Ask, Beside, MemorySettings, PlannedNote
from improv_core.leaning import Leanings
from improv_core.live_cache import LiveCache
from improv_core.model import Model
from improv_core.notes import Part
from improv_core.rehearsal import Rehearsal
from improv_core.representation import PianoStream, Pulse, Steps, to_ms
from improv_core.rolling_memory import MemoryMark, RollingMemory
from improv_core.seed_window import SeedWindow
from improv_core.tail import Press
from improv_core.voice import Voice

ANSWERS_REMEMBERED: Final = 8
"""An answer is not to repeat one of so many before it."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """How things stood."""

    voice: Voice
    memory: MemoryMark
    call_from_s: float
    answers: tuple[tuple[PlannedNote, ...], ...]


class Listener(Forgetting[_Mark]):
    """Listens and remembers.

    Args:
        model: The loaded model.
        seed: Of what is left out when the state is made anew.
        memory: How much is remembered.
        style: What is heard before the first turn is read as.
    """

    def __init__(self, model: Model, *, seed: int, memory: MemorySettings, style: str | None) -> None:
        super().__init__()
        self._model = model
        self._window = SeedWindow(memory.window_notes, memory.window_s, memory.own_weight, seed=seed)
        self._cache = LiveCache(model.heads, memory.follow)
        self._memory = RollingMemory(self._window, self._cache, memory)
        self._committed = Voice.at_the_start(model, style)
        self._pedal = 0
        self._turn: ImprovisedTurn | None = None
        self._rehearsal: Rehearsal | None = None
        self._leanings: Leanings | None = None
        self._call_from_s = float("-inf")
        self._answers: deque[tuple[PlannedNote, ...]] = deque(maxlen=ANSWERS_REMEMBERED)

    @property
    def window(self) -> tuple[Steps, ...]:
        """The rolling seed window: the steps of the latest notes that have sounded, oldest first."""
        return tuple(one.step for one in self._window)

    @property
    def heard(self) -> Sequence[HeardNote]:
        """What is remembered of both players, that of the open turn included."""
        heard = self._window.heard
        if self._turn is not None:
            heard += self._turn.heard
        return heard

    @property
    def outgrown(self) -> bool:
        """Whether the state has read much that the window holds no more."""
        return self._window.is_stale

    @property
    def voice(self) -> Voice:
        """The place in the music after the latest note."""
        return self._committed if self._turn is None else self._turn.tail.ahead

    # --- what the player does ---------------------------------------------------------------------

    def press(self, pitch: int, velocity: int, at_s: float) -> None:
        """A key goes down: the model advances at once. What is planned after it counts as fixed.

        A time before the latest onset counts as that onset: a key may be stamped a little before the last
        note of the answer that it cuts short.
        """
        press = Press(pitch, velocity, at_s, self._pedal)
        self._rehearsal = None
        before = self._committed
        if self._turn is not None:
            before, after = self._turn.tail.press(press)
            self._turn.think_anew()
            self._leanings = None
        else:
            self._exchanges.go_on()
            after = self._committed = before.pressed(self._model, pitch, velocity, at_s)
            self._memory.keep_press(press, after)
        self._memory.strike(press, before, after)
        for mark in self._exchanges.marks():
            mark.voice.stream.release(pitch, to_ms(at_s))

    def release(self, pitch: int, at_s: float) -> None:
        """A key comes up; every snapshot learns of it."""
        self._memory.release(pitch, at_s)
        if self._turn is not None:
            self._turn.tail.release(pitch, at_s)
        for stream in self._all_streams():
            stream.release(pitch, to_ms(at_s))

    def move_pedal(self, value: int) -> None:
        """The player's pedal, 0..127."""
        self._pedal = value
        for stream in self._all_streams():
            stream.move_pedal(value)

    def follow(self, pulse: Pulse | None) -> None:
        """Where the beats of the notes to come are, on the clock of `press`; None: unknown."""
        for stream in self._streams():
            stream.pulse = pulse

    def expectation(self) -> Expectation | None:
        """When the next note is expected, after the latest."""
        return expectation_of(self._model.heads, self.voice.projected)

    def beside(self, ask: Ask) -> Beside:
        """What may sound together with the latest note; see `Improvising.beside`."""
        voice = self.voice
        return Beside(self._model.heads, voice.projected, asked_of(ask, voice.stream, None))

    def _streams(self) -> Iterator[PianoStream]:
        yield self._committed.stream
        if self._turn is not None:
            yield from self._turn.tail.streams()
        if self._rehearsal is not None:
            yield from self._rehearsal.streams()

    def _all_streams(self) -> Iterator[PianoStream]:
        """Those too to which one may go back: keys come up wherever one is."""
        yield from self._streams()
        yield from (mark.voice.stream for mark in self._exchanges.marks())

    # --- what is to be forgotten --------------------------------------------------------------------

    @property
    def _is_open(self) -> bool:
        return self._turn is not None

    def _mark(self) -> _Mark:
        return _Mark(self._committed.own(), self._memory.mark(), self._call_from_s, tuple(self._answers))

    def _go_back(self, mark: _Mark) -> None:
        self._committed = mark.voice.own()
        self._memory.go_back(mark.memory)
        self._call_from_s = mark.call_from_s
        self._answers = deque(mark.answers, maxlen=ANSWERS_REMEMBERED)
        self._rehearsal = self._leanings = None

    def _go_back_to_call(self, mark: _Mark) -> None:
        theirs = [note for note in self._memory.since(mark.memory) if note.part is Part.PLAYER]
        self._go_back(mark)
        self._hear_again(theirs)

    def _hear_again(self, notes: Sequence[HeardNote]) -> None:
        pedal = self._pedal
        for note in notes:
            self.move_pedal(127 * note.pedal)
            self.press(note.pitch, note.velocity, note.onset_s)
            if note.duration_s is not None:
                self.release(note.pitch, note.onset_s + note.duration_s)
        self.move_pedal(pedal)

    # --- the window -------------------------------------------------------------------------------

    def rebuild(self) -> Iterator[None]:
        """Make the state anew from the window, a chunk at each step of the iterator, and swap it in.

        What is played meanwhile is read too. Abandon the iterator when a turn begins or ends.
        """
        for done in self._window.rebuild(self._model):
            if done is None:
                yield
                continue
            before, last = done
            projected, state = self._model.advance(last, before)
            if self._turn is None:
                voice = self._committed
                self._committed = replace(voice, before=before, state=state, projected=projected)
            else:
                self._turn.tail.rebase(before, state, projected)
