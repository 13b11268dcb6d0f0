"""improv's ports at a MIDI system in memory: what is opened, what comes and goes, what is said of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from midi_desk import Desk

from improv_core.errors import PortError
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage.hot_plug import LOOK_EVERY_S, PortChanges
from improv_daemon.stage.inbox import Inbox, WakeUp
from improv_daemon.stage.midi_system import System
from improv_daemon.stage.ports import MidiPorts

THROUGH = "Midi Through:Midi Through Port-0 14:0"
PIANO = "Stage Piano:Stage Piano MIDI 1 20:0"
KEYS = "Launchkey:Keys 24:0"
OWN = "improv:improv out 128:0"
UNCHANGED = PortChanges()


class Rig:
    """Ports at a desk, and a clock in the test's hands."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.desk.sources += [THROUGH, OWN]
        self.desk.sinks += [THROUGH]
        self.now_s = 100.0
        self.said: list[str] = []
        self.wake_up = WakeUp()
        self.inbox = Inbox(self.wake_up)
        self.ports = MidiPorts(self.inbox, self.said.append, self._find)

    def _find(self, api: str) -> System:
        return self.desk

    def open(self, **settings: object) -> MidiPorts:
        self.ports.open(StageConfig(**settings))  # type: ignore[arg-type]
        assert self.ports.look(self.now_s) == UNCHANGED
        return self.ports

    def look(self, *, may_open: bool = True) -> PortChanges:
        """The next look for which it is time."""
        self.now_s += LOOK_EVERY_S
        return self.ports.look(self.now_s, may_open)

    def played(self) -> list[tuple[str, tuple[int, ...]]]:
        return [(message.source, message.data) for message in self.inbox.take(100)]


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.ports.close()
    made.wake_up.close()
    assert made.desk.clients == []
    assert made.desk.is_closed == bool(made.desk.made)


# --- opening --------------------------------------------------------------------------------------


def test_virtual_pair_is_open_for_others_and_heard(rig: Rig) -> None:
    ports = rig.open(input="")
    assert (ports.inputs, ports.outputs, ports.output_keys) == (
        ("improv in",),
        ("improv out",),
        ("improv out",),
    )
    rig.desk.play("improv in", 0x90, 60, 90)
    ports.send_to("improv out", (0x91, 64, 80))
    assert rig.played() == [("improv in", (0x90, 60, 90))]
    assert rig.desk.sent == [("improv out", (0x91, 64, 80))]


def test_every_keyboard_is_listened_to_and_neither_through_ports_nor_improvs_own(rig: Rig) -> None:
    rig.desk.sources += [PIANO, KEYS, "FLUID Synth:Synth input port 130:0"]
    ports = rig.open()
    assert ports.inputs == ("improv in", PIANO, KEYS)
    assert rig.desk.connected == [PIANO, KEYS]
    rig.desk.play(KEYS, 0x90, 60, 90)
    assert rig.played() == [(KEYS, (0x90, 60, 90))]
    assert ports.problems == []


def test_several_ports_are_named_and_played_to_apart(rig: Rig) -> None:
    rig.desk.sources += [PIANO, KEYS]
    rig.desk.sinks += [PIANO, KEYS]
    ports = rig.open(input="launch, piano", output="piano, keys", virtual=False)
    assert (ports.inputs, ports.outputs) == ((KEYS, PIANO), (PIANO, KEYS))
    assert ports.output_keys == ("piano", "keys")
    ports.send_to("keys", (0x90, 60, 1))
    ports.send_to("piano", (0x90, 62, 2))
    assert rig.desk.sent == [(KEYS, (0x90, 60, 1)), (PIANO, (0x90, 62, 2))]


def test_absent_ports_are_told_of_and_what_is_there_is_opened(rig: Rig) -> None:
    rig.desk.sources += [PIANO]
    ports = rig.open(input="piano, organ", output="roland")
    assert ports.inputs == ("improv in", PIANO)
    assert ports.output_keys == ("improv out", "roland")
    assert ports.problems == [
        f'There is no MIDI input called "organ" (there are: "{THROUGH}", "{PIANO}"); '
        "it is taken up when it appears.",
        f'There is no MIDI output called "roland" (there are: "{THROUGH}"); it is taken up when it appears.',
    ]
    ports.send_to("roland", (0x90, 60, 90))
    assert (rig.desk.sent, ports.unsent) == ([], 1)


def test_port_that_another_program_holds_is_told_of_once_and_tried_again(rig: Rig) -> None:
    rig.desk.sources += [PIANO]
    rig.desk.busy = {PIANO}
    ports = rig.open()
    assert ports.problems == [f'"{PIANO}" cannot be opened ({PIANO} is busy); is another program using it?']
    for _ in range(20):
        assert rig.look() == UNCHANGED
    rig.desk.busy = set()
    changes = [rig.look() for _ in range(20)]
    assert changes.count(PortChanges(changed=True)) == 1
    assert rig.said == [f'improv listens to "{PIANO}" now.']


def test_windows_has_no_virtual_ports_and_loopmidi_is_named() -> None:
    rig = Rig()
    rig.desk = Desk(api="windows", virtual=False)
    rig.desk.sources += ["Keystation 49 0"]
    ports = rig.open()
    assert ports.inputs == ("Keystation 49 0",)
    assert ports.outputs == ()
    assert ports.problems == [
        'Windows cannot give improv virtual ports ("improv in" and "improv out"): make two ports with '
        "loopMIDI, and name them with --in and --out."
    ]
    ports.close()
    rig.wake_up.close()


# --- coming and going -----------------------------------------------------------------------------


def test_keyboard_that_is_unplugged_and_back_is_noticed_by_name_without_a_new_client(rig: Rig) -> None:
    rig.desk.sources += [PIANO]
    ports = rig.open(input="piano")
    made = rig.desk.made
    rig.desk.sources.remove(PIANO)
    assert rig.look() == PortChanges(gone_inputs=(PIANO,), changed=True)
    assert ports.inputs == ("improv in",)
    assert rig.desk.connected == []
    assert rig.look() == UNCHANGED
    back = PIANO.replace("20:0", "28:0")
    rig.desk.sources.append(back)
    assert rig.look() == PortChanges(changed=True)
    rig.desk.play(back, 0x90, 60, 90)
    assert rig.played() == [(back, (0x90, 60, 90))]
    assert rig.desk.made == made
    assert rig.said == [
        f'"{PIANO}" has gone: what you held on it is let go; it is taken up again when it is back.',
        f'improv listens to "{back}" now.',
    ]


def test_keyboards_come_and_go_any_number_of_times_without_a_leaked_client(rig: Rig) -> None:
    rig.open()
    made = rig.desk.made
    for _ in range(50):
        rig.desk.sources += [PIANO, KEYS]
        assert rig.look().changed
        rig.desk.sources.remove(PIANO)
        rig.desk.sources.remove(KEYS)
        assert rig.look() == PortChanges(gone_inputs=(PIANO, KEYS), changed=True)
    assert rig.desk.made == made + 2


def test_device_that_is_unplugged_and_back_between_two_looks_is_connected_again(rig: Rig) -> None:
    rig.desk.tells_links = True
    rig.desk.sources += [PIANO]
    rig.desk.sinks += [PIANO]
    rig.open(output="piano")
    assert rig.look() == UNCHANGED
    for _ in range(50):
        rig.now_s += 0.5
        rig.desk.blink(PIANO)
        assert rig.look() == PortChanges((PIANO,), ("piano",), changed=True)
        assert rig.desk.connected == [PIANO, PIANO]


def test_releases_that_a_port_may_not_have_got_are_sent_again_when_it_is_back(rig: Rig) -> None:
    rig.desk.tells_links = True
    rig.desk.sinks += [PIANO]
    ports = rig.open(output="piano", input="", virtual=False)
    for message in ((0x91, 60, 90), (0x91, 64, 90), (0xB1, 64, 127)):
        ports.send_to("piano", message)
    rig.look()
    rig.look()
    rig.desk.blink(PIANO)
    ports.send_to("piano", (0x81, 60, 64))
    rig.desk.sent.clear()
    assert rig.look() == PortChanges(come_outputs=("piano",), changed=True)
    assert sorted(rig.desk.sent) == [(PIANO, (0x81, 60, 64)), (PIANO, (0x81, 64, 64)), (PIANO, (0xB1, 64, 0))]


def test_output_is_played_to_once_its_connection_carries_messages(rig: Rig) -> None:
    rig.desk.tells_links = True
    ports = rig.open(output="piano", virtual=False)
    rig.desk.sinks += [PIANO]
    rig.desk.links_show = False
    assert rig.look() == UNCHANGED
    ports.send_to("piano", (0x91, 60, 90))
    assert (ports.outputs, ports.unsent, rig.desk.sent) == ((), 1, [])
    rig.desk.links_show = True
    assert ports.look(rig.now_s + 0.03) == PortChanges(come_outputs=("piano",), changed=True)
    ports.send_to("piano", (0x91, 60, 90))
    assert (ports.outputs, rig.desk.sent) == ((PIANO,), [(PIANO, (0x91, 60, 90))])


def test_connection_that_never_shows_is_made_again(rig: Rig) -> None:
    rig.desk.tells_links = True
    rig.desk.sources += [PIANO]
    rig.desk.links_show = False
    rig.open(input="piano")
    assert rig.look() == PortChanges((PIANO,), changed=True)
    rig.desk.links_show = True
    assert rig.look() == UNCHANGED
    assert rig.desk.connected == [PIANO]


def test_a_patchbay_that_disconnects_a_port_each_time_has_its_way_until_it_is_unplugged(rig: Rig) -> None:
    rig.desk.tells_links = True
    rig.desk.sources += [PIANO]
    ports = rig.open(input="piano")
    rig.now_s += 10.0
    for _ in range(20):
        rig.look()
        rig.desk.blink(PIANO)
    assert ports.inputs == ("improv in",)
    left = f'Another program disconnects "{PIANO}": it is left alone until it is unplugged.'
    assert (rig.said.count(left), len(rig.said)) == (1, 8)
    rig.desk.sources.remove(PIANO)
    assert rig.look() == UNCHANGED
    rig.desk.sources.append(PIANO)
    assert rig.look() == PortChanges(changed=True)


def test_output_that_is_back_is_told_by_its_key_and_played_to_again(rig: Rig) -> None:
    rig.desk.sinks += [PIANO]
    ports = rig.open(output="piano", input="")
    rig.desk.sinks.remove(PIANO)
    assert rig.look() == PortChanges(changed=True)
    ports.send_to("piano", (0x80, 60, 64))
    assert (ports.outputs, ports.unsent) == (("improv out",), 1)
    rig.desk.sinks.append(PIANO)
    assert rig.look() == PortChanges(come_outputs=("piano",), changed=True)
    ports.send_to("piano", (0x80, 60, 64))
    assert rig.desk.sent == [(PIANO, (0x80, 60, 64))]
    assert rig.said == [
        f'"{PIANO}" has gone; improv plays to it again when it is back.',
        f'improv plays to "{PIANO}" now.',
    ]


def test_what_a_keyboard_that_has_gone_left_behind_is_not_heard(rig: Rig) -> None:
    rig.desk.sources += [PIANO]
    rig.open()
    rig.desk.sources.remove(PIANO)
    rig.look(may_open=False)
    assert rig.desk.connected == [PIANO]
    rig.desk.play(PIANO, 0x90, 60, 90)
    assert rig.played() == []


def test_ports_are_looked_at_only_when_it_is_time(rig: Rig) -> None:
    ports = rig.open()
    rig.look()
    rig.desk.sources.append(PIANO)
    assert ports.look(rig.now_s + LOOK_EVERY_S / 2) == UNCHANGED
    assert ports.look(rig.now_s + LOOK_EVERY_S) == PortChanges(changed=True)


def test_opening_waits_while_something_is_due_but_not_for_long(rig: Rig) -> None:
    rig.desk.sources += [PIANO]
    ports = rig.open(input="piano, keys")
    rig.desk.sources[-1:] = [KEYS]
    assert rig.look(may_open=False) == PortChanges(gone_inputs=(PIANO,), changed=True)
    assert ports.look(rig.now_s + 0.9, may_open=False) == UNCHANGED
    assert ports.look(rig.now_s + 1.0, may_open=False) == PortChanges(changed=True)
    assert ports.inputs == ("improv in", KEYS)


def test_new_client_waits_until_nothing_is_played(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("improv_daemon.stage.plugs.time.monotonic", lambda: rig.now_s)
    ports = rig.open(input="auto")
    rig.desk.sources += [PIANO]
    rig.look()
    rig.desk.sources += [KEYS]
    rig.desk.play(PIANO, 0x90, 60, 90)
    assert ports.look(rig.now_s + 0.199) == UNCHANGED
    assert ports.look(rig.now_s + 0.22) == PortChanges(changed=True)
    assert ports.inputs == ("improv in", PIANO, KEYS)


def test_connection_that_another_device_has_slipped_into_is_undone(rig: Rig) -> None:
    rig.desk.sources += [KEYS, PIANO]
    ports = rig.open(input="piano, organ", virtual=False)
    rig.desk.sources.remove(PIANO)
    rig.look()
    rig.desk.sources.append(PIANO)
    rig.desk.on_open = lambda: rig.desk.sources.remove(KEYS)
    assert rig.look() == UNCHANGED
    assert rig.desk.connected == []
    assert rig.look() == PortChanges(changed=True)
    assert ports.inputs == (PIANO,)


def test_failing_output_is_told_of_once_and_does_not_keep_the_others(rig: Rig) -> None:
    rig.desk.sinks += [PIANO]
    ports = rig.open(output="piano")
    rig.desk.busy = {PIANO}
    for key in ("piano", "improv out", "piano"):
        ports.send_to(key, (0x90, 60, 90))
    assert rig.desk.sent == [("improv out", (0x90, 60, 90))]
    assert rig.said == [f'The MIDI output "{PIANO}" fails ({PIANO} is busy); is it still connected?']


def test_a_keyboard_that_sounds_itself_is_known_even_while_it_is_gone(rig: Rig) -> None:
    rig.desk.sources += [PIANO, KEYS]
    rig.desk.sinks += [PIANO]
    ports = rig.open(output="piano, organ")
    rig.desk.sinks.remove(PIANO)
    rig.look()
    assert ports.same_device(PIANO, "piano")
    assert ports.same_device("improv in", "improv out")
    assert not ports.same_device(KEYS, "piano")
    assert not ports.same_device(PIANO, "organ")


def test_what_fails_while_it_looks_is_looked_at_again(rig: Rig) -> None:
    rig.desk.sources += [PIANO]
    rig.open()
    rig.desk.is_deaf = True
    assert rig.look() == UNCHANGED
    rig.desk.is_deaf = False
    rig.desk.sources.remove(PIANO)
    assert rig.look() == PortChanges(gone_inputs=(PIANO,), changed=True)


# --- without a MIDI system ------------------------------------------------------------------------


def no_system(api: str) -> System:
    raise PortError(f"No MIDI ports: {api} does not answer.")


def test_no_midi_system_is_a_problem_where_no_port_is_named_and_a_refusal_where_one_is(rig: Rig) -> None:
    ports = MidiPorts(rig.inbox, rig.said.append, no_system)
    ports.open(StageConfig(api="jack"))
    assert (ports.inputs, ports.outputs, ports.problems) == ((), (), ["No MIDI ports: jack does not answer."])
    assert ports.look(1.0) == UNCHANGED
    with pytest.raises(PortError, match="No MIDI ports"):
        ports.open(StageConfig(api="jack", input="piano"))


def test_ports_without_midi_send_nowhere(rig: Rig) -> None:
    ports = rig.open(api="none", input="auto, piano", output="organ")
    ports.send_to("organ", (0x90, 60, 90))
    assert (ports.inputs, ports.outputs, ports.output_keys) == ((), (), ())
    assert ports.problems == [
        '"piano" is not connected: ports.api = "none" switches MIDI off.',
        '"organ" is not connected: ports.api = "none" switches MIDI off.',
    ]
