"""The journal: what is written survives, and nothing that a disk does holds up who plays."""

from __future__ import annotations

import itertools
import json
import resource
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import START_S, STARTED_AT, WITHIN_S, FakeDisk, kept, make_writer, played, pulse, sounded

from improv_core.errors import StorageError
from improv_daemon import wire
from improv_daemon.journal import Gap, InForce, Pace, is_being_written, read_journal
from improv_daemon.settings import Preset, Settings

NOTE = played(0x90, 60, 64, at_s=1000.5)
FAILS = "{} cannot be written (Input/output error): what you play is not kept until it can be."
QUICK = Pace(gather_s=0.0, retry_after_s=0.001)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process grows beyond ``size``: what does not fit is cut off."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Every whole line but the first and, of a journal that is at its end, the last; without check sums."""
    lines = [json.loads(line) for line in path.read_bytes().split(b"\n")[1:-1]]
    return [{k: v for k, v in line.items() if k != "crc"} for line in lines if "closed_at" not in line]


# --- lines ----------------------------------------------------------------------------------------


def test_journal_starts_with_a_header_and_holds_every_message_with_its_time(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path, model_hash="ab" * 32) as journal:
        journal.write(NOTE, 1000.6)
    header, entry, end = [json.loads(line) for line in path.read_text().splitlines()]
    assert header.pop("improv_version")
    assert header == {
        "improv_journal": 3,
        "started_at": "2026-11-20T19:30:05.000+01:00",
        "now_s": 1000.0,
        "model": "default",
        "model_hash": "ab" * 32,
        "seed": 7,
        "settings": {"mode": "answer", "sound": {"gain": 0.5}},
        "crc": header["crc"],
    }
    assert entry == {
        "kind": "Played",
        "data": [0x90, 60, 64],
        "at_s": 1000.5,
        "source": "keys",
        "now_s": 1000.6,
        "crc": "68fcafa8",
    }
    assert (end["closed_at"], end["now_s"]) == ("2026-11-20T19:30:05.600+01:00", 1000.6)


def test_every_line_ends_with_the_check_sum_of_what_stands_before_it(tmp_path: Path) -> None:
    for line in kept(tmp_path / "a.jsonl", NOTE, wire.Trouble("\u00e9\u00e8")).read_bytes().splitlines():
        opened, _, crc = line.rpartition(b',"crc":')
        assert crc == b'"%08x"}' % zlib.crc32(opened)


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
    assert (journal.closed, journal.cut_short) == (True, None)
    assert journal.end_s == START_S + 10


def test_settings_that_change_are_kept_with_what_changed_them(tmp_path: Path) -> None:
    path, now = tmp_path / "a.jsonl", [Settings()]
    begun = replace(now[0], presets=(Preset("late", (("mode", "duet"),)),))
    now[0] = begun
    with make_writer(path, settings=asdict(begun), settings_now=lambda: now[0]) as journal:
        journal.write(NOTE, 1001.0)
        now[0] = replace(begun, mode="duet", answer=replace(begun.answer, length_ratio=1.75))
        journal.write(wire.Cue("next_mode"), 1002.0)
        journal.write(NOTE, 1003.0)
        now[0] = begun
        journal.write(NOTE, 1004.0)
    entries = [(entry.message, entry.now_s) for entry in read_journal(path).entries]
    assert entries == [
        (NOTE, 1001.0),
        (InForce({"mode": "duet", "answer.length_ratio": 1.75}), 1002.0),
        (wire.Cue("next_mode"), 1002.0),
        (NOTE, 1003.0),
        (InForce({"mode": begun.mode, "answer.length_ratio": begun.answer.length_ratio}), 1004.0),
        (NOTE, 1004.0),
    ]


# --- runs of pulses and wake-ups --------------------------------------------------------------------


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
    run, note, last = lines_of(path)
    assert run == {
        "source": "daw",
        "from_ns": t0 + 150_000,
        "run": [[0, 150_000], [2_850_000], [17_983_333, 150_000]],
    }
    assert note["kind"] == "Played"
    assert last == {"source": "daw", "from_ns": t0 + 31_000_000, "run": [[0]]}
    entries = read_journal(path).entries
    assert [(entry.message, entry.now_s) for entry in entries] == [(m, ns / 1e9) for m, ns in told]


def test_a_line_of_pulses_grows_in_the_file_so_that_none_is_lost(tmp_path: Path) -> None:
    path, t0 = tmp_path / "a.jsonl", 1_000_000_000_000
    with make_writer(path) as journal:
        for number in range(1, 4):
            journal.write(pulse(t0), t0 / 1e9)
            assert journal.flush(WITHIN_S)
            assert path.read_bytes().endswith(b"]")
            assert [entry.message for entry in read_journal(path).entries] == [pulse(t0)] * number
    assert len(lines_of(path)) == 1


def test_a_line_of_pulses_is_ended_when_no_more_come(tmp_path: Path) -> None:
    disk = FakeDisk()
    with make_writer(tmp_path / "a", open_file=disk, pace=replace(QUICK, line_open_s=0.001)) as journal:
        assert disk.asked.acquire(timeout=WITHIN_S)  # the header
        journal.write(pulse(1_000_000_000_000), 1000.0)
        assert disk.asked.acquire(timeout=WITHIN_S)
        assert disk.asked.acquire(timeout=WITHIN_S)
        assert journal.flush(WITHIN_S)
        assert disk.content.endswith(b"}\n")
        assert len(disk.content.splitlines()) == 2


def test_what_is_done_upon_a_wake_up_stands_behind_it(tmp_path: Path) -> None:
    path, note = tmp_path / "a.jsonl", wire.PlayNote(1, 0, 64, 70, 1003.0, 1003.5)
    with make_writer(path) as journal:
        journal.write(wire.Woken(), 1001.0)
        journal.write_batch((wire.Woken(), note), 1001.5)
    assert [entry.message for entry in read_journal(path).entries] == [wire.Woken(), wire.Woken(), note]
    assert [entry.now_s for entry in read_journal(path).entries] == [1001.0, 1001.5, 1001.5]


def test_a_run_lasts_a_second_at_most_and_is_of_one_source(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path) as journal:
        for tenth in range(25):
            journal.write(wire.Woken(), 1001.0 + tenth * 0.125)
        journal.write(pulse(1_005_000_000_000, "daw"), 1005.0)
        journal.write(pulse(1_005_000_000_000, "drum machine"), 1005.125)
    assert [(len(line["run"]), line["source"]) for line in lines_of(path)] == [
        *((9, None), (9, None), (7, None), (1, "daw"), (1, "drum machine"))
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


def test_a_minute_of_clock_is_some_fifty_kilobytes(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path) as journal:
        for number in range(48 * 60):
            at_ns = 45_700_708_890_477 + number * 20_833_333 + (number * 7919) % 300_000
            journal.write(pulse(at_ns), (at_ns + 180_000 + (number * 104_729) % 90_000) / 1e9)
    assert 40_000 < path.stat().st_size < 65_000


# --- the disk -------------------------------------------------------------------------------------


def test_what_was_written_is_with_the_operating_system_after_a_flush(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path) as journal:
        for number in itertools.chain.from_iterable(itertools.repeat((1, 3), 2)):
            before = len(lines_of(path))
            journal.write_batch([sounded(0, i, 60 + i, 1001.0) for i in range(number)], 1001.0)
            assert journal.flush(WITHIN_S)
            assert len(lines_of(path)) == before + number


def test_what_comes_after_a_pause_is_written_at_once_and_the_end_waits_for_nothing(tmp_path: Path) -> None:
    disk = FakeDisk()
    with make_writer(tmp_path / "a.jsonl", open_file=disk, pace=Pace(gather_s=1000.0)) as journal:
        assert disk.asked.acquire(timeout=WITHIN_S)
        journal.write(NOTE, 1001.0)
        assert disk.asked.acquire(timeout=WITHIN_S)
        for _ in range(5):
            journal.write(NOTE, 1001.0)  # these are gathered
    assert disk.asked.acquire(blocking=False)
    assert len(disk.read(tmp_path / "back.jsonl").entries) == 6


def test_writing_never_waits_for_a_disk_that_hangs(tmp_path: Path) -> None:
    disk, said, clock_s = FakeDisk(), list[str](), [0.0]

    def clock() -> float:
        return clock_s[0]

    to = {"open_file": disk, "clock": clock, "wall": clock, "on_trouble": said.append}
    with make_writer(tmp_path / "a.jsonl", **to) as journal:
        assert disk.asked.acquire(timeout=WITHIN_S)
        disk.answers.clear()
        journal.write(NOTE, 1001.0)
        assert disk.asked.acquire(timeout=WITHIN_S)
        for number in range(1000):
            journal.write(played(0xB0, 7, number % 128, at_s=1001.0), 1001.0)
        assert not journal.flush(0.0)
        assert said == []
        clock_s[0] += 3.5
        journal.write(NOTE, 1002.0)
        journal.write(NOTE, 1002.0)
        answer = f"The disk of {tmp_path} does not answer: what you play waits in memory until it does."
        assert said == [answer]
        disk.answers.set()
        assert journal.flush(WITHIN_S)
    assert (said, journal.lost) == ([answer], 0)
    back = disk.read(tmp_path / "back.jsonl")
    assert (len(back.entries), back.closed, back.problems) == (1003, True, ())


def test_an_exit_does_not_wait_for_a_disk_that_hangs(tmp_path: Path) -> None:
    disk, said = FakeDisk(), list[str]()
    pace = Pace(gather_s=0.0, end_within_s=0.01)
    with make_writer(tmp_path / "a.jsonl", open_file=disk, on_trouble=said.append, pace=pace) as journal:
        assert disk.asked.acquire(timeout=WITHIN_S)
        disk.answers.clear()
        journal.write(NOTE, 1001.0)
    missing = f"The disk of {tmp_path} does not answer: the end of what you played may be missing there."
    assert said == [missing]
    disk.answers.set()


def test_more_than_may_wait_is_left_out_and_the_journal_says_where(tmp_path: Path) -> None:
    disk, said = FakeDisk(), list[str]()
    pace = Pace(gather_s=0.0, most_waiting=3)
    with make_writer(tmp_path / "a.jsonl", open_file=disk, pace=pace, on_trouble=said.append) as journal:
        disk.answers.clear()
        for second in range(1, 9):
            journal.write(played(0xB0, 64, second, at_s=0.0), START_S + second)
        assert journal.lost == 5
        disk.answers.set()
        assert journal.flush(WITHIN_S)
        journal.write(NOTE, START_S + 60)
    assert said == [f"5 messages of what you played could not be written to {tmp_path / 'a.jsonl'}."]
    path = tmp_path / "back.jsonl"
    back = disk.read(path)
    assert [entry.message.data[2] for entry in back.entries if isinstance(entry.message, wire.Played)] == [
        *(1, 2, 3, 64)
    ]
    assert [(entry.message, entry.now_s) for entry in back.entries if isinstance(entry.message, Gap)] == [
        (Gap(5, START_S + 4), START_S + 8)
    ]
    assert back.problems == (
        f"5 messages could not be written to {path} while you played (from 0:04 to 0:08).",
    )


def test_on_a_full_disk_all_waits_until_there_is_room_and_one_sentence_says_so(tmp_path: Path) -> None:
    disk, said = FakeDisk(), list[str]()
    with make_writer(tmp_path / "a.jsonl", open_file=disk, pace=QUICK, on_trouble=said.append) as journal:
        journal.write(NOTE, 1001.0)
        assert journal.flush(WITHIN_S)
        disk.room = len(disk.content) + 10
        for tick in range(5):
            journal.write(played(0xB0, 64, tick, at_s=1000.2), 1002.0 + tick)
            assert disk.refused.acquire(timeout=WITHIN_S)
        journal.write(NOTE, 1008.0)
        full = f"The disk of {tmp_path} is full: make room on it, or what you play from now on is not kept."
        assert said == [full]
        cut = disk.read(tmp_path / "cut.jsonl")
        assert ([entry.message for entry in cut.entries], cut.torn, cut.problems) == ([NOTE], True, ())
        disk.room = None
        assert journal.flush(WITHIN_S)
    assert (said, journal.lost) == ([full], 0)
    back = disk.read(tmp_path / "back.jsonl")
    assert (len(back.entries), back.problems, back.torn) == (7, (), False)


def test_a_disk_that_is_full_once_more_is_said_once_more(tmp_path: Path) -> None:
    disk, said, clock_s = FakeDisk(), list[str](), [0.0]
    with make_writer(
        tmp_path / "a.jsonl", open_file=disk, pace=QUICK, on_trouble=said.append, clock=lambda: clock_s[0]
    ) as journal:
        for at_s, count in ((0.0, 1), (59.0, 1), (118.0, 1), (179.0, 2)):
            clock_s[0] = at_s
            while disk.refused.acquire(blocking=False):
                pass  # of the time before
            disk.is_full()
            journal.write(NOTE, 1001.0 + at_s)
            for _ in range(2):  # the trouble of the first is told before the second
                assert disk.refused.acquire(timeout=WITHIN_S)
            journal.write_batch((), 1001.0 + at_s)
            assert len(said) == count
            disk.room = None
            assert journal.flush(WITHIN_S)
    assert len(set(said)) == 1


def test_what_a_disk_that_stays_full_has_no_room_for_is_said_at_the_end(tmp_path: Path) -> None:
    disk, said, path = FakeDisk(), list[str](), tmp_path / "a.jsonl"
    with make_writer(path, open_file=disk, pace=QUICK, on_trouble=said.append) as journal:
        journal.write(NOTE, 1001.0)
        assert journal.flush(WITHIN_S)
        disk.is_full()
        for tick in range(5):
            journal.write(played(0xB0, 64, tick, at_s=1000.2), 1002.0 + tick)
        assert disk.refused.acquire(timeout=WITHIN_S)
    assert said == [
        f"The disk of {tmp_path} is full: make room on it, or what you play from now on is not kept.",
        f"5 messages of what you played could not be written to {path}.",
    ]
    assert (journal.lost, disk.closed) == (5, True)
    back = disk.read(tmp_path / "back.jsonl")
    assert [entry.message for entry in back.entries] == [NOTE]
    assert (
        back.cut_short == f"{back.path} ends at 0:01, where improv was stopped; what came after is not known."
    )


def test_a_line_cut_off_by_a_full_disk_is_gone_on_with(tmp_path: Path) -> None:
    path, notes = tmp_path / "a.jsonl", [played(0x90, 60 + i, 64, at_s=1000.0) for i in range(3)]
    with make_writer(path, settings={"padding": "x" * 60_000}, pace=QUICK) as journal:
        room = path.stat().st_size + 100
        with largest_file(room):
            journal.write_batch(notes, 1000.0)
            assert not journal.flush(0.05)
        assert journal.flush(WITHIN_S)
    back = read_journal(path)
    assert [entry.message for entry in back.entries] == notes
    assert (back.lost, back.damaged, back.torn, journal.lost) == (0, 0, False, 0)


class FussyDisk(FakeDisk):
    """Takes so many bytes at each write after the first, none where it is 0; when they are used up, all."""

    def __init__(self, takes: list[int]) -> None:
        super().__init__()
        self._takes = [None, *takes]

    def write(self, data: bytes) -> int:
        taken = self._takes.pop(0) if self._takes else None
        self.room = None if taken is None else len(self.content) + taken
        return super().write(data)


@settings(max_examples=40, deadline=None)
@given(takes=st.lists(st.integers(0, 90), max_size=30))
def test_whatever_a_disk_takes_at_a_time_the_journal_is_whole(
    tmp_path_factory: pytest.TempPathFactory, takes: list[int]
) -> None:
    folder, disk = tmp_path_factory.mktemp("journal"), FussyDisk(takes)
    told = [pulse(1_000_000_000_000 + number) if number % 3 else NOTE for number in range(12)]
    with make_writer(folder / "a.jsonl", open_file=disk, pace=QUICK) as journal:
        for message in told:
            journal.write(message, 1001.0)
        assert journal.flush(WITHIN_S)
    back = disk.read(folder / "back.jsonl")
    assert [entry.message for entry in back.entries] == told
    assert (back.damaged, back.torn, journal.lost) == (0, False, 0)


def test_a_disk_that_fails_is_one_sentence_and_tried_again(tmp_path: Path) -> None:
    disk, said, path = FakeDisk(), list[str](), tmp_path / "a.jsonl"
    with make_writer(path, open_file=disk, pace=QUICK, on_trouble=said.append) as journal:
        disk.failure = OSError(5, "Input/output error")
        for _ in range(3):
            journal.write(NOTE, 1001.0)
            assert disk.refused.acquire(timeout=WITHIN_S)
        disk.failure = None
        assert journal.flush(WITHIN_S)
    assert said == [FAILS.format(path)]
    assert len(disk.read(tmp_path / "back.jsonl").entries) == 3


def test_a_sync_that_fails_is_one_sentence(tmp_path: Path) -> None:
    disk, said, path = FakeDisk(), list[str](), tmp_path / "a.jsonl"
    disk.sync_failure = OSError(5, "Input/output error")
    with make_writer(path, open_file=disk, on_trouble=said.append) as journal:
        journal.write(NOTE, 1001.0)
    assert said == [FAILS.format(path)]


def test_everything_is_synced_at_the_end(tmp_path: Path) -> None:
    disk = FakeDisk()
    with make_writer(tmp_path / "a.jsonl", open_file=disk) as journal:
        assert disk.has_synced.acquire(timeout=WITHIN_S)
        journal.write(NOTE, 1001.0)
    assert disk.synced[0] <= disk.synced[-1] == len(disk.content)
    assert disk.closed


def test_what_is_written_is_synced_while_the_music_goes_on(tmp_path: Path) -> None:
    disk, pace = FakeDisk(), Pace(gather_s=0.0, sync_every_s=0.0)
    with make_writer(tmp_path / "a.jsonl", open_file=disk, pace=pace) as journal:
        for number in range(3):
            journal.write(NOTE, 1001.0 + number)
            assert journal.flush(WITHIN_S)
            while not disk.synced or disk.synced[-1] < len(disk.content):
                assert disk.has_synced.acquire(timeout=WITHIN_S)


def test_a_removed_journal_is_one_sentence_and_playing_goes_on(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "sessions" / "a.jsonl"
    path.parent.mkdir()
    with make_writer(path, on_trouble=said.append, pace=Pace(sync_every_s=0.001, gather_s=0.0)) as journal:
        path.unlink()
        path.parent.rmdir()
        for second in itertools.count():
            journal.write(NOTE, START_S + second)
            assert journal.flush(WITHIN_S)
            if said:
                break
        lost = journal.lost
        journal.write(NOTE, START_S)
        assert journal.flush(WITHIN_S)
        assert journal.lost == lost + 1
    assert said == [f"{path} was removed while you play: what you play from now on is not kept."]


def test_a_bug_is_said_and_holds_nobody_up(tmp_path: Path) -> None:
    said, wall_s = list[str](), [0.0]

    def wall() -> float:
        return wall_s[0] / wall_s[0] if wall_s[0] else 0.0

    path = tmp_path / "a.jsonl"
    with make_writer(path, on_trouble=said.append, wall=wall) as journal:
        journal.write(NOTE, 1001.0)
        assert journal.flush(WITHIN_S)
        wall_s[0] = float("inf")
        journal.write(NOTE, 1002.0)
    assert said == [
        f"{path} is not written any more (ValueError('cannot convert float NaN to integer')): what you play "
        "is not kept."
    ]
    assert len(read_journal(path).entries) == 1


def test_a_slow_disk_is_given_much_at_once(tmp_path: Path) -> None:
    disk = FakeDisk()
    with make_writer(tmp_path / "a.jsonl", open_file=disk) as journal:
        assert disk.asked.acquire(timeout=WITHIN_S)
        disk.answers.clear()
        journal.write(NOTE, 1001.0)
        assert disk.asked.acquire(timeout=WITHIN_S)
        for number in range(900):
            journal.write(NOTE, 1001.0 + number)
        disk.answers.set()
        assert disk.asked.acquire(timeout=WITHIN_S)
        assert journal.flush(WITHIN_S)
        assert not disk.asked.acquire(blocking=False)


# --- beginning and end ------------------------------------------------------------------------------


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
        assert is_being_written(path)  # asking does no harm
    assert not is_being_written(path)
    assert not is_being_written(tmp_path / "none.jsonl")


def test_journal_keeps_the_order_of_a_flood(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with make_writer(path) as journal:
        for number in range(5000):
            journal.write(played(0xB0, 1, number % 128, at_s=float(number)), START_S + number)
    entries = read_journal(path).entries
    assert [entry.now_s for entry in entries] == [START_S + number for number in range(5000)]


def test_no_thread_is_left_when_a_journal_is_closed(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with make_writer(tmp_path / "a.jsonl") as journal:
        journal.write(NOTE, 1001.0)
        assert {thread.name for thread in set(threading.enumerate()) - before} == {"journal", "journal-sync"}
    assert set(threading.enumerate()) <= before
