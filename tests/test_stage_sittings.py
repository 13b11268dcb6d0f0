"""Whatever happens in a sitting, in the end no output is owed anything."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count

import pytest
from test_stage_loop import OWN, Rig

from improv_core.ledger import Ledger
from improv_daemon import wire
from improv_daemon.stage.hot_plug import PortChanges

KEYBOARDS, INSTRUMENTS = ("piano", "organ"), ("roland", "moog")
SETTINGS: tuple[dict[str, object], ...] = (
    {},
    {"thru": "on", "latency_ms": "roland 30, synth 10"},
    {"latency_ms": "25", "clock_out": "all", "player_channel": 2},
    {"thru_routes": "piano > roland, improv > moog, organ > synth", "latency_ms": "improv 5"},
    {"thru": "off", "merge_window_s": 0.0},
)


class Sitting:
    """Two keyboards, two instruments, and a DAW that gives back what improv sends to it."""

    def __init__(self, seed: int, **settings: object) -> None:
        self.choose = random.Random(seed)
        self.rig = Rig(*INSTRUMENTS, **settings)
        self.velocities = count(1)  # no two strokes are alike: none is taken for another's echo
        self.held: dict[str, dict[tuple[int, ...], tuple[int, ...]]] = {name: {} for name in KEYBOARDS}
        self.turn, self.given_back = 1, 0

    def play(self, source: str) -> None:
        """A key, pedal, wheel or aftertouch moves, there or back."""
        channel, key = self.choose.choice((0, 1)), self.choose.randrange(60, 64)
        stroke = (0x90 | channel, key, 1 + next(self.velocities) % 127)
        down, rest = self.choose.choice(
            [
                (stroke, (0x80 | channel, key, 0)),
                ((0xB0 | channel, 64, 100), (0xB0 | channel, 64, 0)),
                ((0xE0 | channel, 3, 70), (0xE0 | channel, 0, 64)),
                ((0xD0 | channel, 50), (0xD0 | channel, 0)),
            ]
        )
        what = rest[:2] if rest[0] < 0xC0 else rest[:1]
        is_held = self.held[source].pop(what, None) is not None
        if not is_held:
            self.held[source][what] = rest
        self.rig.play(*(rest if is_held else down), source=source)

    def command(self) -> Iterator[wire.Message]:
        """The mind wants something."""
        now_s, kind = self.rig.now_s, self.choose.randrange(8)
        if kind < 3:
            onset_s = now_s + self.choose.choice((0.0, 0.05, 0.3))
            yield wire.PlayNote(self.turn, 0, self.choose.randrange(60, 64), 90, onset_s, onset_s + 0.4)
        elif kind == 3:
            yield wire.MovePedal(self.turn, self.choose.choice((0, 127)), now_s + 0.1)
        elif kind == 4:
            yield self.choose.choice((wire.CancelTurn, wire.FinishTurn))(self.turn)
            self.turn += 1
        elif kind == 5:
            yield wire.KeepTime(now_s, 0.3, 4, 0.0, self.choose.choice((0.0, 1e12)), "")
        elif kind == 6:
            places, keys = (self.choose.choice(((), one)) for one in ((64,), (60,)))
            yield wire.Withhold(places, keys, programs=True)
        else:
            yield self.choose.choice((wire.Panic(), wire.SetVoice("player", 5, 0.5, 80)))

    def plug(self) -> None:
        """A keyboard goes for good with all that is held on it, or an instrument comes back."""
        name = self.choose.choice((*KEYBOARDS, *INSTRUMENTS))
        if name in KEYBOARDS:
            self.held[name].clear()
        gone, come = ((name,), ()) if name in KEYBOARDS else ((), (name,))
        self.rig.ports.changes.append(PortChanges(gone, come, True))

    def run_for(self, duration_s: float) -> None:
        """Let time pass; what goes to the DAW is back 3 ms later."""
        end_s = self.rig.now_s + duration_s
        while self.rig.now_s < end_s:
            self.rig.now_s += 0.003
            sent = self.rig.ports.to(OWN)
            for data in sent[self.given_back :]:
                self.rig.play(*data, source="improv in")
            self.given_back = len(sent)
            self.rig.say()
            self.rig.told()

    def end(self) -> None:
        """The player lets go, improv finishes."""
        for source, held in self.held.items():
            for rest in held.values():
                self.rig.play(*rest, source=source)
        self.rig.say(wire.FinishTurn(self.turn), wire.KeepTime(0.0, 0.0, 4, 0.0, 0.0, ""))
        self.run_for(1.5)
        self.rig.close()


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("seed", range(6))
def test_after_everything_has_ended_nothing_is_owed_anywhere(seed: int, settings: dict[str, object]) -> None:
    sitting = Sitting(seed, **settings)
    for _ in range(60):
        happens = sitting.choose.random()
        if happens < 0.55:
            sitting.play(sitting.choose.choice(KEYBOARDS))
        elif happens < 0.93:
            sitting.rig.say(*sitting.command())
        else:
            sitting.plug()
        sitting.run_for(sitting.choose.choice((0.0, 0.0, 0.003, 0.03)))
    sitting.end()
    outputs = {name: sitting.rig.ports.to(name) for name in (OWN, *INSTRUMENTS)} | {
        "synth": sitting.rig.synth.sent
    }
    assert sum(map(len, outputs.values())) > 20
    for sent in outputs.values():
        ledger = Ledger()
        for data in sent:
            ledger.feed("improv", data)
        assert ledger.silent
    assert sitting.rig.loop._performer.silent
