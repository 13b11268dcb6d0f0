"""The improviser of the representation ``piano``: model state, rolling seed window, sampler.

Pure; time comes in as arguments.

Committed is what has sounded; a plan is drawn ahead of it. Every planned note keeps the voice before it,
so that going back to what has sounded is picking a snapshot and replaying the few notes that were cut.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from improv_core.improvising import NOTHING_ASKED, Ask, PlannedNote
from improv_core.model import Model, State
from improv_core.notes import CHORD_MS, Part
from improv_core.representation import PianoStream, Pulse, Steps, joined, start_steps, to_ms
from improv_core.representation.asking import density_class, left_class, style_class
from improv_core.sampler import Sampling, draw_note

CUT_MS = 20
"""A note released this much before its plan counts as cut, and what followed it is read again."""

REBUILD_CHUNK = 32
"""Steps of the window that are replayed in one go."""


@dataclass(frozen=True, slots=True)
class _Voice:
    """Everything that advances with a note; a value, so that keeping one is a snapshot.

    Attributes:
        stream: Turns events into steps. Never changed in place once the voice is kept.
        before: Model state before the latest step.
        state: Model state after it.
        projected: The model's output after it, (projected,).
        latest: The latest step.
    """

    stream: PianoStream
    before: State
    state: State
    projected: NDArray[np.float32]
    latest: Steps


@dataclass(frozen=True, slots=True)
class _Draft:
    """A planned note and the voice before it."""

    note: PlannedNote
    before: _Voice


class Improviser:
    """Listens, remembers and draws notes.

    Args:
        model: The loaded model.
        sampling: Temperatures and bounds.
        seed: Randomness is keyed by (seed, turn, note).
        window_notes: How many notes the rolling seed window holds.
        style: What is heard before the first turn is read as, and after it what that turn is asked for.
    """

    def __init__(
        self,
        model: Model,
        sampling: Sampling,
        *,
        seed: int,
        window_notes: int = 512,
        style: str | None = None,
    ) -> None:
        self._model = model
        self._sampling = sampling
        self._seed = seed
        self._window: deque[Steps] = deque(maxlen=window_notes)
        self._forgotten = 0
        start, empty, stream = start_steps(), model.initial_state(), PianoStream()
        stream.style = style
        projected, state = model.advance(start, empty)
        self._committed = _Voice(stream, empty, state, projected, start)
        self._plan: list[_Draft] = []
        self._ahead: _Voice | None = None
        self._turn = 0
        self._ask = NOTHING_ASKED

    @property
    def window(self) -> tuple[Steps, ...]:
        """The rolling seed window: the steps of the latest notes that have sounded, oldest first."""
        return tuple(self._window)

    @property
    def outgrown(self) -> bool:
        """Whether the state has heard a window's length of notes that the window holds no more."""
        return self._forgotten >= (self._window.maxlen or 0)

    def _remember(self, step: Steps) -> None:
        self._forgotten += len(self._window) == self._window.maxlen
        self._window.append(step)

    # --- what the player does ---------------------------------------------------------------------

    def press(self, pitch: int, velocity: int, at_s: float) -> None:
        """A key goes down: the model advances at once. Not while a plan is open.

        A time before the latest onset counts as that onset: a key may be stamped a little before the last
        note of the answer that it cuts short.
        """
        stream = self._committed.stream
        at_ms = _not_before(stream, to_ms(at_s))
        self._committed = self._advanced(self._committed, stream.press(pitch, velocity, at_ms))
        self._remember(self._committed.latest)

    def release(self, pitch: int, at_s: float) -> None:
        """A key comes up; with a plan open, every snapshot learns of it."""
        for stream in self._streams():
            stream.release(pitch, to_ms(at_s))

    def move_pedal(self, value: int) -> None:
        """The player's pedal, 0..127."""
        for stream in self._streams():
            stream.move_pedal(value)

    def _streams(self) -> Iterator[PianoStream]:
        yield self._committed.stream
        for draft in self._plan:
            yield draft.before.stream
        if self._ahead is not None:
            yield self._ahead.stream

    # --- improv's own notes -----------------------------------------------------------------------

    def follow(self, pulse: Pulse | None) -> None:
        """Where the beats of the notes to come are, on the clock of `press`; None: unknown."""
        for stream in self._streams():
            stream.pulse = pulse

    def begin_turn(self, turn: int, now_s: float, ask: Ask = NOTHING_ASKED) -> None:
        """Take over: the latest step is read again with the keys that are down by now.

        Raises:
            ValueError: The style that is asked for is none.
        """
        style_class(ask.style)  # raises before anything has changed
        self._turn, self._plan, self._ask = turn, [], ask
        for stream in self._streams():
            stream.style = ask.style
        voice = replace(self._committed, stream=self._committed.stream.copy())
        again = voice.stream.hand_over(to_ms(now_s))
        if again is not None:
            projected, state = self._model.advance(again, voice.before)
            voice = replace(voice, state=state, projected=projected, latest=again)
        self._ahead = voice

    def draw(self, earliest_s: float, latest_s: float) -> PlannedNote:
        """Draw the next note of the open turn.

        Args:
            earliest_s: Its onset is not before this (the clock, or the end of a silence so far).
            latest_s: Nor after this.

        Raises:
            RuntimeError: No turn is open.
        """
        if self._ahead is None:
            raise RuntimeError("no turn is open")
        voice, index = self._ahead, len(self._plan)
        last_ms = voice.stream.last_onset_ms
        reference_ms = to_ms(earliest_s) if last_ms is None else last_ms
        drawn = draw_note(
            self._model.heads,
            voice.projected,
            self._sampling,
            np.random.default_rng((self._seed, self._turn, index)),
            asked=self._asked(self._ask, voice.stream),
            unasked=self._asked(Ask(length_s=self._ask.length_s), voice.stream),
            dt_ms=(max(0, to_ms(earliest_s) - reference_ms), max(0, to_ms(latest_s) - reference_ms)),
            chord=self._latest_chord(reference_ms),
        )
        onset_ms = reference_ms + drawn.dt_ms
        note = PlannedNote(
            turn=self._turn,
            index=index,
            pitch=drawn.pitch,
            velocity=drawn.velocity,
            pedal=drawn.pedal,
            onset_s=onset_ms / 1000,
            release_s=(onset_ms + drawn.duration_ms) / 1000,
        )
        self._plan.append(_Draft(note, voice))
        self._ahead = self._played(voice, note, note.onset_s, note.release_s)
        return note

    def _asked(self, ask: Ask, stream: PianoStream) -> tuple[int, ...]:
        """What the heads are told of the next note of the turn."""
        left_ms = None
        if ask.length_s is not None:
            left_ms = 0  # what was there before the turn is over
            if self._plan:
                first, last = self._plan[0].note, self._plan[-1].note
                left_ms = max(0, to_ms(first.onset_s + ask.length_s - last.onset_s))
        wishes = style_class(ask.style), density_class(ask.notes_per_s), left_class(left_ms)
        return (int(Part.IMPROV), *wishes, stream.own_pitch(Part.IMPROV))

    def prepare(self) -> bool:
        """A note is one step: it is always ready to be drawn."""
        return True

    def withdraw(self) -> None:
        """Take back the note that was drawn last; it must not have been sent."""
        draft = self._plan.pop()
        self._ahead = draft.before

    def _latest_chord(self, reference_ms: int) -> set[int]:
        latest_first = (draft.note for draft in reversed(self._plan))
        chord = takewhile(lambda note: reference_ms - to_ms(note.onset_s) < CHORD_MS, latest_first)
        return {note.pitch for note in chord}

    def close_turn(self, sounded: Mapping[int, tuple[float, float]]) -> None:
        """End the open turn; from now on the memory holds what has sounded of it, as it has sounded.

        Args:
            sounded: For each index that sounded, its onset and release in seconds.
        """
        if sounded:
            self._keep(sounded)
        self._plan, self._ahead = [], None

    def _keep(self, sounded: Mapping[int, tuple[float, float]]) -> None:
        voices = [draft.before for draft in self._plan]
        voices += [self._ahead] if self._ahead is not None else []
        as_planned = next(
            (i for i, draft in enumerate(self._plan) if self._differs(draft.note, sounded)), len(self._plan)
        )
        if self._window:
            self._window[-1] = voices[0].latest
        for voice in voices[1 : as_planned + 1]:
            self._remember(voice.latest)
        voice = voices[as_planned]
        for draft in self._plan[as_planned:]:
            if draft.note.index in sounded:
                voice = self._played(voice, draft.note, *sounded[draft.note.index])
                self._remember(voice.latest)
        self._committed = replace(voice, stream=voice.stream.copy())

    def _differs(self, note: PlannedNote, sounded: Mapping[int, tuple[float, float]]) -> bool:
        times = sounded.get(note.index)
        return times is None or to_ms(times[1]) + CUT_MS < to_ms(note.release_s)

    def _played(self, voice: _Voice, note: PlannedNote, onset_s: float, release_s: float) -> _Voice:
        stream = voice.stream.copy()
        onset_ms = _not_before(stream, to_ms(onset_s))
        duration_ms = max(1, to_ms(release_s) - onset_ms)
        step = stream.play(note.pitch, note.velocity, note.pedal, onset_ms, duration_ms)
        return self._advanced(replace(voice, stream=stream), step)

    def _advanced(self, voice: _Voice, step: Steps) -> _Voice:
        projected, state = self._model.advance(step, voice.state)
        return _Voice(voice.stream, voice.state, state, projected, step)

    # --- the window -------------------------------------------------------------------------------

    def rebuild(self) -> Iterator[None]:
        """Make the state anew from the window alone, a chunk at each step of the iterator.

        After hours of playing the state has seen more than any piece it was trained on; the window is what
        the model knows how to read. Abandon the iterator when anything is played in between.
        """
        *rows, last = (start_steps(), *self._window)
        before = self._model.initial_state()
        for begin in range(0, len(rows), REBUILD_CHUNK):
            _, before = self._model.advance(joined(rows[begin : begin + REBUILD_CHUNK]), before)
            yield
        projected, state = self._model.advance(last, before)
        self._forgotten = 0
        self._committed = replace(self._committed, before=before, state=state, projected=projected)


def _not_before(stream: PianoStream, at_ms: int) -> int:
    last_ms = stream.last_onset_ms
    return at_ms if last_ms is None else max(at_ms, last_ms)
