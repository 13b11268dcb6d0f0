"""The stage's loop, with its clock, its outputs and the mind's end in the test's hands."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from improv_core.echo import EchoFilter
from improv_daemon import wire
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage.hot_plug import NO_CHANGES, PortChanges
from improv_daemon.stage.inbox import Inbox, Stamped, WakeUp
from improv_daemon.stage.loop import StageLoop
from improv_daemon.stage.mind_socket import MindSocket
from improv_daemon.stage.outs import Outs
from improv_daemon.stage.rigging import put_together

OWN = "improv out"


class Recorder:
    """An output that remembers."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, ...]] = []

    def send(self, message: tuple[int, ...]) -> None:
        self.sent.append(message)


class Desk:
    """Ports in memory; devices are told apart by the first word of a port's name."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self.output_keys = keys
        self.inputs: tuple[str, ...] = ("keyboard",)
        self.outputs = keys
        self.unsent = 0
        self.sent: list[tuple[str, tuple[int, ...]]] = []
        self.changes: list[PortChanges] = []
        self.may_open: list[bool] = []

    def look(self, now_s: float, may_open: bool) -> PortChanges:
        self.may_open.append(may_open)
        return self.changes.pop(0) if self.changes else NO_CHANGES

    def send_to(self, key: str, message: tuple[int, ...]) -> None:
        self.sent.append((key, message))

    def same_device(self, input_name: str, key: str) -> bool:
        return input_name.split()[0] == key.split()[0]

    def to(self, key: str) -> list[tuple[int, ...]]:
        """What one output was sent."""
        return [message for output, message in self.sent if output == key]


class Rig:
    """A stage loop that ends as soon as it has nothing more to do at the present time."""

    def __init__(self, *keys: str, **settings: object) -> None:
        self.now_s = 10.0
        self.mind, theirs = socket.socketpair()
        self.stage_end = MindSocket(theirs)
        self.wake_up = WakeUp()
        self.inbox = Inbox(self.wake_up)
        self.synth = Recorder()
        self.ports = Desk((OWN, *keys))
        config = StageConfig(**settings)  # type: ignore[arg-type]
        parts, self.problems = put_together(config, self.ports, self.synth, players_channel=0)
        self.loop = StageLoop(parts, self.inbox, self.wake_up, self.stage_end, lambda: self.now_s)

    def say(self, *commands: wire.Message) -> None:
        """Send commands, and let the stage act on them and on all that is due or came in by now."""
        self.mind.sendall(b"".join(wire.encode(command) for command in commands))
        self.mind.sendall(wire.encode(wire.Quit()))
        self.loop._stopping = False
        self.loop.run()
        self.loop.perform()

    def play(self, *data: int, at_s: float | None = None, source: str = "keyboard") -> None:
        self.inbox.put(Stamped(data, self.now_s if at_s is None else at_s, source))

    def at(self, now_s: float) -> None:
        """Let it be then."""
        self.now_s = now_s
        self.loop.perform()

    def told(self) -> list[wire.Message]:
        self.mind.setblocking(False)
        try:
            return wire.LineBuffer().feed(self.mind.recv(1 << 20))
        except BlockingIOError:
            return []

    def close(self) -> None:
        self.mind.close()
        self.stage_end.close(0)
        self.wake_up.close()


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.close()


@pytest.fixture
def rig_of() -> Iterator[Callable[..., Rig]]:
    """Makes rigs with outputs by name and settings."""
    made: list[Rig] = []

    def make(*keys: str, **settings: object) -> Rig:
        made.append(Rig(*keys, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_planned_note_goes_to_all_outputs_at_its_time_and_is_acknowledged(rig: Rig) -> None:
    rig.say(wire.PlayNote(1, 0, 60, 90, 10.5, 11.0))
    assert rig.ports.to(OWN) == []
    rig.now_s = 10.75
    rig.loop.perform()
    rig.now_s = 11.0
    rig.loop.perform()
    assert rig.ports.to(OWN) == rig.synth.sent == [(0x91, 60, 90), (0x81, 60, 64)]
    assert rig.told() == [wire.Sounded(1, 0, 60, 90, 10.75, 0.25), wire.Released(1, 0, 60, 11.0)]


def test_players_input_sounds_on_the_synth_and_is_forwarded_with_its_stamp(rig: Rig) -> None:
    rig.play(0x95, 60, 90, at_s=9.99)
    rig.say()
    assert rig.synth.sent == [(0x90, 60, 90)]
    assert rig.ports.to(OWN) == []
    assert rig.told() == [wire.Played((0x95, 60, 90), 9.99, "keyboard")]


def test_clock_and_transport_are_told_with_their_stamps_and_sound_nowhere(rig: Rig) -> None:
    messages = [(0xF2, 4, 1), (0xFA,), (0xF8,), (0xFB,), (0xFC,)]
    for place, data in enumerate(messages):
        rig.play(*data, at_s=9.0 + place / 4)
    rig.say()
    assert rig.ports.to(OWN) == rig.synth.sent == []
    assert rig.told() == [
        wire.Played(data, 9.0 + place / 4, "keyboard") for place, data in enumerate(messages)
    ]


def test_clock_of_an_input_does_not_hide_that_its_keys_are_let_go_when_it_vanishes(rig: Rig) -> None:
    rig.play(0x90, 60, 90)
    rig.play(0xF8)
    rig.say()
    rig.told()
    rig.ports.changes.append(PortChanges(("keyboard",), (), True))
    rig.now_s = 11.5
    rig.say()
    assert rig.told()[0] == wire.Played((0x80, 60, 64), 11.5, "keyboard")


def test_improvs_own_note_is_not_heard(rig: Rig) -> None:
    rig.say(wire.PlayNote(1, 0, 60, 90, 10.0, 11.0))
    rig.told()
    rig.play(0x91, 60, 90)
    rig.say()
    assert rig.told() == []
    assert rig.loop.counts() == wire.Counts(0, 1, 0)
    rig.now_s = 11.5
    rig.say()
    assert [told for told in rig.told() if isinstance(told, wire.Counts)] == [wire.Counts(0, 1, 0)]
    rig.now_s = 13.0
    rig.say()
    assert rig.told() == []


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
    assert rig.ports.to(OWN)[2:] == [(0x81, 60, 64), (0xB1, 64, 0)]
    assert rig.told() == [
        wire.Released(1, 0, 60, 10.0),
        wire.PedalMoved(1, 0, 10.0),
        wire.TurnCancelled(1, 10.0, 0),
    ]


def test_panic_releases_the_player_and_improv_and_forgets_the_demo(rig: Rig) -> None:
    rig.play(0x90, 50, 90)
    rig.say(wire.PlayNote(1, 0, 60, 90, 10.0, 11.0), wire.PressKey((0x90, 60, 90), 10.5))
    rig.say(wire.Panic())
    assert (0x81, 60, 64) in rig.ports.to(OWN)
    assert (0x80, 50, 64) in rig.synth.sent
    rig.told()
    rig.now_s = 11.0
    rig.loop.perform()
    assert rig.told() == []


def test_what_is_held_on_a_keyboard_that_is_unplugged_is_let_go_at_once(rig: Rig) -> None:
    rig.play(0x93, 60, 90)
    rig.play(0xB3, 64, 127)
    rig.play(0xE3, 0, 70)
    rig.say()
    rig.told()
    rig.synth.sent.clear()
    rig.ports.inputs = ()
    rig.ports.changes.append(PortChanges(("keyboard",), (), True))
    rig.now_s = 10.25
    rig.play(0x93, 64, 90, at_s=10.2)
    rig.say()
    assert rig.synth.sent == [
        *((0x90, 64, 90), (0x80, 60, 64), (0xB0, 64, 0), (0xE0, 0, 64), (0x80, 64, 64)),
    ]
    assert rig.told() == [
        wire.Played((0x93, 64, 90), 10.2, "keyboard"),
        wire.Played((0x83, 60, 64), 10.25, "keyboard"),
        wire.Played((0xB3, 64, 0), 10.25, "keyboard"),
        wire.Played((0xE3, 0, 64), 10.25, "keyboard"),
        wire.Played((0x83, 64, 64), 10.25, "keyboard"),
        wire.PortsChanged((), (OWN,)),
    ]


def test_what_is_held_on_a_keyboard_that_is_there_stays_held(rig: Rig) -> None:
    rig.play(0x90, 60, 90)
    rig.say()
    rig.told()
    rig.now_s = 20.0
    rig.say()
    assert rig.synth.sent == [(0x90, 60, 90)]
    assert rig.told() == []


def test_ports_are_opened_while_nothing_is_due_for_a_moment(rig: Rig) -> None:
    rig.say()
    rig.say(wire.PlayNote(1, 0, 60, 90, 10.01, 11.0))
    rig.say(wire.CancelTurn(1), wire.PlayNote(2, 0, 60, 90, 10.02, 11.0))
    assert rig.ports.may_open == [True, False, True]


def test_an_output_that_comes_back_is_silent_and_sounds_as_it_should(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of("roland", player_channel=4)
    rig.play(0x90, 48, 90)
    rig.say()
    rig.say(wire.SetVoice("improv", 12, -1.0, 0), wire.SendControl(20, 5), wire.MovePedal(1, 127, 10.0))
    rig.say(wire.SetVoice("player", 0, 0.5, 80), wire.PlayNote(1, 0, 60, 90, 10.0, 20.0))
    rig.ports.sent.clear()
    rig.ports.changes.append(PortChanges((), ("roland",), True))
    rig.say()
    assert rig.ports.sent == [
        ("roland", message)
        for message in [
            *((0x81, 60, 64), (0x83, 48, 64), (0xB1, 64, 0)),
            *((0xB1, 64, 0), (0xB1, 123, 0)),
            *((0xC1, 11), (0xB1, 10, 0), (0xB3, 10, 96), (0xB3, 7, 80), (0xB1, 20, 5)),
        ]
    ]
    rig.ports.sent.clear()
    rig.at(20.0)
    assert rig.ports.sent == [(OWN, (0x81, 60, 64))]


def test_a_key_let_go_of_while_an_output_comes_back_is_let_go_of_everywhere(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of("roland", "moog", thru="on")
    rig.play(0x93, 60, 80, source="improv in")
    rig.say()
    rig.play(0x93, 60, 80, source="improv in")
    rig.ports.changes.append(PortChanges((), ("roland",), True))
    rig.say()
    assert rig.loop.counts().echoes_dropped == 1
    rig.play(0x83, 60, 64, source="improv in")
    rig.say()
    assert rig.ports.to("moog") == [(0x93, 60, 80), (0x83, 60, 64)]


# --- hearing, thru and voices ---------------------------------------------------------------------


def test_a_keyboard_that_a_daw_sends_on_is_heard_and_sounds_once(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of("roland")
    for data in ((0x90, 60, 90), (0x80, 60, 64)):
        rig.play(*data, at_s=10.0)
        rig.play(data[0] | 5, *data[1:], at_s=10.01, source="improv in")
    rig.say()
    assert rig.told() == [
        wire.Played((0x90, 60, 90), 10.0, "keyboard"),
        wire.Played((0x80, 60, 64), 10.0, "keyboard"),
        wire.Counts(0, 0, 0, merged=2),
    ]
    assert rig.ports.sent == [("roland", (0x90, 60, 90)), ("roland", (0x80, 60, 64))]


def test_only_the_channels_that_are_wanted_are_heard(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(channels="1-2, nano 10")
    for source, channel in (("keyboard", 1), ("keyboard", 9), ("nanopad", 1), ("nanopad", 9)):
        rig.play(0x90 | channel, 60, 90, source=source)
        rig.play(0x80 | channel, 60, 90, source=source)
        rig.now_s += 1
    rig.play(0xFA)
    rig.say()
    heard = [(told.source, told.data[0]) for told in rig.told() if isinstance(told, wire.Played)]
    assert heard == [
        *(("keyboard", 0x91), ("keyboard", 0x81), ("nanopad", 0x99), ("nanopad", 0x89), ("keyboard", 0xFA))
    ]


def test_thru_goes_to_what_is_named_but_never_to_the_keyboard_itself(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of("roland", "keyboard")
    rig.play(0x90, 60, 90)
    rig.say()
    assert rig.ports.sent == [("roland", (0x90, 60, 90))]
    assert rig.synth.sent == [(0x90, 60, 90)]


def test_thru_goes_by_routes_on_the_channel_that_is_set(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of("roland", "moog", thru_routes="keyb > moog, nano > synth", player_channel=3)
    rig.play(0x90, 60, 90)
    rig.play(0x99, 36, 100, source="nanopad")
    rig.say()
    assert rig.ports.sent == [("moog", (0x92, 60, 90))]
    assert rig.synth.sent == [(0x90, 36, 100)]


def test_the_demos_hands_are_not_routed(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of("roland", thru_routes="keyb > roland")
    rig.say(wire.PressKey((0x90, 60, 90), 10.0))
    assert rig.synth.sent == [(0x90, 60, 90)]


def test_what_is_passed_on_and_comes_back_elsewhere_is_not_passed_on_again(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of("roland", merge_window_s=0.0)
    for data in ((0x90, 60, 90), (0xE0, 1, 2), (0x80, 60, 64)):
        rig.play(*data)
        rig.say()
        rig.play(*data, source="improv in")
        rig.say()
    assert len(rig.ports.sent) == 3
    assert rig.loop.counts().echoes_dropped == 3


def test_wheel_that_goes_to_and_fro_quickly_is_no_echo_of_itself(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of("roland")
    for value in (10, 11, 10):
        rig.play(0xB0, 1, value)
    rig.say()
    assert rig.ports.to("roland") == [(0xB0, 1, 10), (0xB0, 1, 11), (0xB0, 1, 10)]


def test_gestures_go_on_to_nothing_and_are_told(rig: Rig) -> None:
    rig.say(wire.Withhold((67,), (21,), programs=True))
    for data in ((0xB0, 67, 127), (0x90, 21, 90), (0xC0, 3), (0x90, 22, 90)):
        rig.play(*data)
    rig.say()
    assert rig.synth.sent == [(0x90, 22, 90)]
    assert len(rig.told()) == 4


def test_voices_are_set_where_each_part_sounds(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of("roland")
    rig.say(wire.SetVoice("improv", 5, 1.0, 100), wire.SetVoice("player", 1, 0.0, 0))
    improvs = [(0xC1, 4), (0xB1, 10, 127), (0xB1, 7, 100)]
    assert rig.ports.to(OWN) == rig.ports.to("roland") == improvs
    assert rig.synth.sent == [*improvs, (0xC0, 0), (0xB0, 10, 64)]
    rig.ports.sent.clear()
    rig.play(0x95, 60, 90)
    rig.play(0x95, 62, 90)
    rig.say()
    assert rig.ports.sent == [
        ("roland", data) for data in ((0xC5, 0), (0xB5, 10, 64), (0x95, 60, 90), (0x95, 62, 90))
    ]


@pytest.mark.parametrize(
    "command",
    [
        wire.SetVoice("nobody", 0, 0.0, 0),
        wire.SetVoice("player", 129, 0.0, 0),
        wire.SendControl(128, 0),
        wire.KeepTime(0.0, -1.0, 4, 0.0, 0.0, ""),
    ],
)
def test_impossible_commands_are_told_and_nothing_is_sent(rig: Rig, command: wire.Message) -> None:
    rig.say(command)
    (told,) = rig.told()
    assert isinstance(told, wire.Trouble)
    assert told.text.startswith("The stage was sent something it cannot play: ")
    assert rig.ports.sent == rig.synth.sent == []


def test_state_goes_to_midi_outputs_alone(rig: Rig) -> None:
    rig.say(wire.SendControl(20, 127))
    assert rig.ports.sent == [(OWN, (0xB1, 20, 127))]
    assert rig.synth.sent == []


def test_names_that_no_output_has_are_told(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of("roland", thru_routes="a > moog", latency_ms="3, korg 5, synth 7", clock_out="rol, ob6")
    assert [problem.partition(",")[0] for problem in rig.problems] == [
        'ports.thru_routes names an output "moog"',
        'ports.latency_ms names an output "korg"',
        'time.clock_out names an output "ob6"',
    ]
    assert rig.problems[0].endswith('("improv out", "roland"); add it to ports.output.')


# --- time -----------------------------------------------------------------------------------------


def test_an_output_that_sounds_late_is_sent_to_earlier(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of("roland", latency_ms="roland 250, synth 125")
    rig.say(wire.PlayNote(1, 0, 60, 90, 11.0, 12.0))
    seen = []
    for now_s in (10.75, 10.875, 11.0):
        rig.at(now_s)
        seen.append((len(rig.ports.to("roland")), len(rig.synth.sent), len(rig.ports.to(OWN))))
    assert seen == [(1, 0, 0), (1, 1, 0), (1, 1, 1)]
    assert rig.told() == [wire.Sounded(1, 0, 60, 90, 11.0, 0.0)]


def beats(**changes: object) -> wire.KeepTime:
    """120 a minute from 11 s on, four in a bar."""
    return wire.KeepTime(
        **(
            {  # type: ignore[arg-type]
                "origin_s": 11.0,
                "beat_s": 0.5,
                "beats_per_bar": 4,
                "click_from_s": 0.0,
                "click_until_s": 0.0,
                "source": "",
            }
            | changes
        )
    )


def run_on(rig: Rig, until_s: float) -> None:
    """Let time pass from one deadline to the next."""
    while (wait_s := rig.loop._free_s()) <= until_s - rig.now_s:
        rig.at(rig.now_s + max(wait_s, 0.0))
    rig.now_s = until_s


def test_clock_goes_out_where_it_is_wanted_and_stops_at_the_end(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of("roland", "moog", clock_out="roland")
    rig.say(beats())
    run_on(rig, 12.99)
    rig.loop.stop_the_clock()
    clock = [message[0] for message in rig.ports.to("roland")]
    assert clock.count(0xFA) == 1
    assert clock[-1] == 0xFC
    assert clock[clock.index(0xFA) : -1].count(0xF8) == 96
    assert rig.ports.to("moog") == rig.ports.to(OWN) == rig.synth.sent == []


def test_clock_does_not_go_back_to_the_device_it_comes_from(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of("roland", clock_out="all")
    rig.say(beats(source="improv in"))
    run_on(rig, 12.0)
    assert rig.ports.to(OWN) == []
    assert (0xFA,) in rig.ports.to("roland")


def test_improvs_own_clock_is_not_heard_and_another_one_is(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of("roland", clock_out="improv")
    rig.say(beats())
    rig.play(0xF8, source="improv in")
    rig.play(0xF8, source="nanopad")
    rig.say()
    assert rig.told() == [wire.Played((0xF8,), 10.0, "nanopad")]
    rig.say(beats(beat_s=0.0))
    rig.play(0xFA, source="improv in")
    rig.say()
    assert rig.told() == [wire.Played((0xFA,), 10.0, "improv in")]


def test_clicks_sound_on_the_synth_high_at_the_bar_line_and_end(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of("roland")
    rig.say(beats(click_from_s=11.0, click_until_s=12.0))
    run_on(rig, 14.0)
    assert rig.synth.sent == [(0x99, 76, 110), (0x89, 76, 64), (0x99, 77, 90), (0x89, 77, 64)]
    assert rig.ports.sent == []


def test_clock_and_clicks_are_earlier_for_outputs_that_sound_late(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of("roland", clock_out="roland", latency_ms="roland 125, synth 250")
    rig.say(beats(click_from_s=11.0, click_until_s=11.25))
    run_on(rig, 10.745)
    assert rig.synth.sent == []
    run_on(rig, 10.755)
    assert rig.synth.sent == [(0x99, 76, 110)]
    run_on(rig, 10.87)
    assert (0xFA,) not in rig.ports.to("roland")
    run_on(rig, 10.88)
    assert rig.ports.to("roland")[-2:] == [(0xFA,), (0xF8,)]


def test_an_output_that_comes_back_is_started_on_the_next_bar_line(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of("roland", clock_out="all")
    rig.say(beats())
    run_on(rig, 11.5)
    rig.ports.sent.clear()
    rig.ports.changes.append(PortChanges((), ("roland",), True))
    rig.say()
    run_on(rig, 13.1)
    assert rig.ports.to("roland").count((0xFA,)) == 1
    assert (0xFA,) not in rig.ports.to(OWN)


# --- the end --------------------------------------------------------------------------------------


def test_stage_ends_when_the_mind_has_gone(rig: Rig) -> None:
    rig.mind.sendall(wire.encode(wire.PlayNote(1, 0, 60, 90, 10.0, 99.0)))
    rig.mind.shutdown(socket.SHUT_WR)
    rig.loop.run()
    rig.loop.perform()
    rig.loop.release_everything()
    assert rig.ports.to(OWN)[:2] == [(0x91, 60, 90), (0x81, 60, 64)]


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
    assert rig.ports.to(OWN) == [(0x91, 60, 90)]


class Broken:
    """An output that breaks its promise never to raise."""

    def send(self, message: tuple[int, ...]) -> None:
        raise ZeroDivisionError


def test_output_that_raises_does_not_keep_the_others_from_their_note_offs(rig: Rig) -> None:
    rig.play(0x90, 50, 90)
    rig.say(wire.PlayNote(1, 0, 60, 90, 10.0, 11.0), wire.MovePedal(1, 127, 10.0))
    rig.loop._outs = Outs({**rig.loop._outs.outputs, OWN: Broken()}, EchoFilter(0.0))
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
