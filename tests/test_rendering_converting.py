"""Sound files to other kinds of sound files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sound_checks import decoded

from improv_core.errors import SoundError, StorageError
from improv_daemon.rendering import RenderOptions, Tags, convert_file
from improv_daemon.rendering.options import PEAK

soundfile = pytest.importorskip("soundfile")

RATE = 22_050


def tone(seconds: float = 2.0, level: float = 0.5, channels: int = 2) -> NDArray[np.float32]:
    at_s = np.arange(round(seconds * RATE)) / RATE
    wave = level * np.sin(2 * np.pi * 440 * at_s)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def written(path: Path, samples: NDArray[np.float32]) -> Path:
    soundfile.write(path, samples, RATE)
    return path


def test_a_lossless_copy_is_the_same_to_the_sample(tmp_path: Path) -> None:
    source = written(tmp_path / "a.wav", tone(level=1.0))
    levels = convert_file(source, tmp_path / "a.flac")
    there, copied = decoded(source), decoded(tmp_path / "a.flac")
    assert np.array_equal(there.samples, copied.samples)
    assert copied.sample_rate == RATE
    assert levels.length_s == 2.0


@pytest.mark.parametrize("suffix", [".mp3", ".ogg"])
def test_what_would_overshoot_is_limited(suffix: str, tmp_path: Path) -> None:
    source = written(tmp_path / "a.wav", tone(level=1.0))
    levels = convert_file(source, tmp_path / f"a{suffix}")
    sound = decoded(tmp_path / f"a{suffix}")
    assert len(sound.samples) == 2 * RATE
    assert levels.peak_dbfs == pytest.approx(20 * np.log10(PEAK), abs=0.01)
    assert sound.peak < 0.95


def test_an_mp3_becomes_a_wav(tmp_path: Path) -> None:
    convert_file(written(tmp_path / "a.wav", tone()), tmp_path / "a.mp3")
    convert_file(tmp_path / "a.mp3", tmp_path / "b.wav")
    assert len(decoded(tmp_path / "b.wav").samples) == 2 * RATE


def test_mono_is_heard_on_both_sides(tmp_path: Path) -> None:
    convert_file(written(tmp_path / "a.wav", tone(channels=1)), tmp_path / "a.flac")
    sides = decoded(tmp_path / "a.flac").samples
    assert np.array_equal(sides[:, 0], sides[:, 1])


def test_a_part_is_cut_out_without_a_click(tmp_path: Path) -> None:
    source = written(tmp_path / "a.wav", tone())
    convert_file(source, tmp_path / "b.wav", RenderOptions(from_s=0.5, to_s=1.25))
    whole, part = decoded(source), decoded(tmp_path / "b.wav")
    assert part.duration_s == pytest.approx(0.75, abs=1 / RATE)
    assert np.array_equal(part.between(0.1, 0.6).samples, whole.between(0.6, 1.1).samples)
    assert abs(part.samples[0]).max() == 0.0
    assert abs(part.samples[-1]).max() < 0.01


def test_gain_is_added(tmp_path: Path) -> None:
    source = written(tmp_path / "a.wav", tone(level=0.1))
    levels = convert_file(source, tmp_path / "b.wav", RenderOptions(gain_db=6.0))
    assert levels.peak_dbfs == pytest.approx(-14.0, abs=0.01)


def test_words_are_taken_over_but_for_new_ones(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "a.wav", "w", RATE, 2) as file:
        file.title, file.artist, file.comment = "Old", "Somebody", "take 2"
        file.write(tone())
    convert_file(tmp_path / "a.wav", tmp_path / "a.flac", RenderOptions(tags=Tags(title="New")))
    with soundfile.SoundFile(tmp_path / "a.flac") as file:
        assert (file.title, file.artist, file.comment) == ("New", "Somebody", "take 2")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no.wav", "There is no sound file"),
        ("text.wav", "cannot be read as sound: it is damaged, or no sound file"),
        ("six.wav", "has 6 channels; only mono and stereo can be converted"),
    ],
)
def test_what_cannot_be_read_is_said(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    written(tmp_path / "six.wav", tone(channels=6))
    with pytest.raises(SoundError, match=message):
        convert_file(tmp_path / name, tmp_path / "out.mp3")
    assert not (tmp_path / "out.mp3").exists()


def test_a_part_behind_the_end_is_an_error(tmp_path: Path) -> None:
    source = written(tmp_path / "a.wav", tone())
    with pytest.raises(SoundError, match=r"a.wav is 2.0 s long; nothing of it is asked for"):
        convert_file(source, tmp_path / "b.wav", RenderOptions(from_s=3.0))


def test_a_file_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    source = written(tmp_path / "a.wav", tone())
    with pytest.raises(StorageError, match="exists already and is not overwritten"):
        convert_file(source, source)
