"""A place in the music: what has been read so far, and the reading of one note more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from improv_core.model import Model, State
from improv_core.representation import PianoStream, Steps, start_steps, to_ms


@dataclass(frozen=True, slots=True)
class Voice:
    """Everything that advances with a note; a value, so that keeping one is a snapshot.

    Attributes:
        stream: Turns events into steps. Never changed in place once the voice is kept, but for keys that
            come up and the pedal.
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

    @classmethod
    def at_the_start(cls, model: Model, style: str | None = None) -> Self:
        """Nothing has been read but the step before the first note."""
        start, empty, stream = start_steps(), model.initial_state(), PianoStream()
        stream.style = style
        projected, state = model.advance(start, empty)
        return cls(stream, empty, state, projected, start)

    def advanced(self, model: Model, stream: PianoStream, step: Steps) -> Voice:
        """A step on."""
        projected, state = model.advance(step, self.state)
        return Voice(stream, self.state, state, projected, step)

    def pressed(self, model: Model, pitch: int, velocity: int, at_s: float) -> Voice:
        """After a key of the player's has gone down."""
        stream = self.stream.copy()
        step = stream.press(pitch, velocity, not_before(stream, to_ms(at_s)))
        return self.advanced(model, stream, step)

    def played(
        self, model: Model, pitch: int, velocity: int, pedal: int, onset_s: float, release_s: float
    ) -> Voice:
        """After one of improv's notes, whose end is known."""
        stream = self.stream.copy()
        onset_ms = not_before(stream, to_ms(onset_s))
        duration_ms = max(1, to_ms(release_s) - onset_ms)
        return self.advanced(model, stream, stream.play(pitch, velocity, pedal, onset_ms, duration_ms))

    def handed_over(self, model: Model, now_s: float) -> Voice:
        """The latest step read again, with the keys that are down by now: improv is to play next."""
        voice = replace(self, stream=self.stream.copy())
        again = voice.stream.hand_over(to_ms(now_s))
        if again is None:
            return voice
        projected, state = model.advance(again, self.before)
        return replace(voice, state=state, projected=projected, latest=again)

    def own(self) -> Voice:
        """The same with a stream that may be changed."""
        return replace(self, stream=self.stream.copy())


def not_before(stream: PianoStream, at_ms: int) -> int:
    """A time before the latest onset counts as that onset: two sources may be stamped out of order."""
    last_ms = stream.last_onset_ms
    return at_ms if last_ms is None else max(at_ms, last_ms)
