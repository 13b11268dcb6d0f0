"""The improviser of the representation ``piano``: model state, rolling seed window, sampler.

Pure; time comes in as arguments.

Committed is what has sounded; a plan is drawn ahead of it, and the player may play into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from improv_core.drawing import Dice, Drawing
from improv_core.improvised_turn import ImprovisedTurn
from improv_core.improvising import NOTHING_ASKED, Ask, MemorySettings, PlannedNote
from improv_core.leaning import Leanings
from improv_core.listener import Listener
from improv_core.live_cache import CONTEXT
from improv_core.model import Model
from improv_core.notes import Part
from improv_core.ranking import best_of
from improv_core.recall import Idea
from improv_core.rehearsal import Rehearsal
from improv_core.representation.asking import style_class
from improv_core.sampler import FloatArray, Mixing, Sampling
from improv_core.tail import Entry, Tail, Times
from improv_core.voice import Voice


class Improviser(Listener):
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
        super().__init__(model, seed=seed, memory=memory or MemorySettings(), style=style)
        self._seed, self._sampling = seed, sampling
        self._register: FloatArray | None = None

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
        return self._memory.settings

    @memory.setter
    def memory(self, memory: MemorySettings) -> None:
        if memory.follow != self._memory.settings.follow:
            self._think_anew()
        self._memory.settings = memory

    def _think_anew(self) -> None:
        """What is thought of already was drawn otherwise than is wanted now."""
        self._rehearsal = None
        if self._turn is not None:
            self._turn.think_anew()

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
        yield from rehearsal.steps(lambda: self._rank(rehearsal), lambda: self._rehearsal is rehearsal)

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
        self._exchanges.answer(turn)
        ready, shift_s = idea, 0.0
        if self._rehearsal is not None and not idea:
            ready = self._rehearsal.thought_for(turn, ask)
            shift_s = now_s - self._rehearsal.begins_s
        self._rehearsal = self._leanings = None
        self._read_as(ask.style)
        tail = Tail(self._model, self._committed, now_s)
        self._turn = ImprovisedTurn(turn, ask, tail, ready, shift_s=shift_s)
        self._call_from_s = now_s

    def _read_as(self, style: str | None) -> None:
        """What is read from here on is of this style."""
        for stream in self._streams():
            stream.style = style

    def ask_for(self, ask: Ask) -> None:
        """What the rest of the open turn is to be like; what was thought of already is dropped."""
        turn = self._open
        if ask.style != turn.ask.style:
            self._read_as(ask.style)
        turn.ask = ask
        turn.think_anew()

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
        turn, bounds_s = self._open, (earliest_s, latest_s)
        note = turn.next_ready(bounds_s)
        if note is None:
            note = turn.draw(self._model, self._drawing(turn.ask, turn), self._seed, bounds_s)
        turn.plan(note)
        return note

    def _drawing(self, ask: Ask, turn: ImprovisedTurn | None = None) -> Drawing:
        """With what notes are drawn, in the open turn or in one that is rehearsed."""
        if self._leanings is None:
            self._leanings = Leanings(self._sampling, self.heard, register=self._register)
        mix = None
        if self._memory.settings.follow > 0:

            def mix(own: Sequence[PlannedNote]) -> Mixing:
                latest = own if turn is None else [entry.note for entry in turn.tail.latest(CONTEXT)]
                return self._memory.mixing([note.pitch for note in latest])

        return Drawing(self._sampling, ask, self._leanings.next, mix)

    def prepare(self) -> bool:
        """A note is one step: it is always ready to be drawn."""
        return True

    def withdraw(self) -> None:
        """Take back the note that was drawn last; it must not have been sent."""
        self._open.withdraw()

    @property
    def _open(self) -> ImprovisedTurn:
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
        self._exchanges.end()

    def _keep(self, turn: ImprovisedTurn, read: Sequence[tuple[Entry, Voice]]) -> None:
        self._memory.keep(read, turn.number, is_first=not turn.is_read)
        turn.settle(read)
