"""Offline sound: as long as the music, as loud as it may be, never clipped."""

from __future__ import annotations

import sys
import wave
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from sound_checks import Sound, decoded_mp3, installed_soundfont, sound_of

from improv_core.errors import SoundError, StorageError
from improv_core.midi_files import Track
from improv_core.notes import ControlChange, Note, Performance
from improv_daemon.phrases import demo_phrases
from improv_daemon.recorder import (
    SAMPLE_RATE,
    TAIL_S,
    fitting_gain,
    render_audio,
    write_mp3,
    write_wav,
)
from improv_daemon.recorder._id3 import header
from improv_daemon.recorder.audio import LOUDEST_GAIN, PEAK, Encoder, encode

RECORDED_AT = datetime(2026, 11, 20, 19, 30, 5)
FORTISSIMO = Performance.of(
    [Note(pitch, 127, 0.0, 2.0) for pitch in (28, 36, 43, 48, 52, 55, 60, 64, 67, 72)],
    [ControlChange(64, 127, 0.0)],
)


@pytest.fixture(scope="module")
def soundfont() -> Path:
    return installed_soundfont()


def one_note(
    onset_s: float = 0.0, duration_s: float = 0.5, pitch: int = 60, velocity: int = 90
) -> Performance:
    return Performance.of([Note(pitch, velocity, onset_s, duration_s)])


def rendered(*tracks: Track, soundfont: Path, gain: float = 0.5, tail_s: float = TAIL_S) -> Sound:
    chunks = list(render_audio(tracks, soundfont, gain=gain, tail_s=tail_s))
    return sound_of(np.concatenate(chunks), SAMPLE_RATE)


# --- rendering ------------------------------------------------------------------------------------


def test_sound_is_as_long_as_the_tracks_and_the_tail(soundfont: Path) -> None:
    sound = rendered(Track("a", one_note(1.0, 0.25)), Track("b", one_note(0.0, 0.5)), soundfont=soundfont)
    assert len(sound.samples) == round((1.25 + 3.0) * SAMPLE_RATE)


def test_sound_comes_in_chunks_of_a_tenth_of_a_second(soundfont: Path) -> None:
    chunks = list(render_audio([Track("a", one_note())], soundfont, gain=0.5, tail_s=0.05))
    assert [chunk.shape for chunk in chunks] == [(4410, 2)] * 5 + [(2205, 2)]
    assert {chunk.dtype for chunk in chunks} == {np.dtype(np.int16)}


def test_a_note_sounds_at_its_onset_and_not_before(soundfont: Path) -> None:
    sound = rendered(Track("a", one_note(onset_s=1.2345)), soundfont=soundfont)
    assert sound.between(0.0, 1.2345).peak < 0.0005
    assert 1.2345 <= sound.first_above(0.003) < 1.2345 + 0.02


def test_rendering_twice_gives_the_same_sound(soundfont: Path) -> None:
    track = Track("a", demo_phrases()[0])
    first, second = (rendered(track, soundfont=soundfont) for _ in range(2))
    assert np.array_equal(first.samples, second.samples)


def test_a_released_key_falls_silent(soundfont: Path) -> None:
    sound = rendered(Track("a", one_note(duration_s=0.5)), soundfont=soundfont)
    assert sound.between(0.2, 0.5).rms > 20 * sound.between(1.5, 2.0).rms


def test_the_pedal_keeps_a_released_key_sounding(soundfont: Path) -> None:
    pedal = [ControlChange(64, 127, 0.0)]
    held = Track("a", Performance.of([Note(60, 90, 0.0, 0.2)], [*pedal, ControlChange(64, 0, 2.0)]))
    dry = Track("a", Performance.of([Note(60, 90, 0.0, 0.2)], [ControlChange(64, 0, 2.0)]))
    ringing = rendered(held, soundfont=soundfont).between(1.0, 1.5).rms
    assert ringing > 10 * rendered(dry, soundfont=soundfont).between(1.0, 1.5).rms


def test_an_overlapped_key_sounds_until_its_last_release(soundfont: Path) -> None:
    notes = [Note(60, 90, 0.0, 1.0), Note(60, 90, 0.5, 1.5)]
    sound = rendered(Track("a", Performance.of(notes)), soundfont=soundfont)
    assert sound.between(1.2, 1.8).rms > 10 * sound.between(3.0, 3.5).rms


def test_a_note_of_no_length_does_not_hang(soundfont: Path) -> None:
    sound = rendered(Track("a", one_note(duration_s=0.0)), soundfont=soundfont)
    assert sound.between(1.0, 1.5).rms < 0.001


def test_two_tracks_stand_apart(soundfont: Path) -> None:
    silent = Track("b", Performance())
    left = rendered(Track("a", one_note()), silent, soundfont=soundfont)
    right = rendered(silent, Track("a", one_note()), soundfont=soundfont)
    assert np.square(left.samples).sum(axis=0) @ [1, -1] > 0
    assert np.square(right.samples).sum(axis=0) @ [1, -1] < 0


def test_the_last_sample_is_silent_even_when_the_pedal_stays_down(soundfont: Path) -> None:
    sound = rendered(Track("a", FORTISSIMO), soundfont=soundfont)
    assert sound.between(sound.duration_s - 1.5, sound.duration_s - 1.0).rms > 0.003
    assert sound.between(sound.duration_s - 0.01, sound.duration_s).peak < 0.002


def test_program_and_drums_of_a_track_are_heard(soundfont: Path) -> None:
    piano, organ, drums = (
        rendered(Track("a", one_note(pitch=38), program, channel), soundfont=soundfont)
        for program, channel in ((0, 0), (19, 0), (0, 9))
    )
    assert organ.between(0.3, 0.5).rms != pytest.approx(piano.between(0.3, 0.5).rms, rel=0.05)
    assert drums.between(0.0, 0.3).rms != pytest.approx(piano.between(0.0, 0.3).rms, rel=0.05)


def test_more_tracks_than_midi_has_channels_all_sound(soundfont: Path) -> None:
    tracks = [Track(str(place), Performance()) for place in range(20)]
    tracks.append(Track("last", one_note()))
    assert rendered(*tracks, soundfont=soundfont).peak > 0.005


# --- level ----------------------------------------------------------------------------------------


def test_a_dense_fortissimo_chord_of_both_does_not_clip(soundfont: Path) -> None:
    tracks = [Track("player", FORTISSIMO), Track("improv", FORTISSIMO, channel=1)]
    gain = fitting_gain(tracks, soundfont)
    sound = rendered(*tracks, soundfont=soundfont, gain=gain)
    assert sound.peak == pytest.approx(PEAK, abs=0.01)


def test_hundreds_of_voices_do_not_clip(soundfont: Path) -> None:
    keys = Performance.of([Note(pitch, 127, 0.0, 0.5) for pitch in range(21, 109)])
    tracks = [Track(str(place), keys) for place in range(3)]
    sound = rendered(*tracks, soundfont=soundfont, gain=fitting_gain(tracks, soundfont))
    assert 0.5 < sound.peak < 0.9


def test_quiet_playing_stays_quiet(soundfont: Path) -> None:
    tracks = [Track("a", one_note(velocity=8))]
    gain = fitting_gain(tracks, soundfont)
    assert gain == LOUDEST_GAIN
    assert 0.0005 < rendered(*tracks, soundfont=soundfont, gain=gain).peak < 0.2


def test_tracks_without_a_note_are_an_error(soundfont: Path) -> None:
    with pytest.raises(SoundError, match="there is no note to hear"):
        fitting_gain([Track("a", Performance())], soundfont)


# --- files ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def phrases() -> list[Track]:
    asking, _, yielding = demo_phrases()
    return [Track("player", asking), Track("improv", yielding, channel=1)]


def test_wav_holds_the_sound_at_full_level(soundfont: Path, tmp_path: Path, phrases: list[Track]) -> None:
    write_wav(tmp_path / "a.wav", phrases, soundfont)
    with wave.open(str(tmp_path / "a.wav"), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, SAMPLE_RATE)
        sound = sound_of(np.frombuffer(file.readframes(file.getnframes()), np.int16), SAMPLE_RATE)
    span_s = max(track.performance.end_s for track in phrases)
    assert sound.duration_s == pytest.approx(span_s + TAIL_S, abs=1e-4)
    assert 0.3 < sound.peak < 0.98


def test_mp3_is_of_the_right_length_neither_silent_nor_clipped(
    soundfont: Path, tmp_path: Path, phrases: list[Track]
) -> None:
    write_mp3(tmp_path / "a.mp3", phrases, soundfont)
    sound = decoded_mp3(tmp_path / "a.mp3")
    span_s = max(track.performance.end_s for track in phrases)
    # The encoder adds up to two frames of silence at either end.
    assert sound.duration_s == pytest.approx(span_s + TAIL_S, abs=0.1)
    assert 0.3 < sound.peak < 0.98
    assert sound.rms > 0.02


def test_mp3_keeps_its_bit_rate(soundfont: Path, tmp_path: Path) -> None:
    write_mp3(tmp_path / "a.mp3", [Track("a", one_note())], soundfont, bitrate_kbps=128)
    sound = decoded_mp3(tmp_path / "a.mp3")
    bits = (tmp_path / "a.mp3").stat().st_size * 8
    assert bits / sound.duration_s == pytest.approx(128_000, rel=0.03)


def test_mp3_starts_with_its_title_and_date(soundfont: Path, tmp_path: Path) -> None:
    write_mp3(tmp_path / "a.mp3", [Track("a", one_note())], soundfont, title="Übung", recorded_at=RECORDED_AT)
    tag = header(title="Übung", artist="improv", recorded_at=RECORDED_AT)
    content = (tmp_path / "a.mp3").read_bytes()
    assert content.startswith(tag)
    assert content[len(tag)] == 0xFF  # the first frame's sync byte


def test_id3_header_is_to_the_byte() -> None:
    frames = (
        b"TIT2\x00\x00\x00\x03\x00\x00\x03Hi"
        b"TPE1\x00\x00\x00\x07\x00\x00\x03improv"
        b"TDRC\x00\x00\x00\x14\x00\x00\x032026-11-20T19:30:05"
    )
    assert header(title="Hi", artist="improv", recorded_at=RECORDED_AT) == (
        b"ID3\x04\x00\x00\x00\x00\x00" + bytes([len(frames)]) + frames
    )


def test_id3_header_writes_long_sizes_in_bytes_of_seven_bits() -> None:
    content = header(title="x" * 299, artist="", recorded_at=None)
    assert content[14:18] == bytes([0, 0, 2, 44])  # 300 = 2 * 128 + 44


def test_progress_rises_to_one(soundfont: Path, tmp_path: Path) -> None:
    seen: list[float] = []
    write_mp3(tmp_path / "a.mp3", [Track("a", one_note())], soundfont, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert 0.5 in seen


def test_a_file_that_exists_is_not_overwritten(soundfont: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_text("mine")
    with pytest.raises(StorageError, match="exists already and is not overwritten"):
        write_wav(path, [Track("a", one_note())], soundfont)
    assert [file.name for file in tmp_path.iterdir()] == ["a.wav"]
    assert path.read_text() == "mine"


def test_a_failure_on_the_way_leaves_no_file(soundfont: Path, tmp_path: Path) -> None:
    def give_up(done: float) -> None:
        if done > 0.7:
            raise SoundError("given up")

    with pytest.raises(SoundError, match="given up"):
        write_mp3(tmp_path / "a.mp3", [Track("a", one_note())], soundfont, progress=give_up)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_is_named(soundfont: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"gone/a.wav cannot be written"):
        write_wav(tmp_path / "gone" / "a.wav", [Track("a", one_note())], soundfont)


class CountingEncoder:
    """Stands for an MP3 encoder: one byte for each chunk."""

    def __init__(self) -> None:
        self.waiting = 0

    def encode(self, samples: bytes, /) -> bytes:
        self.waiting += 1
        return b"f"

    def flush(self) -> bytes:
        return b"end"


def test_encoding_streams_chunk_by_chunk(tmp_path: Path) -> None:
    encoder = CountingEncoder()
    as_protocol: Encoder = encoder
    path = tmp_path / "a.bin"
    with path.open("wb", buffering=0) as file:

        def chunks() -> Iterator[np.ndarray]:
            for done in range(3):
                assert path.stat().st_size == done
                yield np.zeros((10, 2), np.int16)

        encode(chunks(), as_protocol, file)
    assert path.read_bytes() == b"fffend"


# --- what may be missing --------------------------------------------------------------------------


def test_a_file_that_is_no_soundfont_is_named(soundfont: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.sf2"
    wrong.write_bytes(b"RIFF\x00\x00\x00\x00sfbk")
    with pytest.raises(SoundError, match=r"wrong.sf2 is not a soundfont"):
        list(render_audio([Track("a", one_note())], wrong, gain=0.5))


def test_without_the_library_the_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "fluidsynth", None)
    with pytest.raises(SoundError, match=r"FluidSynth's library is missing: .*install"):
        list(render_audio([Track("a", one_note())], tmp_path / "a.sf2", gain=0.5))


def test_without_the_encoder_the_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "lameenc", None)
    with pytest.raises(SoundError, match="MP3 encoder is missing; install it with `pip install lameenc`"):
        write_mp3(tmp_path / "a.mp3", [Track("a", one_note())], tmp_path / "a.sf2")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_printed(soundfont: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_mp3(tmp_path / "a.mp3", [Track("a", one_note())], soundfont)
    assert capfd.readouterr() == ("", "")
