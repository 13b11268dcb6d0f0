"""Devices unplugged and plugged in again while two play, on real JACK ports.

    python -m bench.hot_plug [--rounds 50]

One player plays without pause, from a process of its own; a keyboard, an instrument or both are unplugged in
the middle of what they hold and sound, and come back. improv harmonises, and sends both on to the instrument.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from bench.end_to_end import jack_server
from bench.tables import load_average, milliseconds, print_table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from improv_process import ImprovProcess
from jack_devices import Instrument, Keyboard
from jack_player import JackPlayer, Timed
from midi_checks import balance, pedals_down

from improv_daemon.journal import Journal, read_journal
from improv_daemon.wire import Played

_NOTE_ON, _NOTE_OFF, _CONTROL, _SUSTAIN = 0x90, 0x80, 0xB0, 64
_HELD = (40, 47)
_PROBES = range(24, 40)  # below all the others: improv harmonises what is on top
_PROBE_EVERY_S = 0.03
_PLAYER_EVERY_S = 0.1
_BACK_WITHIN_S = 5.0
_UNPLUGGED_FOR_S = (0.02, 1.5)
_NEAR_S = 0.4
_LATEST = 500
Row = tuple[object, ...]


class FarKeyboard:
    """A keyboard in a process of its own; a context manager.

    A process that makes a JACK client holds up the server if it also listens: see the stage's `Plug`.
    """

    def __init__(self, name: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_serve_keyboard, args=(there, name))
        self._process.start()
        self.port_name: str = self._here.recv()

    def __enter__(self) -> FarKeyboard:
        return self

    def __exit__(self, *_: object) -> None:
        self._here.send(("", ()))
        self._process.join()

    def plug_in(self) -> float:
        return self._ask("plug_in")

    def unplug(self) -> float:
        return self._ask("unplug")

    def play(self, *data: int) -> float:
        return self._ask("play", *data)

    def _ask(self, method: str, *data: int) -> float:
        self._here.send((method, data))
        answered: float = self._here.recv()
        return answered


def _serve_keyboard(there: Connection, name: str) -> None:
    with Keyboard(name, number=100) as keyboard:
        there.send(keyboard.port_name)
        while (command := there.recv())[0]:
            method, data = command
            there.send(getattr(keyboard, method)(*data))


@dataclass(slots=True)
class Rounds:
    """When what was unplugged and plugged in, and when it was heard again."""

    keyboard_unplugged_s: list[float] = field(default_factory=list)
    changes_s: list[float] = field(default_factory=list)
    keyboard_back_s: list[float] = field(default_factory=list)
    instrument_back_s: list[float] = field(default_factory=list)
    never_back: int = 0


@dataclass(frozen=True, slots=True)
class Footprint:
    """What the stage process holds."""

    threads: int
    files: int
    memory_mib: float

    @classmethod
    def of(cls, pid: int) -> Footprint:
        place = Path(f"/proc/{pid}")
        pages = int((place / "statm").read_text().split()[1])
        memory_mib = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
        return cls(len(list((place / "task").iterdir())), len(list((place / "fd").iterdir())), memory_mib)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.hot_plug",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=50)
    rounds: int = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as place, jack_server(realtime=True):
        report(rounds, Path(place))


def report(rounds: int, folder: Path) -> None:
    command = ("record", "kept", "--no-sound", "--plain", "-o", "ports.api=jack", "-o", "record.audio=off")
    command += ("--mode", "harmonise", "--out", "roland")
    with FarKeyboard("Keystation") as keyboard, Instrument("Roland") as roland:
        keyboard.plug_in()
        roland.plug_in()
        with ImprovProcess(*command, folder=folder) as improv, JackPlayer() as player:
            improv.wait_until_playing()
            player.connect()
            threading.Event().wait(1.0)
            before = Footprint.of(improv.stage_pid())
            _play_steadily(player, 4.0 * rounds + 10.0)
            found = _unplug_and_plug_in(rounds, keyboard, roland)
            threading.Event().wait(0.5)
            after = Footprint.of(improv.stage_pid())
            improv.stop(timeout_s=60.0)
            threading.Event().wait(0.2)
            steady, heard = list(player.sent), list(player.heard)
    (path,) = (folder / "kept").glob("*/journal.jsonl")
    source, journal = keyboard.port_name, read_journal(path)
    _print_times(found, journal, source, steady, heard)
    _print_leftovers(found, rounds, journal, source, {"improv out": heard, "the instrument": roland.heard})
    print_table(
        ("the stage process", "threads", "open files", "memory MiB"),
        [
            (when, one.threads, one.files, f"{one.memory_mib:.1f}")
            for when, one in (("before the first round", before), ("after the last", after))
        ],
    )


# --- playing --------------------------------------------------------------------------------------


def _play_steadily(player: JackPlayer, for_s: float) -> None:
    begin_s = time.monotonic() + 0.1
    for number in range(int(for_s / _PLAYER_EVERY_S)):
        at_s, pitch = begin_s + number * _PLAYER_EVERY_S, 60 + number * 5 % 12
        player.play([(at_s, (_NOTE_ON, pitch, 70)), (at_s + 0.06, (_NOTE_OFF, pitch, 0))])


def _unplug_and_plug_in(rounds: int, keyboard: FarKeyboard, roland: Instrument) -> Rounds:
    found, rng = Rounds(), np.random.default_rng(6)
    for number in range(rounds):
        devices = [(keyboard,), (roland,), (keyboard, roland)][number % 3]
        for data in (*((_NOTE_ON, pitch, 80) for pitch in _HELD), (_CONTROL, _SUSTAIN, 127)):
            keyboard.play(*data)
        threading.Event().wait(float(rng.uniform(0.1, 0.4)))
        unplugged_s = {device: device.unplug() for device in devices}
        found.changes_s += unplugged_s.values()
        if keyboard in unplugged_s:
            found.keyboard_unplugged_s.append(unplugged_s[keyboard])
        threading.Event().wait(float(rng.uniform(*_UNPLUGGED_FOR_S)))
        plugged_s = {device: device.plug_in() for device in devices}
        found.changes_s += plugged_s.values()
        _wait_until_back(found, plugged_s, keyboard, roland)
        for data in (*((_NOTE_OFF, pitch, 64) for pitch in _HELD), (_CONTROL, _SUSTAIN, 0)):
            keyboard.play(*data)
    return found


def _wait_until_back(
    found: Rounds, plugged_s: dict[FarKeyboard | Instrument, float], keyboard: FarKeyboard, roland: Instrument
) -> None:
    """Strike one probe after the other until the instrument hears one."""
    begin_s = time.monotonic()
    while (
        not (heard_s := _probe_since(roland.heard, begin_s)) and time.monotonic() < begin_s + _BACK_WITHIN_S
    ):
        for pitch in _PROBES:
            keyboard.play(_NOTE_ON, pitch, 60)
            keyboard.play(_NOTE_OFF, pitch, 64)
            if roland.wait_for(lambda heard: _probe_since(heard, begin_s) is not None, _PROBE_EVERY_S):
                break
    if heard_s is None:
        found.never_back += 1
        return
    if keyboard in plugged_s:
        found.keyboard_back_s.append(heard_s - plugged_s[keyboard])
    if roland in plugged_s:
        first_s = next(at_s for at_s, _ in roland.heard[-_LATEST:] if at_s > plugged_s[roland])
        found.instrument_back_s.append(first_s - plugged_s[roland])


def _probe_since(heard: Sequence[Timed], since_s: float) -> float | None:
    latest = heard[-_LATEST:]
    return next((s for s, data in latest if s > since_s and data[0] == _NOTE_ON and data[1] in _PROBES), None)


# --- what came of it ------------------------------------------------------------------------------


def _print_times(
    found: Rounds, journal: Journal, source: str, steady: Sequence[Timed], heard: Sequence[Timed]
) -> None:
    replies = _replies_s(steady, heard)
    near = [reply_s for at_s, reply_s in replies if _is_near(at_s, found.changes_s)]
    far = [reply_s for at_s, reply_s in replies if not _is_near(at_s, found.changes_s)]
    rows = [
        _row("keyboard plugged in to its first note at the instrument", found.keyboard_back_s),
        _row("instrument plugged in to the first message it hears", found.instrument_back_s),
        _row("keyboard unplugged to the last of what it held let go", _let_go_s(found, journal, source)),
        _row("another player's note to its harmony, while ports come and go", near),
        _row("the same, otherwise", far),
    ]
    print_table(("what", "count", "p50 ms", "p99 ms", "max ms", "load average"), rows)


def _row(what: str, values_s: Sequence[float]) -> Row:
    return (what, len(values_s), *(milliseconds(values_s) if values_s else ("-",) * 3), load_average())


def _replies_s(sent: Sequence[Timed], heard: Sequence[Timed]) -> list[tuple[float, float]]:
    """Of each note-on: when it was, and how long after it the first of improv's was heard."""
    onsets = [at_s for at_s, data in heard if data[0] & 0xF0 == _NOTE_ON and data[2]]
    found, place = [], 0
    for at_s in (at_s for at_s, data in sent if data[0] == _NOTE_ON):
        while place < len(onsets) and onsets[place] <= at_s:
            place += 1
        if place < len(onsets) and onsets[place] - at_s < _PLAYER_EVERY_S:
            found.append((at_s, onsets[place] - at_s))
    return found


def _is_near(at_s: float, changes_s: Sequence[float]) -> bool:
    return any(-0.05 < at_s - change_s < _NEAR_S for change_s in changes_s)


def _let_go_s(found: Rounds, journal: Journal, source: str) -> list[float]:
    held = {(_NOTE_OFF, pitch) for pitch in _HELD} | {(_CONTROL, _SUSTAIN)}
    releases = [
        (message.at_s, message.data[:2])
        for message in _played(journal, source)
        if message.data[:2] in held and (message.data[0] != _CONTROL or message.data[2] == 0)
    ]
    times = []
    for unplugged_s in found.keyboard_unplugged_s:
        firsts = [next((s for s, one in releases if one == key and s > unplugged_s), 1e9) for key in held]
        times.append(max(firsts) - unplugged_s)
    return times


def _print_leftovers(
    found: Rounds, rounds: int, journal: Journal, source: str, heard: dict[str, Sequence[Timed]]
) -> None:
    mind = [(message.at_s, message.data) for message in _played(journal, source)]
    rows = []
    for where, messages in {**heard, "what improv took in from the keyboard": mind}.items():
        rows.append((where, len(messages), len(balance(messages).hanging), len(pedals_down(messages))))
    print(f"Rounds: {rounds}; not back within {_BACK_WITHIN_S:.0f} s: {found.never_back}.\n")
    print_table(("at the end", "messages", "stuck notes", "pedals down"), rows)


def _played(journal: Journal, source: str) -> list[Played]:
    messages = [entry.message for entry in journal.entries]
    return [one for one in messages if isinstance(one, Played) and one.source.endswith(source)]


if __name__ == "__main__":
    main()
