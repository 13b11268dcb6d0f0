"""The last minutes are in memory, and make a journal of their own when they are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import START_S, STARTED_AT, make_writer, played, pulse

from improv_core.errors import StorageError
from improv_daemon import wire
from improv_daemon.journal import Gap, InForce, RecentJournal, read_journal
from improv_daemon.replaying import replayed
from improv_daemon.settings import Settings

NOTE = played(0x90, 60, 64, at_s=1000.5)


def make_recent(span_s: float = 600.0, **overrides: Any) -> RecentJournal:
    values: dict[str, Any] = {
        "model": "default",
        "seed": 7,
        "settings": {"mode": "answer"},
        "started_at": STARTED_AT,
        "now_s": START_S,
        "model_hash": "ab" * 32,
        "gather_s": 0.0,
        "wall": lambda: 0.0,
        "clock": lambda: 0.0,
    }
    return RecentJournal(span_s, **(values | overrides))


@pytest.fixture
def recent() -> Iterator[RecentJournal]:
    with make_recent(span_s=60.0) as one:
        yield one


def written_each_second(recent: RecentJournal, until: int, path: Path) -> None:
    """Notes, each in a stretch of its own, as they are where time passes between them."""
    for second in range(1, until + 1):
        recent.write(NOTE, START_S + second)
        assert recent.flush()


def test_a_sitting_younger_than_the_span_is_kept_from_its_beginning(
    tmp_path: Path, recent: RecentJournal
) -> None:
    written_each_second(recent, 30, tmp_path)
    assert recent.keep(tmp_path / "a.jsonl") == 30.0
    journal = read_journal(tmp_path / "a.jsonl")
    assert [entry.now_s for entry in journal.entries] == [START_S + second for second in range(1, 31)]
    assert (journal.closed, journal.problems, journal.header.from_the_middle) == (True, (), False)
    assert (journal.header.started_at, journal.header.now_s) == (STARTED_AT, START_S)
    assert (journal.header.model_hash, journal.header.seed) == ("ab" * 32, 7)


def test_of_a_longer_one_the_last_span_is_kept(tmp_path: Path, recent: RecentJournal) -> None:
    written_each_second(recent, 200, tmp_path)
    path = tmp_path / "a.jsonl"
    assert recent.keep(path) == 60.0
    journal = read_journal(path)
    assert [entry.now_s for entry in journal.entries] == [START_S + second for second in range(140, 201)]
    assert journal.header.from_the_middle
    assert journal.header.now_s == START_S + 140
    assert journal.header.started_at == STARTED_AT + timedelta(seconds=140)
    assert recent.left_out == 0
    with pytest.raises(StorageError) as refused:
        replayed(journal, None)  # type: ignore[arg-type]
    assert str(refused.value) == (
        f"{path} holds the last minutes of a sitting, and what improv plays depends on all that came before, "
        "so it cannot be replayed; improv record keeps a sitting from its beginning."
    )


def test_it_goes_on_being_kept_in_memory_and_can_be_written_again(
    tmp_path: Path, recent: RecentJournal
) -> None:
    recent.write(NOTE, START_S + 1)
    assert recent.keep(tmp_path / "a.jsonl") == 1.0
    recent.write(wire.Quit(), START_S + 2)
    assert recent.keep(tmp_path / "b.jsonl") == 2.0
    assert len(read_journal(tmp_path / "a.jsonl").entries) == 1
    assert len(read_journal(tmp_path / "b.jsonl").entries) == 2


def test_how_things_stood_at_its_beginning_stands_there(tmp_path: Path, recent: RecentJournal) -> None:
    before = (
        wire.Ready(("keys",), ("synth",), "FluidSynth", ()),
        wire.SetVoice("improv", 12, 0.5, 90),
        wire.SetVoice("player", 1, -0.5, 90),
        wire.SetVoice("improv", 20, 0.5, 90),
        wire.KeepTime(1000.0, 0.5, 4, 0.0, 0.0, ""),
        wire.Withhold((74,), (), programs=True),
        wire.PortsChanged((), ("synth",)),
        wire.PedalMoved(3, 127, 1000.0),
        played(0xB0, 64, 127, at_s=1000.0),
        played(0xB0, 64, 60, at_s=1000.0),
        played(0xB1, 64, 50, at_s=1000.0),
        played(0xC0, 5, at_s=1000.0),
        NOTE,
        pulse(1_000_000_000_000),
    )
    for message in before:
        recent.write(message, START_S + 1)
    assert recent.flush()
    recent.write(wire.SetVoice("player", 9, 0.0, 0), START_S + 70)
    recent.keep(tmp_path / "a.jsonl")
    *standing, last = read_journal(tmp_path / "a.jsonl").entries
    assert (last.message, last.now_s) == (wire.SetVoice("player", 9, 0.0, 0), START_S + 70)
    assert {entry.now_s for entry in standing} == {START_S + 70}
    assert [entry.message for entry in standing] == [
        before[0],
        wire.SetVoice("improv", 20, 0.5, 90),
        *before[2:3],
        *before[4:8],
        *before[9:12],
    ]


def test_settings_are_those_at_its_beginning(tmp_path: Path) -> None:
    now = [Settings()]
    with make_recent(60.0, settings=asdict(now[0]), settings_now=lambda: now[0]) as recent:
        recent.write(NOTE, START_S + 1)
        now[0] = replace(now[0], mode="duet", answer=replace(now[0].answer, length_ratio=1.75))
        recent.write(NOTE, START_S + 2)
        assert recent.flush()
        recent.write(NOTE, START_S + 70)
        assert recent.flush()
        now[0] = replace(now[0], mode="solo")
        recent.write(NOTE, START_S + 71)
        recent.keep(tmp_path / "a.jsonl")
    journal = read_journal(tmp_path / "a.jsonl")
    assert journal.header.settings["mode"] == "duet"
    assert journal.header.settings["answer"]["length_ratio"] == 1.75
    assert journal.header.settings["sound"] == asdict(Settings().sound)
    changes = [entry for entry in journal.entries if isinstance(entry.message, InForce)]
    assert [(change.message, change.now_s) for change in changes] == [
        (InForce({"mode": "solo"}), START_S + 71)
    ]


def test_no_more_than_some_bytes_are_held_and_what_is_left_out_is_counted(tmp_path: Path) -> None:
    with make_recent(most_bytes=1500) as recent:
        written_each_second(recent, 100, tmp_path)
        recent.keep(tmp_path / "a.jsonl")
        kept = [entry.now_s for entry in read_journal(tmp_path / "a.jsonl").entries]
        assert kept == [START_S + 100 - len(kept) + 1 + number for number in range(len(kept))]
        assert 8 <= len(kept) < 20
        assert recent.left_out == 100 - len(kept)


def test_more_than_may_wait_is_left_out_and_said_in_its_place(tmp_path: Path) -> None:
    with make_recent(most_waiting=2) as recent:
        recent.write(NOTE, START_S + 1)
        assert recent.flush()
        recent.write_batch([NOTE] * 3, START_S + 2)
        recent.write(NOTE, START_S + 3)
        recent.keep(tmp_path / "a.jsonl")
        assert recent.left_out == 3
    journal = read_journal(tmp_path / "a.jsonl")
    assert [type(entry.message) for entry in journal.entries] == [wire.Played, Gap, wire.Played]
    assert journal.lost == 3


def test_when_it_began_goes_by_the_clock_on_the_wall(tmp_path: Path) -> None:
    wall_s = [0.0]
    with make_recent(span_s=60.0, wall=lambda: wall_s[0]) as recent:
        recent.write(NOTE, START_S + 1)
        wall_s[0] = 3600.0  # the machine has slept
        recent.keep(tmp_path / "a.jsonl")
    assert read_journal(tmp_path / "a.jsonl").header.started_at == STARTED_AT + timedelta(seconds=3600)


def test_what_cannot_be_encoded_is_counted_and_the_rest_is_kept(tmp_path: Path) -> None:
    class NoMessage:
        pass

    with make_recent() as recent:
        recent.write_batch([NoMessage(), NOTE], START_S + 1)  # type: ignore[list-item]
        assert recent.flush()
        recent.write(NOTE, START_S + 2)
        recent.keep(tmp_path / "a.jsonl")
        assert recent.left_out == 2
    assert [entry.now_s for entry in read_journal(tmp_path / "a.jsonl").entries] == [START_S + 2]


def test_nothing_has_happened(tmp_path: Path, recent: RecentJournal) -> None:
    assert recent.keep(tmp_path / "a.jsonl") == 0.0
    assert read_journal(tmp_path / "a.jsonl").entries == ()


def test_nothing_is_overwritten(tmp_path: Path, recent: RecentJournal) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("mine")
    with pytest.raises(StorageError, match="exists already and is not overwritten"):
        recent.keep(path)
    with pytest.raises(StorageError, match=r"cannot be written \(No such file or directory\)"):
        recent.keep(tmp_path / "gone" / "a.jsonl")
    assert path.read_text() == "mine"


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_its_lines_are_those_that_a_writer_would_have_written(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder, now_ns = tmp_path_factory.mktemp("recent"), 1_000_000_000_000
    told: list[tuple[tuple[wire.Message, ...], float]] = []
    for gap_ns, what in data.draw(st.lists(st.tuples(st.integers(0, 2**31), st.integers(0, 3)))):
        now_ns += gap_ns
        batches = ((pulse(now_ns, "a"),), (wire.Woken(),), (pulse(now_ns, "b"),), (NOTE, wire.Quit()))
        told.append((batches[what], now_ns / 1e9))
    with make_recent() as recent, make_writer(folder / "whole.jsonl") as writer:
        for messages, now_s in told:
            recent.write_batch(messages, now_s)
            writer.write_batch(messages, now_s)
        recent.keep(folder / "kept.jsonl")
    assert read_journal(folder / "kept.jsonl").entries == read_journal(folder / "whole.jsonl").entries
