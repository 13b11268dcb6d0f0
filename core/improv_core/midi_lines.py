"""Standard MIDI files of messages just as they came: nothing is paired, joined or left out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import mido

from improv_core.errors import StorageError
from improv_core.tempo_map import Conductor, TempoMap

WRITTEN_TICKS_PER_BEAT: Final = 960
"""At a tempo of 120 beats a minute a tick is 0.52 ms."""

Timed = tuple[float, tuple[int, ...]]
"""(seconds from the beginning, message of a channel, whose status leaves the channel out)."""

OnTick = tuple[int, mido.Message]
"""(tick, message)."""

_NOTE_OFF, _NOTE_ON, _PROGRAM = 0x80, 0x90, 0xC0


@dataclass(frozen=True, slots=True)
class Line:
    """One track of a file.

    Attributes:
        name: The track's, may be empty.
        channel: 0..15.
        messages: By time.
    """

    name: str
    channel: int
    messages: tuple[Timed, ...]


def write_lines(
    path: Path,
    lines: Sequence[Line],
    conductor: Conductor,
    texts: Sequence[str] = (),
    ticks_per_beat: int = WRITTEN_TICKS_PER_BEAT,
) -> None:
    """A type 1 file: tempo, bars, markers and texts first, then a track for each of ``lines``.

    Each message is on the tick that is nearest to its time or on the next: only what ends a note is moved
    there, from the tick that the note begins on, and what begins one on the tick that another of its pitch
    has to end on. Every track begins with a program, which is 0 where none is told at time zero.

    Args:
        path: Where; what is there is replaced.
        lines: What.
        conductor: Its time.
        texts: About the file.
        ticks_per_beat: Those of the conductor.

    Raises:
        StorageError: The file cannot be written; what was there before stays.
    """
    tempo_map = TempoMap(ticks_per_beat, conductor.tempos)
    midi = mido.MidiFile(type=1, ticks_per_beat=ticks_per_beat)
    midi.tracks.append(conductor_track(conductor, texts))
    for line in lines:
        begin = mido.MetaMessage("track_name", name=writable(line.name))
        midi.tracks.append(mido.MidiTrack([begin, *delta_track(on_ticks(line, tempo_map))]))
    save(midi, path)


def on_ticks(line: Line, tempo_map: TempoMap) -> Iterator[OnTick]:
    """Its messages, on their ticks, in the order of the file."""
    placed = [
        (tick, mido.Message.from_bytes((data[0] | line.channel, *data[1:])))
        for tick, data in _placed(line.messages, tempo_map)
    ]
    if not any(tick == 0 and message.type == "program_change" for tick, message in placed):
        yield 0, mido.Message("program_change", channel=line.channel, program=0)
    yield from sorted(placed, key=lambda timed: timed[0])


def delta_track(messages: Iterable[OnTick]) -> mido.MidiTrack:
    """A track of messages by tick, whose times are ticks since the one before; it ends with the last."""
    made, before = mido.MidiTrack(), 0
    for tick, message in messages:
        made.append(message.copy(time=tick - before))
        before = tick
    return made


def conductor_track(conductor: Conductor, texts: Sequence[str] = ()) -> mido.MidiTrack:
    """The first track of a file: what it is, its bars, tempos and markers."""
    told: list[OnTick] = [(0, mido.MetaMessage("text", text=writable(text))) for text in texts]
    for tick, numerator, denominator in conductor.signatures:
        told.append((tick, mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)))
    told += [(tick, mido.MetaMessage("set_tempo", tempo=tempo)) for tick, tempo in conductor.tempos]
    told += [(tick, mido.MetaMessage("marker", text=writable(text))) for tick, text in conductor.markers]
    return delta_track(sorted(told, key=lambda timed: timed[0]))


def save(midi: mido.MidiFile, path: Path) -> None:
    """Write a file whole or not at all.

    Raises:
        StorageError: It cannot be written; what was there before stays.
    """
    part = path.with_name(f".{path.name}.part")  # a full disk leaves what was there before
    try:
        midi.save(str(part))
        part.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror or error}).") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def writable(text: str) -> str:
    """As much of it as a MIDI file can hold."""
    return text.encode("latin-1", "replace").decode("latin-1")


def _placed(messages: Iterable[Timed], tempo_map: TempoMap) -> Iterator[tuple[int, tuple[int, ...]]]:
    on: dict[int, int] = {}
    off: dict[int, int] = {}
    for at_s, data in messages:
        nearest = tick = tempo_map.tick(at_s)
        if data[0] == _NOTE_ON and data[2] > 0:
            tick = on[data[1]] = max(nearest, off.get(data[1], 0))
        elif data[0] in (_NOTE_OFF, _NOTE_ON):
            # A note of no length gets lost in most programs; but nothing is moved further than a tick.
            tick = off[data[1]] = min(max(nearest, on.get(data[1], -1) + 1), nearest + 1)
        yield tick, data
