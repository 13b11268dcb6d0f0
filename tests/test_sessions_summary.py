from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from kept_sessions import STARTED_AT, session_folder, written_session

from improv_core.errors import StorageError
from improv_daemon import wire
from improv_daemon.journal import Entry, InForce, read_journal
from improv_daemon.rendering import Levels
from improv_daemon.sessions.summary import Shares, Summary, read_summary, summary_of, write_summary

MINIMAL = Summary(
    started_at=STARTED_AT,
    length_s=4.0,
    turns=Shares(1, 1),
    notes=Shares(1, 1),
    modes=("answer",),
    model="m",
    model_hash="ab" * 32,
    seed=1,
    improv_version="1.2",
    tempo="",
)
C4 = wire.Played((0x90, 60, 80), 10.5, "keys")


def summary_with(tmp_path: Path, *messages: object, **settings: object) -> Summary:
    """Of the written session with something before it."""
    folder = written_session(session_folder(tmp_path), settings={"mode": "answer"} | settings)
    journal = read_journal(folder.journal)
    before = tuple(Entry(message, 10.5) for message in messages)  # type: ignore[arg-type]
    return summary_of(dataclasses.replace(journal, entries=(*before, *journal.entries)))


def test_a_summary_says_what_was_played_by_whom_and_with_what(tmp_path: Path) -> None:
    folder = written_session(session_folder(tmp_path), model_hash="ab" * 32)
    levels = Levels(7.0, -1.5, -20.0)
    files = [folder.midi, folder.audio(".mp3")]
    summary = summary_of(read_journal(folder.journal), files=files, level=levels, problems=["No room."])
    assert summary == dataclasses.replace(
        MINIMAL,
        improv_version=summary.improv_version,
        files=("session.mid", "session.mp3"),
        level=levels,
        problems=("No room.",),
    )


def test_modes_count_when_something_was_played_in_them(tmp_path: Path) -> None:
    changes = [
        wire.Change("mode", "duet"),
        wire.Change("mode", "trade"),
        C4,
        InForce({"mode": "solo", "x": 1}),
    ]
    assert summary_with(tmp_path / "1", *changes).modes == ("trade", "solo")
    assert summary_with(tmp_path / "2", C4, wire.Change("mode", "listen")).modes == ("answer", "listen")


@pytest.mark.parametrize(
    ("message", "tempo"),
    [
        (C4, ""),
        (wire.KeepTime(1.0, 0.5, 4, 0.0, 0.0, "drum machine"), "clock"),
        (wire.KeepTime(1.0, 0.5, 4, 0.0, 0.0, ""), ""),
        (wire.Cue("tap"), "tapped"),
        (wire.Change("time.tempo_bpm", 120.0), "set"),
    ],
)
def test_the_tempo_comes_from_a_clock_or_from_the_player(
    tmp_path: Path, message: wire.Message, tempo: str
) -> None:
    assert summary_with(tmp_path, message).tempo == tempo


def test_a_tempo_in_the_settings_is_set(tmp_path: Path) -> None:
    assert summary_with(tmp_path, time={"tempo_bpm": 90.0}).tempo == "set"


def test_an_end_that_is_missing_is_a_problem_once_the_session_is_over(tmp_path: Path) -> None:
    folder = written_session(session_folder(tmp_path))
    *lines, _ = folder.journal.read_bytes().splitlines(keepends=True)
    folder.journal.write_bytes(b"".join(lines))
    journal = read_journal(folder.journal)
    assert summary_of(journal).problems == (
        "journal.jsonl ends at 0:04, where improv was stopped; what came after is not known.",
    )
    assert summary_of(journal, is_over=False).problems == ()


@pytest.mark.parametrize("level", [None, Levels(7.0, -1.5, -20.0)])
def test_what_is_written_is_read_again(tmp_path: Path, level: Levels | None) -> None:
    summary = dataclasses.replace(MINIMAL, level=level, problems=("Zu spät.",), files=("session.mid",))
    write_summary(tmp_path / "summary.json", summary)
    assert read_summary(tmp_path / "summary.json") == summary


def test_fields_of_a_later_version_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text(json.dumps(MINIMAL.to_fields() | {"mood": "blue"}))
    assert read_summary(path) == MINIMAL


def test_a_summary_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    write_summary(path, MINIMAL)
    with pytest.raises(StorageError, match="exists already and is not overwritten"):
        write_summary(path, dataclasses.replace(MINIMAL, seed=2))
    assert read_summary(path) == MINIMAL


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"improv_session":1}',
        '{"improv_session":1,"started_at":5}',
        "[" * 9999,
        "\xff",
    ],
)
def test_a_damaged_summary_is_said_to_be_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "summary.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(StorageError) as refused:
        read_summary(path)
    assert str(refused.value) == f"{path} is damaged: it is not the summary of a session."


def test_a_summary_that_is_missing_or_newer_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    with pytest.raises(StorageError) as missing:
        read_summary(path)
    path.write_text(json.dumps(MINIMAL.to_fields() | {"improv_session": 2}))
    with pytest.raises(StorageError) as newer:
        read_summary(path)
    assert str(missing.value) == f"There is no file {path}."
    assert str(newer.value) == f"{path} was written by a newer improv; update this one."
