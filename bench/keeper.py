"""What making a session's sound while it is played costs, and whether notes are later for it.

    python -m bench.keeper [--notes 4000] [--audio mp3 wav] [--rounds 2] [--jack]

The stage plays notes 5 to 20 ms apart, and a journal is written of them; a keeper follows it, or does not.
Lateness is what the stage itself acknowledges, with real-time priority where that is allowed and without.
With --jack (a JACK server must be running) notes go out on JACK ports.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from bench.tables import load_average, milliseconds, print_table
from improv_daemon.journal import JournalWriter
from improv_daemon.keeper import KeepOptions, Kept
from improv_daemon.keeper.link import KeeperLink
from improv_daemon.sessions import SessionFolder
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage_link import StageLink
from improv_daemon.wire import PlayNote, Sounded

AHEAD_S = 0.25
LENGTH_S = 0.4
GAPS_S = (0.005, 0.02)
BEGINS_WITHIN_S = 3.0
"""So long a keeper takes to load its instrument, which is measured apart."""

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_mib(pid: int) -> float:
    line = next(
        one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmHWM")
    )
    return int(line.split()[1]) / 1024


@contextmanager
def priority(realtime: bool) -> Iterator[None]:
    os.environ.pop("IMPROV_NO_REALTIME", None)
    if not realtime:
        os.environ["IMPROV_NO_REALTIME"] = "1"
    try:
        yield
    finally:
        os.environ.pop("IMPROV_NO_REALTIME", None)


async def played(stage: StageLink, journal: JournalWriter, notes: int) -> list[float]:
    """How late each note was handed to the ports."""
    dice, onset_s = random.Random(0), time.monotonic() + 0.5
    late_s: list[float] = []

    async def plan() -> None:
        nonlocal onset_s
        for index in range(notes):
            onset_s += dice.uniform(*GAPS_S)
            await asyncio.sleep(max(0.0, onset_s - AHEAD_S - time.monotonic()))
            stage.send(PlayNote(1, index, 21 + index % 88, 40 + index % 80, onset_s, onset_s + LENGTH_S))

    planning = asyncio.create_task(plan())
    async for event in stage.events():
        journal.write(event, time.monotonic())
        if isinstance(event, Sounded):
            late_s.append(event.late_s)
            if len(late_s) == notes:
                break
    await planning
    return late_s


async def measure(notes: int, audio: str, realtime: bool, jack: bool) -> tuple[object, ...]:
    with tempfile.TemporaryDirectory() as place, priority(realtime):
        folder, keeper = SessionFolder(Path(place)), None
        config = StageConfig(api="jack" if jack else "none", sound="off")
        about = {"model": "default", "seed": 1, "settings": {}, "now_s": time.monotonic()}
        async with StageLink(config) as stage:
            with JournalWriter(folder.journal, started_at=datetime.now().astimezone(), **about) as journal:
                if audio:
                    keeper = KeeperLink(folder, KeepOptions(audio=audio))
                await asyncio.sleep(BEGINS_WITHIN_S)
                begun = cpu_s(keeper.pid) if keeper else 0.0
                begun_s = time.monotonic()
                late_s = await played(stage, journal, notes)
                length_s = time.monotonic() - begun_s
                used = (cpu_s(keeper.pid) - begun) / length_s if keeper else 0.0
                memory = peak_mib(keeper.pid) if keeper else 0.0
        ended_s = time.monotonic()
        if keeper is not None and not isinstance(kept := keeper.finish(), Kept):
            raise SystemExit(f"the keeper made nothing: {kept}")
        finished_s = time.monotonic() - ended_s
    what = f"{audio} is made meanwhile" if audio else "nothing is made"
    row = ("with real-time priority" if realtime else "without", what, len(late_s), *milliseconds(late_s))
    if keeper is None:
        return (*row, "", "", "", "", load_average())
    costs = (
        f"{100 * begun / BEGINS_WITHIN_S:.0f}",
        f"{100 * used:.1f}",
        f"{memory:.0f}",
        f"{finished_s:.2f}",
    )
    return (*row, *costs, load_average())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--notes", type=int, default=4000)
    parser.add_argument("--audio", nargs="+", default=["mp3"])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--jack", action="store_true")
    arguments = parser.parse_args()
    rows = [
        asyncio.run(measure(arguments.notes, audio, realtime, arguments.jack))
        for realtime in (True, False)
        for _ in range(arguments.rounds)
        for audio in ("", *arguments.audio)
    ]
    head = ("lateness of notes", "sound", "notes", "p50 ms", "p99 ms", "max ms")
    costs = ("its start, % of a core", "while playing, %", "memory MiB", "finished within s", "load average")
    print_table((*head, *costs), rows)


if __name__ == "__main__":
    main()
