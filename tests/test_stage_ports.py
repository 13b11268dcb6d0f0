"""Choosing a port by part of its name, and what is said when there is none."""

from __future__ import annotations

import importlib.abc
import sys
from collections.abc import Sequence

import pytest

from improv_core.errors import PortError
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage.inbox import Inbox, WakeUp
from improv_daemon.stage.ports import MidiPorts, PortList, choose_port, list_ports

NAMES = [
    "Midi Through:Midi Through Port-0 14:0",
    "Stage Piano:Stage Piano MIDI 1 20:0",
    "Launchkey:Keys 24:0",
]


class _MissingLibrary(importlib.abc.MetaPathFinder):
    """Lets rtmidi be imported as on a computer without the ALSA library."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> None:
        if name == "rtmidi":
            raise ImportError("libasound.so.2: cannot open shared object file: No such file or directory")


@pytest.fixture
def without_alsa(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "rtmidi", raising=False)
    monkeypatch.setattr(sys, "meta_path", [_MissingLibrary(), *sys.meta_path])


def open_ports(config: StageConfig) -> MidiPorts:
    wake_up = WakeUp()
    ports = MidiPorts(Inbox(wake_up), lambda text: pytest.fail(text))
    wake_up.close()
    ports.open(config)
    return ports


@pytest.mark.parametrize("wanted", ["piano", "Stage Piano", "MIDI 1", NAMES[1]])
def test_part_of_a_name_is_enough_and_capitals_do_not_matter(wanted: str) -> None:
    assert choose_port(NAMES, wanted, "input", "improv") == NAMES[1]


def test_exact_name_goes_before_one_that_contains_it() -> None:
    assert choose_port(["Keys 2", "Keys"], "Keys", "input", "improv") == "Keys"


def test_unknown_port_is_an_error_that_lists_those_there_are() -> None:
    with pytest.raises(PortError) as error:
        choose_port(NAMES[1:], "organ", "output", "improv")
    assert str(error.value) == (
        'There is no MIDI output port called "organ"; those there are: '
        '"Stage Piano:Stage Piano MIDI 1 20:0", "Launchkey:Keys 24:0".'
    )


def test_midi_through_is_never_an_input() -> None:
    with pytest.raises(PortError, match="those there are: none"):
        choose_port(NAMES[:1], "through", "input", "improv")
    assert choose_port(NAMES[:1], "through", "output", "improv") == NAMES[0]


@pytest.mark.parametrize(
    "own", ["improv out", "improv:improv out", "improv-01:improv out", "improv:improv out 128:1"]
)
def test_improvs_own_ports_are_never_chosen(own: str) -> None:
    with pytest.raises(PortError, match="those there are: none"):
        choose_port([own], "improv", "input", "improv")


def test_port_of_another_program_that_mentions_improv_can_be_chosen() -> None:
    assert choose_port(["DAW:to improv"], "improv", "input", "improv") == "DAW:to improv"


def test_no_ports_are_listed_when_midi_is_switched_off() -> None:
    assert list_ports("none") == PortList(None, (), (), None)


def test_unknown_midi_system_is_told() -> None:
    pytest.importorskip("rtmidi", reason="python-rtmidi is not installed")
    assert list_ports("oss").problem == (
        'There is no MIDI system called "oss"; use auto, alsa, coremidi, jack, windows or none.'
    )


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="another message from Python 3.13 on")
@pytest.mark.usefixtures("without_alsa")
def test_missing_alsa_library_is_told_with_what_to_install() -> None:
    assert list_ports() == PortList(
        None,
        (),
        (),
        'No MIDI ports: the ALSA library is missing; on Debian or Ubuntu "sudo apt install libasound2" '
        "(libasound2t64 on the newest).",
    )


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="another message from Python 3.13 on")
def test_missing_rtmidi_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rtmidi", None)
    problem = 'No MIDI ports: python-rtmidi is missing; "pip install python-rtmidi" installs it.'
    assert list_ports().problem == problem
    assert open_ports(StageConfig()).problems == [problem]


def test_new_python_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rtmidi", None)
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    assert list_ports().problem == (
        "No MIDI ports: python-rtmidi has no ready-made package for Python 3.13 and later; "
        "run improv with Python 3.11 or 3.12."
    )


def test_named_port_without_a_midi_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rtmidi", None)
    with pytest.raises(PortError, match="No MIDI ports"):
        open_ports(StageConfig(input="piano"))


def test_stage_without_midi_has_no_ports_and_sends_nowhere() -> None:
    ports = open_ports(StageConfig(api="none", input="piano"))
    ports.send((0x90, 60, 90))
    ports.close()
    assert (ports.inputs, ports.outputs) == ((), ())
    assert ports.problems == ['"piano" is not connected: ports.api = "none" switches MIDI off.']
