"""Every setting by every route: config file, -o, a controller, a learned one, OSC. All give the same music.

The effect of each is measured in the notes, or in what the stage is told; what has no such route says why.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from live_controls import CONTROLS
from live_scenes import room_of
from live_setups import SOON, STEADY
from playing import Room
from pythonosc.osc_message_builder import OscMessageBuilder

from improv_daemon.osc import read
from improv_daemon.partner import Learned, Notice, Said
from improv_daemon.settings import Assignment, Settings, changed, load_settings
from improv_daemon.settings.control_rules import Gesture
from improv_daemon.settings.knob_texts import Binding
from improv_daemon.settings.layers import value_of
from improv_daemon.settings.rules import Value
from improv_daemon.settings.schema import REGISTRY
from improv_daemon.settings.writing import toml_value
from improv_daemon.wire import Change, Command, Learn, Withhold

KNOB, CHANNEL = 30, 1
"""A controller that no scene moves."""

Outcome = tuple[Settings, list[tuple[float, Command]], list[tuple[float, tuple[int, ...]]]]
Route = Callable[[Room, str, Value], None]

LIVE = [key for key, parameter in REGISTRY.items() if parameter.live]
FIXED = [key for key, parameter in REGISTRY.items() if not parameter.live]
TURNED = [key for key in LIVE if REGISTRY[key].at(0.0) is not None]
GESTURES = [key for key in LIVE if isinstance(REGISTRY[key].rule, Gesture)]


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither this user's configuration nor the checkout's is read."""
    for variable in ("HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def test_every_setting_that_may_change_is_tried() -> None:
    assert sorted(CONTROLS) == sorted(LIVE)


# --- the routes -------------------------------------------------------------------------------------


def by_osc(room: Room, key: str, value: Value) -> None:
    builder = OscMessageBuilder(f"/improv/{key.replace('.', '/')}")
    builder.add_arg(value)
    for wish in read(builder.build().dgram):
        assert not isinstance(wish, Said)
        room.wish(wish)


def by_controller(room: Room, key: str, value: Value) -> None:
    """The knob is in the settings; it is turned to where it stands for the value."""
    bound = binding(key, value)
    assert str(bound) in room.partner.settings.controls.knobs
    turn(room, position(bound, value))


def by_learned_controller(room: Room, key: str, value: Value) -> None:
    """The knob is learned first, by moving it a little."""
    room.wish(Learn(key))
    turn(room, 60)
    turn(room, 64)
    turn(room, position(Binding(KNOB, key, CHANNEL), value))


def turn(room: Room, to: int) -> None:
    room.play(0xB0 | (CHANNEL - 1), KNOB, to)


def position(bound: Binding, value: Value) -> int:
    """The first that stands for a value."""
    return next(one for one in range(128) if bound.value(one) == value)


def stands_for(bound: Binding, value: Value) -> bool:
    return any(bound.value(one) == value for one in range(128))


def binding(key: str, value: Value) -> Binding:
    """A knob that can be turned to a value: that of the registry, or else with a range that ends there."""
    bound = Binding(KNOB, key)
    if stands_for(bound, value):
        return bound
    return Binding(KNOB, key, None, (float(CONTROLS[key].before), float(value)))


def learned_value(key: str) -> Value:
    """What a learned knob can be turned to that is nearest to the value of the table."""
    bound, wanted = Binding(KNOB, key, CHANNEL), CONTROLS[key].after
    if stands_for(bound, wanted):
        return wanted
    values = [bound.value(position) for position in range(128)]
    return min(values, key=lambda value: abs(float(value) - float(wanted)))


# --- what each gives --------------------------------------------------------------------------------


def sitting(key: str, notices: list[Notice], *, knobs: str = "") -> Room:
    control = CONTROLS[key]
    settings = {**SOON, **control.settings, key: control.before}
    return room_of(control.model, {**settings, "controls.knobs": knobs} if knobs else settings, notices)


def said(notices: list[Notice]) -> list[str]:
    return [notice.text for notice in notices if isinstance(notice, Said)]


@functools.cache
def measured(key: str) -> tuple[float, float]:
    """What a scene measures before a change by OSC, and another one after it."""
    notices: list[Notice] = []
    room, control = sitting(key, notices), CONTROLS[key]
    before = control.scene(room)
    by_osc(room, key, control.after)
    after = control.scene(room)
    assert [text for text in said(notices) if "is not allowed" in text or "cannot" in text] == []
    return before, after


@pytest.mark.parametrize("key", LIVE)
def test_a_change_by_osc_is_heard(key: str) -> None:
    before, after = measured(key)
    assert CONTROLS[key].shows(before, after), f"{before:.3f} before, {after:.3f} after"


def changed_in_the_middle(room: Room, key: str, route: Route, value: Value) -> Outcome:
    """What comes of a change between two notes of a phrase: settings, and all that was told to the stage."""
    room.call(60, 64)
    route(room, key, value)
    assert value_of(room.partner.settings, key) == value
    room.call(67, 72)
    room.run_for(3.0)
    settings = room.partner.settings
    others = settings if key == "controls.knobs" else changed(settings, "controls.knobs", "")
    return others, [one for one in room.commands if not isinstance(one[1], Withhold)], room.sent


@functools.cache
def by_osc_in_the_middle(key: str, value: Value) -> Outcome:
    return changed_in_the_middle(sitting(key, []), key, by_osc, value)


@pytest.mark.parametrize("key", TURNED)
def test_a_controller_gives_the_same_settings_and_notes(key: str) -> None:
    after = CONTROLS[key].after
    room = sitting(key, [], knobs=str(binding(key, after)))
    outcome = changed_in_the_middle(room, key, by_controller, after)
    assert outcome == by_osc_in_the_middle(key, after)


@pytest.mark.parametrize("key", TURNED)
def test_a_learned_controller_gives_the_same_settings_and_notes(key: str) -> None:
    notices: list[Notice] = []
    value = learned_value(key)
    outcome = changed_in_the_middle(sitting(key, notices), key, by_learned_controller, value)
    assert outcome == by_osc_in_the_middle(key, value)
    bound = str(Binding(KNOB, key, CHANNEL))
    assert [notice for notice in notices if isinstance(notice, Learned)] == [
        Learned(key, f"controller {KNOB} on channel {CHANNEL}", (("controls.knobs", bound),))
    ]


@pytest.mark.parametrize("key", GESTURES)
def test_a_learned_pedal_gives_the_same_settings_and_notes(key: str) -> None:
    """The gestures of the table are pedals, so they can be learned."""
    notices: list[Notice] = []
    after = CONTROLS[key].after
    pedal = int(str(after).removeprefix("cc "))

    def by_learned_pedal(room: Room, key: str, value: Value) -> None:
        room.wish(Learn(key.removeprefix("controls.")))
        room.play(0xB0, pedal, 127)
        room.play(0xB0, pedal, 0)

    outcome = changed_in_the_middle(sitting(key, notices), key, by_learned_pedal, after)
    assert outcome == by_osc_in_the_middle(key, after)
    assert Learned(key, f"controller {pedal} on channel 1", ((key, after),)) in notices


@pytest.mark.parametrize("key", LIVE)
def test_set_from_the_start_by_file_or_option_it_is_heard(key: str) -> None:
    control = CONTROLS[key]
    others = {name: value for name, value in {**SOON, **control.settings}.items() if name != key}
    by_file = load_settings(file_of({**others, key: control.after}))
    assert load_settings(file_of(others), [Assignment.parse(f"{key}={control.after}")]) == by_file
    assert value_of(by_file, key) == control.after
    room = room_of(control.model, {}, [], begin=by_file)
    before, _ = measured(key)
    after = control.scene(room)
    assert control.shows(before, after), f"{before:.3f} without it, {after:.3f} with it"


def file_of(values: Mapping[str, Value]) -> Path:
    """A configuration file."""
    path = Path("mine.toml")
    lines = [f"{key} = {toml_value(value)}" for key, value in values.items()]
    path.write_text("\n".join(["[improv]", *lines, ""]), encoding="utf-8")
    return path


# --- what has no such route, and says why -------------------------------------------------------------

AT_THE_START: Mapping[str, tuple[Value, str]] = {
    "model": ("mine.onnx", "the model is loaded at the start"),
    "seed": (7, "the dice are chosen at the start"),
    "ports.api": ("jack", "ports are opened at the start"),
    "ports.name": ("me", "ports are opened at the start"),
    "ports.input": ("keystation, nano", "ports are opened at the start"),
    "ports.output": ("roland", "ports are opened at the start"),
    "ports.virtual": (False, "ports are opened at the start"),
    "ports.channel": (3, "ports are opened at the start"),
    "ports.player_channel": (5, "ports are opened at the start"),
    "ports.channels": ("1-4 10", "ports are opened at the start"),
    "ports.thru": ("on", "ports are opened at the start"),
    "ports.thru_routes": ("keystation > synth", "ports are opened at the start"),
    "ports.merge_window_s": (0.1, "ports are opened at the start"),
    "ports.echo_window_s": (0.1, "ports are opened at the start"),
    "ports.latency_ms": ("12", "ports are opened at the start"),
    "sound.enabled": ("off", "the synthesiser is made at the start"),
    "sound.soundfont": ("piano.sf2", "the synthesiser is made at the start"),
    "sound.driver": ("jack", "the synthesiser is made at the start"),
    "sound.voice": ("piano", "the synthesiser is made at the start"),
    "sound.reverb": (0.5, "the synthesiser is made at the start"),
    "sound.gain": (1.0, "the synthesiser is made at the start"),
    "sound.player": (False, "the synthesiser is made at the start"),
    "time.clock_out": ("all", "ports are opened at the start"),
    "solo.prime": ("blues.mid", "the file is heard at the start"),
    "controls.osc_port": (9000, "ports are opened at the start"),
    "record.folder": ("tapes", "it counts when the sitting is over"),
    "record.audio": ("flac", "it counts when the sitting is over"),
    "record.bar_lines": ("fixed", "it counts when the sitting is over"),
    "record.last_minutes": (3, "it counts when the sitting is over"),
    "record.bitrate_kbps": (320, "it counts when the sitting is over"),
}


def test_every_setting_that_may_not_change_is_tried() -> None:
    assert sorted(AT_THE_START) == sorted(FIXED)


@pytest.mark.parametrize("key", AT_THE_START)
def test_what_counts_at_the_start_is_set_by_file_or_option_and_by_nothing_else(key: str) -> None:
    value, why = AT_THE_START[key]
    by_file = load_settings(file_of({key: value}))
    assert load_settings(None, [Assignment.parse(f"{key}={value}")]) == by_file
    assert value_of(by_file, key) == value != REGISTRY[key].default
    notices: list[Notice] = []
    room = room_of(STEADY, SOON, notices)
    settings = room.partner.settings
    room.call(60, 64)
    by_osc(room, key, value)
    room.wish(Learn(key))
    room.wish(Change("controls.knobs", f"cc {KNOB} {key}"))
    cannot = f"{key} cannot change while improv plays"
    assert said(notices) == [
        f"{cannot}: {why}; set it and start improv again.",
        f"No controller can be learned: {cannot}.",
        f'While playing: controls.knobs, "cc {KNOB} {key}": {cannot}.',
    ]
    assert room.partner.settings == settings


@pytest.mark.parametrize("key", ["preset", "controls.knobs"])
def test_what_is_text_is_set_by_no_controller_and_says_so(key: str) -> None:
    notices: list[Notice] = []
    room = room_of(STEADY, SOON, notices)
    room.wish(Learn(key))
    room.wish(Change("controls.knobs", f"cc {KNOB} {key}"))
    assert said(notices) == [
        f"No controller can be learned: {key} is text, which no controller can set.",
        f'While playing: controls.knobs, "cc {KNOB} {key}": {key} is text, which no controller can set.',
    ]
