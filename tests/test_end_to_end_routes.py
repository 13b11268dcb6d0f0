"""A keyboard that comes by two routes counts once, and what is played goes where it is sent."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from improv_process import ImprovProcess
from jack_devices import Instrument, Keyboard, Timed
from midi_checks import balance
from sittings import IMPROV_CHANNEL, JACK

from improv_daemon.journal import Journal, read_journal
from improv_daemon.wire import Counts, Played

pytestmark = pytest.mark.usefixtures("jack_server")

LET_GO_WITHIN_S = 2.0
SENT_ON_WITHIN_S = 5.0
DAW_CHANNEL = 5
PITCHES = (60, 64, 67, 72, 71, 67)
LAST = (0xB0 | DAW_CHANNEL, 3, 5)
PATIENT = ("-o", "ports.merge_window_s=0.4", "-o", "ports.echo_window_s=0.4")
"""A busy machine holds up the DAW of a test for longer than a real one."""


class Daw:
    """Sends on to "improv in" what a keyboard and "improv out" bring: the one on a channel of its own."""

    def __init__(self, keyboard: Keyboard) -> None:
        self._keyboard = keyboard
        self._ears: list[Any] = []
        self._hand: Any = None
        self._forwarded = 0
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        self._hand = self._open("MidiOut", "improv in")
        for port_name, channel in ((self._keyboard.port_name, DAW_CHANNEL), ("improv out", None)):
            ear = self._open("MidiIn", port_name)
            ear.set_callback(self._send_on, channel)
            self._ears.append(ear)
        threading.Event().wait(0.1)  # JACK does not say when a connection carries its first message
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closing holds the interpreter's lock: a callback that waits for it would never end.
        for ear in self._ears:
            ear.cancel_callback()
        threading.Event().wait(0.02)
        for port in (*self._ears, self._hand):
            port.close_port()
            port.delete()

    def _open(self, kind: str, port_name: str) -> Any:
        import rtmidi

        port = getattr(rtmidi, kind)(rtmidi.API_UNIX_JACK, name="daw")
        names = [name.partition(":")[2] for name in port.get_ports()]
        port.open_port(names.index(port_name), "track")
        return port

    def _send_on(self, event: tuple[list[int], float], channel: int | None) -> None:
        status, *rest = event[0]
        self._hand.send_message([status if channel is None else status & 0xF0 | channel, *rest])
        with self._changed:
            self._forwarded += channel is not None
            self._changed.notify_all()

    def has_sent_on_all(self) -> bool:
        """Wait until it has sent on all that was played on the keyboard; whether it has."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._forwarded == len(self._keyboard.sent), SENT_ON_WITHIN_S
            )

    def send(self, *data: int) -> None:
        """Something of its own."""
        self._hand.send_message(data)


def journal_of(folder: Path) -> Journal:
    (path,) = (folder / "kept").glob("*/journal.jsonl")
    return read_journal(path)


def played(journal: Journal) -> list[tuple[str, tuple[int, ...]]]:
    """Where it came from, and what came, of everything that counted as played."""
    messages = (entry.message for entry in journal.entries)
    return [(m.source.partition(":")[2], m.data) for m in messages if isinstance(m, Played)]


def counts(journal: Journal) -> Counts:
    return [entry.message for entry in journal.entries if isinstance(entry.message, Counts)][-1]


def of(heard: list[Timed], *channels: int) -> list[tuple[int, ...]]:
    return [data for _, data in heard if data[0] & 0x0F in channels]


def plain(data: tuple[int, ...]) -> tuple[int, ...]:
    return (data[0] & 0xF0, *data[1:])


def press(keyboard: Keyboard, pitch: int, velocity: int, channel: int = 0) -> None:
    keyboard.play(0x90 | channel, pitch, velocity)
    keyboard.play(0x80 | channel, pitch, 64)


def test_a_keyboard_that_a_daw_sends_on_sounds_and_counts_once(tmp_path: Path) -> None:
    with ExitStack() as stage:
        keystation = stage.enter_context(Keyboard("Keystation"))
        roland = stage.enter_context(Instrument("Roland"))
        keystation.plug_in()
        roland.plug_in()
        options = (*JACK, "--out", "roland", "--mode", "harmonise", "-o", "record.audio=off", *PATIENT)
        improv = stage.enter_context(ImprovProcess("record", "kept", *options, folder=tmp_path))
        improv.wait_until_playing()
        daw = stage.enter_context(Daw(keystation))
        keys = ((0x90 + up, pitch, 60 + place) for place, pitch in enumerate(PITCHES) for up in (0, -0x10))
        pedal_and_bend = ((0xB0, 64, 127), (0xE0, 1, 70), (0xE0, 0, 64), (0xB0, 64, 0))
        for data in (*keys, *pedal_and_bend, (0x90, 62, 99)):
            keystation.play(*data)
            assert daw.has_sent_on_all()
        daw.send(*LAST)  # what it has sent before has come to improv when this has
        assert roland.wait_for(lambda heard: (0xB0, *LAST[1:]) in [plain(data) for _, data in heard])
        held = len(keystation.sent)
        keystation.unplug()
        assert roland.wait_for(lambda heard: balance(heard).hanging == (), LET_GO_WITHIN_S)
        status, _ = improv.stop()
    assert status == 0
    sent = [data for _, data in keystation.sent]
    thru = [plain(data) for data in of(roland.heard, 0, DAW_CHANNEL)]
    assert thru == [*sent[:held], plain(LAST), (0x80, 62, 64)]
    journal = journal_of(tmp_path)
    assert [plain(data) for _, data in played(journal)] == thru
    improvs = of(roland.heard, IMPROV_CHANNEL)
    assert improvs
    assert balance(roland.heard).struck_twice == ()
    left_out = counts(journal)
    assert left_out.merged == held
    assert left_out.echoes_dropped >= sum(data[0] & 0xF0 == 0x90 for data in improvs)


def test_two_keyboards_go_each_to_its_own_instrument(tmp_path: Path) -> None:
    with ExitStack() as stage:
        keystation, nanopad = (stage.enter_context(Keyboard(name)) for name in ("Keystation", "Nanopad"))
        roland, moog = (stage.enter_context(Instrument(name)) for name in ("Roland", "Minimoog"))
        for device in (keystation, nanopad, roland, moog):
            device.plug_in()
        settings = {
            "ports.thru_routes": '"keystation > roland, nano > moog"',
            "ports.channels": '"nanopad 10"',
            "ports.player_channel": "4",
            "voices.player_program": "20",
            "voices.improv_pan": "-1.0",
            "record.audio": "off",
        }
        options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
        out = ("--out", "roland, moog", "--mode", "listen")
        improv = stage.enter_context(ImprovProcess("record", "kept", *JACK, *out, *options, folder=tmp_path))
        improv.wait_until_playing()
        for instrument in (roland, moog):
            assert instrument.wait_for(
                lambda heard: [data for _, data in heard] == [(0xB0 | IMPROV_CHANNEL, 10, 0)]
            )
        for data in ((0x92, 60, 80), (0xD2, 40), (0xE2, 3, 70), (0xB2, 67, 127), (0xC2, 7), (0x82, 60, 64)):
            keystation.play(*data)
        press(nanopad, 36, 100, channel=0)
        press(nanopad, 38, 101, channel=9)
        for keyboard, instrument, pitch in ((keystation, roland, 50), (nanopad, moog, 51)):
            keyboard.play(0x99, pitch, 90)
            assert instrument.wait_for(lambda heard, pitch=pitch: balance(heard).hanging == ((3, pitch),))
        status, _ = improv.stop()
    assert status == 0
    first = [(0xC3, 19), (0xB3, 10, 64)]
    assert of(roland.heard, 3) == [
        *first,
        *((0x93, 60, 80), (0xD3, 40), (0xE3, 3, 70), (0xB3, 67, 127), (0xC3, 7), (0x83, 60, 64)),
        *((0x93, 50, 90), (0x83, 50, 64), (0xB3, 67, 0), (0xE3, 0, 64), (0xD3, 0)),
    ]
    assert of(moog.heard, 3) == [*first, (0x93, 38, 101), (0x83, 38, 64), (0x93, 51, 90), (0x83, 51, 64)]
    journal = journal_of(tmp_path)
    assert [data for source, data in played(journal) if source == keystation.port_name] == [
        data for _, data in keystation.sent
    ]
    assert [data[1] for source, data in played(journal) if source == nanopad.port_name] == [38, 38, 51]
