"""What is told from the name of a MIDI port."""

from __future__ import annotations

import pytest

from improv_daemon.stage.port_names import (
    choose_ports,
    device_of,
    find_port,
    is_hardware,
    is_loopback,
    is_own,
    told_apart,
)

THROUGH = "Midi Through:Midi Through Port-0 14:0"
PIANO = "Stage Piano:Stage Piano MIDI 1 20:0"
KEYS = "Launchkey:Keys 24:0"
NAMES = [THROUGH, PIANO, KEYS]


@pytest.mark.parametrize("wanted", ["piano", "Stage Piano", "MIDI 1", PIANO])
def test_part_of_a_name_is_enough_and_capitals_do_not_matter(wanted: str) -> None:
    assert find_port(NAMES, wanted) == PIANO


def test_exact_name_goes_before_one_that_contains_it() -> None:
    assert find_port(["Keys 2", "Keys"], "Keys") == "Keys"


def test_unknown_name_is_not_found() -> None:
    assert find_port(NAMES, "organ") is None


def test_device_is_found_by_its_old_name_under_another_number() -> None:
    assert find_port(["Launchkey:Keys 28:0"], KEYS) == "Launchkey:Keys 28:0"
    bridged = "a2j:Launchkey [{}] (capture): Keys"
    assert find_port([bridged.format(28)], bridged.format(24)) == bridged.format(28)


def test_loopback_is_found_only_by_a_name_that_says_so() -> None:
    assert find_port(NAMES, "midi") == PIANO
    assert find_port([THROUGH], "port") is None
    assert find_port(NAMES, "through") == THROUGH
    assert find_port(["loopMIDI Port 1"], "loopmidi") == "loopMIDI Port 1"


@pytest.mark.parametrize(
    "name",
    [
        THROUGH,
        "a2j:Midi Through [14] (capture): Midi Through Port-0",
        "Midi-Bridge:Midi Through:(capture_0) Midi Through Port-0",
        "Virtual Raw MIDI 1-0:VirMIDI 1-0 20:0",
        "IAC Driver Bus 1",
        "loopMIDI Port",
        "LoopBe Internal MIDI",
        "Loopback",
        "Logic Pro Virtual Out",
    ],
)
@pytest.mark.parametrize("api", ["alsa", "jack", "coremidi", "windows"])
def test_loopbacks_are_no_hardware(name: str, api: str) -> None:
    assert is_loopback(name)
    assert not is_hardware(name, api)


@pytest.mark.parametrize(
    ("api", "name"),
    [
        ("alsa", PIANO),
        ("alsa", "E-MU XMidi1X1:E-MU XMidi1X1 MIDI 1 127:0"),
        ("jack", "system:midi_capture_1"),
        ("jack", "system_midi:capture_2"),
        ("jack", "a2j:Launchkey [20] (capture): Keys"),
        ("jack", "a2j-01:Launchkey [20] (capture): Keys"),
        ("jack", "Midi-Bridge:Launchkey:(capture_0) Keys"),
        ("coremidi", "Keystation 49"),
        ("windows", "Keystation 49 0"),
    ],
)
def test_hardware_is_known_by_its_name(api: str, name: str) -> None:
    assert is_hardware(name, api)


@pytest.mark.parametrize(
    ("api", "name"),
    [
        ("alsa", "System:Announce 0:1"),
        ("alsa", "FLUID Synth:Synth input port 128:0"),
        ("alsa", "no number"),
        ("jack", "ardour:MIDI Clock out"),
        ("jack", "Launchkey:Keys"),
        ("jack", "a2j:FLUID Synth [128] (playback): Synth input port"),
    ],
)
def test_other_programs_are_no_hardware(api: str, name: str) -> None:
    assert not is_hardware(name, api)


@pytest.mark.parametrize(
    "own",
    [
        "improv out",
        "improv:improv out",
        "improv-01:improv out",
        "improv:improv out 128:1",
        "improv:improv input #2",
    ],
)
def test_improvs_own_ports_are_never_chosen(own: str) -> None:
    assert is_own(own, "improv")
    assert choose_ports([own], ["improv", "out"], auto=True, own="improv", api="coremidi") == []


def test_port_of_another_program_that_mentions_improv_can_be_chosen() -> None:
    chosen = choose_ports(["DAW:to improv"], ["improv"], auto=False, own="improv", api="jack")
    assert chosen == [("improv", "DAW:to improv")]


def test_every_keyboard_is_chosen_once_by_name_first() -> None:
    names = [THROUGH, PIANO, KEYS, "FLUID Synth:Synth input port 128:0", "improv:improv out 129:0"]
    chosen = choose_ports(names, ["keys", "organ", "launchkey"], auto=True, own="improv", api="alsa")
    assert chosen == [("keys", KEYS), ("", PIANO)]


def test_nothing_is_chosen_that_is_not_wanted() -> None:
    assert choose_ports(NAMES, [], auto=False, own="improv", api="alsa") == []


def test_two_of_a_kind_are_told_apart() -> None:
    assert told_apart(["Keys", "Pad", "Keys", "Keys"]) == ("Keys", "Pad", "Keys #2", "Keys #3")


@pytest.mark.parametrize(
    ("source", "sink"),
    [
        (PIANO, PIANO),
        ("a2j:Piano [20] (capture): Piano MIDI 1", "a2j-01:Piano [20] (playback): Piano MIDI 1"),
        ("system:midi_capture_1", "system:midi_playback_1"),
        ("Midi-Bridge:Keys:(capture_0) Keys MIDI 1", "Midi-Bridge:Keys:(playback_0) Keys MIDI 1"),
        ("Piano:Piano out", "Piano-01:Piano in"),
        ("Keystation 49", "Keystation 49"),
        ("improv in", "improv out"),
    ],
)
def test_the_two_ways_of_one_device_are_known(source: str, sink: str) -> None:
    assert device_of(source) == device_of(sink)


@pytest.mark.parametrize(
    ("source", "sink"),
    [
        (PIANO, KEYS),
        ("Keys:Keys MIDI 1 20:0", "Keys:Keys MIDI 1 24:0"),
        ("system:midi_capture_1", "system:midi_playback_2"),
        ("Piano out", "Pianola in"),
    ],
)
def test_two_devices_are_told_apart(source: str, sink: str) -> None:
    assert device_of(source) != device_of(sink)
