"""Which voices of a file are read, and how they become one stream of notes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from improv_core.errors import MidiFileError
from improv_core.notes import CHORD_MS
from improv_training.corpora.beats import BeatMap
from improv_training.corpora.corpus import Tracks
from improv_training.corpora.fast_midi import Voice
from improv_training.corpora.rows import rows_of

_PLAYER, _IMPROV = "player", "improv"
"""What the recorder calls the tracks of a session, and `improv generate` its own."""

_SAYS_PIANO = re.compile("piano|klavier", re.IGNORECASE)
_SAYS_MELODY = re.compile(r"melod|vocal|voice|\blead\b", re.IGNORECASE)
_SAYS_OTHER = re.compile(r"melod|vocal|voice|\blead\b|bridge|bass|guitar|string", re.IGNORECASE)
_LAST_PIANO = 7
_MOSTLY = 0.9
_FEW = 0.1
_LEGATO_S = 0.05


def chosen_rows(
    voices: Sequence[Voice],
    tracks: Tracks,
    label: str,
    beats: BeatMap | None = None,
    *,
    form: Callable[[Sequence[Voice]], Sequence[Voice]] = list,
) -> NDArray[np.int32]:
    """The notes of a file that are read.

    Drums are never read. Of a recorded session (its tracks are named player, or player and the keyboard's
    name, and improv) only the player's part is. Of the rest:

    - ``all``: every voice.
    - ``piano``: the voices whose track name says piano, and those with one of General MIDI's piano
      programs, 0 to 7 of 127; but beside a track that is called piano, none that is called melody, vocal,
      voice, lead, bridge, bass, guitar or strings. A file that names no instrument has program 0.
    - ``melody``: the one voice whose track name says melody, vocal, voice or lead; where none does, the
      voice that sounds highest among those that mostly play one note at a time; where that is lower than
      the middle of all notes (a left hand), or there is none, all voices. Then their `skyline`.

    Args:
        voices: Of one file.
        tracks: What to read.
        label: What to call the file in errors.
        beats: Where the beats of the file are, if they are known.
        form: What becomes of the voices that are read before they become one stream of notes.

    Returns:
        Shape (notes, 8): see `improv_training.corpora.encoded.COLUMNS`; voices are numbered among those that
        are read.

    Raises:
        MidiFileError: There is nothing of the kind.
    """
    heard = [voice for voice in voices if not voice.is_drum]
    if not heard:
        raise MidiFileError(f"{label} holds no notes.")
    if {_who(voice) for voice in heard} <= {_PLAYER, _IMPROV}:
        heard = [voice for voice in heard if _who(voice) == _PLAYER]
        if not heard:
            raise MidiFileError(f"{label} holds nothing that a player played, only improv's part.")
    if tracks == "piano":
        heard = _piano(heard)
        if not heard:
            raise MidiFileError(f"{label} holds no piano; --tracks all reads every instrument.")
    if tracks == "melody":
        return skyline(rows_of(form(_melody(heard)), beats))
    return rows_of(form(heard), beats)


def _who(voice: Voice) -> str:
    """The recorder calls a keyboard of several "player, its name"."""
    return voice.name.partition(",")[0]


def _piano(voices: Sequence[Voice]) -> list[Voice]:
    pianos = [voice for voice in voices if _SAYS_PIANO.search(voice.name)]
    if not pianos:
        return [voice for voice in voices if voice.program <= _LAST_PIANO]
    return [
        voice
        for voice in voices
        if _SAYS_PIANO.search(voice.name)
        or (voice.program <= _LAST_PIANO and not _SAYS_OTHER.search(voice.name))
    ]


def _melody(voices: Sequence[Voice]) -> Sequence[Voice]:
    named = [voice for voice in voices if _SAYS_MELODY.search(voice.name)]
    if not named:
        most = max(len(voice.pitch) for voice in voices)
        large = [voice for voice in voices if len(voice.pitch) >= _FEW * most]
        middle = float(np.concatenate([voice.pitch for voice in large]).mean())
        named = [voice for voice in large if voice.pitch.mean() >= middle and _is_melodic(voice)]
    return [max(named, key=lambda voice: float(voice.pitch.mean()))] if named else voices


def _is_melodic(voice: Voice) -> bool:
    """Whether it mostly plays one note at a time."""
    order = np.argsort(voice.onset_s, kind="stable")
    over_s = np.maximum.accumulate(voice.release_s[order])[:-1]
    alone = voice.onset_s[order][1:] >= over_s - _LEGATO_S
    return len(alone) == 0 or float(alone.mean()) >= _MOSTLY


def skyline(rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """The upper line of some notes, one at a time.

    Of notes struck within 30 ms the highest stays, unless a higher one from before sounds through more
    than half of it; each ends where the next begins. After the skyline of Uitdenbogerd and Zobel, "Melodic
    matching techniques for large music databases" (1999), which knows no overlapping.

    Args:
        rows: Shape (notes, columns): see `improv_training.corpora.encoded.COLUMNS`.

    Returns:
        The same with fewer notes.
    """
    onset_ms = np.cumsum(rows[:, 0], dtype=np.int64)
    kept = _upper(onset_ms.tolist(), rows[:, 2].tolist(), rows[:, 4].tolist())
    line = rows[kept]
    onset_ms = onset_ms[kept]
    gaps = np.diff(onset_ms)
    line[:, 0] = np.append(0, gaps)
    line[:-1, 4] = np.minimum(line[:-1, 4], gaps)
    return line


def _upper(onset_ms: Sequence[int], pitch: Sequence[int], duration_ms: Sequence[int]) -> list[int]:
    kept: list[int] = []
    sounding: list[int] = []
    begin, count = 0, len(pitch)
    while begin < count:
        end = begin + 1
        while end < count and onset_ms[end] - onset_ms[begin] <= CHORD_MS:
            end += 1
        top = max(range(begin, end), key=lambda i: pitch[i])
        middle_ms = onset_ms[top] + duration_ms[top] / 2
        if all(pitch[i] <= pitch[top] or onset_ms[i] + duration_ms[i] <= middle_ms for i in sounding):
            kept.append(top)
        sounding = [i for i in sounding if onset_ms[i] + duration_ms[i] > onset_ms[begin]]
        sounding.extend(range(begin, end))
        begin = end
    return kept
