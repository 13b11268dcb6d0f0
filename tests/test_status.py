"""How others learn how a sitting stands."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
from pathlib import Path

import pytest
from snapshots import NOW_S, SITTING, said, sitting

from improv_daemon import cli
from improv_daemon.status import Status, answering_status, in_lines, running, status_folder, status_of
from improv_daemon.wire import Counts


def status(**fields: object) -> Status:
    found = status_of(SITTING, NOW_S, command="play", started_at="2026-03-01T12:00:00+01:00")
    return {**found, **fields}


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / "improv"


@pytest.mark.asyncio
async def test_a_running_sitting_tells_how_it_stands(runtime: Path) -> None:
    troubles: list[str] = []
    async with answering_status(status, troubles.append):
        path = runtime / f"{os.getpid()}.socket"
        modes = [await asyncio.to_thread(lambda place: place.stat().st_mode, at) for at in (runtime, path)]
        assert stat.S_IMODE(modes[0]) == 0o700
        assert stat.S_ISSOCK(modes[1])
        assert await asyncio.to_thread(running) == [status()]
        assert await asyncio.to_thread(running) == [status()]
    assert not path.exists()
    assert running() == []
    assert troubles == []


@pytest.mark.asyncio
async def test_what_cannot_be_is_said_and_improv_goes_on(tmp_path: Path) -> None:
    troubles: list[str] = []
    (tmp_path / "file").write_text("")
    async with answering_status(status, troubles.append, tmp_path / "file"):
        pass
    async with answering_status(status, troubles.append, tmp_path / ("long" * 40)):
        pass
    assert [trouble.partition(" cannot be made (")[2] for trouble in troubles] == [
        "Not a directory).",
        "AF_UNIX path too long).",
    ]
    assert all(trouble.startswith("improv status will not see this sitting: ") for trouble in troubles)


def test_what_a_killed_one_has_left_is_cleared_away(runtime: Path) -> None:
    runtime.mkdir()
    path = runtime / "4711.socket"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert running() == []
    assert not path.exists()


def test_one_that_ends_while_it_is_asked_is_left_out(runtime: Path) -> None:
    runtime.mkdir()
    (runtime / "4711.socket").symlink_to(runtime / "gone")
    assert running() == []


def test_one_that_does_not_answer_is_said_to_be_busy(runtime: Path) -> None:
    runtime.mkdir()
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(runtime / "4711.socket"))
        deaf.listen()
        assert in_lines(running()) == ["improv (process 4711) does not answer just now."]


def test_what_is_no_status_is_left_out(runtime: Path) -> None:
    runtime.mkdir()
    (runtime / "notes.socket").write_text("no socket at all")
    assert running() == []


def test_none_running_is_a_sentence_and_status_1(runtime: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_folder() == runtime
    assert cli.main(["status"]) == 1
    assert cli.main(["status", "--json"]) == 1
    assert capsys.readouterr().out == "improv is not running.\n[]\n"


def test_in_lines() -> None:
    other = sitting(
        tempo=None, inputs=(), outputs=(), sound=None, states=("muted",), preset="calm", mode="duet"
    )
    another = {
        **status_of(other, NOW_S, command="record", started_at="2026-03-01T13:00:00+01:00"),
        "notes_late_ms": {"median": None, "worst": None},
        "model_ms_a_note": None,
    }
    first, second = status(pid=1), {**another, "pid": 2}
    first["problems"] = [{"text": "The Keystation is gone.", "seconds_ago": 12.4}]
    assert in_lines([first, second]) == [
        "improv play (process 1), since 2026-03-01 12:00:00",
        "  mode answer, answering; model default",
        "  tempo 120 bpm (MIDI clock)",
        "  hears improv in, Keystation 88",
        "  plays improv out, FluidSynth with default-GM.sf3",
        "  notes 0.1 ms late, 0.4 at worst",
        "  the model thinks 2.3 ms a note",
        "  12 s ago: The Keystation is gone.",
        "",
        "improv record (process 2), since 2026-03-01 13:00:00",
        "  mode duet, answering, muted; model default, preset calm",
        "  no tempo",
        "  hears nothing yet",
        "  plays nothing yet",
    ]


def test_problems_are_told_with_their_age_and_all_of_it_is_json() -> None:
    known = said("Good to know.", is_problem=False)
    found = status_of(
        sitting(said=(said("The Roland is gone.", 2.5), known)), NOW_S, command="play", started_at=""
    )
    assert found["problems"] == [{"text": "The Roland is gone.", "seconds_ago": 2.5}]
    assert found["settings"]["sampling.temperature"] == "1"
    assert json.loads(json.dumps(found)) == found


def test_what_the_stage_left_out_is_counted_and_said_where_it_was_music() -> None:
    quiet = status_of(SITTING, NOW_S, command="play", started_at="", counts=Counts(0, 3, 0, merged=4))
    assert quiet["left_out"] == {
        "inputs_dropped": 0,
        "echoes_dropped": 3,
        "events_unsent": 0,
        "merged": 4,
        "unsent": 0,
    }
    assert not any("left out" in line for line in in_lines([quiet]))
    flooded = status_of(SITTING, NOW_S, command="play", started_at="", counts=Counts(5, 0, 2))
    assert "  7 messages were left out, as more came in than could be taken" in in_lines([flooded])


def test_another_versions_answer_and_odd_names_are_no_trouble() -> None:
    assert in_lines([{"pid": 7, "started_at": "", "something": "else"}]) == [
        "improv (process 7) is of another version; ask that one's status."
    ]
    odd = status(inputs=["Keys\x1b[2J"])
    assert "  hears Keys?[2J" in in_lines([odd])
