"""The MIDI file of a session: messages within a tick, tempo, markers, texts; programs that open it."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import mido
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from improv_core.midi_files import read_midi
from improv_core.tempo_map import TempoMap
from improv_daemon import wire
from improv_daemon.journal import Entry, Journal, JournalWriter, read_journal
from improv_daemon.recorder import tracks_of, write_session_midi

START_S = 500.0
STARTED_AT = datetime(2026, 11, 20, 19, 30, 5).astimezone()

Timed = tuple[float, tuple[int, ...]]
"""(seconds from the start, message without its channel)."""

Found = list[tuple[int, tuple[int, ...]]]
"""(tick, message without its channel)."""

Owner = tuple[str, int]
"""Port and channel."""

IMPROV_ITSELF: Owner = ("improv", 1)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    path = tmp_path_factory.mktemp("journal") / "a.jsonl"
    values: dict[str, Any] = {"model": "default", "seed": 7, "settings": {}}
    with JournalWriter(path, started_at=STARTED_AT, now_s=START_S, **values):
        pass
    return read_journal(path)


def journal_of(empty: Journal, told: Sequence[tuple[float, wire.Message]], **time: object) -> Journal:
    """A journal of messages that came so long after the start."""
    entries = tuple(Entry(message, START_S + at_s) for at_s, message in told)
    header = dataclasses.replace(empty.header, settings={"time": time} if time else {})
    return dataclasses.replace(empty, header=header, entries=entries)


def played(at_s: float, *data: int, source: str = "keys") -> tuple[float, wire.Message]:
    return at_s, wire.Played(data, START_S + at_s, source)


def sounded(at_s: float, index: int, pitch: int, velocity: int = 70) -> tuple[float, wire.Message]:
    return at_s, wire.Sounded(1, index, pitch, velocity, START_S + at_s, 0.0)


def released(at_s: float, index: int, pitch: int) -> tuple[float, wire.Message]:
    return at_s, wire.Released(1, index, pitch, START_S + at_s)


def file_of(journal: Journal, folder: Path, tempo: str = "auto") -> mido.MidiFile:
    write_session_midi(journal, folder / "session.mid", tempo=tempo)
    return mido.MidiFile(folder / "session.mid")


def tempo_map_of(midi: mido.MidiFile) -> TempoMap:
    tick, tempos = 0, []
    for message in midi.tracks[0]:
        tick += message.time
        if message.type == "set_tempo":
            tempos.append((tick, message.tempo))
    return TempoMap(midi.ticks_per_beat, tempos)


def written(track: mido.MidiTrack) -> Found:
    tick, found = 0, []
    for message in track:
        tick += message.time
        if not message.is_meta:
            status, *data = message.bytes()
            found.append((tick, (status & 0xF0, *data)))
    return found


# --- journal to MIDI and back -----------------------------------------------------------------------

WAITS_S = st.sampled_from([0.0, 0.0, 0.0001, 0.0004, 0.0013, 0.01]) | st.floats(0.0, 3.0)
PITCHES = st.sampled_from([60, 61]) | st.integers(0, 127)
VALUES = st.integers(0, 127)
CHANNEL_MESSAGES = st.one_of(
    st.tuples(st.just(0x90), PITCHES, st.integers(0, 127)),
    st.tuples(st.just(0x90), PITCHES, st.integers(1, 127)),
    st.tuples(st.just(0x80), PITCHES, VALUES),
    st.tuples(st.just(0xB0), st.sampled_from([64, 66, 67]), VALUES),
    st.tuples(st.just(0xB0), VALUES, VALUES),
    st.tuples(st.sampled_from([0xA0, 0xE0]), VALUES, VALUES),
    st.tuples(st.sampled_from([0xC0, 0xD0]), VALUES),
)
PLAYER = st.tuples(
    st.just("player"), st.sampled_from(["a", "b"]), st.sampled_from([0, 1, 9]), CHANNEL_MESSAGES
)
IMPROV = st.tuples(st.just("improv"), st.integers(0, 3), PITCHES, st.sampled_from(["on", "off", "pedal"]))
TEMPO = st.tuples(st.just("tempo"), st.floats(0.25, 1.5), st.integers(2, 5), st.just(None))
STREAMS = st.lists(st.tuples(WAITS_S, st.one_of(PLAYER, PLAYER, IMPROV, TEMPO)), max_size=60)


@dataclasses.dataclass
class Sent:
    """A journal's messages, and what of them has to be in the file, by track."""

    told: list[tuple[float, wire.Message]] = dataclasses.field(default_factory=list)
    expected: dict[Owner, list[Timed]] = dataclasses.field(default_factory=lambda: defaultdict(list))
    end_s: float = 0.0

    def add(self, at_s: float, what: tuple[Any, ...]) -> None:
        kind, one, other, data = what
        if kind == "player":
            self.told.append(played(at_s, data[0] | other, *data[1:], source=one))
            self.expected[one, other].append((at_s, data))
        elif kind == "tempo":
            self.told.append((at_s, wire.KeepTime(START_S + at_s, one, other, 0.0, 0.0, "")))
        elif data == "pedal":
            self.told.append((at_s, wire.PedalMoved(one, other, START_S + at_s)))
            self.expected[IMPROV_ITSELF].append((at_s, (0xB0, 64, other)))
        elif data == "on":
            self.told.append((at_s, wire.Sounded(one, other, other, 64, START_S + at_s, 0.0)))
            self.expected[IMPROV_ITSELF].append((at_s, (0x90, other, 64)))
        elif any(m == (0x90, other, 64) for _, m in self.expected[IMPROV_ITSELF]):
            self.told.append((at_s, wire.Released(one, other, other, START_S + at_s)))


def sent_by(stream: list[tuple[float, tuple[Any, ...]]]) -> Sent:
    sent, at_s = Sent(), 0.0
    for wait_s, what in stream:
        at_s += wait_s
        sent.add(at_s, what)
    sent.end_s = at_s
    return sent


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120, deadline=None)
@given(stream=STREAMS)
def test_whatever_came_and_went_is_in_the_file_within_a_tick(
    empty: Journal, tmp_path: Path, stream: list[tuple[float, tuple[Any, ...]]]
) -> None:
    sent = sent_by(stream)
    midi = file_of(journal_of(empty, sent.told), tmp_path)
    tempo_map = tempo_map_of(midi)
    tracks = {track.name: written(track) for track in midi.tracks[1:]}
    improv = tracks.pop("improv")
    check_within_a_tick(sent.expected.pop(IMPROV_ITSELF, []), improv, tempo_map)
    check_no_key_is_held_or_struck_twice(improv)
    heard = heard_by_each(sent.expected)
    assert len(tracks) == len(heard)
    check_read_again(tmp_path / "session.mid", journal_of(empty, sent.told), tempo_map)
    for owner, told in heard.items():
        found = track_of(owner, tracks)
        check_within_a_tick(told, found, tempo_map)
        check_no_key_is_held_or_struck_twice(found)


def heard_by_each(told: dict[Owner, list[Timed]]) -> dict[Owner, list[Timed]]:
    """Of each that struck a key, with what pedal boards and the like said, which struck none."""
    players = [owner for owner, messages in told.items() if any(m[0] == 0x90 and m[2] for _, m in messages)]
    heard = {owner: list(told[owner]) for owner in players} or {("", 0): []}
    channels = {channel for _, channel in players}
    for (port, channel), messages in told.items():
        if (port, channel) not in players:
            others = [timed for timed in messages if timed[1][0] not in (0x80, 0x90)]
            for owner in heard:
                if owner[1] == channel or channel not in channels:
                    heard[owner] += others
    return heard


def track_of(owner: Owner, tracks: dict[str, Found]) -> Found:
    """By its name, which says no more than tells it from the others."""
    port, channel = owner
    names = (f"player, {port}, channel {channel + 1}", f"player, {port}", "player")
    return next(tracks[name] for name in names if name in tracks)


def check_within_a_tick(told: list[Timed], found: Found, tempo_map: TempoMap) -> None:
    at: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for tick, data in found:
        at[data].append(tick)
    for moment_s, data in told:
        tick = tempo_map.tick(moment_s)
        near = [one for one in at[data] if abs(one - tick) <= 1]
        assert near, (data, moment_s, tick, at[data])
        at[data].remove(near[0])
    # Nothing else is there but what ends notes and pedals, straightens bends, and begins a track.
    begins = [((0xC0, 0), [0])]
    rest = [(data, ticks) for data, ticks in at.items() if ticks and (data, ticks) not in begins]
    assert all(
        data[0] == 0x80
        or data == (0xE0, 0, 64)
        or (data[0] == 0xB0 and data[1] in (64, 66, 67) and data[2] == 0)
        for data, _ in rest
    ), rest


def check_read_again(path: Path, journal: Journal, tempo_map: TempoMap) -> None:
    """Our own reader pairs the notes as the journal does."""
    notes = {track.name: track.performance.notes for track in read_midi(path)}
    for track in tracks_of(journal):
        for_sure = sorted((note.pitch, note.velocity) for note in track.performance.notes)
        again = notes.get(track.name, ())
        assert sorted((note.pitch, note.velocity) for note in again) == for_sure
        for pitch in {note.pitch for note in again}:
            was, is_ = ([n for n in some if n.pitch == pitch] for some in (track.performance.notes, again))
            for one, other in zip(was, is_, strict=True):
                assert abs(tempo_map.tick(one.onset_s) - tempo_map.tick(other.onset_s)) <= 1


def check_no_key_is_held_or_struck_twice(found: Found) -> None:
    down: set[int] = set()
    for _, data in found:
        if data[0] == 0x90 and data[2]:
            assert data[1] not in down
            down.add(data[1])
        elif data[0] in (0x80, 0x90):
            down.discard(data[1])
    assert not down
