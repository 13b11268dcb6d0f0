"""What sounds, and what is said when it is not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_soundfonts import write_soundfont
from sound_checks import installed_soundfont

from improv_core.errors import SoundError
from improv_daemon.rendering import RenderOptions, VoiceChoice, open_instrument, why_piano
from improv_daemon.rendering.options import Samples

RATE = 44_100
NOTE = (0x90, 60, 90)


def loudness(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


@pytest.fixture
def no_soundfont(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("improv_daemon.soundfonts._installed", lambda: ())


def test_auto_takes_a_soundfont_that_is_installed() -> None:
    soundfont = installed_soundfont()
    assert why_piano(VoiceChoice()) == ""
    with open_instrument(VoiceChoice(), RATE) as instrument:
        assert instrument.description == f"FluidSynth ({soundfont.name})"
        instrument.send(0, NOTE)
        samples = instrument.pull(RATE // 2)
    assert (samples.shape, samples.dtype) == ((RATE // 2, 2), np.float32)
    assert loudness(samples) > 0.005


@pytest.mark.usefixtures("no_soundfont")
def test_without_a_soundfont_auto_takes_the_piano_and_says_why() -> None:
    installed_soundfont_is_missing = "The built-in piano plays: "
    assert why_piano(VoiceChoice()).startswith(installed_soundfont_is_missing)
    assert why_piano(VoiceChoice("piano")) == ""
    with open_instrument(VoiceChoice(), RATE) as instrument:
        assert "piano" in instrument.description.lower()
        instrument.send(0, NOTE)
        assert loudness(instrument.pull(RATE // 2)) > 0.005


@pytest.mark.usefixtures("no_soundfont")
def test_a_soundfont_that_is_asked_for_and_not_there_is_an_error() -> None:
    with pytest.raises(SoundError), open_instrument(VoiceChoice("soundfont"), RATE):
        pass
    missing = VoiceChoice("auto", Path("no.sf2"))
    with pytest.raises(SoundError), open_instrument(missing, RATE):
        pass


def test_the_piano_plays_no_drums() -> None:
    with open_instrument(VoiceChoice("piano"), RATE, drum_channels=frozenset({3})) as instrument:
        instrument.send(3, NOTE)
        assert not instrument.pull(4096).any()
        instrument.send(2, NOTE)
        assert instrument.pull(4096).any()


def test_the_piano_takes_more_tracks_than_midi_has_channels() -> None:
    with open_instrument(VoiceChoice("piano"), RATE, channels=40) as instrument:
        instrument.send(39, NOTE)
        assert instrument.pull(4096).any()


@pytest.mark.parametrize(("bank", "program"), [(0, 0), (0, 40), (8, 3), (128, 0)])
def test_any_soundfont_is_heard_whatever_is_in_it(bank: int, program: int, tmp_path: Path) -> None:
    installed_soundfont()
    soundfont = write_soundfont(tmp_path / "small.sf2", bank=bank, program=program)
    with open_instrument(VoiceChoice("soundfont", soundfont, 0.0), RATE) as instrument:
        for channel in (0, 9):
            instrument.send(channel, NOTE)
            assert loudness(instrument.pull(4096)) > 0.001
            instrument.send(channel, (0xB0, 120, 0))
            instrument.send(channel, (0xC0, 5))
            instrument.pull(RATE)
            instrument.send(channel, NOTE)
            assert loudness(instrument.pull(4096)) > 0.001
            instrument.send(channel, (0xB0, 120, 0))
            instrument.pull(RATE)


@pytest.mark.parametrize(
    "message", [(0xA0, 60, 100), (0xB0, 1, 127), (0xC0, 4), (0xD0, 100), (0xE0, 0, 100), (0x80, 60, 0)]
)
def test_every_message_of_a_channel_is_taken(message: tuple[int, ...]) -> None:
    installed_soundfont()
    with open_instrument(VoiceChoice(), RATE) as instrument:
        instrument.send(0, NOTE)
        instrument.send(0, message)
        assert instrument.pull(1000).shape == (1000, 2)


def test_choices_and_options_that_mean_nothing_are_refused() -> None:
    for wrong in ({"voice": "organ"}, {"reverb": 1.5}):
        with pytest.raises(ValueError, match=r"voice|reverb"):
            VoiceChoice(**wrong)  # type: ignore[arg-type]
    for wrong_option in ({"sample_rate": 10}, {"from_s": -1.0}, {"from_s": 2.0, "to_s": 1.0}):
        with pytest.raises(ValueError, match=r"_s|sample_rate"):
            RenderOptions(**wrong_option)  # type: ignore[arg-type]
