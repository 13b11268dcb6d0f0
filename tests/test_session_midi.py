"""The MIDI file of a session: messages within a tick, tempo, markers, texts; programs that open it."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import mido
import numpy as np
import pretty_midi
import pytest
from conftest import require
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from improv_core.errors import StorageError
from improv_core.midi_files import read_midi
from improv_core.tempo_map import TempoMap
from improv_daemon import wire
from improv_daemon.journal import Entry, Gap, Journal, JournalWriter, Loss, read_journal
from improv_daemon.recorder import tracks_of, write_session_midi
from improv_daemon.settings import Settings

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


@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120, deadline=None
)
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


def test_what_is_held_where_lines_were_lost_ends_there_and_at_the_end(empty: Journal, tmp_path: Path) -> None:
    told = [played(0.5, 0x90, 60, 80), sounded(0.5, 0, 40), (2.0, Gap(3)), played(3.0, 0x90, 62, 80)]
    journal = journal_of(empty, [*told, (4.0, wire.Counts(0, 0, 0))])
    losses = (Loss(3, START_S + 0.5, START_S + 2.0, unwritten=True),)
    midi = file_of(dataclasses.replace(journal, losses=losses), tmp_path)
    ticks = 960 * 2  # of a second
    player, improv = (written(track) for track in midi.tracks[1:])
    assert player[1:] == [
        (ticks // 2, (0x90, 60, 80)),
        (ticks * 2, (0x80, 60, 0)),
        (ticks * 3, (0x90, 62, 80)),
        (ticks * 4, (0x80, 62, 0)),
    ]
    assert improv[1:] == [(ticks // 2, (0x90, 40, 70)), (ticks * 2, (0x80, 40, 0))]


def test_a_key_that_is_struck_again_while_it_is_down_ends_there_and_nothing_is_left_out(
    empty: Journal, tmp_path: Path
) -> None:
    times = ((0.0, 0x90), (1.0, 0x90), (2.0, 0x80), (3.0, 0x80))
    midi = file_of(journal_of(empty, [played(at_s, status, 60, 9) for at_s, status in times]), tmp_path)
    assert written(midi.tracks[1])[1:] == [
        (0, (0x90, 60, 9)),
        (1920, (0x80, 60, 0)),
        (1920, (0x90, 60, 9)),
        (3840, (0x80, 60, 9)),
        (5760, (0x80, 60, 9)),
    ]


def test_a_note_shorter_than_a_tick_lasts_one(empty: Journal, tmp_path: Path) -> None:
    told = [played(1.0, 0x90, 60, 80), played(1.00001, 0x80, 60, 5)]
    midi = file_of(journal_of(empty, told), tmp_path)
    assert written(midi.tracks[1])[1:] == [(1920, (0x90, 60, 80)), (1921, (0x80, 60, 5))]


# --- markers and texts --------------------------------------------------------------------------------


def metas(midi: mido.MidiFile, kind: str) -> list[tuple[int, str]]:
    tick, found = 0, []
    for message in midi.tracks[0]:
        tick += message.time
        if message.type == kind:
            found.append((tick, message.text))
    return found


def test_turns_are_markers(empty: Journal, tmp_path: Path) -> None:
    told = [played(1.0, 0x90, 60, 80), played(2.0, 0x80, 60, 0)]
    told += [sounded(2.5, 0, 64), released(3.0, 0, 64), sounded(3.0, 1, 65), released(3.5, 1, 65)]
    told += [played(4.0, 0x90, 60, 80), played(5.0, 0x80, 60, 0)]
    midi = file_of(journal_of(empty, told), tmp_path)
    assert metas(midi, "marker") == [(1920, "player 1"), (4800, "improv 1"), (7680, "player 2")]


def test_texts_tell_of_model_seed_and_what_was_set_otherwise(empty: Journal, tmp_path: Path) -> None:
    plain = dataclasses.asdict(Settings())
    set_otherwise = {
        **plain,
        "mode": "trade",
        "sampling": {**plain["sampling"], "temperature": 1.25},
        "record": {**plain["record"], "folder": "/home/mary/music"},
    }
    header = dataclasses.replace(empty.header, settings=set_otherwise)
    midi = file_of(dataclasses.replace(empty, header=header), tmp_path)
    (_, first), *texts = metas(midi, "text")
    assert first.startswith(f"improv {header.improv_version}, 2026-11-20 19:30:05 ")
    assert texts == [
        (0, "model default"),
        (0, "seed 7"),
        (0, 'mode = "trade"'),
        (0, "sampling.temperature = 1.25"),
    ]


# --- tempo --------------------------------------------------------------------------------------------


def phrase(bpm: float, beats: int, from_s: float = 2.0) -> list[tuple[float, wire.Message]]:
    """Chords each bar, basses and eighths, by one whose hands are 8 ms apart."""
    dice, told = np.random.default_rng(3), []
    for half in range(2 * beats):
        at_s = from_s + half * 30 / bpm + 0.008 * dice.normal()
        root = (48, 53, 55, 45)[half // 8 % 4]
        pitches = [(60, 64, 67, 72)[half * 3 % 4]] if half % 2 else [root + 12, root + 19]
        for pitch in [root - 12, root, *pitches] if half % 8 == 0 else pitches:
            told += [played(at_s, 0x90, pitch, 70), played(at_s + 0.4 * 30 / bpm, 0x80, pitch, 0)]
    return sorted(told, key=lambda timed: timed[0])


@pytest.mark.parametrize("bpm", [76.0, 97.3, 132.0])
def test_bar_lines_are_where_the_player_has_them(empty: Journal, tmp_path: Path, bpm: float) -> None:
    midi = file_of(journal_of(empty, phrase(bpm, 64)), tmp_path)
    tempo_map, signatures = tempo_map_of(midi), []
    tick = 0
    for message in midi.tracks[0]:
        tick += message.time
        if message.type == "time_signature":
            signatures.append((tick, message.numerator, message.denominator))
    first_bar = signatures[-1][0]  # before it a shorter one, or all of them are alike
    lines_s = [tempo_map.seconds(first_bar + 4 * 960 * bar) for bar in range(2, 7)]
    off_s = [(line_s - 2.0 + 120 / bpm) % (240 / bpm) - 120 / bpm for line_s in lines_s]
    assert np.max(np.abs(off_s)) < 0.015
    assert len([m for m in midi.tracks[0] if m.type == "set_tempo"]) < 8


def test_fixed_is_120_beats_a_minute_whatever_was_played(empty: Journal, tmp_path: Path) -> None:
    midi = file_of(journal_of(empty, phrase(97.3, 32), tempo_bpm=150), tmp_path, "fixed")
    assert [(m.time, m.tempo) for m in midi.tracks[0] if m.type == "set_tempo"] == [(0, 500_000)]


def test_where_no_beat_is_clear_it_is_120_beats_a_minute(empty: Journal, tmp_path: Path) -> None:
    dice = np.random.default_rng(4)
    at_s = np.cumsum(dice.exponential(0.7, 60)).tolist()
    told = [t for s in at_s for t in (played(s, 0x90, 60, 70), played(s + 0.05, 0x80, 60, 0))]
    midi = file_of(journal_of(empty, told), tmp_path)
    assert [(m.time, m.tempo) for m in midi.tracks[0] if m.type == "set_tempo"] == [(0, 500_000)]


def test_a_tempo_that_is_set_goes_before_one_that_is_found_unless_that_is_wanted(
    empty: Journal, tmp_path: Path
) -> None:
    journal = journal_of(empty, phrase(97.3, 32), tempo_bpm=150)
    tempos = [m.tempo for m in file_of(journal, tmp_path).tracks[0] if m.type == "set_tempo"]
    assert tempos[-1] == 400_000
    tempos = [m.tempo for m in file_of(journal, tmp_path, "estimated").tracks[0] if m.type == "set_tempo"]
    assert 60e6 / tempos[-1] == pytest.approx(97.3, rel=0.01)


def test_where_the_clock_is_silent_bar_lines_are_those_of_the_player(empty: Journal, tmp_path: Path) -> None:
    told = [played(2.0, 0xFA), *(played(2.0 + 0.02 * pulse, 0xF8) for pulse in range(24 * 16))]
    told += phrase(90.0, 48, from_s=14.0)
    tempo_map = tempo_map_of(file_of(journal_of(empty, told), tmp_path))
    s_per_beat = [tempo_map.seconds(tempo_map.tick(at_s) + 960) - at_s for at_s in (5.0, 7.0, 20.0, 40.0)]
    assert s_per_beat == pytest.approx([0.48, 0.48, 60 / 90, 60 / 90], abs=0.005)


@pytest.mark.parametrize("jitter_s", [0.0, 0.002])
def test_messages_stay_within_a_tick_of_a_clock_that_goes_from_80_to_160(
    empty: Journal, tmp_path: Path, jitter_s: float
) -> None:
    dice = np.random.default_rng(6)
    pulses_s = 1.0 + np.cumsum(60 / 24 / np.linspace(80, 160, 24 * 80)) + jitter_s * dice.normal(size=24 * 80)
    told = [played(1.0, 0xFA), *(played(at_s, 0xF8) for at_s in np.sort(pulses_s).tolist())]
    moments_s = np.sort(dice.uniform(0, 45, 800)).tolist()
    moves = [(at_s, (0xB0, i % 120, i % 128)) for i, at_s in enumerate(moments_s)]
    told += [played(at_s, *data) for at_s, data in moves]
    midi = file_of(journal_of(empty, sorted(told, key=lambda timed: timed[0])), tmp_path)
    tempo_map = tempo_map_of(midi)
    bpm = [60 / (tempo_map.seconds(tempo_map.tick(at_s) + 960) - at_s) for at_s in (2.0, 41.5)]
    assert bpm == pytest.approx([81.5, 157.0], abs=1.0)
    check_within_a_tick(moves, written(midi.tracks[1]), tempo_map)


# --- files and programs -------------------------------------------------------------------------------


@pytest.fixture
def rich_file(empty: Journal, tmp_path: Path) -> Path:
    """Two keyboards, pedal, bends, programs, drums, an answer, a found tempo, names from all over."""
    told = [*phrase(97.3, 32), (0.0, wire.SetVoice("improv", 5, 0.3, 100))]
    told += [played(at_s, 0x99, 38, 90, source="Überpad ♪") for at_s in (3.0, 4.0, 5.0)]
    told += [
        played(3.1, 0xB0, 64, 127),
        played(6.0, 0xE0, 0, 80),
        played(7.0, 0xC0, 4),
        played(8.0, 0xD0, 60),
    ]
    told += [sounded(23.0, 0, 64), released(24.0, 0, 64), sounded(24.0, 1, 65), released(24.5, 1, 65)]
    write_session_midi(journal_of(empty, sorted(told, key=lambda timed: timed[0])), tmp_path / "session.mid")
    return tmp_path / "session.mid"


def test_it_opens_in_pretty_midi(rich_file: Path) -> None:
    instruments = pretty_midi.PrettyMIDI(str(rich_file)).instruments
    assert {one.name: len(one.notes) for one in instruments if one.is_drum} == {"player, Überpad ?": 3}
    (improv,) = (one for one in instruments if one.name == "improv")
    assert (improv.program, [note.pitch for note in improv.notes]) == (4, [64, 65])


@pytest.mark.parametrize(("minutes", "ticks_per_beat"), [(85, 960), (90, 480)])
def test_what_lasts_long_has_fewer_ticks_so_that_pretty_midi_opens_it(
    empty: Journal, tmp_path: Path, minutes: int, ticks_per_beat: int
) -> None:
    told = [played(60.0 * minutes, 0x90, 60, 80), played(60.0 * minutes + 1, 0x80, 60, 0)]
    assert file_of(journal_of(empty, told), tmp_path).ticks_per_beat == ticks_per_beat
    ((note,),) = (one.notes for one in pretty_midi.PrettyMIDI(str(tmp_path / "session.mid")).instruments)
    assert (note.start, note.end) == pytest.approx((60.0 * minutes, 60.0 * minutes + 1), abs=0.001)
    assert metas(mido.MidiFile(tmp_path / "session.mid"), "marker")[0][0] == 60 * minutes * 2 * ticks_per_beat


def test_it_opens_in_symusic(rich_file: Path) -> None:
    symusic = pytest.importorskip("symusic")
    score = symusic.Score(str(rich_file))
    assert score.ticks_per_quarter == 960
    assert [len(track.notes) for track in score.tracks][-1] == 2


def test_it_opens_in_mido_as_type_1_with_all_its_tracks(rich_file: Path) -> None:
    midi = mido.MidiFile(rich_file)
    assert (midi.type, midi.ticks_per_beat) == (1, 960)
    assert [track.name for track in midi.tracks[1:]] == ["player, keys", "player, Überpad ?", "improv"]


def test_it_opens_in_musescore(rich_file: Path) -> None:
    program = shutil.which("musescore3") or shutil.which("mscore3")
    require(program, "musescore3 is not installed")
    score = rich_file.with_suffix(".musicxml")
    runtime = {"QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(rich_file.parent)}
    done = subprocess.run(
        [str(program), "-o", str(score), str(rich_file)],
        env=os.environ | runtime | {"HOME": str(rich_file.parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, "success" in done.stdout + done.stderr) == (0, True)
    music = ElementTree.parse(score).getroot()
    names = [part.text for part in music.iter("part-name")]
    assert len(names) == 3
    assert names[-1] is not None
    assert "improv" in names[-1]
    assert sum(1 for _ in music.iter("note")) > 100


def test_a_file_that_cannot_be_written_is_named(empty: Journal, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "session.mid"
    with pytest.raises(
        StorageError, match=r"session\.mid cannot be written \(No such file or directory\)\.$"
    ):
        write_session_midi(empty, path)
