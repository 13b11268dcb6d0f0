"""A DAW that sends MIDI clock as it plays, stops, loops, jumps and changes tempo; and a trade with it.

`Daw` writes down messages with their times, and the bar lines that it means by them. `traded` plays them to
improv on JACK, together with a player who plays all the time, and says when improv's bars began.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from improv_process import ImprovProcess
from jack_player import JackPlayer, Timed

PULSES_A_BEAT = 24
BEATS_PER_BAR = 4
IMPROV_CHANNEL = 1
_PULSE, _START, _CONTINUE, _STOP, _SONG_POSITION = 0xF8, 0xFA, 0xFB, 0xFC, 0xF2
_BEFORE_S = 0.0005
_SOON_S = 0.5


@dataclass
class Daw:
    """A song in so many beats a minute.

    Attributes:
        bpm: From now on.
        jitter_s: Standard deviation of when its pulses come.
        lost: Part of the pulses that never come.
        beats_per_bar: Of all bars.
        now_s: Where it has come to; when the next pulse is due.
        messages: What it has sent, with the time of each.
        stops_s: When it was stopped.
        bar_lines: (name of what it was doing, when) for each bar line that it has played.
    """

    bpm: float
    jitter_s: float = 0.0
    lost: float = 0.0
    now_s: float = 0.0
    seed: int = 1
    beats_per_bar: int = BEATS_PER_BAR
    messages: list[Timed] = field(default_factory=list)
    bar_lines: list[tuple[str, float]] = field(default_factory=list)
    stops_s: list[float] = field(default_factory=list)
    _place: int = 0

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)

    @property
    def each_s(self) -> float:
        return 60 / self.bpm / PULSES_A_BEAT

    @property
    def bar_s(self) -> float:
        """At the tempo that it has now."""
        return 60 / self.bpm * self.beats_per_bar

    @property
    def _bar(self) -> int:
        return PULSES_A_BEAT * self.beats_per_bar

    def start(self) -> None:
        """From the beginning of the song."""
        self._place = 0
        self._say(_START)

    def go_on(self) -> None:
        """From where it was stopped, or put."""
        self._say(_CONTINUE)

    def stop(self) -> None:
        """It sends no pulses while it stands."""
        self._say(_STOP)
        self.stops_s.append(self.now_s)

    def wait(self, seconds: float) -> None:
        """Time passes while it stands."""
        self.now_s += seconds

    def put(self, bar: float) -> None:
        """The song goes on elsewhere: a loop, a jump, or the cursor while it stands."""
        sixteenths = round(bar * self._bar / 6)
        self._place = 6 * sixteenths
        self._say(_SONG_POSITION, sixteenths & 127, sixteenths >> 7)

    def play(self, what: str, bars: float, *, to_bpm: float | None = None) -> None:
        """So many bars of the song; a ramp to another tempo if there is one."""
        count, from_bpm = round(bars * self._bar), self.bpm
        for number in range(count):
            if to_bpm is not None:
                self.bpm = from_bpm + (to_bpm - from_bpm) * (number + 1) / count
            if self._place % self._bar == 0:
                self.bar_lines.append((what, self.now_s))
            # A jump or a start is heard by the pulse after it: those are never lost.
            if self._dice.random() >= self.lost or number == 0:
                late_s = min(max(self._dice.gauss(0.0, self.jitter_s), -2 * self.each_s), 2 * self.each_s)
                at_s = self.now_s + late_s
                if self.messages and self.messages[-1][1] != (_PULSE,):
                    at_s = max(at_s, self.messages[-1][0] + _BEFORE_S / 2)
                self.messages.append((at_s, (_PULSE,)))
            self.now_s += self.each_s
            self._place += 1

    def _say(self, *data: int) -> None:
        last_s = max((at_s for at_s, _ in self.messages[-8:]), default=float("-inf"))
        self.messages.append((max(self.now_s - _BEFORE_S, last_s + _BEFORE_S / 4), data))


@dataclass(frozen=True)
class Trades:
    """What came of it.

    Attributes:
        begun: (what the DAW was doing, seconds off the bar line) of each beginning of improv's bars.
        sounding_s: After each stop, how long improv went on.
        heard: All that improv sent.
        text: What improv said.
    """

    begun: list[tuple[str, float]]
    sounding_s: list[float]
    heard: list[Timed]
    text: str


def session(bpm: float, jitter_s: float, lost: float, seed: int = 1) -> Daw:
    """Everything that a DAW does, a few bars each; pulses are lost while the tempo is steady."""
    daw = Daw(bpm, jitter_s, seed=seed)
    daw.start()
    daw.play("play", 6)
    daw.stop()
    daw.wait(3 * BEATS_PER_BAR * 60 / bpm)
    daw.go_on()
    daw.play("continue", 6)
    for _ in range(3):
        daw.put(2)
        daw.play("loop", 2)
    daw.put(9.5)
    daw.play("jump", 6.5)
    daw.lost = lost
    daw.play("dropped pulses", 8)
    daw.lost = 0.0
    daw.bpm = 1.25 * bpm
    daw.play("tempo jump", 8)
    daw.play("tempo ramp", 8, to_bpm=bpm)
    daw.play("play on", 4)
    daw.stop()
    return daw


def traded(folder: Path, daw: Daw, *options: str) -> Trades:
    """improv trades a bar each with a player who plays eighths all the time, by the clock of the DAW."""
    settings = ("mode=trade", "trade.bars=1", f"time.beats_per_bar={daw.beats_per_bar}", "sound.enabled=off")
    arguments = ("play", *(word for setting in settings for word in ("-o", setting)), "--seed", "7")
    with ImprovProcess(*arguments, *options, folder=folder) as improv, JackPlayer() as player:
        improv.wait_until_playing()
        player.connect()
        shift_s = time.monotonic() + _SOON_S
        messages = [(at_s + shift_s, data) for at_s, data in daw.messages]
        player.play(sorted([*messages, *_eighths(daw, shift_s)]))
        player.wait_until(daw.now_s + shift_s + max(1.1 * daw.bar_s, 0.5))
        lines = [(what, at_s + shift_s) for what, at_s in daw.bar_lines]
        stops = [at_s + shift_s for at_s in daw.stops_s]
        text = improv.text
    onsets = [at_s for at_s, data in player.heard if _is_onset(data)]
    begun = []
    for before_s, at_s in pairwise([float("-inf"), *onsets]):
        what, line_s = min(lines, key=lambda line: abs(line[1] - at_s))
        beat_s = 60 / daw.bpm
        if at_s - before_s > beat_s and _begins_a_bar(lines, at_s, before_s):
            begun.append((what, at_s - line_s))
    sounding = [_sounds_until(player.heard, stop_s, 1.1 * daw.bar_s) - stop_s for stop_s in stops]
    return Trades(begun, sounding, player.heard, text)


def _is_onset(data: tuple[int, ...]) -> bool:
    return data[0] == 0x90 | IMPROV_CHANNEL and data[2] > 0


def _begins_a_bar(lines: list[tuple[str, float]], at_s: float, before_s: float) -> bool:
    """Whether a whole bar of the player's lies before it: what came last came before the bar line before."""
    passed = [line_s for _, line_s in lines if line_s <= at_s + 0.1]
    return len(passed) < 2 or before_s < passed[-2] + 0.1


def _sounds_until(heard: list[Timed], since_s: float, within_s: float) -> float:
    """When the last key came up that was down then or went down within a time."""
    down: set[int] = set()
    until_s = since_s
    for at_s, data in heard:
        if data[0] & 0x0F != IMPROV_CHANNEL or data[0] & 0xF0 not in (0x80, 0x90):
            continue
        if at_s > since_s + within_s:
            return since_s + within_s if down else until_s
        was_down = bool(down)
        (down.add if _is_onset(data) else down.discard)(data[1])
        if at_s > since_s and was_down and not down:
            until_s = at_s
    return until_s


def _eighths(daw: Daw, shift_s: float) -> list[Timed]:
    """A little after each eighth of each bar, so that nobody's note falls on a line."""
    notes = list[Timed]()
    lines = [at_s for _, at_s in daw.bar_lines]
    for line_s, next_s in pairwise([*lines, daw.now_s]):
        gap_s = min(next_s - line_s, daw.beats_per_bar * 60 / 40)
        for number in range(2 * daw.beats_per_bar):
            at_s = shift_s + line_s + (number + 0.1) * gap_s / (2 * daw.beats_per_bar)
            notes += [(at_s, (0x90, 60 + number, 64)), (at_s + gap_s / 20, (0x80, 60 + number, 0))]
    return notes
