"""Going on from a performance, offline: the same improviser as live, without a clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from improv_core.closing import Closing
from improv_core.improvising import NOTHING_ASKED, Ask, Improvising, PlannedNote
from improv_core.notes import SUSTAIN_CONTROLLER, ControlChange, Note, Performance
from improv_core.representation import keyed, to_ms

_PEDAL, _RELEASE, _PRESS = range(3)

_DRAWS_PER_NOTE: Final = 10
"""A model that strikes one key at one time for ever is stopped."""


def hear(improviser: Improvising, performance: Performance) -> float:
    """Let the improviser hear a performance as if the player had played it.

    Returns:
        The time of its last release, in seconds.
    """
    events = [(to_ms(change.at_s), _PEDAL, 0, change.value) for change in performance.pedal]
    for onset_ms, pitch, velocity, release_ms in keyed(performance.notes):
        events += [(onset_ms, _PRESS, pitch, velocity), (release_ms, _RELEASE, pitch, 0)]
    for at_ms, kind, pitch, value in sorted(events, key=lambda event: event[:2]):
        if kind == _PRESS:
            improviser.press(pitch, value, at_ms / 1000)
        elif kind == _RELEASE:
            improviser.release(pitch, at_ms / 1000)
        else:
            improviser.move_pedal(value)
    return max((note.release_s for note in performance.notes), default=0.0)


def plan_for(
    improviser: Improvising,
    begin_s: float,
    length_s: float,
    *,
    ask: Ask = NOTHING_ASKED,
    turn: int = 1,
    max_wait_s: float | None = None,
    max_gap_s: float = 1.5,
    progress: Callable[[float], None] = lambda done: None,
) -> list[PlannedNote]:
    """Draw a continuation.

    Args:
        improviser: Has heard what there is to go on from.
        begin_s: Where the continuation begins, on the clock of what was heard.
        length_s: From its first onset to about its last, see `improv_core.closing.Closing`.
        ask: What else it is to be like.
        turn: Keys the randomness, together with the improviser's seed.
        max_wait_s: Its first onset comes within this; None: within ``max_gap_s``.
        max_gap_s: Longest inter-onset interval.
        progress: Called with 0..1.

    Returns:
        Its notes, on the same clock.
    """
    improviser.begin_turn(turn, begin_s, replace(ask, length_s=length_s))
    closing, notes = Closing(length_s, max_gap_s), list[PlannedNote]()
    earliest_s, gap_s = begin_s, max_gap_s if max_wait_s is None else max_wait_s
    while True:
        note = improviser.draw(earliest_s, earliest_s + gap_s)
        if not closing.takes(note.onset_s):
            improviser.withdraw()
            break
        notes.append(note)
        earliest_s, gap_s = note.onset_s, closing.gap_s
        progress(min(1.0, (note.onset_s - notes[0].onset_s) / length_s) if length_s else 1.0)
    improviser.close_turn({note.index: (note.onset_s, note.release_s) for note in notes})
    return notes


def plan_notes(
    improviser: Improvising,
    begin_s: float,
    count: int,
    *,
    ask: Ask = NOTHING_ASKED,
    turn: int = 1,
    max_wait_s: float | None = None,
    max_gap_s: float = 1.5,
    progress: Callable[[float], None] = lambda done: None,
) -> list[PlannedNote]:
    """The same until so many notes sound; it is not brought to a close, since nobody knows when that will be.

    Args:
        improviser: As of `plan_for`, and so are the others.
        begin_s: Where the continuation begins.
        count: Of notes, at least one. Of two of one pitch at one time one sounds.
        ask: What else it is to be like.
        turn: Keys the randomness.
        max_wait_s: Of the first onset.
        max_gap_s: Longest inter-onset interval.
        progress: Called with 0..1.
    """
    improviser.begin_turn(turn, begin_s, ask)
    notes, struck = list[PlannedNote](), set[tuple[int, float]]()
    earliest_s, gap_s = begin_s, max_gap_s if max_wait_s is None else max_wait_s
    while len(struck) < count and len(notes) < _DRAWS_PER_NOTE * count:
        note = improviser.draw(earliest_s, earliest_s + gap_s)
        notes.append(note)
        struck.add((note.pitch, note.onset_s))
        earliest_s, gap_s = note.onset_s, max_gap_s
        progress(len(struck) / count)
    improviser.close_turn({note.index: (note.onset_s, note.release_s) for note in notes})
    return notes


def as_performance(planned: Sequence[PlannedNote], first_s: float | None = None) -> Performance:
    """Planned notes as they would sound: a key that is struck again ends its earlier note.

    Args:
        planned: By onset.
        first_s: What becomes zero; None: the first onset.
    """
    if first_s is None:
        first_s = planned[0].onset_s if planned else 0.0
    next_onset_s: dict[int, float] = {}
    notes, pedal = [], list[ControlChange]()
    for note in reversed(planned):
        release_s = min(note.release_s, next_onset_s.get(note.pitch, note.release_s))
        next_onset_s[note.pitch] = note.onset_s
        if release_s > note.onset_s:
            notes.append(Note(note.pitch, note.velocity, note.onset_s - first_s, release_s - note.onset_s))
    down = 0
    for note in planned:
        if note.pedal != down:
            down = note.pedal
            pedal.append(ControlChange(SUSTAIN_CONTROLLER, 127 * down, note.onset_s - first_s))
    if down:
        end_s = max(note.release_s for note in planned) - first_s
        pedal.append(ControlChange(SUSTAIN_CONTROLLER, 0, end_s))
    return Performance.of(notes, pedal)
