"""The trace of a sitting: every note with its way, in a file that opens however the sitting ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import require
from playing import BY_PACE, improviser_of, model_that_plays

from improv_core.errors import PortError, StorageError
from improv_core.turns import Call
from improv_daemon.conversation import Conversation
from improv_daemon.partner import CallHeard, Drawn, Partner
from improv_daemon.settings import Answer, Settings
from improv_daemon.stage.virtual import VirtualStage
from improv_daemon.trace_file import TraceFile
from improv_daemon.tracing import MIND, MODEL, STAGE_IN, STAGE_OUT, Tracer, tracing
from improv_daemon.wire import CancelTurn, Played, PlayNote, Sounded, TurnCancelled, Woken
from improv_daemon.witness import NoWitness, Witness

Event = dict[str, Any]


class Times:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@contextlib.contextmanager
def traced(path: Path, times: Times, said: list[str]) -> Iterator[Witness]:
    with tracing(path, said.append, times) as witness:
        yield witness


def events_of(path: Path) -> list[Event]:
    events: list[Event] = json.loads(path.read_text())
    return events


def slices(events: list[Event], track: int) -> list[tuple[str, int]]:
    return [(e["name"], e["ts"]) for e in events if e["ph"] == "X" and e["tid"] == track]


def ways(events: list[Event]) -> list[list[tuple[int, int]]]:
    """Of each note that sounded: (track, microseconds) of its stages, from the line that links them."""
    flows: dict[int, list[tuple[int, int]]] = {}
    for event in events:
        if event["ph"] in "stf":
            flows.setdefault(event["id"], []).append((event["tid"], event["ts"]))
    return list(flows.values())


def play_into(witness: Witness, times: Times) -> None:
    """A note of the player's, a decision, and two of improv's, of which the stage sends the first."""
    witness.saw(Played((0x90, 60, 70), 100.001, 'a "keyboard"'), (), 100.0012, 100.0013)
    times.now_s = 100.5
    witness.notice(CallHeard(3, Call.begun(100.001), (60,)))
    times.now_s = 100.502
    witness.notice(Drawn(3, 0))
    times.now_s = 100.503
    witness.notice(Drawn(3, 1))
    notes = (PlayNote(3, 0, 64, 80, 100.6, 100.9), PlayNote(3, 1, 67, 80, 100.8, 100.9))
    witness.saw(Woken(), notes, 100.4995, 100.5035)
    witness.saw(Sounded(3, 0, 64, 80, 100.6002, 0.0002), (), 100.6005, 100.6006)


def test_a_note_has_its_five_stages_at_their_moments_on_four_tracks(tmp_path: Path) -> None:
    times, said = Times(), list[str]()
    path = tmp_path / "trace.json"
    with traced(path, times, said) as witness:
        play_into(witness, times)
    events = events_of(path)
    assert {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"} == {
        STAGE_IN: "stage in",
        MIND: "mind",
        MODEL: "model",
        STAGE_OUT: "stage out",
    }
    assert slices(events, STAGE_IN) == [("C4 received", 1000)]
    assert slices(events, MIND) == [
        ("listen", 1200),
        ("play on", 499_500),
        ("E4 queued", 503_000),
        ("G4 queued", 503_000),
        ("decided: the call is over, turn 3", 499_500),
        ("told Sounded", 600_500),
    ]
    assert slices(events, MODEL) == [("drawn 3.0", 499_500), ("drawn 3.1", 502_000)]
    assert slices(events, STAGE_OUT) == [("E4 sent", 600_200)]
    assert ways(events) == [
        [(STAGE_IN, 1000), (MIND, 499_500), (MODEL, 499_500), (MIND, 503_000), (STAGE_OUT, 600_200)]
    ]
    (received,) = (e for e in events if e["name"] == "C4 received")
    assert received["args"] == {"velocity": 70, "port": 'a "keyboard"', "to_mind_ms": 0.2}
    (sent,) = (e for e in events if e["name"] == "E4 sent")
    assert sent["args"] == {"note": "3.0", "velocity": 80, "late_ms": 0.2}
    counters = [(e["name"], e["args"]) for e in events if e["ph"] == "C"]
    assert counters == [
        ("model", {"ms": 2.5}),
        ("model", {"ms": 1.0}),
        ("queue", {"notes": 2}),
        ("lateness", {"ms": 0.2}),
        ("queue", {"notes": 1}),
    ]
    assert said == []


def test_a_yield_empties_the_queue_and_its_notes_have_no_way(tmp_path: Path) -> None:
    times, said = Times(), list[str]()
    path = tmp_path / "trace.json"
    with traced(path, times, said) as witness:
        play_into(witness, times)
        witness.saw(Played((0x90, 72, 70), 100.7, "keys"), (CancelTurn(3),), 100.701, 100.7012)
        witness.saw(TurnCancelled(3, 100.7015, 1), (), 100.702, 100.7021)
    events = events_of(path)
    assert ("decided: yield, turn 3", 701_000) in slices(events, MIND)
    assert slices(events, STAGE_OUT)[-1] == ("turn 3 silent", 701_500)
    assert [e["args"] for e in events if e["name"] == "queue"][-1] == {"notes": 0}
    assert len(ways(events)) == 1


def test_slices_of_a_track_lie_within_one_another_or_apart(tmp_path: Path) -> None:
    times, said = Times(), list[str]()
    path = tmp_path / "trace.json"
    with traced(path, times, said) as witness:
        for at_s in (100.001, 100.00103, 100.00102, 100.0009, 100.0009, 100.002):
            witness.saw(Played((0x90, 60, 70), at_s, "keys"), (), 100.003, 100.003)
    spans = [
        (e["ts"], e["ts"] + e["dur"]) for e in events_of(path) if e.get("tid") == STAGE_IN and "dur" in e
    ]
    assert spans == [(1000, 1050), (1030, 1050), (1020, 1050), (900, 950), (900, 950), (2000, 2050)]


def test_clock_pulses_and_controllers_leave_no_trace(tmp_path: Path) -> None:
    times, said = Times(), list[str]()
    path = tmp_path / "trace.json"
    with traced(path, times, said) as witness:
        for data in ((0xF8,), (0xB0, 64, 127), (0xC0, 3)):
            witness.saw(Played(data, 100.001, "daw"), (), 100.002, 100.003)
    assert {e["ph"] for e in events_of(path)} == {"M"}


@pytest.mark.virtual_time
async def test_every_note_of_a_sitting_that_sounded_went_its_way_in_order(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    loop = asyncio.get_running_loop()
    with tracing(path, pytest.fail, loop.time) as witness:
        settings = Settings(turn=BY_PACE, answer=replace(Answer(), candidates=1))
        improviser = improviser_of(model_that_plays(dt=150, duration=400))
        partner = Partner(improviser, settings, notify=witness.notice)
        async with VirtualStage() as stage:
            conversing = asyncio.create_task(Conversation(stage, partner, witness=witness).run())
            for wait_s in (0.9, 8.0, 8.0):
                for pitch in (60, 64, 67, 72):
                    stage.play(0x90, pitch, 70)
                    await asyncio.sleep(0.2)
                    stage.play(0x80, pitch, 0)
                await asyncio.sleep(wait_s)
            conversing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await conversing
            sounded = [round(at_s * 1e6) for at_s, data in stage.sent if data[0] & 0xF0 == 0x90]
    events = events_of(path)
    found = ways(events)
    assert len(sounded) > 15
    assert [way[-1] for way in found] == [(STAGE_OUT, at_us) for at_us in sounded]
    assert {tuple(track for track, _ in way) for way in found} == {(STAGE_IN, MIND, MODEL, MIND, STAGE_OUT)}
    assert all(way == sorted(way, key=lambda stage: stage[1]) for way in found)
    names = [name for name, _ in slices(events, MIND)]
    assert sum(name.startswith("decided: yield") for name in names) == 1
    assert sum(name.startswith("decided: the call is over") for name in names) == 3


# --- the file ---------------------------------------------------------------------------------------


def test_without_a_file_nobody_watches() -> None:
    with tracing(None, pytest.fail) as witness:
        assert isinstance(witness, NoWitness)


def test_a_file_that_exists_is_not_overwritten_and_one_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text("mine")
    with (
        pytest.raises(
            StorageError,
            match=r"mine\.json exists already and is not overwritten; name another file for --trace",
        ),
        tracing(path, pytest.fail),
    ):
        pytest.fail("it began")
    assert path.read_text() == "mine"
    with (
        pytest.raises(StorageError, match=r"gone/t\.json cannot be written \(No such file or directory\)"),
        tracing(tmp_path / "gone" / "t.json", pytest.fail),
    ):
        pytest.fail("it began")


def test_a_sitting_that_is_refused_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(PortError), tracing(tmp_path / "trace.json", pytest.fail):
        raise PortError("There is no JACK server")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_ends_the_trace_with_one_sentence_and_nothing_else(tmp_path: Path) -> None:
    require(Path("/dev/full").exists(), "no /dev/full on this system")
    path, times, said = tmp_path / "trace.json", Times(), list[str]()
    file = TraceFile(path)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, file.fileno())
    os.close(full)
    tracer = Tracer(file, said.append, times)
    play_into(tracer, times)
    file.end()
    assert said == []
    play_into(tracer, times)
    play_into(tracer, times)
    tracer.end()
    assert said == [f"The trace {path} ends here (its disk is full); improv plays on."]


def test_a_trace_that_has_grown_large_ends_whole_with_one_sentence(tmp_path: Path) -> None:
    path, said = tmp_path / "trace.json", list[str]()
    file = TraceFile(path, most_bytes=600)
    tracer = Tracer(file, said.append, Times())
    file.end()
    tracer.end()
    assert said == [f"The trace {path} has grown to 0 MB and ends here; improv plays on."]
    assert path.read_text() == ""


def test_a_trace_that_was_cut_short_wants_nothing_but_its_bracket(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    file = TraceFile(path)
    file.put('{"a":1}')
    file.put('{"b":2}')
    file.end()
    assert path.read_text() == '[\n{"a":1},\n{"b":2}\n]\n'


def test_what_a_slow_disk_cannot_take_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("improv_daemon.trace_file.MOST_WAITING", 0)
    said: list[str] = []
    with tracing(tmp_path / "trace.json", said.append, Times()):
        pass
    (sentence,) = said
    assert sentence == "The trace lacks 10 events, for which the disk was too slow."
