"""MIDI files as they are found in the world, read and written."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path

import mido
import pretty_midi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from improv_core.errors import MidiFileError, StorageError
from improv_core.midi_files import (
    BEND,
    BEND_CENTRE,
    KEY_PRESSURE,
    PRESSURE,
    PROGRAM,
    ChannelMessage,
    Track,
    read_midi,
    read_performance,
    write_midi,
)
from improv_core.notes import ControlChange, Note, Performance
from improv_core.tempo_map import Conductor

# Bytes by hand: what a file may say and no library would write.
END = b"\x00\xff\x2f\x00"
HALF_TEMPO = b"\xff\x51\x03\x0f\x42\x40"  # a million microseconds a beat
NOTE = b"\x00\x90\x3c\x40\x60\x80\x3c\x40"  # at once, for 96 ticks


def midi_bytes(*tracks: bytes, division: int = 96, kind: int = 1) -> bytes:
    header = b"MThd" + struct.pack(">LhhH", 6, kind, len(tracks), division)
    return header + b"".join(b"MTrk" + struct.pack(">L", len(track)) + track for track in tracks)


def read_bytes(folder: Path, content: bytes) -> tuple[Track, ...]:
    path = folder / "file.mid"
    path.write_bytes(content)
    return read_midi(path)


def notes_of(tracks: tuple[Track, ...]) -> list[tuple[int, int, float, float]]:
    return [(n.pitch, n.velocity, n.onset_s, n.release_s) for t in tracks for n in t.performance.notes]


# --- reading --------------------------------------------------------------------------------------


def test_each_channel_of_each_track_is_a_voice_in_the_order_of_the_file(tmp_path: Path) -> None:
    name = b"\x00\xff\x03\x05Piano"
    two_channels = (
        name + b"\x00\xc1\x05\x00\x91\x40\x50\x00\x90\x3c\x40\x60\x80\x3c\x00\x00\x81\x40\x00" + END
    )
    other = b"\x00\xff\x03\x04Bass\x00\xc2\x20" + b"\x00\x92\x24\x46\x60\x82\x24\x00" + END
    tracks = read_bytes(tmp_path, midi_bytes(two_channels, other))
    assert [(t.name, t.channel, t.program) for t in tracks] == [
        ("Piano", 0, 0),
        ("Piano", 1, 5),
        ("Bass", 2, 32),
    ]
    assert notes_of(tracks) == [(60, 64, 0.0, 0.5), (64, 80, 0.0, 0.5), (36, 70, 0.0, 0.5)]


def test_a_tempo_change_counts_for_every_track_wherever_it_is_written(tmp_path: Path) -> None:
    tempo_on_the_last_track = b"\x60" + HALF_TEMPO + END
    tracks = read_bytes(
        tmp_path, midi_bytes(b"\x60" + NOTE[1:] + END, NOTE + NOTE + END, tempo_on_the_last_track)
    )
    assert notes_of(tracks) == [(60, 64, 0.5, 1.5), (60, 64, 0.0, 0.5), (60, 64, 0.5, 1.5)]


def test_running_status_is_read_and_velocity_zero_is_a_release(tmp_path: Path) -> None:
    running = b"\x00\x90\x3c\x40\x30\x40\x41\x30\x3c\x00\x00\x40\x00" + END
    assert notes_of(read_bytes(tmp_path, midi_bytes(running))) == [(60, 64, 0.0, 0.5), (64, 65, 0.25, 0.5)]


def test_a_meta_message_does_not_break_running_status(tmp_path: Path) -> None:
    interrupted = b"\x00\x90\x3c\x40\x30" + HALF_TEMPO + b"\x30\x3c\x00" + END
    assert notes_of(read_bytes(tmp_path, midi_bytes(interrupted))) == [(60, 64, 0.0, 0.75)]


def test_overlapping_notes_of_one_pitch_end_in_the_order_they_began(tmp_path: Path) -> None:
    overlapping = b"\x00\x90\x3c\x40\x30\x90\x3c\x50\x30\x80\x3c\x00\x30\x80\x3c\x00" + END
    assert notes_of(read_bytes(tmp_path, midi_bytes(overlapping))) == [
        (60, 64, 0.0, 0.5),
        (60, 80, 0.25, 0.75),
    ]


def test_a_note_that_is_never_released_ends_with_its_track(tmp_path: Path) -> None:
    hanging = b"\x00\x90\x3c\x40\x00\x90\x40\x40\x60\x80\x40\x00\x60\xff\x2f\x00"
    assert notes_of(read_bytes(tmp_path, midi_bytes(hanging))) == [(60, 64, 0.0, 1.0), (64, 64, 0.0, 0.5)]


def test_a_release_without_a_note_is_ignored(tmp_path: Path) -> None:
    assert notes_of(read_bytes(tmp_path, midi_bytes(b"\x00\x80\x3c\x00" + NOTE + END))) == [
        (60, 64, 0.0, 0.5)
    ]


def test_the_pedal_is_read_with_its_values_and_times(tmp_path: Path) -> None:
    pedalled = b"\x00\xb0\x40\x7f" + NOTE + b"\x60\xb0\x40\x00" + END
    (track,) = read_bytes(tmp_path, midi_bytes(pedalled))
    assert track.performance.pedal == (ControlChange(64, 127, 0.0), ControlChange(64, 0, 1.0))


@pytest.mark.parametrize(
    ("frames", "ticks_a_frame", "frames_per_s"),
    [(25, 40, 25), (30, 80, 30), (24, 4, 24), (29, 100, 30_000 / 1001)],
)
def test_an_smpte_division_counts_frames_and_heeds_no_tempo(
    tmp_path: Path, frames: int, ticks_a_frame: int, frames_per_s: float
) -> None:
    division = (256 - frames) << 8 | ticks_a_frame
    tracks = read_bytes(tmp_path, midi_bytes(b"\x00" + HALF_TEMPO + NOTE + END, division=division))
    ((_, _, onset_s, release_s),) = notes_of(tracks)
    assert onset_s == 0.0
    assert release_s == pytest.approx(96 / ticks_a_frame / frames_per_s, abs=1e-9)


def test_a_type_0_file_is_read_by_channel(tmp_path: Path) -> None:
    mixed = b"\x00\x90\x3c\x40\x00\x91\x40\x40\x60\x80\x3c\x00\x00\x81\x40\x00" + END
    assert [t.channel for t in read_bytes(tmp_path, midi_bytes(mixed, kind=0))] == [0, 1]


def test_drums_are_a_voice_but_no_part_of_the_performance(tmp_path: Path) -> None:
    path = tmp_path / "drums.mid"
    path.write_bytes(midi_bytes(NOTE + END, b"\x00\x99\x24\x40\x60\x89\x24\x00" + END))
    assert [track.is_drum for track in read_midi(path)] == [False, True]
    assert [note.pitch for note in read_performance(path).notes] == [60]


def test_a_file_of_drums_alone_holds_no_notes(tmp_path: Path) -> None:
    path = tmp_path / "drums.mid"
    path.write_bytes(midi_bytes(b"\x00\x99\x24\x40\x60\x89\x24\x00" + END))
    with pytest.raises(MidiFileError, match=r"drums\.mid holds no notes\.$"):
        read_performance(path)


def test_data_bytes_that_are_too_large_are_clipped(tmp_path: Path) -> None:
    assert notes_of(read_bytes(tmp_path, midi_bytes(b"\x00\x90\x3c\xff\x60\x80\x3c\x00" + END))) == [
        (60, 127, 0.0, 0.5)
    ]


def test_plain_files_read_as_pretty_midi_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "plain.mid"
    midi = pretty_midi.PrettyMIDI(initial_tempo=97.0, resolution=220)
    for program in (0, 40):
        voice = pretty_midi.Instrument(program)
        voice.notes = [
            pretty_midi.Note(
                20 + 3 * i, 36 + (i * 7 + program) % 48, i * 0.173, i * 0.173 + 0.1 + (i % 5) * 0.31
            )
            for i in range(30)
        ]
        voice.control_changes = [pretty_midi.ControlChange(64, 127 * (i % 2), i * 0.4) for i in range(8)]
        midi.instruments.append(voice)
    midi.write(str(path))

    oracle = pretty_midi.PrettyMIDI(str(path))
    for voice, track in zip(oracle.instruments, read_midi(path), strict=True):
        expected = Performance.of(
            (Note(n.pitch, n.velocity, n.start, n.end - n.start) for n in voice.notes),
            (ControlChange(c.number, c.value, c.time) for c in voice.control_changes),
        )
        assert_same(track.performance, expected, within_s=1e-6)
        assert track.program == voice.program


def test_songs_of_a_type_2_file_follow_one_another_each_at_its_own_tempo(tmp_path: Path) -> None:
    songs = (b"\x00" + HALF_TEMPO + NOTE + END, NOTE + END, b"\x00" + HALF_TEMPO + NOTE + END)
    read = read_bytes(tmp_path, midi_bytes(*songs, kind=2))
    assert [note[2:] for note in notes_of(read)] == [(0.0, 1.0), (1.0, 1.5), (1.5, 2.5)]


def test_a_type_0_file_of_16_channels_is_16_voices(tmp_path: Path) -> None:
    notes = b"".join(bytes((0, 0x90 | channel, 60 + channel, 64)) for channel in range(16))
    read = read_bytes(tmp_path, midi_bytes(notes + b"\x60\xff\x2f\x00", kind=0))
    assert [(track.channel, track.performance.notes[0].pitch) for track in read] == [
        (channel, 60 + channel) for channel in range(16)
    ]


def test_chunks_of_other_kinds_are_passed_over(tmp_path: Path) -> None:
    content = midi_bytes(NOTE + END)
    odd = content[:14] + b"XFIH" + struct.pack(">L", 4) + b"abcd" + content[14:]
    assert notes_of(read_bytes(tmp_path, odd)) == [(60, 64, 0.0, 0.5)]


def test_a_track_without_an_end_ends_with_its_last_message(tmp_path: Path) -> None:
    assert notes_of(read_bytes(tmp_path, midi_bytes(NOTE))) == [(60, 64, 0.0, 0.5)]


@pytest.mark.parametrize("kind", [1, 2])
def test_thousands_of_tracks_are_read_and_more_than_32_767_are_refused(tmp_path: Path, kind: int) -> None:
    content = midi_bytes(*[b""] * 4_999, NOTE + END, kind=kind)
    assert notes_of(read_bytes(tmp_path, content)) == [(60, 64, 0.0, 0.5)]
    with pytest.raises(
        MidiFileError, match=r"file\.mid has more tracks than improv reads, which is 32767\.$"
    ):
        read_bytes(tmp_path, content[:10] + b"\xfd\xe8" + content[12:])


@pytest.mark.parametrize(
    ("written", "name"), [("Überpad".encode(), "Überpad"), ("Überpad".encode("latin-1"), "Überpad")]
)
def test_names_are_read_in_either_of_the_usual_encodings(tmp_path: Path, written: bytes, name: str) -> None:
    begin = b"\x00\xff\x03" + bytes((len(written),)) + written
    (track,) = read_bytes(tmp_path, midi_bytes(begin + NOTE + END))
    assert track.name == name


# --- what cannot be read --------------------------------------------------------------------------

WHOLE = midi_bytes(b"\x00" + HALF_TEMPO + END, b"\x00\xff\x03\x05Piano" + NOTE * 6 + END)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty."),
        (b"RIFFxxxx", "is not a MIDI file."),
        (b"MT", "is not a MIDI file."),
        (b"MThd", "it ends too early"),
        (WHOLE[:20], "it ends too early"),
        (WHOLE[:-3], "it ends too early"),
        (WHOLE[:14] + b"garbage" * 9, "no MTrk header"),
        (midi_bytes(NOTE, division=0), "a division of zero ticks"),
        (midi_bytes(NOTE, division=0xE700), "a division of zero ticks"),
        (midi_bytes(b"\x00\x3c\x40" + END), "running status"),
        (midi_bytes(b"\xff" * 400 + b"\x00" + NOTE + END), "cannot be read as MIDI"),
    ],
    ids=[
        *("empty", "other-kind", "two-bytes", "header-cut", "track-header-cut", "track-cut", "garbage"),
        *("no-ticks", "no-ticks-a-frame", "no-status", "endless-delta"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence_with_its_name(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(content)
    with pytest.raises(MidiFileError) as caught:
        read_midi(path)
    message = str(caught.value)
    assert message.startswith(f"{path} ")
    assert reason in message
    assert message.endswith(".")
    assert "\n" not in message


def test_a_missing_file_a_folder_and_an_impossible_name_are_named(tmp_path: Path) -> None:
    with pytest.raises(MidiFileError, match=r"none\.mid does not exist\.$"):
        read_midi(tmp_path / "none.mid")
    with pytest.raises(MidiFileError, match="is a folder; name a MIDI file in it"):
        read_midi(tmp_path)
    with pytest.raises(MidiFileError, match="cannot be read"):
        read_midi(tmp_path / ("x" * 300 + ".mid"))
    (tmp_path / "song.mid").write_bytes(WHOLE)
    with pytest.raises(MidiFileError, match=r"cannot be read \(Not a directory\)\.$"):
        read_midi(tmp_path / "song.mid" / "other.mid")


def test_a_file_larger_than_any_music_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "huge.mid").open("wb") as file:
        file.write(WHOLE)
        file.truncate((32 << 20) + 5)
    with pytest.raises(
        MidiFileError, match=r"huge\.mid is too large to be read as MIDI: improv reads up to 32 MB\.$"
    ):
        read_midi(tmp_path / "huge.mid")


def reads_or_is_refused(path: Path) -> bool:
    """Whether every voice that is read has notes, or the refusal names the file; other errors pass."""
    try:
        return all(track.performance.notes for track in read_midi(path))
    except MidiFileError as refusal:
        return str(path) in str(refusal)


@given(st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_corrupted_file_reads_or_is_refused_and_nothing_else(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)) | st.none())
    path = tmp_path / "corrupt.mid"
    path.write_bytes(bytes(content[:cut]) + data.draw(st.binary(max_size=12)))
    assert reads_or_is_refused(path)


@given(st.binary(max_size=80))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_as_a_track_read_or_are_refused(tmp_path: Path, track: bytes) -> None:
    path = tmp_path / "any.mid"
    path.write_bytes(midi_bytes(track))
    assert reads_or_is_refused(path)


# --- writing --------------------------------------------------------------------------------------


def assert_same(found: Performance, expected: Performance, *, within_s: float) -> None:
    assert [(n.pitch, n.velocity) for n in found.notes] == [(n.pitch, n.velocity) for n in expected.notes]
    for mine, other in zip(found.notes, expected.notes, strict=True):
        assert mine.onset_s == pytest.approx(other.onset_s, abs=within_s)
        assert mine.release_s == pytest.approx(other.release_s, abs=within_s)
    assert [(c.controller, c.value) for c in found.controls] == [
        (c.controller, c.value) for c in expected.controls
    ]
    for control, other_control in zip(found.controls, expected.controls, strict=True):
        assert control.at_s == pytest.approx(other_control.at_s, abs=within_s)


@st.composite
def performances(draw: st.DrawFn) -> Performance:
    """Notes no two of which overlap on one pitch, and a pedal that moves at most once in 2 ms."""
    notes, at_ms = [], 0
    for _ in range(draw(st.integers(1, 20))):
        at_ms += draw(st.integers(2, 4_000_000))
        pitch, duration_ms = draw(st.integers(0, 127)), draw(st.integers(1, 60_000))
        if all(n.pitch != pitch or n.release_s < at_ms / 1000 - 0.001 for n in notes):
            notes.append(Note(pitch, draw(st.integers(1, 127)), at_ms / 1000, duration_ms / 1000))
    times = draw(st.lists(st.integers(0, 2_000_000), max_size=10, unique=True))
    return Performance.of(
        notes, [ControlChange(64, draw(st.integers(0, 127)), 2 * at / 1000) for at in times]
    )


@given(performances())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_written_reads_the_same_within_a_millisecond(
    tmp_path: Path, performance: Performance
) -> None:
    path = tmp_path / "round.mid"
    write_midi(path, [Track("player", performance), Track("improv", performance, 4, 1)])
    player, improv = read_midi(path)
    assert [(t.name, t.program, t.channel) for t in (player, improv)] == [("player", 0, 0), ("improv", 4, 1)]
    assert_same(player.performance, performance, within_s=0.001)
    assert_same(improv.performance, performance, within_s=0.001)


@pytest.mark.parametrize("tempo_bpm", [30.0, 97.0, 300.0])
def test_at_any_tempo_the_music_is_the_same(tmp_path: Path, tempo_bpm: float) -> None:
    played = Performance.of([Note(60, 80, 0.5, 0.25), Note(62, 70, 1.0, 0.0)], [])
    path = tmp_path / "a.mid"
    write_midi(path, [Track("improv", played)], tempo_bpm)
    (tempo,) = (message.tempo for message in mido.MidiFile(path) if message.type == "set_tempo")
    assert mido.tempo2bpm(tempo) == pytest.approx(tempo_bpm, rel=1e-4)
    notes = read_performance(path).notes
    assert [(n.pitch, n.onset_s) for n in notes] == [
        (60, pytest.approx(0.5, abs=2e-3)),
        (62, pytest.approx(1, abs=2e-3)),
    ]
    assert notes[0].duration_s == pytest.approx(0.25, abs=3e-3)
    assert 0 < notes[1].duration_s < 0.005


def test_a_note_without_length_lasts_a_moment_when_written(tmp_path: Path) -> None:
    path = tmp_path / "short.mid"
    write_midi(path, [Track("player", Performance.of([Note(60, 64, 1.0, 0.0), Note(60, 70, 2.0, 0.5)]))])
    first, second = read_performance(path).notes
    assert first.duration_s == pytest.approx(0.001, abs=0.0006)
    assert second.duration_s == pytest.approx(0.5, abs=0.0006)


def test_a_key_that_is_struck_again_as_it_is_released_stays_two_notes(tmp_path: Path) -> None:
    path = tmp_path / "again.mid"
    write_midi(path, [Track("player", Performance.of([Note(60, 64, 0.0, 1.0), Note(60, 70, 1.0, 1.0)]))])
    assert [(n.onset_s, n.duration_s) for n in read_performance(path).notes] == [(0.0, 1.0), (1.0, 1.0)]


def test_pedal_movements_of_one_instant_are_all_kept_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "pedal.mid"
    controls = [ControlChange(64, value, 1.0) for value in (127, 0, 90, 3)]
    write_midi(path, [Track("improv", Performance.of([Note(60, 64, 0.0, 2.0)], controls))])
    assert [change.value for change in read_performance(path).pedal] == [127, 0, 90, 3]


def test_bends_pressures_and_programs_are_written_with_their_times_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "told.mid"
    notes = [Note(60, 64, 0.5, 2.0)]
    messages = (
        ChannelMessage((BEND, 0, 96), 0.5),
        ChannelMessage((PRESSURE, 90), 0.75),
        ChannelMessage((KEY_PRESSURE, 60, 33), 1.0),
        ChannelMessage((PROGRAM, 48), 1.5),
        ChannelMessage((BEND, *BEND_CENTRE), 2.0),
    )
    player = Track("player", Performance.of(notes), 4, 2, messages)
    write_midi(path, [player, Track("improv", Performance.of(notes), 11, 1)])
    assert read_midi(path) == (player, Track("improv", Performance.of(notes), 11, 1))


def test_a_bank_is_chosen_before_the_program_in_it_and_both_before_the_note(tmp_path: Path) -> None:
    path = tmp_path / "bank.mid"
    performance = Performance.of([Note(60, 64, 1.0, 1.0)], [ControlChange(0, 8, 1.0)])
    write_midi(path, [Track("player", performance, messages=(ChannelMessage((PROGRAM, 4), 1.0),))])
    assert [m.bytes() for m in mido.MidiFile(path).tracks[1] if not m.is_meta] == [
        [0xC0, 0],
        [0xB0, 0, 8],
        [0xC0, 4],
        [0x90, 60, 64],
        [0x80, 60, 0],
    ]


@pytest.mark.parametrize("data", [(), (0x90, 60, 64), (BEND, 0), (PROGRAM, 128), (PRESSURE, 1, 2)])
def test_what_is_no_bend_pressure_or_program_is_no_channel_message(data: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="no bend, pressure or program"):
        ChannelMessage(data, 0.0)


def test_tempo_bars_and_markers_are_written_and_the_music_stays_in_its_seconds(tmp_path: Path) -> None:
    path = tmp_path / "bars.mid"
    notes = tuple(Note(60, 64, float(at), 0.5) for at in range(6))
    conductor = Conductor(
        ((0, 500_000), (1920, 250_000), (2880, 1_000_000)),
        ((0, 2, 4), (1920, 3, 8)),
        ((1920, "song start"),),
    )
    write_midi(path, [Track("player", Performance.of(notes))], conductor=conductor)
    first, player = mido.MidiFile(path).tracks
    assert [(m.type, m.time) for m in first] == [
        *(("time_signature", 0), ("set_tempo", 0), ("time_signature", 1920), ("set_tempo", 0), ("marker", 0)),
        *(("set_tempo", 960), ("end_of_track", 0)),
    ]
    assert read_performance(path).notes == notes
    ons = itertools.accumulate(message.time for message in player)
    ticks = [tick for tick, message in zip(ons, player, strict=True) if message.type == "note_on"]
    # 1 s: two beats of half a second; then four a second for one beat, then one a second.
    assert ticks == [0, 1920, 3600, 4560, 5520, 6480]


def test_a_name_beyond_a_midi_files_letters_is_written_with_question_marks(tmp_path: Path) -> None:
    path = tmp_path / "name.mid"
    write_midi(path, [Track("Flügel 音", Performance.of([Note(60, 64, 0.0, 1.0)]))])
    assert [track.name for track in read_midi(path)] == ["Flügel ?"]


def test_the_drum_channel_survives(tmp_path: Path) -> None:
    path = tmp_path / "drums.mid"
    write_midi(path, [Track("kit", Performance.of([Note(36, 64, 0.0, 0.1)]), channel=9)])
    assert [track.is_drum for track in read_midi(path)] == [True]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        StorageError, match=r"nowhere/out\.mid cannot be written \(No such file or directory\)\.$"
    ):
        write_midi(tmp_path / "nowhere" / "out.mid", [Track("improv", Performance())])


def test_a_file_that_cannot_be_written_whole_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.mid"
    path.write_bytes(b"the one before")

    def full(file: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StorageError, match=r"out\.mid cannot be written \(No space left on device\)\.$"):
        write_midi(path, [Track("improv", Performance.of([Note(60, 64, 0.0, 0.5)]))])
    assert path.read_bytes() == b"the one before"
    assert [file.name for file in tmp_path.iterdir()] == ["out.mid"]
