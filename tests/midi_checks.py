"""What a listener can say of a stream of MIDI messages, and of notes against other notes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from improv_core.notes import PEDAL_DOWN_FROM, SUSTAIN_CONTROLLER, Note

Timed = tuple[float, tuple[int, ...]]
"""A message as it came: (seconds, bytes)."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Keys as (channel, pitch).

    Attributes:
        hanging: Sounding at the end.
        orphans: Note-offs of keys that were not down, in order.
        struck_twice: Note-ons of keys that were down already, in order.
    """

    hanging: tuple[tuple[int, int], ...]
    orphans: tuple[tuple[int, int], ...]
    struck_twice: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """How two lists of notes pair up by pitch and onset."""

    pairs: tuple[tuple[Note, Note], ...]
    missing: tuple[Note, ...]
    extra: tuple[Note, ...]

    @property
    def max_onset_error_s(self) -> float:
        return max((abs(a.onset_s - b.onset_s) for a, b in self.pairs), default=0.0)

    @property
    def max_release_error_s(self) -> float:
        return max((abs(a.release_s - b.release_s) for a, b in self.pairs), default=0.0)


def balance(messages: Iterable[Timed]) -> Balance:
    """Whether every note-on has its note-off."""
    down: list[tuple[int, int]] = []
    orphans, twice = [], []
    for _, data in messages:
        pressed = _pressed(data)
        if pressed is None:
            continue
        key = (data[0] & 0x0F, data[1])
        if pressed:
            twice.extend([key] if key in down else [])
            down.append(key)
        elif key in down:
            down.remove(key)
        else:
            orphans.append(key)
    return Balance(tuple(down), tuple(orphans), tuple(twice))


def pedals_down(messages: Iterable[Timed]) -> tuple[int, ...]:
    """The channels whose sustain pedal is down at the end."""
    last: dict[int, int] = {}
    for _, data in messages:
        if len(data) == 3 and data[0] & 0xF0 == 0xB0 and data[1] == SUSTAIN_CONTROLLER:
            last[data[0] & 0x0F] = data[2]
    return tuple(sorted(channel for channel, value in last.items() if value >= PEDAL_DOWN_FROM))


def notes_of(messages: Iterable[Timed], channel: int | None = None) -> tuple[Note, ...]:
    """Notes by onset, of one channel or all; those never let go end with the last message."""
    down: dict[tuple[int, int], tuple[float, int]] = {}
    notes: list[Note] = []
    at_s = 0.0
    for at_s, data in messages:
        pressed = _pressed(data)
        if pressed is None or channel not in (None, data[0] & 0x0F):
            continue
        key = (data[0] & 0x0F, data[1])
        if key in down:
            onset_s, velocity = down.pop(key)
            notes.append(Note(key[1], velocity, onset_s, at_s - onset_s))
        if pressed:
            down[key] = (at_s, data[2])
    notes += [Note(pitch, velocity, on_s, at_s - on_s) for (_, pitch), (on_s, velocity) in down.items()]
    return tuple(sorted(notes, key=lambda note: (note.onset_s, note.pitch)))


def polyphony(notes: Iterable[Note]) -> int:
    """The most keys down at one time."""
    edges = sorted((at_s, step) for note in notes for at_s, step in ((note.onset_s, 1), (note.release_s, -1)))
    most = sounding = 0
    for _, step in edges:
        sounding += step
        most = max(most, sounding)
    return most


def distinct_velocities(notes: Iterable[Note]) -> int:
    """How many different velocities there are."""
    return len({note.velocity for note in notes})


def unanswered(
    call_ends_s: Sequence[float], next_calls_s: Sequence[float], answers: Iterable[Note]
) -> tuple[int, ...]:
    """Which calls (by number) have no onset of an answer between their end and the next call.

    The last call is waited for as long as there are notes when ``next_calls_s`` is one shorter.
    """
    onsets = [note.onset_s for note in answers]
    limits = [*next_calls_s, *([float("inf")] if len(next_calls_s) < len(call_ends_s) else [])]
    spans = zip(call_ends_s, limits, strict=True)
    return tuple(
        number
        for number, (end, limit) in enumerate(spans)
        if not any(end <= onset < limit for onset in onsets)
    )


def match_notes(expected: Iterable[Note], actual: Iterable[Note], *, tolerance_s: float) -> Matches:
    """Pair each expected note with the nearest unpaired actual one of its pitch within the tolerance."""
    left: dict[int, list[Note]] = {}
    for note in sorted(actual, key=lambda note: note.onset_s):
        left.setdefault(note.pitch, []).append(note)
    pairs, missing = [], []
    for wanted in sorted(expected, key=lambda note: note.onset_s):
        near = [n for n in left.get(wanted.pitch, []) if abs(n.onset_s - wanted.onset_s) <= tolerance_s]
        if not near:
            missing.append(wanted)
            continue
        best = min(near, key=lambda n: abs(n.onset_s - wanted.onset_s))
        left[wanted.pitch].remove(best)
        pairs.append((wanted, best))
    extra = sorted((n for notes in left.values() for n in notes), key=lambda note: note.onset_s)
    return Matches(tuple(pairs), tuple(missing), tuple(extra))


def _pressed(data: tuple[int, ...]) -> bool | None:
    """True for key down, False for key up, None for anything else."""
    if len(data) != 3 or data[0] & 0xF0 not in (0x80, 0x90):
        return None
    return data[0] & 0xF0 == 0x90 and data[2] > 0
