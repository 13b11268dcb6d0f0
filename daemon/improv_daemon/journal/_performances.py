"""What was played and what improv answered, from a journal."""

from __future__ import annotations

from collections.abc import Hashable

from improv_core.notes import PEDAL_DOWN_FROM, ControlChange, Note, Performance
from improv_daemon import wire
from improv_daemon.journal._reader import Gap, Journal

_NOTE_OFF, _NOTE_ON, _CONTROL = 0x80, 0x90, 0xB0
_PEDALS = (64, 66, 67)


class _Hand:
    """Pairs key down with key up; what is still down at the end is closed there."""

    def __init__(self) -> None:
        self._down: dict[Hashable, tuple[int, int, float]] = {}
        self._notes: list[Note] = []
        self._controls: list[ControlChange] = []

    def press(self, key: Hashable, pitch: int, velocity: int, at_s: float) -> None:
        self.release(key, at_s)
        self._down[key] = (pitch, velocity, at_s)

    def release(self, key: Hashable, at_s: float) -> None:
        if key in self._down:
            pitch, velocity, onset_s = self._down.pop(key)
            self._notes.append(Note(pitch, velocity, onset_s, max(0.0, at_s - onset_s)))

    def release_pitch(self, pitch: int, at_s: float) -> None:
        for key in [key for key, (down, _, _) in self._down.items() if down == pitch]:
            self.release(key, at_s)

    def release_all(self, at_s: float) -> None:
        for key in list(self._down):
            self.release(key, at_s)

    def control(self, controller: int, value: int, at_s: float) -> None:
        self._controls.append(ControlChange(controller, value, at_s))

    def performance(self, end_s: float) -> Performance:
        self.release_all(end_s)
        last = {control.controller: control.value for control in self._controls}
        lifted = [
            ControlChange(pedal, 0, end_s) for pedal in _PEDALS if last.get(pedal, 0) >= PEDAL_DOWN_FROM
        ]
        return Performance.of(self._notes, [*self._controls, *lifted])


def performances(journal: Journal) -> tuple[Performance, Performance]:
    """The player's and improv's performance, as they sounded; times count from the session's start.

    Notes and pedals still held at the end, or where lines were lost, are closed there. Controllers of
    the player are kept. Of improv, what was sounded counts, not what was planned.
    """
    start_s = journal.header.now_s
    player, improv = _Hand(), _Hand()
    for entry in journal.entries:
        match entry.message:
            case wire.Played(data=data, at_s=at_s, source=source):
                _play(player, data, max(0.0, at_s - start_s), source)
            case wire.Sounded() as note:
                at_s = max(0.0, note.at_s - start_s)
                # One key cannot sound twice: a re-struck note ends where the next one begins.
                improv.release_pitch(note.pitch, at_s)
                improv.press((note.turn, note.index), note.pitch, note.velocity, at_s)
            case wire.Released() as note:
                improv.release((note.turn, note.index), max(0.0, note.at_s - start_s))
            case wire.PedalMoved(value=value, at_s=at_s):
                improv.control(64, value, max(0.0, at_s - start_s))
            case Gap():
                player.release_all(max(0.0, entry.now_s - start_s))
                improv.release_all(max(0.0, entry.now_s - start_s))
    end_s = journal.end_s - start_s
    return player.performance(end_s), improv.performance(end_s)


def _play(hand: _Hand, data: tuple[int, ...], at_s: float, source: str) -> None:
    if len(data) != 3 or data[0] >= 0xF0 or max(data[1:]) > 127:
        return
    status, channel = data[0] & 0xF0, data[0] & 0x0F
    key = (source, channel, data[1])
    if status == _NOTE_ON and data[2] > 0:
        hand.press(key, data[1], data[2], at_s)
    elif status in (_NOTE_ON, _NOTE_OFF):
        hand.release(key, at_s)
    elif status == _CONTROL:
        hand.control(data[1], data[2], at_s)
