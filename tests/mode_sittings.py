"""Sittings at real ports in which the mode is changed while playing, by foot or by OSC."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from improv_process import ImprovProcess
from jack_player import JackPlayer, Timed
from midi_checks import balance, pedals_down
from pythonosc.udp_client import SimpleUDPClient
from sittings import FILES_WITHIN_S, JACK, JACK_ENDURES_S, Stalls, note_ons
from udp_ports import free_port

from improv_core.notes import Note
from improv_daemon.journal import Journal, read_journal

NEXT_MODE, HAND_OVER = 66, 67
"""The controllers of two of the three pedals of a grand piano."""

PULSES_A_BEAT = 24
"""Of MIDI clock."""

PHRASE = (60, 64, 67, 72)
GAP_S = 0.25
SILENT_WITHIN_S = 10.0

Script = Callable[["Band"], None]


@dataclass(slots=True)
class Stay:
    """When a mode was on, from the end of what sounded before to its last moment."""

    begin_s: float
    end_s: float = float("inf")


@dataclass(frozen=True, slots=True)
class ModeSitting:
    """What there is after a sitting.

    Attributes:
        stays: The latest time in each mode.
        moments: Times to which the script gave a name.
        connected_s: From when on everything was heard.
        stopped_s: When Ctrl-C came.
    """

    stays: dict[str, Stay]
    moments: dict[str, float]
    connected_s: float
    stopped_s: float
    sent: tuple[Timed, ...]
    heard: tuple[Timed, ...]
    stalls: Stalls
    status: int
    text: str
    journal: Journal
    midi: Path

    def sent_in(self, mode: str) -> list[Timed]:
        """What the player did in a mode."""
        return _within(self.stays[mode], self.sent)

    def heard_in(self, mode: str) -> list[Timed]:
        """What improv played in a mode."""
        return _within(self.stays[mode], self.heard)


def _within(stay: Stay, messages: Iterable[Timed]) -> list[Timed]:
    return [one for one in messages if stay.begin_s <= one[0] < stay.end_s]


@dataclass(slots=True)
class Band:
    """A player who plays with improv, and changes the mode meanwhile.

    Attributes:
        stays: The latest time in each mode.
        moments: Times to be remembered.
    """

    improv: ImprovProcess
    player: JackPlayer
    osc: SimpleUDPClient
    stays: dict[str, Stay] = field(default_factory=dict)
    moments: dict[str, float] = field(default_factory=dict)

    # --- modes

    def begins_in(self, mode: str) -> None:
        """improv has started, in a mode."""
        self.improv.wait_until_playing()
        self.stays[mode] = Stay(time.monotonic())

    def step_to(self, mode: str) -> None:
        """Press the pedal that goes on to the next mode, which is this."""
        self._enter(mode, lambda: self.press_pedal(NEXT_MODE))

    def ask_for(self, mode: str) -> None:
        """Ask for a mode by OSC."""
        self._enter(mode, lambda: self.osc.send_message("/improv/mode", mode))

    def _enter(self, mode: str, change: Callable[[], object]) -> None:
        left_s = time.monotonic()
        change()
        self.improv.wait_for_text(f"Mode {mode}: ")
        for stay in self.stays.values():
            stay.end_s = min(stay.end_s, left_s)
        self.player.wait_for(self.is_silent, SILENT_WITHIN_S)
        self.stays[mode] = Stay(time.monotonic())

    def press_pedal(self, controller: int, at_s: float | None = None) -> float:
        """A foot switch, down and up; when it went down."""
        at_s = time.monotonic() + 0.02 if at_s is None else at_s
        self.player.play([(at_s, (0xB0, controller, 127)), (at_s + 0.05, (0xB0, controller, 0))])
        return at_s

    # --- playing

    def play(
        self, *pitches: int, gap_s: float = GAP_S, duration_s: float = 0.2, start_s: float | None = None
    ) -> float:
        """One note after the other, from now on; returns at the last one, and when it was struck."""
        start_s = time.monotonic() + 0.05 if start_s is None else start_s
        for i, pitch in enumerate(pitches):
            at_s = start_s + i * gap_s
            self.player.play([(at_s, (0x90, pitch, 70)), (at_s + duration_s, (0x80, pitch, 0))])
        last_s = start_s + (len(pitches) - 1) * gap_s
        self.player.wait_until(last_s)
        return last_s

    def play_out(self, *pitches: int, gap_s: float, duration_s: float) -> None:
        """One note after the other; returns when nothing sounds any more."""
        self.player.wait_until(self.play(*pitches, gap_s=gap_s, duration_s=duration_s) + duration_s + 0.1)
        self.player.wait_for(self.is_silent, SILENT_WITHIN_S)

    def send_clock(self, start_s: float, seconds: float, beat_s: float) -> None:
        """MIDI clock: start, pulses, stop."""
        pulse_s = beat_s / PULSES_A_BEAT
        pulses = [(start_s + i * pulse_s, (0xF8,)) for i in range(round(seconds / pulse_s))]
        self.player.play([(start_s - pulse_s, (0xFA,)), *pulses, (start_s + seconds, (0xFC,))])

    def set(self, **settings: object) -> None:
        """Change settings by OSC; ``section_key=value``, where the section is one word."""
        for name, value in settings.items():
            self.osc.send_message("/improv/set", [name.replace("_", ".", 1), value])

    def hear(self, within_s: float, *, since_s: float, notes: int = 1) -> bool:
        """Wait for so many onsets of improv's after a time."""
        return self.player.wait_for(
            lambda: sum(at_s > since_s for at_s in note_ons(self.player.heard)) >= notes, within_s
        )

    def is_silent(self) -> bool:
        """Whether nothing of improv's sounds that was heard to begin, nor is its pedal down."""
        heard = since_the_first_of_each_key(self.player.heard)
        return not balance(heard).hanging and not pedals_down(heard)


def since_the_first_of_each_key(heard: Sequence[Timed]) -> list[Timed]:
    """Without the note-offs of notes that began before anybody listened."""
    struck: set[tuple[int, int]] = set()
    kept = []
    for at_s, data in heard:
        key = data[0] & 0x0F, data[1]
        is_off = data[0] & 0xF0 == 0x80 or (data[0] & 0xF0 == 0x90 and data[2] == 0)
        if data[0] & 0xF0 == 0x90 and data[2] > 0:
            struck.add(key)
        if not is_off or key in struck:
            kept.append((at_s, data))
    return kept


def mode_sitting(folder: Path, script: Script, *options: str) -> ModeSitting:
    """``improv record kept`` with a script, ended by Ctrl-C where that ends.

    It is played once more if the machine stood still so long that JACK may lose messages.
    """
    for attempt in ("first", "second"):
        (folder / attempt).mkdir()
        sitting = _played(folder / attempt, script, *options)
        if all(end_s - start_s < JACK_ENDURES_S for start_s, end_s in sitting.stalls):
            break
    return sitting


def _played(folder: Path, script: Script, *options: str) -> ModeSitting:
    port = free_port()
    options = (*JACK, "-o", "record.audio=off", "-o", f"controls.osc_port={port}", *options)
    with (
        ImprovProcess("record", "kept", *options, folder=folder) as improv,
        JackPlayer() as player,
        SimpleUDPClient("127.0.0.1", port) as osc,
    ):
        player.connect()
        connected_s = time.monotonic()
        band = Band(improv, player, osc)
        script(band)
        stopped_s = time.monotonic()
        status, _ = improv.stop(timeout_s=FILES_WITHIN_S)
        player.wait_for(band.is_silent, 1.0)
        sent, heard, stalls = tuple(player.sent), tuple(player.heard), tuple(player.stalls)
    (path,) = (folder / "kept").glob("*/journal.jsonl")
    return ModeSitting(
        band.stays,
        band.moments,
        connected_s,
        stopped_s,
        sent,
        heard,
        stalls,
        status,
        improv.text,
        read_journal(path),
        path.with_name("session.mid"),
    )


# --- what can be measured ---------------------------------------------------------------------------


def longest_rest_s(onsets_s: Sequence[float], begin_s: float, end_s: float) -> float:
    """The longest time without an onset between two moments."""
    within = [begin_s, *(at_s for at_s in onsets_s if begin_s < at_s < end_s), end_s]
    return max(after - before for before, after in pairwise(within))


def sounding_at(notes: Iterable[Note], at_s: float) -> list[Note]:
    """The notes whose keys are down."""
    return [note for note in notes if note.onset_s <= at_s < note.release_s]
