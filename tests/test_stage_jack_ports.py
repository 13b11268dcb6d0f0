"""improv's ports at a real JACK server, whose devices come and go."""

from __future__ import annotations

import _ctypes
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from jack_devices import Instrument, Keyboard

from improv_daemon.stage.config import StageConfig
from improv_daemon.stage.hot_plug import PortChanges
from improv_daemon.stage.inbox import Inbox, WakeUp
from improv_daemon.stage.jack_links import JackLinks
from improv_daemon.stage.midi_system import MidiSystem
from improv_daemon.stage.ports import MidiPorts

rtmidi = pytest.importorskip("rtmidi", reason="python-rtmidi is not installed")
pytestmark = pytest.mark.usefixtures("jack_server")

ROUNDS = 2


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    wake_up = WakeUp()
    yield Inbox(wake_up)
    wake_up.close()


def wait_for(condition: Callable[[], object], timeout_s: float = 2.0) -> bool:
    limit_s = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < limit_s:
        threading.Event().wait(0.01)
    return bool(condition())


def change_of(ports: MidiPorts) -> PortChanges:
    """What changes next; nothing if nothing does."""
    found: list[PortChanges] = []

    def changed() -> bool:
        found.append(ports.look(time.monotonic()))
        return any(look.changed for look in found)

    wait_for(changed)
    return next((look for look in found if look.changed), found[-1])


def clients() -> set[str]:
    system = MidiSystem.find("jack")
    return {name.partition(":")[0] for kind in ("MidiIn", "MidiOut") for name in system.names(kind)}


def test_keyboard_and_instrument_come_go_and_come_back(inbox: Inbox) -> None:
    said: list[str] = []
    ports = MidiPorts(inbox, said.append)
    with Keyboard("Keystation") as keyboard, Instrument("Roland") as roland:
        ports.open(StageConfig(api="jack", output="roland"))
        assert ports.inputs == ("improv in",)
        before = clients()
        for number in range(ROUNDS):
            keyboard.plug_in()
            assert change_of(ports).changed
            roland.plug_in()
            assert change_of(ports) == PortChanges(come_outputs=("roland",), changed=True)
            assert ports.inputs[1].endswith(keyboard.port_name)
            assert ports.outputs[1].endswith(roland.port_name)
            threading.Event().wait(0.05)  # JACK does not say when a connection carries its first message
            keyboard.play(0x90, 60, 1 + number)
            assert wait_for(lambda: not inbox.empty)
            (message,) = inbox.take(9)
            assert (message.source, message.data) == (ports.inputs[1], (0x90, 60, 1 + number))
            ports.send_to("roland", (0x91, 64, 1 + number))
            assert roland.wait_for(lambda heard, n=number: [d for _, d in heard][-1:] == [(0x91, 64, 1 + n)])
            name = ports.inputs[1]
            keyboard.unplug()
            assert change_of(ports) == PortChanges(gone_inputs=(name,), changed=True)
            roland.unplug()
            assert change_of(ports) == PortChanges(changed=True)
            assert (ports.inputs, ports.outputs) == (("improv in",), ("improv out",))
        assert clients() == before
    ports.close()
    assert clients() == set()
    assert len(said) == 4 * ROUNDS


def test_devices_that_are_back_before_anybody_has_looked_are_connected_again(inbox: Inbox) -> None:
    ports = MidiPorts(inbox, lambda text: None)
    with Keyboard("Keystation") as keyboard, Instrument("Roland") as roland:
        keyboard.plug_in()
        roland.plug_in()
        ports.open(StageConfig(api="jack", output="roland"))
        name = ports.inputs[1]
        assert ports.look(time.monotonic()) == PortChanges()
        for device in (keyboard, roland):
            device.unplug()
            device.plug_in()
        assert change_of(ports) == PortChanges((name,), ("roland",), changed=True)
        threading.Event().wait(0.05)
        keyboard.play(0x90, 60, 80)
        assert wait_for(lambda: not inbox.empty)
        assert [message.source for message in inbox.take(9)] == [name]
        ports.send_to("roland", (0x91, 64, 80))
        assert roland.wait_for(lambda heard: bool(heard))
        ports.close()


def test_links_are_told_by_the_library_that_rtmidi_brings_along(inbox: Inbox) -> None:
    ports = MidiPorts(inbox, pytest.fail)
    with Keyboard("Keystation") as keyboard:
        keyboard.plug_in()
        ports.open(StageConfig(api="jack", virtual=False))
        links = JackLinks.open(rtmidi)
        assert links is not None
        assert [name.partition(":")[2] for name in links.of(ports.inputs[0])] == ["improv input"]
        assert links.of("nobody:nothing") == []
        links.close()
        ports.close()


def test_no_links_are_told_where_rtmidi_has_no_jack() -> None:
    class Elsewhere:
        class _rtmidi:  # noqa: N801 - as python-rtmidi calls it
            __file__ = _ctypes.__file__

    assert JackLinks.open(Elsewhere) is None


def test_ports_of_another_improv_of_the_same_name_are_left_alone(inbox: Inbox) -> None:
    other, ports = MidiPorts(inbox, pytest.fail), MidiPorts(inbox, pytest.fail)
    other.open(StageConfig(api="jack"))
    ports.open(StageConfig(api="jack", virtual=False, input="auto, improv", output="improv"))
    assert (ports.inputs, ports.outputs) == ((), ())
    assert ports.problems == [
        'There is no MIDI input called "improv" (there are: none); it is taken up when it appears.',
        'There is no MIDI output called "improv" (there are: none); it is taken up when it appears.',
    ]
    ports.close()
    other.close()
