"""The journal: what it costs who plays, what a killed process loses, and disks that fill, hang and err.

    python -m bench.journal [--kills N] [--seconds N] [--damaged N] [--folder FOLDER]

Costs are those of the call in the event loop. Lateness is that of an asyncio loop with a deadline every 5 ms,
beside a journal of 300 events a second in the same process. A full disk is a tmpfs of 4 MiB that others
fill (only root may mount one: left out for others); a hanging one is a pipe that nobody reads, so that the
write does not return. Killed processes keep some 300 events a second and compute for up to 2 ms after each.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import json
import os
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import numpy as np

from bench.journal_damage import a_journal, batches, cut, flip, kill_one, writer
from bench.tables import load_average, milliseconds, print_table
from improv_daemon import wire
from improv_daemon.journal import DiskFile, JournalWriter, Keeper, Pace, RecentJournal, read_journal

_EVENTS_A_SECOND = 300.0
_DEADLINE_EVERY_S = 0.005
_ROUNDS = 5
_SMALL_BYTES = 4 << 20

Measure = Callable[[str, JournalWriter | None, Callable[[float], None]], None]
"""Measures lateness beside a journal; what it is to do meanwhile is told which share of the time is over."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement of lateness")
    parser.add_argument(
        "--damaged", type=int, default=500, help="journals that are cut, and that are flipped"
    )
    parser.add_argument("--folder", type=Path, help="where to write, on the disk that is to be measured")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as made:
        folder = Path(made)
        killed(folder, arguments.kills)  # first: it forks, and no thread must run then
        costs(folder, arguments.seconds / 4)
        beside_a_loop(folder, arguments.seconds)
        power_cut(folder, arguments.seconds)
        damaged(folder, arguments.damaged)
        reading(folder, arguments.seconds * 360)


# --- killed ---------------------------------------------------------------------------------------


def killed(folder: Path, times: int) -> None:
    chance = random.Random(7)
    ones = [kill_one(folder, seed, chance.uniform(0.05, 0.6)) for seed in range(times)]
    lost_s = np.asarray([one.lost_s for one in ones])
    print(f"**SIGKILL at {times} random moments** (load average {load_average()})\n")
    print_table(
        ["killed", "lost nothing", "lost p50 / p99 / max, ms", "most messages lost", "not sound"],
        [
            [
                times,
                int((lost_s == 0).sum()),
                " / ".join(f"{1e3 * value:.1f}" for value in np.percentile(lost_s, [50, 99, 100])),
                max(one.lost for one in ones),
                sum(not one.is_sound for one in ones),
            ]
        ],
    )


# --- costs ----------------------------------------------------------------------------------------


class AtOnce:
    """Writes each line where it is called, as a comparison."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, message: wire.Message, now_s: float) -> None:
        self.write_batch((message,), now_s)

    def write_batch(self, messages: tuple[wire.Message, ...], now_s: float) -> None:
        lines = [json.dumps(wire.to_fields(one) | {"now_s": now_s}) + "\n" for one in messages]
        os.write(self._fd, "".join(lines).encode())


def costs(folder: Path, seconds: float) -> None:
    about = {"model": "m", "seed": 1, "settings": {}, "now_s": time.monotonic()}
    recent = RecentJournal(600.0, started_at=datetime.now().astimezone(), **about)  # type: ignore[arg-type]
    rows = [["each line written at once", *_costs(AtOnce(folder / "at once"), seconds)]]
    with writer(folder / "cost.jsonl") as journal:
        rows.append(["journal", *_costs(journal, seconds)])
    with recent:
        rows.append(["last ten minutes in memory", *_costs(recent, seconds)])
    print(f"**Cost in the event loop, 300 events a second** (load average {load_average()})\n")
    print_table(["kept by", "p50, us", "p99, us", "max, us"], rows)


def _costs(keeper: Keeper | AtOnce, seconds: float) -> list[str]:
    taken_s, chance = [], random.Random(1)
    source = batches(chance)
    for _ in range(round(seconds * _EVENTS_A_SECOND)):
        messages = next(source)
        begun_s = time.perf_counter()
        keeper.write_batch(messages, begun_s)
        taken_s.append(time.perf_counter() - begun_s)
        time.sleep(chance.expovariate(_EVENTS_A_SECOND))
    return [f"{1e6 * value:.1f}" for value in np.percentile(taken_s, [50, 99, 100])]


# --- beside a loop --------------------------------------------------------------------------------


def beside_a_loop(folder: Path, seconds: float) -> None:
    late_s: dict[str, list[float]] = {}
    told: list[str] = []

    def measure(name: str, journal: JournalWriter | None, during: Callable[[float], None]) -> None:
        late_s.setdefault(name, []).extend(asyncio.run(_lateness(journal, seconds / _ROUNDS, during)))

    print(f"**Lateness of an asyncio loop beside the journal** (load average {load_average()})\n")
    for number in range(_ROUNDS):  # in turn, so that what else the machine does falls on all of them
        here = folder / f"round {number}"
        here.mkdir()
        measure("no journal", None, lambda share: None)
        with writer(here / "beside.jsonl") as journal:
            measure("journal", journal, lambda share: None)
        with _small_disk(here) as small:
            if small is None:
                told = ["a full disk is left out: only root may mount one"]
            else:
                told = _on_a_full_disk(small, measure, "its disk is full for a while", 0.8)
                told += _on_a_full_disk(small, measure, "its disk is full to the end", 2.0)
        told += _on_a_hanging_disk(here, measure)
    print_table(
        ["", "p50, ms", "p99, ms", "max, ms"], [[name, *milliseconds(s)] for name, s in late_s.items()]
    )
    print("\n".join(f"- {one}" for one in told) + "\n")


def _on_a_full_disk(small: Path, measure: Measure, name: str, until_share: float) -> list[str]:
    """Others fill the disk after a fifth of the time, until then."""
    said: list[str] = []
    path, other = small / f"{until_share}.jsonl", small / "of others"
    filling = threading.Event()

    def fill(share: float) -> None:
        if 0.2 < share < until_share and not filling.is_set():
            filling.set()
            threading.Thread(target=_fill, args=(other,)).start()
        elif share >= until_share:
            other.unlink(missing_ok=True)

    with writer(path, on_trouble=said.append) as journal:
        measure(name, journal, fill)
    other.unlink(missing_ok=True)
    back = read_journal(path)
    return [
        f"{name}, said: {' | '.join(_short(one, small) for one in said)}",
        f"{name}: {len(back.entries)} records read, {back.damaged} lines damaged, {journal.lost} lost",
    ]


def _fill(other: Path) -> None:
    with contextlib.suppress(OSError):
        other.write_bytes(bytes(2 * _SMALL_BYTES))


def _on_a_hanging_disk(folder: Path, measure: Measure) -> list[str]:
    said: list[str] = []
    pace = Pace(slow_after_s=0.5, end_within_s=0.5)
    with writer(folder / "hung", on_trouble=said.append, pace=pace, open_file=PipeFile) as journal:
        measure("its disk hangs", journal, lambda share: None)
        begun_s = time.monotonic()
    ended_s = time.monotonic() - begun_s
    return [
        f"hanging disk, said: {' | '.join(_short(one, folder) for one in said)}",
        f"hanging disk: the end took {ended_s:.1f} s of the 0.5 it may",
    ]


def _short(sentence: str, folder: Path) -> str:
    return sentence.replace(str(folder), "FOLDER")


class PipeFile(DiskFile):
    """A file that takes a page; then writing to it does not return."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._out, self._in = os.pipe()
        with contextlib.suppress(OSError, AttributeError):
            fcntl.fcntl(self._in, fcntl.F_SETPIPE_SZ, 4096)

    def write(self, data: bytes) -> int:
        return os.write(self._in, data)


async def _lateness(
    journal: JournalWriter | None, seconds: float, during: Callable[[float], None]
) -> list[float]:
    loop = asyncio.get_running_loop()
    late_s: list[float] = []
    begun_s = loop.time()

    async def keep() -> None:
        chance = random.Random(1)
        source = batches(chance)
        while True:
            if journal is not None:
                journal.write_batch(next(source), loop.time())
            await asyncio.sleep(chance.expovariate(_EVENTS_A_SECOND))

    keeping = asyncio.create_task(keep())
    due_s = begun_s
    while due_s < begun_s + seconds:
        due_s += _DEADLINE_EVERY_S
        await asyncio.sleep(due_s - loop.time())
        late_s.append(loop.time() - due_s)
        during((due_s - begun_s) / seconds)
    keeping.cancel()
    return late_s


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[Path | None]:
    """A small tmpfs; None where that is not allowed."""
    small = folder / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SMALL_BYTES}", "tmpfs", str(small)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield small
    finally:
        subprocess.run(["umount", str(small)], check=False)


# --- the rest -------------------------------------------------------------------------------------


class TimedFile(DiskFile):
    """Notes how old the oldest byte that is not on the disk was when it came there."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.ages_s: list[float] = []
        self._oldest_s: float | None = None

    def write(self, data: bytes) -> int:
        self._oldest_s = time.monotonic() if self._oldest_s is None else self._oldest_s
        return super().write(data)

    def sync(self) -> None:
        oldest_s, self._oldest_s = self._oldest_s, None
        super().sync()
        if oldest_s is not None:
            self.ages_s.append(time.monotonic() - oldest_s)


def power_cut(folder: Path, seconds: float) -> None:
    path = folder / "synced.jsonl"
    file: list[TimedFile] = []

    def opened(path: Path) -> TimedFile:
        file.append(TimedFile(path))
        return file[0]

    with writer(path, open_file=opened) as journal:
        asyncio.run(_lateness(journal, seconds, lambda share: None))
    print(f"**From writing to the disk itself** (load average {load_average()})\n")
    print_table(
        ["syncs", "p50, ms", "p99, ms", "max, ms"], [[len(file[0].ages_s), *milliseconds(file[0].ages_s)]]
    )


def damaged(folder: Path, times: int) -> None:
    path = folder / "whole.jsonl"
    lines = a_journal(path, seconds=2.0)
    rows = []
    for name, damage in (("cut anywhere", cut), ("1 to 20 bits flipped", flip)):
        found = damage(path, lines, times)
        rows.append(
            [name, *(found.journals, found.whole, found.missing, found.invented, found.unsaid, found.unread)]
        )
    print("**Damaged journals**\n")
    headers = [
        "",
        "journals",
        "whole records",
        "missing of these",
        "invented",
        "loss not said",
        "not readable",
    ]
    print_table(headers, rows)


def reading(folder: Path, seconds: float) -> None:
    path = folder / "long.jsonl"
    a_journal_of(path, seconds)
    begun_s = time.perf_counter()
    journal = read_journal(path)
    taken_s = time.perf_counter() - begun_s
    print("**Reading**\n")
    size = f"{path.stat().st_size / 1e6:.1f}"
    headers = ["hours", "records", "MB", "read in, s"]
    print_table(headers, [[f"{seconds / 3600:.1f}", len(journal.entries), size, f"{taken_s:.1f}"]])


def a_journal_of(path: Path, seconds: float) -> None:
    """Pulses at 120 beats a minute, and eight notes a second."""
    from_s = round(time.monotonic())
    with writer(path, pace=Pace(most_waiting=10**9, end_within_s=600.0)) as journal:
        for number in range(round(seconds * 48)):
            now_ns = from_s * 10**9 + number * 20_833_333
            now_s = now_ns / 1e9
            journal.write(wire.Played((0xF8,), (now_ns - 150_000) / 1e9, "daw"), now_s)
            if number % 12 == 0:
                journal.write(wire.Played((0x90, 60, 70), now_s, "keys"), now_s)
                journal.write_batch((wire.Woken(), wire.PlayNote(1, 0, 60, 70, now_s, now_s)), now_s)


if __name__ == "__main__":
    main()
