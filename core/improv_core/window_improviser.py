"""An improviser for every representation but ``piano``: at each turn it reads the window anew.

What the representation lacks (timing, note lengths, loudness, pedal) it takes from what the player has
played of that window. Nothing is carried from turn to turn but the notes themselves, as models of
fixed-length sequences were trained to work.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from improv_core.errors import ConfigError
from improv_core.exchanges import Forgetting
from improv_core.heard import HeardNote
from improv_core.improvising import NOTHING_ASKED, Ask, Beside, MemorySettings, PlannedNote
from improv_core.notes import PEDAL_DOWN_FROM, SUSTAIN_CONTROLLER, ControlChange, Note, Part, Performance
from improv_core.recall import Idea
from improv_core.representation import Frames, Pulse, WritingRepresentation, encode
from improv_core.representation.frames import HIGHEST, LOWEST
from improv_core.representation.habits import LATEST, WindowHabits
from improv_core.representation.onsets import without_long_silences
from improv_core.sampler import FloatArray, Sampling
from improv_core.window_turn import LONGEST_READ, StepModel, WindowTurn

_ENOUGH: Final = 2 * LATEST
"""Of the player's notes, to know their habits."""


@dataclass(slots=True)
class _Key:
    """A note that has sounded or is sounding."""

    part: Part
    pitch: int
    velocity: int
    pedal: int
    onset_s: float
    release_s: float | None = None

    @property
    def heard(self) -> HeardNote:
        """As a note of either player."""
        duration_s = None if self.release_s is None else self.release_s - self.onset_s
        return HeardNote(self.part, self.pitch, self.velocity, self.onset_s, duration_s)


class WindowImproviser(Forgetting[tuple[_Key, ...]]):
    """Listens, remembers and draws notes.

    Args:
        model: A model of a `WritingRepresentation`.
        representation: The model's.
        sampling: Temperatures and bounds.
        seed: Randomness is keyed by (seed, turn, step).
        memory: How much is remembered: `LONGEST_READ` notes at the most, improv's own like the player's.

    Raises:
        ConfigError: See `sampling`.

    Attributes:
        memory: How much is remembered.
    """

    def __init__(
        self,
        model: StepModel,
        representation: WritingRepresentation,
        sampling: Sampling,
        *,
        seed: int,
        memory: MemorySettings | None = None,
    ) -> None:
        super().__init__()
        self._model = model
        self._representation = representation
        self.sampling = sampling
        self.memory = memory or MemorySettings()
        self._seed = seed
        self._window: deque[_Key] = deque()
        self._down: dict[int, _Key] = {}
        self._pedal = 0
        self._turn: WindowTurn | None = None

    @property
    def sampling(self) -> Sampling:
        """Temperatures and bounds, heard from the next turn on.

        Raises:
            ConfigError: On setting, where the model has no key within the bounds, and could play nothing.
        """
        return self._sampling

    @sampling.setter
    def sampling(self, sampling: Sampling) -> None:
        is_in_range = sampling.lowest_pitch <= HIGHEST and sampling.highest_pitch >= LOWEST
        if isinstance(self._representation, Frames) and not is_in_range:
            raise ConfigError(
                f"The model plays the keys of a piano ({LOWEST} to {HIGHEST}), none of which would lie "
                "between sampling.lowest_pitch and sampling.highest_pitch; set these otherwise."
            )
        self._sampling = sampling

    @property
    def plays_along(self) -> bool:
        """A turn that is open goes on as if nothing were played: it was read before."""
        return False

    @property
    def heard(self) -> Sequence[HeardNote]:
        """What is remembered of both players, oldest first."""
        return [key.heard for key in self._window]

    @property
    def outgrown(self) -> bool:
        """Never: every turn begins from the window."""
        return False

    def rebuild(self) -> Iterator[None]:
        """There is nothing to do."""
        return iter(())

    # --- what the player does ---------------------------------------------------------------------

    def press(self, pitch: int, velocity: int, at_s: float) -> None:
        """A key goes down.

        A time before the latest onset counts as that onset: a key may be stamped a little before the last
        note of the answer that it cuts short.
        """
        self.release(pitch, at_s)
        if self._turn is None:
            self._exchanges.go_on()
        onset_s = max(at_s, self._window[-1].onset_s) if self._window else at_s
        key = _Key(Part.PLAYER, pitch, velocity, self._pedal, onset_s)
        self._remember(key)
        self._down[pitch] = key

    def _remember(self, *keys: _Key) -> None:
        """By onset: the player may have played while improv did."""
        notes = min(self.memory.window_notes, LONGEST_READ)
        kept = sorted([*self._window, *keys], key=lambda key: key.onset_s)[-notes:]
        self._window = deque(key for key in kept if key.onset_s >= kept[-1].onset_s - self.memory.window_s)

    def release(self, pitch: int, at_s: float) -> None:
        """A key comes up; one that is not down is ignored."""
        key = self._down.pop(pitch, None)
        if key is not None:
            key.release_s = max(at_s, key.onset_s)

    def move_pedal(self, value: int) -> None:
        """The player's pedal, 0..127."""
        self._pedal = int(value >= PEDAL_DOWN_FROM)

    def follow(self, pulse: Pulse | None) -> None:
        """It reads no beats."""

    def expectation(self) -> None:
        """It reads the window when its turn comes, not before."""
        return

    def beside(self, ask: Ask) -> Beside:
        """It has not read what was just played: nothing."""
        return Beside(None, np.zeros(0, dtype=np.float32), ())

    # --- improv's own notes -----------------------------------------------------------------------

    def rehearse(
        self, turn: int, ask: Ask, *, count: int, first_s: tuple[float, float], max_gap_s: float
    ) -> Iterator[None]:
        """Nothing is drawn beforehand: reading the window takes too long to do it in vain."""
        return iter(())

    def ask_for(self, ask: Ask) -> None:
        """It heeds nothing that is asked."""

    def lean(self, register: FloatArray | None) -> None:
        """Nor where it is to play."""

    def begin_turn(
        self, turn: int, now_s: float, ask: Ask = NOTHING_ASKED, idea: Sequence[Idea] = ()
    ) -> None:
        """Take over; the model has yet to read the window, from an empty state. An idea is not taken up."""
        self._exchanges.answer(turn)
        players = [key for key in self._window if key.part is Part.PLAYER]
        self._turn = WindowTurn(
            turn,
            self._model,
            self._representation,
            self.sampling,
            seed=self._seed,
            notes=without_long_silences(encode(_performance(self._window, now_s))),
            habits=WindowHabits(encode(_performance(players[-_ENOUGH:], now_s))),
            origin_s=max((key.onset_s for key in self._window), default=now_s),
        )

    def prepare(self) -> bool:
        """Work for some milliseconds towards the next note, unless it is there; returns whether it was.

        Raises:
            RuntimeError: No turn is open.
        """
        return self._open_turn.prepare()

    def draw(self, earliest_s: float, latest_s: float) -> PlannedNote:
        """Draw the next note of the open turn; those after it keep their distance from it.

        Raises:
            RuntimeError: No turn is open.
        """
        return self._open_turn.draw(earliest_s, latest_s)

    def withdraw(self) -> None:
        """Take back the note that was drawn last; it must not have been sent."""
        self._open_turn.withdraw()

    def settle(self, ended: Mapping[int, tuple[float, float]]) -> int:
        """What has sounded joins the window when the turn is closed."""
        return 0

    def close_turn(self, sounded: Mapping[int, tuple[float, float]]) -> None:
        """End the open turn; what has sounded of it joins the window.

        Args:
            sounded: For each index that sounded, its onset and release in seconds.
        """
        plan = self._turn.plan if self._turn is not None else ()
        self._turn = None
        self._remember(
            *(
                _Key(Part.IMPROV, note.pitch, note.velocity, note.pedal, *sounded[note.index])
                for note in plan
                if note.index in sounded
            )
        )
        self._exchanges.end()

    # --- what is to be forgotten --------------------------------------------------------------------

    @property
    def _is_open(self) -> bool:
        return self._turn is not None

    def _mark(self) -> tuple[_Key, ...]:
        return tuple(self._window)

    def _go_back(self, mark: tuple[_Key, ...]) -> None:
        self._window = deque(mark)

    def _go_back_to_call(self, mark: tuple[_Key, ...]) -> None:
        known = {id(key) for key in mark}
        theirs = [key for key in self._window if key.part is Part.PLAYER and id(key) not in known]
        self._go_back(mark)
        if theirs:
            self._remember(*theirs)

    @property
    def _open_turn(self) -> WindowTurn:
        if self._turn is None:
            raise RuntimeError("no turn is open")
        return self._turn


def _performance(keys: Iterable[_Key], now_s: float) -> Performance:
    """Keys as a performance; what is still held ends now."""
    notes, pedal, down = [], [], 0
    for key in keys:
        release_s = now_s if key.release_s is None else key.release_s
        notes.append(Note(key.pitch, key.velocity, key.onset_s, max(0.0, release_s - key.onset_s)))
        if key.pedal != down:
            down = key.pedal
            pedal.append(ControlChange(SUSTAIN_CONTROLLER, 127 * down, key.onset_s))
    return Performance.of(notes, pedal)
