"""Two keyboards and two instruments at improv at once, and what happens when they are unplugged."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from improv_process import ImprovProcess
from jack_devices import Instrument, Keyboard, Timed
from midi_checks import balance
from sittings import IMPROV_CHANNEL, JACK

from improv_daemon.journal import read_journal
from improv_daemon.wire import Played

pytestmark = pytest.mark.usefixtures("jack_server")

BACK_WITHIN_S = 2.0
TRIES_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Rig:
    """What is on the stage; the second keyboard is not plugged in yet."""

    improv: ImprovProcess
    keystation: Keyboard
    launchkey: Keyboard
    roland: Instrument
    minilogue: Instrument


@pytest.fixture
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rig]:
    """improv with a keyboard and two instruments by name, in the mode that the test is marked with."""
    mode = request.param
    with ExitStack() as stage:
        keystation, launchkey = (stage.enter_context(Keyboard(name)) for name in ("Keystation", "Launchkey"))
        roland, minilogue = (stage.enter_context(Instrument(name)) for name in ("Roland", "Minilogue"))
        for device in (keystation, roland, minilogue):
            device.plug_in()
        outs = ("--out", "roland, minilogue")
        command = ("record", "kept", *JACK, *outs, "--mode", mode, "-o", "record.audio=off")
        improv = stage.enter_context(ImprovProcess(*command, folder=tmp_path))
        improv.wait_until_playing()
        assert improv.text.count(keystation.port_name) == 1
        assert improv.text.count(roland.port_name) == improv.text.count(minilogue.port_name) == 1
        yield Rig(improv, keystation, launchkey, roland, minilogue)


def played_from(folder: Path) -> dict[str, list[Timed]]:
    (path,) = (folder / "kept").glob("*/journal.jsonl")
    found = dict[str, list[Timed]]()
    for entry in read_journal(path).entries:
        if isinstance(entry.message, Played):
            name = entry.message.source.partition(":")[2]
            found.setdefault(name, []).append((entry.message.at_s, entry.message.data))
    return found


def on_channel(heard: list[Timed], channel: int) -> list[tuple[int, ...]]:
    return [data for _, data in heard if data[0] & 0x0F == channel]


def heard_since(keyboard: Keyboard, instrument: Instrument, since_s: float) -> float:
    """How long after then the first key reaches an instrument; one after the other is struck."""

    def first_s(heard: list[Timed]) -> float | None:
        return next((at_s for at_s, data in heard if at_s > since_s and data[0] == 0x90), None)

    for pitch in range(21, 21 + int(2 * BACK_WITHIN_S / TRIES_EVERY_S)):
        keyboard.play(0x90, pitch, 70)
        keyboard.play(0x80, pitch, 64)
        if instrument.wait_for(lambda heard: first_s(heard) is not None, TRIES_EVERY_S):
            break
    heard_s = first_s(instrument.heard)
    return float("inf") if heard_s is None else heard_s - since_s


@pytest.mark.parametrize("rig", ["harmonise"], indirect=True)
def test_both_keyboards_are_heard_and_both_instruments_play(rig: Rig, tmp_path: Path) -> None:
    plugged_s = rig.launchkey.plug_in()
    assert heard_since(rig.launchkey, rig.roland, plugged_s) < BACK_WITHIN_S
    for pitch in (60, 62, 64):
        for keyboard, apart in ((rig.keystation, 0), (rig.launchkey, 12)):
            keyboard.play(0x90, pitch + apart, 80)
            threading.Event().wait(0.1)
            keyboard.play(0x80, pitch + apart, 64)
    rig.minilogue.wait_for(lambda heard: len(on_channel(heard, 0)) >= 6 * 2)
    threading.Event().wait(0.2)
    status, _ = rig.improv.stop()
    assert status == 0
    for channel in (0, IMPROV_CHANNEL):
        roland, minilogue = (on_channel(one.heard, channel) for one in (rig.roland, rig.minilogue))
        assert roland == minilogue
        assert len(minilogue) >= 6 * 2
    assert balance(rig.roland.heard).hanging == ()
    played = played_from(tmp_path)
    assert [data for _, data in played[rig.keystation.port_name]] == [d for _, d in rig.keystation.sent]
    assert [data for _, data in played[rig.launchkey.port_name]][-6:] == [
        data for _, data in rig.launchkey.sent
    ][-6:]


@pytest.mark.parametrize("rig", ["listen"], indirect=True)
def test_what_is_unplugged_leaves_no_note_behind_and_is_back_within_2_s(rig: Rig, tmp_path: Path) -> None:
    rig.keystation.play(0x90, 60, 80)
    assert rig.roland.wait_for(lambda heard: balance(heard).hanging == ((0, 60),))
    gone_s = rig.keystation.unplug()
    assert rig.roland.wait_for(lambda heard: balance(heard).hanging == (), BACK_WITHIN_S)
    assert rig.roland.heard[-1][0] - gone_s < BACK_WITHIN_S
    plugged_s = rig.keystation.plug_in()
    assert heard_since(rig.keystation, rig.roland, plugged_s) < BACK_WITHIN_S
    rig.keystation.play(0x90, 61, 80)
    assert rig.roland.wait_for(lambda heard: balance(heard).hanging == ((0, 61),))
    rig.roland.unplug()
    rig.keystation.play(0x80, 61, 64)
    assert rig.minilogue.wait_for(lambda heard: balance(heard).hanging == (), BACK_WITHIN_S)
    plugged_s = rig.roland.plug_in()
    assert heard_since(rig.keystation, rig.roland, plugged_s) < BACK_WITHIN_S
    assert rig.roland.wait_for(lambda heard: balance(heard).hanging == (), BACK_WITHIN_S)
    status, _ = rig.improv.stop()
    assert status == 0
    assert balance(played_from(tmp_path)[rig.keystation.port_name]).hanging == ()
    said = [line for line in rig.improv.text.splitlines() if "has gone" in line or line.endswith("now.")]
    assert len(said) == 4
