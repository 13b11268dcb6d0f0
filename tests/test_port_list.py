"""Which ports there are and which improv would use, and what is said when there are none."""

from __future__ import annotations

import importlib.abc
import sys
from collections.abc import Sequence

import pytest

from improv_daemon.stage.port_list import PortList, list_ports, port_lines

THROUGH = "Midi Through:Midi Through Port-0 14:0"
PIANO = "Stage Piano:Stage Piano MIDI 1 20:0"
KEYS = "Launchkey:Keys 24:0"
FOUND = PortList("alsa", (THROUGH, PIANO, KEYS), (THROUGH, PIANO))


class _MissingLibrary(importlib.abc.MetaPathFinder):
    """Lets rtmidi be imported as on a computer without the ALSA library."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> None:
        if name == "rtmidi":
            raise ImportError("libasound.so.2: cannot open shared object file: No such file or directory")


@pytest.fixture
def without_alsa(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "rtmidi", raising=False)
    monkeypatch.setattr(sys, "meta_path", [_MissingLibrary(), *sys.meta_path])


def lines(found: PortList, **settings: str) -> list[str]:
    defaults = {"inputs": "auto", "outputs": "", "name": "improv"}
    return port_lines(found, **{**defaults, **settings}, virtual=True)


def test_ports_that_improv_would_use_are_marked() -> None:
    assert lines(FOUND, outputs="piano") == [
        "Inputs (--in):",
        f"  {THROUGH}",
        f"  {PIANO}   <- improv listens to it",
        f"  {KEYS}   <- improv listens to it",
        "Outputs (--out):",
        f"  {THROUGH}",
        f"  {PIANO}   <- improv plays to it",
        'For other programs it opens "improv in" and "improv out".',
    ]


def test_ports_that_are_named_and_missing_are_told() -> None:
    assert lines(PortList("jack"), inputs="organ, keys", outputs="roland") == [
        "Inputs (--in):",
        "  none",
        "Outputs (--out):",
        "  none",
        'There is no MIDI input called "organ" (there are: none); it is taken up when it appears.',
        'There is no MIDI input called "keys" (there are: none); it is taken up when it appears.',
        'There is no MIDI output called "roland" (there are: none); it is taken up when it appears.',
        'For other programs it opens "improv in" and "improv out".',
    ]


def test_windows_is_told_of_loopmidi() -> None:
    assert lines(PortList("windows"))[-1] == (
        'Windows cannot give improv virtual ports ("improv in" and "improv out"): make two ports with '
        "loopMIDI, and name them with --in and --out."
    )


def test_no_ports_are_listed_when_midi_is_switched_off() -> None:
    assert list_ports("none") == PortList(None, (), (), None)
    assert lines(list_ports("none")) == ['There are no MIDI ports: ports.api = "none" switches MIDI off.']


def test_unknown_midi_system_is_told() -> None:
    pytest.importorskip("rtmidi", reason="python-rtmidi is not installed")
    problem = 'There is no MIDI system called "oss"; use auto, alsa, coremidi, jack, windows or none.'
    assert lines(list_ports("oss")) == [problem]


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
    assert list_ports().problem == (
        'No MIDI ports: python-rtmidi is missing; "pip install python-rtmidi" installs it.'
    )


def test_new_python_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rtmidi", None)
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    assert list_ports().problem == (
        "No MIDI ports: python-rtmidi has no ready-made package for Python 3.13 and later; "
        "run improv with Python 3.11 or 3.12."
    )
