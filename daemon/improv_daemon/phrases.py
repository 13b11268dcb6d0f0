"""The calls that ``improv demo`` plays: three short phrases in D minor, composed for improv."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from improv_core.notes import SUSTAIN_CONTROLLER, ControlChange, Note, Performance

_BEAT_S = 60 / 88
_ROLL_S = 0.022
"""The notes of a chord come one after the other, from below."""

_Melody = tuple[tuple[float, int, int, float], ...]
"""(beat, pitch, velocity, length in beats); lengths overlap a little, as legato playing does."""
_Chords = tuple[tuple[float, tuple[int, ...], int, float], ...]
"""(beat, pitches from below, velocity, length in beats); the pedal is changed with each."""

# A question: up to the ninth and down again, over D minor and G minor.
_ASKING: tuple[_Melody, _Chords] = (
    (
        (0.00, 69, 66, 0.56),
        (0.52, 74, 74, 0.54),
        (1.01, 76, 80, 0.53),
        (1.50, 77, 88, 0.84),
        (2.28, 76, 76, 0.30),
        (2.53, 74, 72, 0.54),
        (3.02, 70, 78, 0.55),
        (3.51, 69, 70, 0.53),
        (4.01, 67, 64, 0.52),
        (4.49, 69, 58, 1.20),
    ),
    ((0.00, (50, 57, 65), 54, 2.9), (2.98, (43, 55, 62), 50, 2.6)),
)

# The same question raised: syncopated, louder, thirds under the melody, over B flat and C.
_PRESSING: tuple[_Melody, _Chords] = (
    (
        (0.00, 77, 84, 0.52),
        (0.00, 74, 70, 0.50),
        (0.49, 79, 90, 0.29),
        (0.75, 81, 98, 0.80),
        (0.75, 77, 78, 0.78),
        (1.52, 79, 86, 0.29),
        (1.77, 77, 82, 0.29),
        (2.02, 76, 88, 0.55),
        (2.02, 72, 74, 0.52),
        (2.53, 74, 80, 0.29),
        (2.78, 76, 84, 0.78),
        (3.52, 72, 76, 0.53),
        (4.02, 69, 72, 0.54),
        (4.52, 70, 68, 0.53),
        (5.01, 72, 62, 1.10),
    ),
    ((0.00, (46, 53, 62), 66, 1.96), (2.01, (48, 55, 64), 68, 1.96), (4.00, (41, 53, 60), 58, 2.1)),
)

# It gives in: falling, soft, with a long chord at the end, over G minor, A and D minor.
_YIELDING: tuple[_Melody, _Chords] = (
    (
        (0.00, 74, 72, 0.79),
        (0.76, 72, 64, 0.29),
        (1.01, 70, 70, 0.54),
        (1.51, 69, 62, 0.54),
        (2.01, 67, 66, 0.55),
        (2.52, 69, 58, 0.29),
        (2.78, 73, 64, 0.52),
        (3.26, 76, 60, 0.82),
        (4.05, 74, 56, 2.2),
    ),
    (
        (0.00, (43, 50, 58), 56, 1.96),
        (2.00, (45, 55, 61), 52, 2.0),
        (4.04, (38, 50, 57, 65, 69), 48, 2.2),
    ),
)


def demo_phrases() -> tuple[Performance, ...]:
    """Three calls of three to five seconds, each with its own time zero and its pedal up at the end."""
    return tuple(_performed(melody, chords) for melody, chords in (_ASKING, _PRESSING, _YIELDING))


def key_messages(performance: Performance, *, channel: int = 0) -> tuple[tuple[float, tuple[int, ...]], ...]:
    """A performance as MIDI messages by time: (seconds, bytes); at one time, key up comes first."""
    messages: list[tuple[float, int, tuple[int, ...]]] = []
    for note in performance.notes:
        messages.append((note.onset_s, 2, (0x90 | channel, note.pitch, note.velocity)))
        messages.append((note.release_s, 0, (0x80 | channel, note.pitch, 0)))
    for control in performance.controls:
        messages.append((control.at_s, 1, (0xB0 | channel, control.controller, control.value)))
    return tuple((at_s, data) for at_s, _, data in sorted(messages))


def _performed(melody: _Melody, chords: _Chords) -> Performance:
    notes = [
        Note(pitch, velocity, beat * _BEAT_S, beats * _BEAT_S) for beat, pitch, velocity, beats in melody
    ]
    for beat, pitches, velocity, beats in chords:
        notes.extend(_rolled(beat * _BEAT_S, pitches, velocity, beats * _BEAT_S))
    end_s = max(note.release_s for note in notes)
    return Performance.of(notes, _pedalled([beat * _BEAT_S for beat, *_ in chords], end_s))


def _rolled(onset_s: float, pitches: Sequence[int], velocity: int, duration_s: float) -> Iterable[Note]:
    for place, pitch in enumerate(pitches):
        late_s = place * _ROLL_S
        yield Note(pitch, velocity - 2 * place, onset_s + late_s, duration_s - late_s)


def _pedalled(changes_s: Sequence[float], end_s: float) -> Iterable[ControlChange]:
    """Down after each chord is struck, up as the next one is."""
    for at_s in changes_s:
        if at_s > 0:
            yield ControlChange(SUSTAIN_CONTROLLER, 0, at_s + 0.01)
        yield ControlChange(SUSTAIN_CONTROLLER, 127, at_s + 0.09)
    yield ControlChange(SUSTAIN_CONTROLLER, 0, end_s)
