"""The floor of `bench.feel`: a process that sends back every MIDI message at once, until its input ends."""

from __future__ import annotations

import sys

import rtmidi

_PATIENT = 4096


def main() -> None:
    out = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="echo")
    out.open_virtual_port("echo out")
    ear = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name="echo", queue_size_limit=_PATIENT)
    ear.set_callback(lambda event, _: out.send_message(event[0]))
    ear.open_virtual_port("echo in")
    sys.stdin.read()
    ear.cancel_callback()
    for port in (ear, out):
        port.close_port()
        port.delete()


if __name__ == "__main__":
    main()
