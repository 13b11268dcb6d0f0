"""The MIDI systems of a computer (ALSA, CoreMIDI, JACK, Windows) through python-rtmidi."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from improv_core.errors import PortError

_APIS = {
    "alsa": "API_LINUX_ALSA",
    "coremidi": "API_MACOSX_CORE",
    "jack": "API_UNIX_JACK",
    "windows": "API_WINDOWS_MM",
}
_NO_MIDI_SYSTEM = {
    "alsa": 'the ALSA sequencer does not answer; try "sudo modprobe snd-seq"',
    "coremidi": "CoreMIDI does not answer",
    "jack": "no JACK server is running; start one",
    "windows": "Windows MIDI does not answer",
    "auto": (
        "neither the ALSA sequencer nor a JACK server answers here; "
        'try "sudo modprobe snd-seq" or start a JACK server'
    ),
}


class MidiSystem:
    """One of the MIDI systems of this computer, through python-rtmidi."""

    def __init__(self, rtmidi: Any, api: str) -> None:  # noqa: ANN401 - rtmidi has no types
        self.api = api
        self._rtmidi = rtmidi

    @classmethod
    def find(cls, api: str) -> MidiSystem:
        """The MIDI system asked for, or the first that answers.

        Raises:
            PortError: rtmidi cannot be imported, or no MIDI system answers.
        """
        # libjack would otherwise start a server of its own, with whatever settings.
        os.environ.setdefault("JACK_NO_START_SERVER", "1")
        try:
            rtmidi = importlib.import_module("rtmidi")
        except ImportError as error:
            raise PortError(_import_problem(error)) from None
        if api != "auto" and api not in _APIS:
            raise PortError(f'There is no MIDI system called "{api}"; use auto, {", ".join(_APIS)} or none.')
        for name in [api] if api in _APIS else _APIS:
            system = cls(rtmidi, name)
            if system._answers():
                return system
        raise PortError(f"No MIDI ports: {_NO_MIDI_SYSTEM[api]}.")

    def open(self, kind: str, name: str) -> Any:  # noqa: ANN401 - rtmidi has no types
        """A client without a port; `kind` is MidiIn or MidiOut."""
        return getattr(self._rtmidi, kind)(getattr(self._rtmidi, _APIS[self.api]), name=name)

    def names(self, kind: str) -> tuple[str, ...]:
        """Names of the ports there are."""
        port = self.open(kind, "improv-list")
        try:
            return tuple(port.get_ports())
        finally:
            port.delete()

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What a port may raise."""
        return (self._rtmidi.RtMidiError, OSError, NotImplementedError)

    def _answers(self) -> bool:
        if getattr(self._rtmidi, _APIS[self.api]) not in self._rtmidi.get_compiled_api():
            return False
        try:
            self.open("MidiIn", "improv-list").delete()
        except self.errors:
            return False
        return True


def _import_problem(error: ImportError) -> str:
    if sys.version_info >= (3, 13):
        return (
            "No MIDI ports: python-rtmidi has no ready-made package for Python 3.13 and later; "
            "run improv with Python 3.11 or 3.12."
        )
    if "libasound" in str(error):
        return (
            'No MIDI ports: the ALSA library is missing; on Debian or Ubuntu "sudo apt install libasound2" '
            "(libasound2t64 on the newest)."
        )
    return 'No MIDI ports: python-rtmidi is missing; "pip install python-rtmidi" installs it.'
