"""What cannot be set, by every route: each says so in one clear sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from live_scenes import room_of
from live_setups import SOON, STEADY
from playing import Room, partner_of
from pythonosc.osc_message_builder import OscMessageBuilder
from window_models import RandomModel, representations

from improv_core.errors import ConfigError
from improv_core.sampler import Sampling
from improv_core.window_improviser import WindowImproviser
from improv_daemon.osc import read
from improv_daemon.partner import Notice, Said
from improv_daemon.settings import Assignment, load_settings
from improv_daemon.settings.rules import Value
from improv_daemon.settings.writing import toml_value
from improv_daemon.wire import Change, Learn


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither this user's configuration nor the checkout's is read."""
    for variable in ("HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def said(notices: list[Notice]) -> list[str]:
    return [notice.text for notice in notices if isinstance(notice, Said)]


def test_a_model_without_a_key_in_the_range_goes_on_with_the_range_before() -> None:
    model = RandomModel(representations()["frames"])
    sampling = Sampling()
    improviser = WindowImproviser(model, model.representation, sampling, seed=1)
    notices: list[Notice] = []
    room = Room(partner_of(improviser=improviser, notices=notices))
    room.wish(Change("sampling.highest_pitch", 120))
    room.wish(Change("sampling.lowest_pitch", 115))
    assert said(notices) == [
        "The model plays the keys of a piano (21 to 108), none of which would lie "
        "between sampling.lowest_pitch and sampling.highest_pitch; set these otherwise."
    ]
    assert (improviser.sampling.lowest_pitch, room.partner.settings.sampling.lowest_pitch) == (21, 21)


def in_file(key: str, value: Value) -> list[str]:
    path = Path("mine.toml")
    path.write_text(f"[improv]\n{key} = {toml_value(value)}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_settings(path)
    return [str(refused.value)]


def as_option(key: str, value: Value) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load_settings(None, [Assignment.parse(f"{key}={value}")])
    return [str(refused.value)]


def as_osc(key: str, value: Value) -> list[str]:
    notices: list[Notice] = []
    room = room_of(STEADY, SOON, notices)
    builder = OscMessageBuilder("/improv/set")
    builder.add_arg(key)
    builder.add_arg(value)
    for wish in read(builder.build().dgram):
        assert not isinstance(wish, Said)
        room.wish(wish)
    return said(notices)


def as_knob(key: str, value: Value) -> list[str]:
    return as_option("controls.knobs", f"cc 1 {key} 0.5..{value}")


def as_learned(key: str, value: Value) -> list[str]:
    notices: list[Notice] = []
    room_of(STEADY, SOON, notices).wish(Learn(key))
    return said(notices)


WAYS = pytest.mark.parametrize(
    ("route", "source"), [(in_file, "mine.toml"), (as_option, "-o"), (as_osc, "While playing")]
)
MisTold = Callable[[str, Value], list[str]]
TEMPERATURE = "sampling.temperature = 9.0 is not allowed: it must be a number from 0.05 to 3."
MEANT = "did you mean 'sampling.temperature'?"


@WAYS
def test_out_of_range_is_one_clear_sentence(route: MisTold, source: str) -> None:
    assert route("sampling.temperature", 9.0) == [f"{source}: {TEMPERATURE}"]


@WAYS
def test_an_unknown_setting_is_one_clear_sentence(route: MisTold, source: str) -> None:
    sentence = f"{source}: there is no setting sampling.temprature (set to 1.0); {MEANT}"
    assert route("sampling.temprature", 1.0) == [sentence]


@WAYS
def test_an_unknown_preset_is_one_clear_sentence_that_lists_those_there_are(
    route: MisTold, source: str
) -> None:
    sentence = f'{source}: there is no preset "clam"; there are calm, bold, mirror and fours.'
    assert route("preset", "clam") == [sentence]


def test_a_controller_whose_range_is_not_allowed_is_one_clear_sentence() -> None:
    assert as_knob("sampling.temperature", 9.0) == [
        '-o: controls.knobs, "cc 1 sampling.temperature 0.5..9.0": sampling.temperature must be a number '
        "from 0.05 to 3, at both ends."
    ]


def test_a_controller_of_an_unknown_setting_is_one_clear_sentence() -> None:
    unknown = f"there is no setting sampling.temprature; {MEANT}"
    assert as_knob("sampling.temprature", 1) == [
        f'-o: controls.knobs, "cc 1 sampling.temprature 0.5..1": {unknown}'
    ]
    assert as_learned("sampling.temprature", 1) == [f"No controller can be learned: {unknown}"]
