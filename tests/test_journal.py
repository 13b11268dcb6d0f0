"""The journal: what is written survives, what is read back is what was played."""

from __future__ import annotations

import itertools
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from conftest import require
from hypothesis import given, settings
from hypothesis import strategies as st

from improv_core.errors import StorageError
from improv_core.midi_files import ChannelMessage
from improv_core.notes import ControlChange, Note, Performance
from improv_daemon import wire
from improv_daemon.journal import (
    BackgroundSync,
    Gap,
    JournalWriter,
    is_being_written,
    performances,
    read_journal,
    voices,
)
from improv_daemon.recorder.bars import conductor_of
from improv_daemon.recorder.tracks import tracks_of

STARTED_AT = datetime(2026, 11, 20, 19, 30, 5, tzinfo=timezone(timedelta(hours=1)))
START_S = 1000.0


class CountingSync:
    """Counts what it is asked for."""

    def __init__(self, failure: OSError | None = None) -> None:
        self.requests = 0
        self.finished = 0
        self.failure = failure

    def request(self, fd: int) -> OSError | None:
        self.requests += 1
        return self.failure

    def finish(self, fd: int) -> OSError | None:
        self.finished += 1
        return None


def make_writer(path: Path, **overrides: Any) -> JournalWriter:
    values: dict[str, Any] = {
        "model": "default",
        "seed": 7,
        "settings": {"mode": "answer", "sound": {"gain": 0.5}},
        "started_at": STARTED_AT,
        "now_s": START_S,
        "syncer": CountingSync(),
    }
    return JournalWriter(path, **(values | overrides))


def played(*data: int, at_s: float, source: str = "keys") -> wire.Played:
    return wire.Played(data, at_s, source)


def sounded(turn: int, index: int, pitch: int, at_s: float, velocity: int = 70) -> wire.Sounded:
    return wire.Sounded(turn, index, pitch, velocity, at_s, 0.0)


def kept(path: Path, *messages: wire.Message, end_s: float = START_S + 10) -> Path:
    """A journal of these messages; the last entry comes at ``end_s``."""
    with make_writer(path) as journal:
        journal.write_batch(messages, START_S)
        journal.write(wire.Counts(0, 0, 0), end_s)
    return path


@contextmanager
def full_disk(journal: JournalWriter) -> Iterator[None]:
    """The journal's descriptor writes to a device that is always full."""
    require(Path("/dev/full").exists(), "no /dev/full on this system")
    own, full = os.dup(journal.fileno()), os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, journal.fileno())
    try:
        yield
    finally:
        os.dup2(own, journal.fileno())
        os.close(own)
        os.close(full)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process grows beyond ``size``: what does not fit is cut off."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# --- writing --------------------------------------------------------------------------------------


def test_journal_starts_with_a_header_and_holds_every_message_with_its_time(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path) as journal:
        journal.write(played(0x90, 60, 64, at_s=1000.5), 1000.6)
    header, entry = [json.loads(line) for line in path.read_text().splitlines()]
    assert header == {
        "improv_journal": 2,
        "started_at": "2026-11-20T19:30:05.000+01:00",
        "now_s": 1000.0,
        "model": "default",
        "seed": 7,
        "settings": {"mode": "answer", "sound": {"gain": 0.5}},
    }
    assert entry == {
        "kind": "Played",
        "data": [0x90, 60, 64],
        "at_s": 1000.5,
        "source": "keys",
        "now_s": 1000.6,
    }


def test_journal_reads_back_as_it_was_written(tmp_path: Path) -> None:
    messages = (
        wire.Ready(("improv in",), ("improv out",), None, ("No sound.",)),
        played(0x90, 60, 64, at_s=1000.1 + 1e-9),
        wire.PlayNote(1, 0, 64, 70, 1003.0, 1003.5),
        sounded(1, 0, 64, 1003.0002),
        wire.TurnCancelled(1, 1003.4, 2),
        wire.Quit(),
    )
    journal = read_journal(kept(tmp_path / "a.jsonl", *messages))
    assert tuple(entry.message for entry in journal.entries) == (*messages, wire.Counts(0, 0, 0))
    assert journal.header.started_at == STARTED_AT
    assert (journal.header.model, journal.header.seed) == ("default", 7)
    assert (journal.damaged, journal.torn, journal.lost, journal.problems) == (0, False, 0, ())
    assert journal.end_s == START_S + 10


def test_every_line_reaches_the_operating_system_before_write_returns(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path) as journal:
        journal.write(played(0x90, 60, 64, at_s=1000.5), 1000.5)
        assert len(path.read_bytes().splitlines()) == 2
        journal.write_batch([sounded(0, i, 60 + i, 1001.0) for i in range(3)], 1001.0)
        assert len(path.read_bytes().splitlines()) == 5


def test_journal_of_a_killed_process_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    program = (
        "import os, signal, sys, datetime\n"
        "from pathlib import Path\n"
        "from improv_daemon import wire\n"
        "from improv_daemon.journal import JournalWriter\n"
        "w = JournalWriter(Path(sys.argv[1]), model='m', seed=1, settings={},\n"
        "                  started_at=datetime.datetime.now(), now_s=0.0)\n"
        "w.__enter__()\n"
        "for i in range(100): w.write(wire.Played((0x90, i, 1), float(i), 'keys'), float(i))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    search = os.pathsep.join(entry for entry in sys.path if entry)
    died = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env={**os.environ, "PYTHONPATH": search},
        timeout=30,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    journal = read_journal(path)
    assert [entry.now_s for entry in journal.entries] == [float(i) for i in range(100)]
    assert not journal.torn
    assert not is_being_written(path)


def test_journal_is_synced_at_most_once_a_second_and_at_its_end(tmp_path: Path) -> None:
    syncer = CountingSync()
    with make_writer(tmp_path / "a.jsonl", syncer=syncer) as journal:
        for tick in range(1, 31):
            journal.write(played(0x90, 60, 64, at_s=START_S), START_S + tick * 0.1)
        assert syncer.requests == 3
        assert syncer.finished == 0
    assert syncer.finished == 1


def test_background_sync_tells_how_an_earlier_sync_failed(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()  # a pipe cannot be synced
    syncer = BackgroundSync()
    assert syncer.request(write_end) is None
    assert isinstance(syncer.finish(write_end), OSError)
    os.close(read_end)
    os.close(write_end)


def test_a_failed_sync_is_one_sentence_and_playing_goes_on(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "a.jsonl"
    syncer = CountingSync(OSError(5, "Input/output error"))
    with make_writer(path, syncer=syncer, on_trouble=said.append) as journal:
        for tick in range(5):
            journal.write(played(0x90, 60, 64, at_s=START_S), START_S + 2.0 * tick)
    assert said == [f"{path} cannot be written (Input/output error): what you play is not kept meanwhile."]


def test_a_full_disk_is_one_sentence_and_counts_what_is_lost(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "a.jsonl"
    with make_writer(path, on_trouble=said.append) as journal:
        journal.write(played(0x90, 60, 64, at_s=1000.1), 1000.1)
        with full_disk(journal):
            for tick in range(5):
                journal.write(played(0xB0, 64, tick, at_s=1000.2), 1000.2 + tick)
        assert journal.lost == 5
        journal.write(played(0x80, 60, 0, at_s=1005.5), 1005.5)
    assert said == [f"The disk of {tmp_path} is full: what you play is not kept until it has room."]
    back = read_journal(path)
    assert [type(entry.message) for entry in back.entries] == [wire.Played, Gap, wire.Played]
    assert back.lost == 5
    assert back.problems == (f"5 lines of {path} could not be written while you played.",)


def test_a_full_disk_is_tried_again_once_a_second_only(tmp_path: Path) -> None:
    with make_writer(tmp_path / "a.jsonl") as journal:
        with full_disk(journal):
            journal.write(played(0x90, 60, 64, at_s=1000.1), 1000.1)
        journal.write(played(0x90, 61, 64, at_s=1000.2), 1000.5)
        assert journal.lost == 2
        journal.write(played(0x90, 62, 64, at_s=1000.2), 1001.2)
        assert journal.lost == 2


def test_a_line_cut_off_by_a_full_disk_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path, settings={"padding": "x" * 60_000}) as journal:
        room = len(path.read_bytes())
        with largest_file(room + 100):
            journal.write_batch([played(0x90, 60 + i, 64, at_s=1000.0) for i in range(3)], 1000.0)
        assert len(path.read_bytes()) == room + 100
        assert journal.lost == 2
        journal.write(played(0x80, 60, 0, at_s=1002.0), 1002.0)
    back = read_journal(path)
    assert [type(entry.message) for entry in back.entries] == [wire.Played, Gap, wire.Played]
    assert (back.lost, back.damaged, back.torn) == (2, 1, False)


def test_a_removed_journal_is_one_sentence_and_playing_goes_on(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "sessions" / "a.jsonl"
    path.parent.mkdir()
    with make_writer(path, on_trouble=said.append) as journal:
        path.unlink()
        path.parent.rmdir()
        for tick in range(4):
            journal.write(played(0x90, 60, 64, at_s=START_S), START_S + tick)
        assert journal.lost == 2  # noticed with the sync after one second
    assert said == [f"{path} was removed while you play: what you play from now on is not kept."]


def test_journal_refuses_to_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("mine")
    with pytest.raises(StorageError, match=r"a\.jsonl exists already and is not overwritten"):
        make_writer(path).__enter__()
    assert path.read_text() == "mine"


def test_journal_says_where_it_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"gone/a.jsonl cannot be written \(No such file or directory\)"):
        make_writer(tmp_path / "gone" / "a.jsonl").__enter__()


def test_journal_whose_header_does_not_fit_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    writer = make_writer(path, settings={"padding": "x" * 60_000})
    with largest_file(50_000), pytest.raises(StorageError, match="cannot be written"):
        writer.__enter__()
    assert not path.exists()


def test_journal_counts_what_comes_after_its_end(tmp_path: Path) -> None:
    with make_writer(tmp_path / "a.jsonl") as journal:
        pass
    journal.write(wire.Quit(), 1001.0)
    assert journal.lost == 1


def test_journal_is_marked_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path):
        assert is_being_written(path)
    assert not is_being_written(path)
    assert not is_being_written(tmp_path / "none.jsonl")


# --- runs of pulses and wake-ups --------------------------------------------------------------------


def pulse(at_ns: int, source: str = "daw") -> wire.Played:
    return wire.Played((0xF8,), at_ns / 1e9, source)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Every line but the first."""
    return [json.loads(line) for line in path.read_text().splitlines()[1:]]


def test_pulses_and_wake_ups_make_one_line_until_anything_else_is_written(tmp_path: Path) -> None:
    path, t0 = tmp_path / "a.jsonl", 1_000_000_000_000
    told: list[tuple[wire.Message, int]] = [
        (pulse(t0), t0 + 150_000),
        (wire.Woken(), t0 + 3_000_000),
        (pulse(t0 + 20_833_333), t0 + 20_983_333),
        (played(0x90, 60, 64, at_s=1000.5), t0 + 30_000_000),
        (wire.Woken(), t0 + 31_000_000),
    ]
    with make_writer(path) as journal:
        for message, now_ns in told:
            journal.write(message, now_ns / 1e9)
        assert len(lines_of(path)) == 2
    run, note, last = lines_of(path)
    assert run == {
        "run": [[0, 150_000], 2_850_000, [17_983_333, 150_000]],
        "source": "daw",
        "from_ns": t0 + 150_000,
    }
    assert note["kind"] == "Played"
    assert last == {"run": [0], "source": None, "from_ns": t0 + 31_000_000}
    entries = read_journal(path).entries
    assert [(entry.message, entry.now_s) for entry in entries] == [(m, ns / 1e9) for m, ns in told]


def test_what_is_done_upon_a_wake_up_stands_behind_it(tmp_path: Path) -> None:
    path, note = tmp_path / "a.jsonl", wire.PlayNote(1, 0, 64, 70, 1003.0, 1003.5)
    with make_writer(path) as journal:
        journal.write(wire.Woken(), 1001.0)
        journal.write_batch((wire.Woken(), note), 1001.5)
    assert [entry.message for entry in read_journal(path).entries] == [wire.Woken(), wire.Woken(), note]
    assert [entry.now_s for entry in read_journal(path).entries] == [1001.0, 1001.5, 1001.5]


def test_a_run_waits_for_a_second_at_most_and_is_of_one_source(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path) as journal:
        for tenth in range(25):
            journal.write(wire.Woken(), 1001.0 + tenth * 0.125)
        assert [len(line["run"]) for line in lines_of(path)] == [9, 9]
        journal.write(pulse(1_005_000_000_000, "daw"), 1005.0)
        journal.write(pulse(1_005_000_000_000, "drum machine"), 1005.125)
    assert [(len(line["run"]), line["source"]) for line in lines_of(path)[2:]] == [
        *((7, None), (1, "daw"), (1, "drum machine"))
    ]


_gaps = st.lists(st.tuples(st.integers(0, 2_000_000_000), st.integers(0, 9_000_000), st.integers(0, 3)))


@settings(max_examples=60, deadline=None)
@given(first_ns=st.integers(0, 10**16), gaps=_gaps)
def test_whatever_comes_is_read_back_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory, first_ns: int, gaps: list[tuple[int, int, int]]
) -> None:
    path, now_ns = tmp_path_factory.mktemp("journal") / "a.jsonl", first_ns
    told: list[tuple[wire.Message, float]] = []
    for gap_ns, late_ns, what in gaps:
        now_ns += gap_ns
        others = (wire.Woken(), pulse(now_ns - late_ns, "b"), wire.Played((0xF8,), now_ns / 7e9, "a"))
        told.append(((pulse(now_ns - late_ns, "a"), *others)[what], now_ns / 1e9))
    with make_writer(path) as journal:
        for message, now_s in told:
            journal.write(message, now_s)
    assert [(entry.message, entry.now_s) for entry in read_journal(path).entries] == told


def test_a_minute_of_clock_is_some_forty_kilobytes(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path) as journal:
        for number in range(48 * 60):
            at_ns = 45_700_708_890_477 + number * 20_833_333 + (number * 7919) % 300_000
            journal.write(pulse(at_ns), (at_ns + 180_000 + (number * 104_729) % 90_000) / 1e9)
    assert 40_000 < path.stat().st_size < 65_000


def test_a_journal_of_the_first_version_is_read(tmp_path: Path) -> None:
    path = kept(tmp_path / "a.jsonl", played(0x90, 60, 64, at_s=1000.5))
    path.write_text(path.read_text().replace('"improv_journal":2', '"improv_journal":1'))
    assert len(read_journal(path).entries) == 2


# --- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty, not a session journal"),
        (b"MThd\x00\x00\x00\x06", "is not a session journal of improv"),
        (b"[1, 2]\n", "is not a session journal of improv"),
        (b'{"improv_journal": true}\n', "is not a session journal of improv"),
        (b"\xff\xfe\x00\x80\n", "is not a session journal of improv"),
        (b"[" * 200_000, "is not a session journal of improv"),
        (b'{"improv_journal": 3}\n', "newer improv (journal version 3, this one reads 2); update improv"),
        (b'{"improv_journal": 1, "now_s": 3}\n', "is damaged, so the session cannot be read"),
    ],
)
def test_reader_refuses_what_is_not_a_journal(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(StorageError) as refused:
        read_journal(path)
    assert sentence in str(refused.value)
    assert str(path) in str(refused.value)


def test_reader_names_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"There is no file .*none.jsonl"):
        read_journal(tmp_path / "none.jsonl")


def test_reader_leaves_out_a_torn_last_line(tmp_path: Path) -> None:
    path = kept(tmp_path / "a.jsonl", played(0x90, 60, 64, at_s=1000.5))
    path.write_bytes(path.read_bytes()[:-12])
    journal = read_journal(path)
    assert [type(entry.message) for entry in journal.entries] == [wire.Played]
    assert (journal.torn, journal.damaged, journal.problems) == (True, 0, ())


@pytest.mark.parametrize(
    "line",
    [
        b'{"kind":"Played","data":[144,60',
        b'{"kind":"Dance","now_s":1.0}',
        b'{"kind":"Quit"}',
        b'{"kind":"Quit","now_s":NaN}',
        b'{"kind":"Played","data":[144,600,3],"at_s":1.0,"source":"k","now_s":1.0}',
        b'{"kind":"Sounded","turn":0,"index":0,"pitch":60,"velocity":0,"at_s":1,"late_s":0,"now_s":1}',
        b'{"kind":"Released","turn":0,"index":0,"pitch":200,"at_s":1,"now_s":1}',
        b'{"kind":"PedalMoved","turn":0,"value":"up","at_s":1,"now_s":1}',
        b'{"kind":"SetVoice","part":"improv","program":200,"pan":0.0,"volume":0,"now_s":1}',
        b'{"kind":"KeepTime","origin_s":1,"beat_s":-1,"beats_per_bar":4,"click_from_s":1,"click_until_s":1,'
        b'"source":"","now_s":1}',
        b'{"kind":"Withhold","places":["x"],"keys":[],"programs":true,"now_s":1}',
        b'{"run":[[5,1],"x"],"source":"daw","from_ns":1}',
        b'{"run":[[5,1]],"source":null,"from_ns":1}',
        b'{"run":[5,[1,2,3]],"source":"daw","from_ns":1}',
        b'{"run":7,"source":"daw","from_ns":1}',
        b"\x00\xff\x00",
        b"7",
    ],
)
def test_reader_counts_damaged_lines_and_goes_on(tmp_path: Path, line: bytes) -> None:
    path = kept(tmp_path / "a.jsonl", played(0x90, 60, 64, at_s=1000.5))
    header, first, last = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join((header, line, first, line, last, b"")))
    journal = read_journal(path)
    assert [type(entry.message) for entry in journal.entries] == [wire.Played, wire.Counts]
    assert journal.problems == (f"2 lines of {path} could not be read and are left out.",)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_no_flipped_byte_breaks_reading(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = kept(
        tmp_path_factory.mktemp("journal") / "a.jsonl",
        played(0x90, 60, 64, at_s=1000.5),
        sounded(0, 0, 64, 1001.0),
        wire.PedalMoved(0, 127, 1001.0),
        wire.Released(0, 0, 64, 1002.0),
        wire.SetVoice("improv", 12, 0.5, 90),
        wire.KeepTime(1000.0, 0.5, 4, 0.0, 0.0, ""),
        wire.Withhold((74,), (21,), programs=True),
        played(0xE0, 0, 96, at_s=1002.5),
    )
    with path.open("ab") as file:
        file.write(b'{"run":[[0,150000],2850000,[17983333,150000]],"source":"daw","from_ns":1000000000000}\n')
    content = bytearray(path.read_bytes())
    header_end = content.index(b"\n") + 1
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(header_end, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content))
    journal = read_journal(path)
    player, improv = performances(journal)
    assert len(player.notes) <= 1
    assert len(improv.notes) <= 1
    assert len(voices(journal)[0]) == 1
    tracks_of(journal)
    conductor_of(journal)


# --- performances ---------------------------------------------------------------------------------


def test_player_notes_count_from_the_session_start(tmp_path: Path) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        played(0x90, 60, 64, at_s=1001.0),
        played(0x90, 64, 80, at_s=1001.5),
        played(0x80, 60, 40, at_s=1002.0),
        played(0x90, 64, 0, at_s=1003.0),
        played(0xB0, 64, 127, at_s=1001.2),
        played(0xB0, 64, 0, at_s=1003.5),
        played(0xB0, 1, 33, at_s=1003.6),
    )
    player, improv = performances(read_journal(path))
    assert player.notes == (Note(60, 64, 1.0, 1.0), Note(64, 80, 1.5, 1.5))
    assert [(c.controller, c.value, round(c.at_s, 6)) for c in player.controls] == [
        (64, 127, 1.2),
        (64, 0, 3.5),
        (1, 33, 3.6),
    ]
    assert improv.notes == ()


def test_what_is_still_held_ends_with_the_session(tmp_path: Path) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        played(0x90, 60, 64, at_s=1001.0),
        played(0xB0, 64, 127, at_s=1001.0),
        sounded(0, 0, 67, 1002.0),
        wire.PedalMoved(0, 90, 1002.0),
        end_s=1008.0,
    )
    player, improv = performances(read_journal(path))
    assert player.notes == (Note(60, 64, 1.0, 7.0),)
    assert player.controls[-1] == ControlChange(64, 0, 8.0)
    assert improv.notes == (Note(67, 70, 2.0, 6.0),)
    assert improv.controls == (ControlChange(64, 90, 2.0), ControlChange(64, 0, 8.0))


def test_a_pedal_that_rests_near_its_top_does_not_lengthen_the_session(tmp_path: Path) -> None:
    path = kept(tmp_path / "a.jsonl", played(0xB0, 64, 90, at_s=1001.0), played(0xB0, 64, 3, at_s=1002.0))
    assert performances(read_journal(path))[0].end_s == 2.0


def test_a_key_struck_again_without_its_release_ends_there(tmp_path: Path) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        played(0x90, 60, 64, at_s=1001.0),
        played(0x90, 60, 70, at_s=1002.0),
        played(0x80, 60, 0, at_s=1003.0),
    )
    assert performances(read_journal(path))[0].notes == (Note(60, 64, 1.0, 1.0), Note(60, 70, 2.0, 1.0))


def test_one_pitch_on_two_channels_is_two_keys(tmp_path: Path) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        played(0x90, 60, 64, at_s=1001.0),
        played(0x91, 60, 70, at_s=1002.0),
        played(0x80, 60, 0, at_s=1003.0),
        played(0x81, 60, 0, at_s=1004.0),
    )
    assert performances(read_journal(path))[0].notes == (Note(60, 64, 1.0, 2.0), Note(60, 70, 2.0, 2.0))


def test_improv_is_what_sounded_not_what_was_planned(tmp_path: Path) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        wire.PlayNote(1, 0, 60, 70, 1001.0, 1005.0),
        wire.PlayNote(1, 1, 64, 70, 1004.0, 1005.0),
        sounded(1, 0, 60, 1001.0),
        wire.Released(1, 0, 60, 1002.0),
        wire.TurnCancelled(1, 1002.0, 1),
    )
    assert performances(read_journal(path))[1].notes == (Note(60, 70, 1.0, 1.0),)


def test_a_pitch_of_improvs_struck_again_ends_where_the_next_begins(tmp_path: Path) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        sounded(1, 0, 60, 1001.0),
        sounded(1, 1, 60, 1002.0, velocity=90),
        wire.Released(1, 0, 60, 1002.5),
        wire.Released(1, 1, 60, 1003.0),
    )
    assert performances(read_journal(path))[1].notes == (Note(60, 70, 1.0, 1.0), Note(60, 90, 2.0, 1.0))


def test_notes_end_where_lines_were_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path) as journal:
        journal.write(played(0x90, 60, 64, at_s=1001.0), 1001.0)
        with full_disk(journal):
            journal.write(played(0x80, 60, 0, at_s=1001.5), 1001.5)
        journal.write(wire.Quit(), 1003.0)
        journal.write(wire.Quit(), 1100.0)
    assert performances(read_journal(path))[0].notes == (Note(60, 64, 1.0, 2.0),)


def test_nothing_played_is_two_empty_performances(tmp_path: Path) -> None:
    player, improv = performances(read_journal(kept(tmp_path / "a.jsonl")))
    assert (player.notes, player.controls, improv.notes, improv.controls) == ((), (), (), ())


@pytest.mark.parametrize(
    "data", [(0xF8,), (0xC0, 5, 6), (0xE0, 0), (0xF0, 1, 2), (0x90, 200, 3), (0xC0, 200), ()]
)
def test_messages_that_are_none_of_a_channel_leave_no_trace(tmp_path: Path, data: tuple[int, ...]) -> None:
    ((player,), _) = voices(read_journal(kept(tmp_path / "a.jsonl", wire.Played(data, 1001.0, "keys"))))
    assert (player.performance, player.messages) == (Performance(), ())


# --- voices -----------------------------------------------------------------------------------------


def test_bends_pressures_and_programs_are_kept_with_their_times_and_a_bend_ends_with_the_session(
    tmp_path: Path,
) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        played(0xC0, 4, at_s=1000.5),
        played(0x90, 60, 64, at_s=1001.0),
        played(0xE0, 0, 96, at_s=1001.25),
        played(0xA0, 60, 33, at_s=1001.5),
        played(0xD0, 90, at_s=1001.75),
        played(0xB0, 67, 127, at_s=1002.0),
        played(0xB0, 66, 127, at_s=1002.0),
        played(0x80, 60, 0, at_s=1003.0),
    )
    (player,), improv = voices(read_journal(path))
    assert player.messages == (
        ChannelMessage((0xC0, 4), 0.5),
        ChannelMessage((0xE0, 0, 96), 1.25),
        ChannelMessage((0xA0, 60, 33), 1.5),
        ChannelMessage((0xD0, 90), 1.75),
        ChannelMessage((0xE0, 0, 64), 10.0),
    )
    assert player.performance.controls == (
        *(ControlChange(67, 127, 2.0), ControlChange(66, 127, 2.0)),
        *(ControlChange(67, 0, 10.0), ControlChange(66, 0, 10.0)),
    )
    assert improv.messages == ()


def test_each_keyboard_and_channel_is_a_voice_and_a_pedal_board_is_heard_by_those_on_its_channel(
    tmp_path: Path,
) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        played(0x92, 72, 64, at_s=1001.0, source="upper"),
        played(0x82, 72, 64, at_s=1001.5, source="upper"),
        played(0x90, 48, 64, at_s=1002.0, source="lower"),
        played(0x80, 48, 64, at_s=1002.5, source="lower"),
        played(0xB0, 64, 127, at_s=1002.0, source="pedals"),
        played(0xB0, 64, 0, at_s=1003.0, source="pedals"),
        played(0xB5, 11, 99, at_s=1003.0, source="swell"),
        played(0xB2, 1, 5, at_s=1003.5, source="upper"),
    )
    journal = read_journal(path)
    (upper, lower), _ = voices(journal)
    swell = ControlChange(11, 99, 3.0)
    assert (upper.source, upper.channel, upper.performance) == (
        *("upper", 2),
        Performance((Note(72, 64, 1.0, 0.5),), (swell, ControlChange(1, 5, 3.5))),
    )
    assert (lower.source, lower.channel, lower.performance) == (
        *("lower", 0),
        Performance(
            (Note(48, 64, 2.0, 0.5),), (ControlChange(64, 127, 2.0), ControlChange(64, 0, 3.0), swell)
        ),
    )
    assert len(performances(journal)[0].controls) == 4


def test_where_ways_were_merged_the_player_is_one_voice(tmp_path: Path) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        played(0x90, 60, 64, at_s=1001.0, source="keys"),
        played(0x80, 60, 64, at_s=1001.5, source="keys"),
        played(0x92, 62, 64, at_s=1002.0, source="daw"),
        played(0x82, 62, 64, at_s=1002.5, source="daw"),
        wire.Counts(0, 0, 0, merged=2),
    )
    ((player,), _) = voices(read_journal(path))
    assert (player.source, player.channel) == ("", 0)
    assert player.performance.notes == (Note(60, 64, 1.0, 0.5), Note(62, 64, 2.0, 0.5))


def test_how_the_parts_are_set_to_sound_is_told_where_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path) as journal:
        journal.write(wire.SetVoice("improv", 12, 0.5, 0), START_S)
        journal.write(wire.SetVoice("player", 0, -1.0, 100), START_S)
        journal.write(wire.SetVoice("improv", 12, 0.0, 90), START_S + 2)
        journal.write(played(0x93, 60, 64, at_s=1003.0), 1003.0)
    (player,), improv = voices(read_journal(path))
    assert improv.messages == (ChannelMessage((0xC0, 11), 0.0),)
    assert improv.performance.controls == (
        *(ControlChange(10, 96, 0.0), ControlChange(7, 90, 2.0), ControlChange(10, 64, 2.0)),
    )
    assert player.performance.controls == (ControlChange(7, 100, 0.0), ControlChange(10, 0, 0.0))
    assert player.messages == ()


def test_knobs_gestures_and_programs_that_choose_presets_are_no_music(tmp_path: Path) -> None:
    path = kept(
        tmp_path / "a.jsonl",
        wire.Withhold((74,), (21,), programs=True),
        played(0xB0, 74, 5, at_s=1001.0),
        played(0xB0, 1, 6, at_s=1001.0),
        played(0x90, 21, 64, at_s=1001.0),
        played(0xC0, 3, at_s=1001.0),
        wire.Withhold((), (), programs=False),
        played(0xB0, 74, 7, at_s=1002.0),
        played(0xC0, 4, at_s=1002.0),
    )
    (player,), _ = voices(read_journal(path))
    assert player.performance == Performance((), (ControlChange(1, 6, 1.0), ControlChange(74, 7, 2.0)))
    assert player.messages == (ChannelMessage((0xC0, 4), 2.0),)


_keys = st.lists(st.tuples(st.integers(21, 108), st.integers(0, 127), st.floats(0.0, 60.0)), max_size=40)


@settings(max_examples=60, deadline=None)
@given(events=_keys)
def test_any_stream_of_keys_gives_notes_within_the_session(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[int, int, float]]
) -> None:
    messages = [
        played(0x90, pitch, velocity, at_s=START_S + at)
        for pitch, velocity, at in sorted(events, key=lambda e: e[2])
    ]
    path = kept(tmp_path_factory.mktemp("journal") / "a.jsonl", *messages, end_s=START_S + 60)
    notes = performances(read_journal(path))[0].notes
    assert len(notes) == sum(velocity > 0 for _, velocity, _ in events)
    by_pitch: Callable[[Note], int] = lambda note: note.pitch  # noqa: E731
    for _, same in itertools.groupby(sorted(notes, key=lambda n: (n.pitch, n.onset_s)), by_pitch):
        for earlier, later in itertools.pairwise(same):
            assert earlier.release_s <= later.onset_s + 1e-9
    assert all(note.release_s <= 60.0 + 1e-9 for note in notes)
