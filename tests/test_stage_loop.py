"""The stage's loop, with its clock, its outputs and the mind's end in the test's hands."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from improv_core.echo import EchoFilter
from improv_core.performer import Performer
from improv_daemon import wire
from improv_daemon.stage.inbox import Inbox, Stamped, WakeUp
from improv_daemon.stage.loop import MIDI, SYNTH, StageLoop
from improv_daemon.stage.mind_socket import MindSocket


class Recorder:
    """An output that remembers, and stops the loop when it has heard enough."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, ...]] = []

    def send(self, message: tuple[int, ...]) -> None:
        self.sent.append(message)


class Rig:
    """A stage loop that ends as soon as it has nothing more to do at the present time."""

    def __init__(self) -> None:
        self.now_s = 10.0
        self.unplugged: set[str] = set()
        self.mind, theirs = socket.socketpair()
        self.stage_end = MindSocket(theirs)
        self.wake_up = WakeUp()
        self.inbox = Inbox(self.wake_up)
        self.midi, self.synth = Recorder(), Recorder()
        self.loop = StageLoop(
            Performer((MIDI, SYNTH), 1, {SYNTH: 0}),
            EchoFilter(0.06),
            self.inbox,
            self.wake_up,
            self.stage_end,
            {MIDI: self.midi, SYNTH: self.synth},
            is_there=lambda source: source not in self.unplugged,
            clock=lambda: self.now_s,
        )

    def say(self, *commands: wire.Message) -> None:
        """Send commands, and let the stage act on them and on all that is due or came in by now."""
        self.mind.sendall(b"".join(wire.encode(command) for command in commands))
        self.mind.sendall(wire.encode(wire.Quit()))
        self.loop._stopping = False
        self.loop.run()
        self.loop.perform()

    def play(self, *data: int, at_s: float = 10.0) -> None:
        self.inbox.put(Stamped(data, at_s, "keyboard"))

    def told(self) -> list[wire.Message]:
        self.mind.setblocking(False)
        try:
            return wire.LineBuffer().feed(self.mind.recv(1 << 20))
        except BlockingIOError:
            return []


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.mind.close()
    made.stage_end.close(0)
    made.wake_up.close()


def test_planned_note_goes_to_all_outputs_at_its_time_and_is_acknowledged(rig: Rig) -> None:
    rig.say(wire.PlayNote(1, 0, 60, 90, 10.5, 11.0))
    assert rig.midi.sent == []
    rig.now_s = 10.75
    rig.loop.perform()
    rig.now_s = 11.0
    rig.loop.perform()
    assert rig.midi.sent == rig.synth.sent == [(0x91, 60, 90), (0x81, 60, 64)]
    assert rig.told() == [wire.Sounded(1, 0, 60, 90, 10.75, 0.25), wire.Released(1, 0, 60, 11.0)]


def test_players_input_sounds_on_the_synth_and_is_forwarded_with_its_stamp(rig: Rig) -> None:
    rig.play(0x95, 60, 90, at_s=9.99)
    rig.say()
    assert rig.synth.sent == [(0x90, 60, 90)]
    assert rig.midi.sent == []
    assert rig.told() == [wire.Played((0x95, 60, 90), 9.99, "keyboard")]


def test_clock_and_transport_are_told_with_their_stamps_and_sound_nowhere(rig: Rig) -> None:
    messages = [(0xF2, 4, 1), (0xFA,), (0xF8,), (0xFB,), (0xFC,)]
    for place, data in enumerate(messages):
        rig.play(*data, at_s=9.0 + place / 4)
    rig.say()
    assert rig.midi.sent == rig.synth.sent == []
    assert rig.told() == [
        wire.Played(data, 9.0 + place / 4, "keyboard") for place, data in enumerate(messages)
    ]


def test_clock_of_an_input_does_not_hide_that_its_keys_are_let_go_when_it_vanishes(rig: Rig) -> None:
    rig.play(0x90, 60, 90)
    rig.play(0xF8)
    rig.say()
    rig.told()
    rig.unplugged.add("keyboard")
    rig.now_s = 11.5
    rig.say()
    assert rig.told() == [wire.Played((0x80, 60, 64), 11.5, "keyboard")]


def test_improvs_own_note_is_not_heard(rig: Rig) -> None:
    rig.say(wire.PlayNote(1, 0, 60, 90, 10.0, 11.0))
    rig.told()
    rig.play(0x91, 60, 90)
    rig.say()
    assert rig.told() == []
    assert rig.loop.counts() == wire.Counts(0, 1, 0)


def test_pressed_key_counts_as_played_at_its_deadline(rig: Rig) -> None:
    rig.say(wire.PressKey((0x90, 60, 90), 10.5), wire.PressKey((0x80, 60, 0), 10.75))
    assert rig.told() == []
    rig.now_s = 10.5
    rig.loop.perform()
    rig.now_s = 10.75
    rig.loop.perform()
    assert rig.synth.sent == [(0x90, 60, 90), (0x80, 60, 0)]
    assert rig.told() == [
        wire.Played((0x90, 60, 90), 10.5, "demo"),
        wire.Played((0x80, 60, 0), 10.75, "demo"),
    ]


def test_cancelled_turn_is_released_at_once(rig: Rig) -> None:
    rig.say(wire.MovePedal(1, 127, 10.0), wire.PlayNote(1, 0, 60, 90, 10.0, 11.0))
    rig.told()
    rig.say(wire.CancelTurn(1))
    assert rig.midi.sent[2:] == [(0x81, 60, 64), (0xB1, 64, 0)]
    assert rig.told() == [
        wire.Released(1, 0, 60, 10.0),
        wire.PedalMoved(1, 0, 10.0),
        wire.TurnCancelled(1, 10.0, 0),
    ]


def test_panic_releases_the_player_and_improv_and_forgets_the_demo(rig: Rig) -> None:
    rig.play(0x90, 50, 90)
    rig.say(wire.PlayNote(1, 0, 60, 90, 10.0, 11.0), wire.PressKey((0x90, 60, 90), 10.5))
    rig.say(wire.Panic())
    assert (0x81, 60, 64) in rig.midi.sent
    assert (0x80, 50, 64) in rig.synth.sent
    rig.told()
    rig.now_s = 11.0
    rig.loop.perform()
    assert rig.told() == []


def test_what_is_held_on_a_keyboard_that_is_unplugged_is_let_go(rig: Rig) -> None:
    rig.play(0x93, 60, 90)
    rig.play(0xB3, 64, 127)
    rig.play(0xE3, 0, 70)
    rig.say()
    rig.told()
    rig.synth.sent.clear()
    rig.unplugged = {"keyboard"}
    rig.now_s = 10.75
    rig.say()
    assert rig.told() == []
    rig.now_s = 11.0
    rig.say()
    assert rig.synth.sent == [(0x80, 60, 64), (0xB0, 64, 0), (0xE0, 0, 64)]
    assert rig.told() == [
        wire.Played((0x83, 60, 64), 11.0, "keyboard"),
        wire.Played((0xB3, 64, 0), 11.0, "keyboard"),
        wire.Played((0xE3, 0, 64), 11.0, "keyboard"),
    ]
    rig.now_s = 13.0
    rig.say()
    assert rig.told() == []


def test_what_is_held_on_a_keyboard_that_is_there_stays_held(rig: Rig) -> None:
    rig.play(0x90, 60, 90)
    rig.say()
    rig.told()
    rig.now_s = 20.0
    rig.say()
    assert rig.synth.sent == [(0x90, 60, 90)]
    assert rig.told() == []


def test_stage_ends_when_the_mind_has_gone(rig: Rig) -> None:
    rig.mind.sendall(wire.encode(wire.PlayNote(1, 0, 60, 90, 10.0, 99.0)))
    rig.mind.shutdown(socket.SHUT_WR)
    rig.loop.run()
    rig.loop.perform()
    rig.loop.release_everything()
    assert rig.midi.sent[:2] == [(0x91, 60, 90), (0x81, 60, 64)]


@pytest.mark.parametrize(
    "line",
    [b'{"kind":"PlayNote"}\n', b"not json\n", b'{"kind":"Nonsense"}\n', wire.encode(wire.Trouble("?"))],
)
def test_what_is_no_command_is_told_and_survived(rig: Rig, line: bytes) -> None:
    rig.mind.sendall(line)
    rig.say(wire.PlayNote(1, 0, 60, 90, 10.0, 99.0))
    rig.say()
    told = rig.told()
    assert isinstance(told[0], wire.Trouble)
    assert told[0].text.startswith("The stage was sent something it cannot play: ")


def test_impossible_note_does_not_keep_the_others_from_sounding(rig: Rig) -> None:
    rig.say(wire.PlayNote(1, 0, 200, 90, 10.0, 11.0), wire.PlayNote(1, 1, 60, 90, 10.0, 11.0))
    assert rig.midi.sent == [(0x91, 60, 90)]


class Broken:
    """An output that breaks its promise never to raise."""

    def send(self, message: tuple[int, ...]) -> None:
        raise ZeroDivisionError


def test_output_that_raises_does_not_keep_the_others_from_their_note_offs(rig: Rig) -> None:
    rig.play(0x90, 50, 90)
    rig.say(wire.PlayNote(1, 0, 60, 90, 10.0, 11.0), wire.MovePedal(1, 127, 10.0))
    rig.loop._outputs = {MIDI: Broken(), SYNTH: rig.synth}
    rig.synth.sent.clear()
    with pytest.raises(ZeroDivisionError):
        rig.loop.release_everything()
    assert {(0x81, 60, 64), (0xB1, 64, 0), (0x80, 50, 64)} < set(rig.synth.sent)


def test_full_plan_is_told_once(rig: Rig) -> None:
    for start in range(0, 4100, 100):
        notes = [wire.PlayNote(1, start + n, 60, 90, 20.0, 21.0) for n in range(100)]
        rig.say(*notes)
        for _ in range(5):
            rig.say()
    assert rig.told() == [wire.Trouble("The plan is full: some of improv's notes are left out.")]


def test_watch_is_called_at_each_wake_up(rig: Rig) -> None:
    calls: list[float] = []
    rig.loop._watch = lambda: calls.append(rig.now_s)
    rig.say()
    assert calls == [10.0]
