"""A sound file that grows while the music is played is playable at any time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sound_checks import decoded, installed_soundfont

from improv_core.errors import StorageError
from improv_core.midi_files import Track
from improv_core.notes import Note, Performance
from improv_daemon.rendering import SAMPLE_RATE, GrowingFile, RenderOptions, VoiceChoice, render_file
from improv_daemon.rendering.options import PEAK
from improv_daemon.rendering.writers import Mp3Writer

ON, OFF = 0x90, 0x80
SUFFIXES = (".mp3", ".flac", ".ogg", ".wav")


@pytest.fixture(scope="module")
def voice() -> VoiceChoice:
    return VoiceChoice("soundfont", installed_soundfont(), 0.0)


def play(file: GrowingFile, seconds: int) -> None:
    for second in range(seconds):
        file.send(second, 0, (ON, 60 + second % 12, 90))
        file.send(second + 0.5, 0, (OFF, 60 + second % 12, 0))
        file.advance(second + 1.0)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_finished_file_is_as_long_as_the_music_and_the_tail(
    suffix: str, voice: VoiceChoice, tmp_path: Path
) -> None:
    file = GrowingFile(tmp_path / f"a{suffix}", voice)
    play(file, 3)
    levels = file.finish(tail_s=1.0)
    file.close()
    sound = decoded(tmp_path / f"a{suffix}")
    assert sound.duration_s == pytest.approx(4.0, abs=64 / SAMPLE_RATE)
    assert levels.length_s == sound.duration_s
    assert sound.between(1.0, 1.3).rms > 0.01
    assert sound.between(3.9, 4.0).rms < 0.001


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_file_of_a_process_that_is_killed_is_playable(
    suffix: str, voice: VoiceChoice, tmp_path: Path
) -> None:
    path = tmp_path / f"a{suffix}"
    script = (
        "import os, signal\nfrom pathlib import Path\n"
        "from improv_daemon.rendering import GrowingFile, VoiceChoice\n"
        f"file = GrowingFile(Path({str(path)!r}), VoiceChoice('soundfont', Path({str(voice.soundfont)!r})))\n"
        "for second in range(5):\n"
        "    file.send(second, 0, (0x90, 60 + second, 90))\n"
        "    file.advance(second + 1.0)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    sound = decoded(path)
    assert 4.5 < sound.duration_s <= 5.0  # an encoder keeps a little, Vorbis the most
    assert sound.between(4.1, 4.4).rms > 0.005


def test_the_file_sounds_as_the_same_tracks_do(voice: VoiceChoice, tmp_path: Path) -> None:
    notes = [Note(60 + second, 90, second, 0.5) for second in range(3)]
    options = RenderOptions(tail_s=1.0, level="as is")
    render_file([Track("a", Performance.of(notes))], tmp_path / "whole.wav", voice, options)
    with_tail = GrowingFile(tmp_path / "grown.wav", voice, options)
    play(with_tail, 3)
    with_tail.finish(0.5)
    whole, grown = decoded(tmp_path / "whole.wav").samples, decoded(tmp_path / "grown.wav").samples
    common = round(2.5 * SAMPLE_RATE)  # the fading out differs
    assert abs(whole[:common] - grown[:common]).max() < 1e-4


def test_what_is_loud_is_limited(voice: VoiceChoice, tmp_path: Path) -> None:
    file = GrowingFile(tmp_path / "a.wav", voice, RenderOptions(gain_db=24.0))
    for pitch in range(30, 100):
        file.send(0.1, 0, (ON, pitch, 127))
    levels = file.finish(1.0)
    sound = decoded(tmp_path / "a.wav")
    assert sound.peak == pytest.approx(PEAK, abs=0.001)
    assert levels.peak_dbfs == pytest.approx(-1.51, abs=0.01)


def test_late_messages_count_from_now_on(voice: VoiceChoice, tmp_path: Path) -> None:
    file = GrowingFile(tmp_path / "a.wav", voice)
    file.advance(2.0)
    file.send(1.0, 0, (ON, 60, 90))
    file.finish(1.0)
    sound = decoded(tmp_path / "a.wav")
    assert sound.between(0.0, 1.999).peak == 0.0
    assert sound.between(2.0, 2.5).peak > 0.01


def test_a_file_that_is_left_stays_as_it_is(voice: VoiceChoice, tmp_path: Path) -> None:
    file = GrowingFile(tmp_path / "a.mp3", voice)
    play(file, 2)
    file.close()
    file.close()
    assert decoded(tmp_path / "a.mp3").duration_s == pytest.approx(2.0, abs=0.01)


def test_a_file_that_exists_is_not_overwritten(voice: VoiceChoice, tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_text("mine")
    with pytest.raises(StorageError, match="exists already and is not overwritten"):
        GrowingFile(tmp_path / "a.mp3", voice)
    assert (tmp_path / "a.mp3").read_text() == "mine"


def test_a_folder_that_is_gone_is_named(voice: VoiceChoice, tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        with pytest.raises(StorageError, match=rf"gone/a{suffix} cannot be written"):
            GrowingFile(tmp_path / "gone" / f"a{suffix}", voice)


def test_frames_are_written_at_once(tmp_path: Path) -> None:
    import numpy as np

    with Mp3Writer(tmp_path / "a.mp3", RenderOptions(bitrate_kbps=128)) as writer:
        sizes = []
        for _ in range(4):
            writer.write(np.zeros((SAMPLE_RATE, 2), np.float32))
            sizes.append((tmp_path / "a.mp3").stat().st_size)
    assert np.diff(sizes) == pytest.approx(16_000, rel=0.05)
