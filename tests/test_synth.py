"""The live synth sounds, or says what is missing."""

from __future__ import annotations

import sys
import wave
from pathlib import Path

import pytest
from conftest import require

from improv_core.errors import SoundError
from improv_daemon.quiet import quiet_stderr
from improv_daemon.soundfonts import find_soundfont
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage.synth import LiveSynth, players_channel


@pytest.fixture
def soundfont() -> Path:
    try:
        import fluidsynth
    except ImportError:
        fluidsynth = None
    found = find_soundfont()
    require(fluidsynth and found, "no FluidSynth or soundfont: apt install libfluidsynth3 timgm6mb-soundfont")
    assert found is not None
    return found


def test_synth_plays_to_the_driver_it_is_told(
    soundfont: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with quiet_stderr():
        synth = LiveSynth.open(StageConfig(driver="file", soundfont=str(soundfont)))
        notes = [(0x91, 60, 100), (0xA1, 60, 50), (0x81, 60, 64)]
        for message in [*notes, (0xB1, 64, 127), (0xD1, 40), (0xE1, 0, 64), (0xC1, 5), (0xC0, 11)]:
            synth.send(message)
        channels = [synth._synth.channel_info(channel)[1:3] for channel in (0, 1, 9)]
        synth.close()
    assert channels == [(0, 11), (0, 5), (128, 0)]
    assert synth.description == f"FluidSynth (file, {soundfont.name})"
    with wave.open(str(tmp_path / "fluidsynth.wav")) as file:
        assert file.getframerate() == 48000


@pytest.mark.parametrize(("improvs", "players"), [(2, 0), (1, 1), (16, 0)])
def test_the_player_has_another_channel_than_improv(improvs: int, players: int) -> None:
    assert players_channel(StageConfig(channel=improvs)) == players


def test_driver_that_does_not_work_is_told(soundfont: Path) -> None:
    config = StageConfig(driver="gramophone", soundfont=str(soundfont))
    with quiet_stderr(), pytest.raises(SoundError, match='no audio driver "gramophone" that works here'):
        LiveSynth.open(config)


def test_damaged_soundfont_is_told(soundfont: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.sf2"
    damaged.write_bytes(soundfont.read_bytes()[:64])
    with quiet_stderr(), pytest.raises(SoundError, match=r"damaged\.sf2: FluidSynth cannot load"):
        LiveSynth.open(StageConfig(soundfont=str(damaged)))


def test_missing_library_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fluidsynth", None)
    with pytest.raises(SoundError, match="sudo apt install libfluidsynth3 fluid-soundfont-gm"):
        LiveSynth.open(StageConfig())
