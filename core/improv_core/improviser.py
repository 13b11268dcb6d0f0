"""The improviser of the representation ``piano``: model state, rolling seed window, sampler.

Pure; time comes in as arguments.

Committed is what has sounded; a plan is drawn ahead of it, and the player may play into it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from improv_core.expectation import Expectation, expectation_of
from improv_core.heard import HeardNote
from improv_core.improvising import NOTHING_ASKED, Ask, Beside, MemorySettings, PlannedNote
from improv_core.leaning import Leanings
from improv_core.live_cache import CONTEXT, LiveCache
from improv_core.model import Model
from improv_core.notes import PEDAL_DOWN_FROM, Part
from improv_core.ranking import best_of
from improv_core.recall import Idea
from improv_core.rehearsal import Dice, Drawing, Rehearsal, asked_of
from improv_core.representation import ATTRIBUTES, PianoStream, Pulse, Steps, to_ms
from improv_core.representation.asking import style_class
from improv_core.representation.piano import DURATION, HELD
from improv_core.sampler import FloatArray, Mixing, Sampling
from improv_core.seed_window import Remembered, SeedWindow
from improv_core.tail import Entry, Press, Tail, Times
from improv_core.voice import Voice

LOOKED_BACK: Final = 64
"""The next note is drawn in sight of so many of the turn's latest."""

RANKED_EVERY: Final = 16
"""Answers that are being rehearsed are compared each time so many notes have been drawn of each."""

ANSWERS_REMEMBERED: Final = 8
"""An answer is not to repeat one of so many before it."""


@dataclass(slots=True)
class _Turn:
    """improv's open turn.

    Attributes:
        number: Keys its randomness.
        ask: What it is to be like.
        tail: What was read since it began and may yet change.
        ready: Notes that are thought of already, in order.
        drawn: How many notes were drawn.
        shift_s: How much later these come than they were thought of.
        taken: The one of them that was drawn last, if that was one.
        origin_s: Onset of its first note.
        own: The latest of its notes.
        sounded: The latest that have sounded of it and are settled.
        is_read: Whether anything of it is in the memory.
    """

    number: int
    ask: Ask
    tail: Tail
    ready: deque[Idea]
    drawn: int = 0
    shift_s: float = 0.0
    taken: tuple[Idea, float] | None = None
    origin_s: float | None = None
    own: list[PlannedNote] = field(default_factory=list)
    sounded: list[PlannedNote] = field(default_factory=list)
    is_read: bool = False


class Improviser:
    """Listens, remembers and draws notes.

    Args:
        model: The loaded model.
        sampling: Temperatures and bounds.
        seed: Randomness is keyed by (seed, turn, note).
        memory: How much is remembered.
        style: What is heard before the first turn is read as, and after it what that turn is asked for.
    """

    def __init__(
        self,
        model: Model,
        sampling: Sampling,
        *,
        seed: int,
        memory: MemorySettings | None = None,
        style: str | None = None,
    ) -> None:
        self._model, self._seed = model, seed
        self._sampling = sampling
        self._memory = memory or MemorySettings()
        self._window = SeedWindow(
            self._memory.window_notes, self._memory.window_s, self._memory.own_weight, seed=seed
        )
        self._cache = LiveCache(model.heads, self._memory.follow)
        self._down: dict[int, tuple[float, int]] = {}
        self._committed = Voice.at_the_start(model, style)
        self._pedal = 0
        self._turn: _Turn | None = None
        self._rehearsal: Rehearsal | None = None
        self._register: FloatArray | None = None
        self._leanings: Leanings | None = None
        self._call_from_s = float("-inf")
        self._answers: deque[tuple[PlannedNote, ...]] = deque(maxlen=ANSWERS_REMEMBERED)

    @property
    def plays_along(self) -> bool:
        """It does."""
        return True

    @property
    def sampling(self) -> Sampling:
        """How freely notes are drawn."""
        return self._sampling

    @sampling.setter
    def sampling(self, sampling: Sampling) -> None:
        if sampling != self._sampling:
            self._think_anew()
        self._sampling, self._leanings = sampling, None

    @property
    def memory(self) -> MemorySettings:
        """How much is remembered."""
        return self._memory

    @memory.setter
    def memory(self, memory: MemorySettings) -> None:
        if memory.follow != self._memory.follow:
            self._think_anew()
        if (memory.window_s, memory.own_weight) != (self._memory.window_s, self._memory.own_weight):
            self._window.read_again()
        self._memory, window = memory, self._window
        window.notes, window.seconds = memory.window_notes, memory.window_s
        window.own_weight, self._cache.follow = memory.own_weight, memory.follow

    def _think_anew(self) -> None:
        """What is thought of already was drawn otherwise than is wanted now."""
        self._rehearsal = None
        if self._turn is not None:
            self._turn.ready.clear()

    @property
    def window(self) -> tuple[Steps, ...]:
        """The rolling seed window: the steps of the latest notes that have sounded, oldest first."""
        return tuple(one.step for one in self._window)

    @property
    def heard(self) -> Sequence[HeardNote]:
        """What is remembered of both players, that of the open turn included."""
        heard = self._window.heard
        if self._turn is not None:
            heard += [_as_heard(entry.note) for entry in self._turn.tail]
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
        self._rehearsal = None
        before = self._committed
        if self._turn is not None:
            before, after = self._turn.tail.press(Press(pitch, velocity, at_s, self._pedal))
            self._turn.ready.clear()
            self._leanings = None
        else:
            after = self._committed = before.pressed(self._model, pitch, velocity, at_s)
            self._window.release(pitch, at_s)
            self._window.add(
                Remembered(
                    self._committed.latest,
                    HeardNote(Part.PLAYER, pitch, velocity, at_s, pedal=int(self._pedal >= PEDAL_DOWN_FROM)),
                )
            )
        self._down[pitch] = at_s, self._cache_note(before, after, weight=1.0)

    def release(self, pitch: int, at_s: float) -> None:
        """A key comes up; every snapshot learns of it."""
        if pitch in self._down:
            onset_s, token = self._down.pop(pitch)
            self._cache.lasted(token, DURATION.index(max(1, to_ms(at_s) - to_ms(onset_s))))
        self._window.release(pitch, at_s)
        if self._turn is not None:
            self._turn.tail.release(pitch, at_s)
        for stream in self._streams():
            stream.release(pitch, to_ms(at_s))

    def move_pedal(self, value: int) -> None:
        """The player's pedal, 0..127."""
        self._pedal = value
        for stream in self._streams():
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

    def _read_as(self, style: str | None) -> None:
        """What is read from here on is of this style."""
        for stream in self._streams():
            stream.style = style

    # --- improv's own notes -----------------------------------------------------------------------

    def rehearse(
        self, turn: int, ask: Ask, *, count: int, first_s: tuple[float, float], max_gap_s: float
    ) -> Iterator[None]:
        """Draw whole answers beforehand, one note of each at a step; see `Improvising.rehearse`."""
        voice = self._committed.handed_over(self._model, first_s[0])
        voice.stream.style = ask.style
        self._leanings = None
        rehearsal = self._rehearsal = Rehearsal(
            self._model,
            voice,
            self._drawing(ask),
            Dice(self._seed, turn),
            count=count,
            first_s=first_s,
            max_gap_s=max_gap_s,
        )
        steps = 0
        while self._rehearsal is rehearsal and not rehearsal.complete:
            rehearsal.go_on()
            steps += 1
            if count > 1 and (rehearsal.complete or steps % RANKED_EVERY == 0):
                yield
                self._rank(rehearsal)  # when the turn begins there is no time for it
            yield

    def _rank(self, rehearsal: Rehearsal) -> None:
        if self._rehearsal is rehearsal:
            call = [n for n in self.heard if n.part is Part.PLAYER and n.onset_s >= self._call_from_s]
            earlier = tuple(self._answers)
            rehearsal.choose(
                lambda answers, length_s, over: best_of(call, answers, length_s, earlier, complete=over)
            )

    def begin_turn(
        self, turn: int, now_s: float, ask: Ask = NOTHING_ASKED, idea: Sequence[Idea] = ()
    ) -> None:
        """Take over: the latest step is read again with the keys that are down by now.

        Raises:
            ValueError: The style that is asked for is none.
        """
        style_class(ask.style)  # raises before anything has changed
        ready = deque(idea or self._rehearsed(turn, ask))
        shift_s = 0.0 if idea or self._rehearsal is None else now_s - self._rehearsal.begins_s
        self._rehearsal = self._leanings = None
        self._read_as(ask.style)
        self._turn = _Turn(turn, ask, Tail(self._model, self._committed, now_s), ready, shift_s=shift_s)
        self._call_from_s = now_s

    def _rehearsed(self, turn: int, ask: Ask) -> Sequence[Idea]:
        """What was thought of for this turn, unless something else but its length is asked by now."""
        rehearsal = self._rehearsal
        if rehearsal is None or rehearsal.turn != turn:
            return ()
        if replace(rehearsal.ask, length_s=ask.length_s) != ask:
            return ()
        return [_as_idea(note) for note in rehearsal.chosen]

    def ask_for(self, ask: Ask) -> None:
        """What the rest of the open turn is to be like; what was thought of already is dropped."""
        turn = self._open
        if ask.style != turn.ask.style:
            self._read_as(ask.style)
        turn.ask = ask
        turn.ready.clear()

    def lean(self, register: FloatArray | None) -> None:
        """Add to the log-probabilities of improv's pitches, (KEYS,), until further notice; None: nothing."""
        self._register, self._leanings = register, None

    def draw(self, earliest_s: float, latest_s: float) -> PlannedNote:
        """Draw the next note of the open turn.

        Args:
            earliest_s: Its onset is not before this (the clock, or the end of a silence so far).
            latest_s: Nor after this.

        Raises:
            RuntimeError: No turn is open.
        """
        turn = self._open
        if turn.ready:
            note = self._next_ready(turn, (earliest_s, latest_s))
        else:
            turn.taken = None
            note = self._drawing(turn.ask, turn).note(
                self._model,
                turn.tail.ready(earliest_s),
                Dice(self._seed, turn.number),
                turn.own,
                index=turn.drawn,
                first_s=turn.origin_s,
                bounds_s=(earliest_s, latest_s),
            )
        turn.tail.plan(note)
        turn.drawn += 1
        turn.origin_s = note.onset_s if turn.origin_s is None else turn.origin_s
        turn.own = [*turn.own[1 - LOOKED_BACK :], note]
        return note

    def _next_ready(self, turn: _Turn, bounds_s: tuple[float, float]) -> PlannedNote:
        idea = turn.ready.popleft()
        turn.taken = idea, turn.shift_s
        thought_s = idea.onset_s + turn.shift_s
        onset_s = max(bounds_s[0], min(thought_s, bounds_s[1]))
        turn.shift_s += onset_s - thought_s
        key = idea.pitch, idea.velocity, idea.pedal
        return PlannedNote(turn.number, turn.drawn, *key, onset_s, onset_s + idea.duration_s)

    def _drawing(self, ask: Ask, turn: _Turn | None = None) -> Drawing:
        """With what notes are drawn, in the open turn or in one that is rehearsed."""
        if self._leanings is None:
            self._leanings = Leanings(self._sampling, self.heard, register=self._register)
        mix = None
        if self._memory.follow > 0:
            before = self._latest_pitches(turn)

            def mix(own: Sequence[PlannedNote]) -> Mixing:
                latest = () if turn is not None else own[-CONTEXT:]
                return self._cache.after([*before, *(note.pitch for note in latest)][-CONTEXT:])

        return Drawing(self._sampling, ask, self._leanings.next, mix)

    def _latest_pitches(self, turn: _Turn | None) -> list[int]:
        tail = [] if turn is None else [entry.note.pitch for entry in turn.tail.latest(CONTEXT)]
        return [*(note.pitch for note in self._window.last(CONTEXT - len(tail))), *tail]

    def prepare(self) -> bool:
        """A note is one step: it is always ready to be drawn."""
        return True

    def withdraw(self) -> None:
        """Take back the note that was drawn last; it must not have been sent."""
        turn = self._open
        turn.tail.withdraw()
        turn.own.pop()
        turn.drawn -= 1
        if not turn.drawn:
            turn.origin_s = None
        if turn.taken is not None:
            idea, turn.shift_s = turn.taken
            turn.ready.appendleft(idea)
            turn.taken = None

    @property
    def _open(self) -> _Turn:
        if self._turn is None:
            raise RuntimeError("no turn is open")
        return self._turn

    def settle(self, ended: Times) -> int:
        """Take notes of the open turn into the memory as they have sounded; see `Improvising.settle`."""
        turn = self._open
        self._keep(turn, turn.tail.settled(ended))
        own = list(turn.tail.own)
        return own[-1].index if own else turn.drawn

    def close_turn(self, sounded: Times) -> None:
        """End the open turn; from now on the memory holds what has sounded of it, as it has sounded.

        Args:
            sounded: For each index that sounded, its onset and release in seconds.
        """
        if self._turn is None:
            return
        turn = self._turn
        self._keep(turn, turn.tail.closed(sounded))
        self._turn = self._leanings = None
        if turn.is_read:
            self._committed = turn.tail.ahead.own()
        if turn.sounded:
            self._answers.append(tuple(turn.sounded))

    def _keep(self, turn: _Turn, read: Sequence[tuple[Entry, Voice]]) -> None:
        latest = self._window.latest
        if read and not turn.is_read and latest is not None:
            latest.step = read[0][0].before.latest  # it was read again when improv took over
        turn.is_read = turn.is_read or bool(read)
        for entry, after in read:
            note = entry.note
            if isinstance(note, Press):
                self._window.release(note.pitch, note.onset_s)
                self._window.add(Remembered(after.latest, _as_heard(note)))
                continue
            self._window.add(Remembered(after.latest, _as_heard(note), turn.number))
            turn.sounded = [*turn.sounded[1 - LOOKED_BACK :], note]
            if self._memory.own_weight > 0:
                self._cache_note(entry.before, after, weight=self._memory.own_weight)

    def _cache_note(self, before: Voice, after: Voice, *, weight: float) -> int:
        classes = after.latest.columns[0, : len(ATTRIBUTES)].tolist()
        known = classes[:-1] if classes[-1] == HELD else classes
        asked = asked_of(NOTHING_ASKED, before.stream, None)
        return self._cache.heard(before.projected, asked, known, weight=weight)

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


def _as_heard(note: PlannedNote | Press) -> HeardNote:
    key = note.pitch, note.velocity, note.onset_s
    duration_s = None if note.release_s is None else max(0.0, note.release_s - note.onset_s)
    if isinstance(note, Press):
        return HeardNote(Part.PLAYER, *key, duration_s, int(note.pedal >= PEDAL_DOWN_FROM))
    return HeardNote(Part.IMPROV, *key, duration_s, note.pedal)


def _as_idea(note: PlannedNote) -> Idea:
    key = note.pitch, note.velocity, note.pedal
    return Idea(*key, note.onset_s, note.release_s - note.onset_s)
