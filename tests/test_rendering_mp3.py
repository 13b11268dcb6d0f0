"""MP3s tell players how long they are, and what they are."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sound_checks import decoded, decoded_mp3

from improv_daemon.rendering.id3 import header
from improv_daemon.rendering.mp3_frames import ENCODER_DELAY, Mp3Stream
from improv_daemon.rendering.options import RenderOptions, Tags
from improv_daemon.rendering.writers import Mp3Writer, open_writer

RECORDED_AT = datetime(2026, 11, 20, 19, 30, 5)
TAGS = Tags("Übung", RECORDED_AT, "improv", "model default, seed 7")


def bursts(seconds: int, rate: int) -> NDArray[np.float32]:
    """A short tone at the beginning of each second, and silence."""
    at_s = np.arange(seconds * rate + 123) / rate
    wave = 0.3 * np.sin(2 * np.pi * 440 * at_s) * (at_s % 1 < 0.1)
    return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)


def write(path: Path, samples: NDArray[np.float32], options: RenderOptions) -> None:
    with Mp3Writer(path, options) as writer:
        for start in range(0, len(samples), 1000):
            writer.write(samples[start : start + 1000])


# --- length ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bitrate_kbps", [0, 192])
@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 32_000, 44_100, 48_000])
def test_players_know_length_and_place_of_every_sample(rate: int, bitrate_kbps: int, tmp_path: Path) -> None:
    samples = bursts(3, rate)
    write(tmp_path / "a.mp3", samples, RenderOptions(sample_rate=rate, bitrate_kbps=bitrate_kbps))
    sound = decoded(tmp_path / "a.mp3")
    assert (len(sound.samples), sound.sample_rate) == (len(samples), rate)
    begins = np.abs(sound.samples[:, 0]) > 0.1
    assert np.abs(np.flatnonzero(begins)[0] - np.flatnonzero(np.abs(samples[:, 0]) > 0.1)[0]) <= 2


def test_another_decoder_finds_the_same_length(tmp_path: Path) -> None:
    miniaudio = pytest.importorskip("miniaudio")
    samples = bursts(3, 44_100)
    write(tmp_path / "a.mp3", samples, RenderOptions(bitrate_kbps=0))
    assert miniaudio.mp3_get_file_info(str(tmp_path / "a.mp3")).num_frames == len(samples)
    assert len(decoded_mp3(tmp_path / "a.mp3").samples) == len(samples)


def test_a_rate_that_mp3_does_not_have_becomes_the_next(tmp_path: Path) -> None:
    write(tmp_path / "a.mp3", bursts(2, 96_000), RenderOptions(sample_rate=96_000))
    sound = decoded(tmp_path / "a.mp3")
    assert sound.sample_rate == 48_000
    assert sound.duration_s == pytest.approx(2.0, abs=0.01)


def test_a_constant_bit_rate_is_kept(tmp_path: Path) -> None:
    write(tmp_path / "a.mp3", bursts(5, 44_100), RenderOptions(bitrate_kbps=128))
    bits = (tmp_path / "a.mp3").stat().st_size * 8
    assert bits / 5 == pytest.approx(128_000, rel=0.03)


def test_a_varying_bit_rate_takes_what_the_music_needs(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 0.2, (5 * 44_100, 2)).astype(np.float32)
    write(tmp_path / "a.mp3", noise, RenderOptions(bitrate_kbps=0))
    write(tmp_path / "b.mp3", noise * 0, RenderOptions(bitrate_kbps=0))
    assert (tmp_path / "a.mp3").stat().st_size > 4 * (tmp_path / "b.mp3").stat().st_size


def test_an_empty_sound_is_a_file_all_the_same(tmp_path: Path) -> None:
    write(tmp_path / "a.mp3", np.zeros((0, 2), np.float32), RenderOptions(tags=TAGS))
    assert (tmp_path / "a.mp3").read_bytes().startswith(header(TAGS))


# --- the frame that tells --------------------------------------------------------------------------

FRAME = bytes.fromhex("fffb9064") + bytes(413)
"""128 kbit/s at 44.1 kHz, joint stereo."""


def test_frames_are_counted_in_pieces_of_any_size() -> None:
    stream = Mp3Stream(varying=True)
    data = FRAME * 10
    for start in range(0, len(data), 7):
        stream.add(data[start : start + 7])
    assert stream.frames == 10


def test_the_tag_is_to_the_byte() -> None:
    stream = Mp3Stream(varying=True)
    stream.add(FRAME * 4)
    tag = stream.tag(samples=4000)
    assert len(tag) == 208  # a frame of 64 kbit/s, the least in which it has room
    assert tag[:4] == bytes.fromhex("fffb5064")
    assert tag[4:36] == bytes(32)
    assert tag[36:44] == b"Xing\x00\x00\x00\x0f"
    assert int.from_bytes(tag[44:48], "big") == 4
    assert int.from_bytes(tag[48:52], "big") == 208 + 4 * 417
    begins = (0, 25, 50, 75)  # in hundredths of the time: a new frame
    assert [tag[52 + place] for place in begins] == [256 * (208 + n * 417) // 1876 for n in range(4)]
    assert tag[156:165] == b"LAME3.100"
    padding = 4 * 1152 - ENCODER_DELAY - 4000
    assert tag[177:180] == (ENCODER_DELAY << 12 | padding).to_bytes(3, "big")


def test_the_tag_of_a_constant_bit_rate_has_another_name() -> None:
    stream = Mp3Stream(varying=False)
    stream.add(FRAME)
    assert stream.tag(None)[36:40] == b"Info"


# --- words ----------------------------------------------------------------------------------------


def test_id3_header_is_to_the_byte() -> None:
    frames = (
        b"TIT2\x00\x00\x00\x03\x00\x00\x03Hi"
        b"TPE1\x00\x00\x00\x07\x00\x00\x03improv"
        b"TDRC\x00\x00\x00\x14\x00\x00\x032026-11-20T19:30:05"
        b"TSSE\x00\x00\x00\x07\x00\x00\x03improv"
        b"COMM\x00\x00\x00\x0b\x00\x00\x03und\x00seed 7"
    )
    tags = Tags("Hi", RECORDED_AT, "improv", "seed 7")
    assert header(tags) == b"ID3\x04\x00\x00\x00\x00\x00" + bytes([len(frames)]) + frames


def test_id3_header_writes_long_sizes_in_bytes_of_seven_bits() -> None:
    assert header(Tags("x" * 299))[14:18] == bytes([0, 0, 2, 44])  # 300 = 2 * 128 + 44


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".ogg", ".wav"])
def test_every_kind_tells_title_date_artist_software_and_comment(suffix: str, tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    with open_writer(tmp_path / "a", suffix, RenderOptions(tags=TAGS)) as writer:
        writer.write(bursts(1, 44_100))
    with soundfile.SoundFile(tmp_path / "a") as file:
        assert (file.title, file.date, file.artist) == ("Übung", "2026-11-20T19:30:05", "improv")
        assert file.software.startswith("improv")
        assert file.comment == "model default, seed 7"
