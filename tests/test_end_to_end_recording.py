"""``improv record`` at real ports: what is bent, pressed and chosen, and the bars of a MIDI clock."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import mido
import pytest
from clock_signals import CONTINUE, START, STOP, Sequencer, steady
from improv_process import ImprovProcess
from jack_player import JackPlayer, Timed
from sittings import JACK, Stalls
from test_bar_lines import bar_lines_s
from test_tracing import MIND, MODEL, STAGE_IN, STAGE_OUT, events_of, ways

from improv_core.midi_files import BEND, KEY_PRESSURE, PRESSURE, PROGRAM, Track, read_midi
from improv_core.tempo_map import Conductor

JITTER_S = 0.002
MUST_S = 0.005
NEAR_S = 0.05
"""A note so near to a moment in which the whole machine stood still was not sent when it was due."""
FILES_WITHIN_S = 60.0

pytestmark = pytest.mark.usefixtures("jack_server")


def recorded(folder: Path, script: Callable[[JackPlayer], None], *options: str) -> tuple[Path, Stalls]:
    """The MIDI file of ``improv record`` with a script, ended by Ctrl-C."""
    options = (*JACK, "-o", "record.audio=off", *options)
    with ImprovProcess("record", "kept", *options, folder=folder) as improv, JackPlayer() as player:
        improv.wait_until_playing()
        player.connect()
        script(player)
        status, _ = improv.stop(timeout_s=FILES_WITHIN_S)
        stalls = tuple(player.stalls)
    assert status == 0
    (path,) = (folder / "kept").glob("*/session.mid")
    return path, stalls


def is_near(stalls: Stalls, at_s: float) -> bool:
    return any(start_s - NEAR_S < at_s < end_s + NEAR_S for start_s, end_s in stalls)


def conductor_in(midi: Path) -> Conductor:
    tempos, signatures, tick = [], [], 0
    for message in mido.MidiFile(midi).tracks[0]:
        tick += message.time
        if message.type == "set_tempo":
            tempos.append((tick, message.tempo))
        elif message.type == "time_signature":
            signatures.append((tick, message.numerator, message.denominator))
    return Conductor(tuple(tempos), tuple(signatures))


def test_bar_lines_of_a_recording_stay_with_the_clock_and_what_is_bent_is_in_it(tmp_path: Path) -> None:
    sent: list[Timed] = []
    struck_s: list[float] = []

    def script(player: JackPlayer) -> None:
        daw = Sequencer(at_s=time.monotonic() + 0.2, jitter_s=JITTER_S)
        daw.say(START)
        daw.at_s += 0.01
        daw.play(0.0, 9.5, steady(200))
        daw.say(STOP)
        daw.at_s += 0.9
        daw.say(CONTINUE)
        daw.at_s += 0.01
        daw.play(9.5, 17.0, steady(200))
        clock = [(at_s, data) for data, at_s, _ in daw.messages]
        # One track that says where the bars are: a note at each bar line.
        struck_s[:] = daw.bars_s
        keys = [
            (at_s + late_s, (status, 60, 70 if status == 0x90 else 0))
            for at_s in struck_s
            for late_s, status in ((0.0, 0x90), (0.2, 0x80))
        ]
        bar_s = struck_s[1]
        sent[:] = [
            (bar_s + 0.05, (PROGRAM, 48)),
            (bar_s + 0.06, (BEND, 0, 96)),
            (bar_s + 0.07, (PRESSURE, 90)),
            (bar_s + 0.08, (KEY_PRESSURE, 60, 33)),
            (bar_s + 0.09, (BEND, 0, 64)),
            (bar_s + 0.10, (0xB0, 66, 127)),
            (bar_s + 0.12, (0xB0, 66, 0)),
        ]
        player.play(sorted([*clock, *keys, *sent], key=lambda message: message[0]))
        player.wait_until(daw.at_s + 0.3)

    midi, stalls = recorded(tmp_path, script, "-o", "mode=listen")
    (player,) = read_midi(midi)
    onsets_s = [note.onset_s for note in player.performance.notes]
    assert len(onsets_s) == len(struck_s) == 5
    lines = bar_lines_s(conductor_in(midi), onsets_s[-1] + 1.0)
    errors_s = [min(abs(line - onset_s) for line in lines) for onset_s in onsets_s]
    on_time = [not is_near(stalls, at_s) for at_s in struck_s]
    assert max(itertools.compress(errors_s, on_time), default=0.0) < MUST_S
    assert _told(player) == [data for _, data in sent]


def _told(player: Track) -> list[tuple[int, ...]]:
    controls = [(c.at_s, (0xB0, c.controller, c.value)) for c in player.performance.controls]
    told = [*controls, *((message.at_s, message.data) for message in player.messages)]
    return [data for _, data in sorted(told)]


def test_the_trace_of_a_sitting_at_real_ports_has_the_way_of_every_note(tmp_path: Path) -> None:
    def script(player: JackPlayer) -> None:
        start_s = time.monotonic() + 0.05
        player.play(
            (start_s + 0.25 * i + late_s, (status, pitch, 70))
            for i, pitch in enumerate((60, 64, 67, 72))
            for late_s, status in ((0.0, 0x90), (0.2, 0x80))
        )
        player.wait_for_quiet(start_s + 0.75, 1.0, 20.0)

    midi, _ = recorded(tmp_path, script, "--trace", "trace.json")
    improv = read_midi(midi)[-1]
    found = ways(events_of(tmp_path / "trace.json"))
    assert improv.name == "improv"
    assert len(found) == len(improv.performance.notes) > 3
    assert {tuple(track for track, _ in way) for way in found} == {(STAGE_IN, MIND, MODEL, MIND, STAGE_OUT)}
    assert all(way == sorted(way, key=lambda stage: stage[1]) for way in found)
