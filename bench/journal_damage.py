"""Journals of processes that are killed, and journals that are cut and whose bits flip; for bench.journal."""

from __future__ import annotations

import asyncio
import mmap
import os
import random
import signal
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from improv_core.errors import StorageError
from improv_daemon import wire
from improv_daemon.journal import Entry, JournalWriter, read_journal

_MOST_EVENTS = 4000
_EVENTS_A_SECOND = 300.0


def writer(path: Path, **others: object) -> JournalWriter:
    """A journal that begins now."""
    return JournalWriter(
        path,
        model="default",
        seed=1,
        settings={},
        started_at=datetime.now().astimezone(),
        now_s=time.monotonic(),
        **others,  # type: ignore[arg-type]
    )


def batches(chance: random.Random) -> Iterator[tuple[wire.Message, ...]]:
    """What a sitting with a MIDI clock has its journal keep, without end; times are those of the call."""
    turn = 0
    while True:
        now_s = time.monotonic()
        pitch = chance.randrange(30, 90)
        what = chance.random()
        if what < 0.4:
            yield (wire.Played((0xF8,), now_s, "daw"),)
        elif what < 0.6:
            yield (wire.Woken(),)
        elif what < 0.8:
            yield (wire.Played((0x90, pitch, 70), now_s, "keys"), wire.CancelTurn(turn))
        else:
            turn += 1
            yield wire.Woken(), wire.PlayNote(turn, 0, pitch, 70, now_s + 0.1, now_s + 0.4)


# --- killed ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Killed:
    """What a killed process left.

    Attributes:
        lost_s: From the first message that is not there to the moment of the kill; 0 when all are.
        lost: Messages that are not there.
        is_sound: Whether all before them is there, in order, and the journal reads without problems.
    """

    lost_s: float
    lost: int
    is_sound: bool


def kill_one(folder: Path, seed: int, after_s: float) -> Killed:
    """Fork a process that keeps a journal while it computes, kill it after a while, and look."""
    path = folder / f"{seed}.jsonl"
    given = mmap.mmap(-1, 8 * (1 + _MOST_EVENTS * 2))  # shared: it outlives the process
    child = os.fork()
    if not child:
        try:
            asyncio.run(_play(path, given, seed))
        finally:
            os._exit(1)
    time.sleep(after_s)
    killed_s = time.monotonic()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    (count,) = struct.unpack_from("q", given, 0)
    times_s = struct.unpack_from(f"{count}d", given, 8)
    if not path.exists() or not count:
        return Killed(0.0, 0, is_sound=True)
    journal = read_journal(path)
    kept_s = tuple(entry.now_s for entry in journal.entries)
    is_sound = kept_s[:count] == times_s[: len(kept_s)] and not journal.problems
    lost = max(0, count - len(kept_s))
    path.unlink()
    return Killed(killed_s - times_s[len(kept_s)] if lost else 0.0, lost, is_sound)


async def _play(path: Path, given: mmap.mmap, seed: int) -> None:
    """Keep events, and compute for up to 2 ms after each as the mind does."""
    chance, count = random.Random(seed), 0
    with writer(path) as journal:
        for messages in batches(chance):
            now_s = time.monotonic()
            for _ in messages:
                struct.pack_into("d", given, 8 + 8 * count, now_s)
                count += 1
            struct.pack_into("q", given, 0, count)
            journal.write_batch(messages, now_s)
            until_s = now_s + chance.uniform(0.0, 0.002)
            while time.monotonic() < until_s:
                pass
            await asyncio.sleep(chance.expovariate(_EVENTS_A_SECOND))


# --- damaged --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Damage:
    """What became of damaged journals.

    Attributes:
        journals: How many.
        whole: Records that the damage did not touch, in all of them.
        missing: Of these, such that were not read.
        invented: Records that were read and never written.
        unsaid: Journals of which records are missing and that do not say so.
        unread: Journals of which nothing could be read.
    """

    journals: int
    whole: int
    missing: int
    invented: int
    unsaid: int
    unread: int


def a_journal(path: Path, seconds: float) -> list[list[Entry]]:
    """Write a journal; returns the records of each of its lines."""
    chance = random.Random(1)
    source, from_s = batches(chance), time.monotonic()
    with writer(path) as journal:
        for number in range(round(seconds * _EVENTS_A_SECOND)):
            journal.write_batch(next(source), from_s + number / _EVENTS_A_SECOND)
    entries = iter(read_journal(path).entries)
    return [
        [next(entries) for _ in range(_records(line))] for line in path.read_bytes().splitlines(keepends=True)
    ]


def _records(line: bytes) -> int:
    if b'"run":[' in line:
        return line.count(b"],[") + 1
    return 0 if b'"closed_at":' in line or b'"improv_journal":' in line else 1


def cut(path: Path, lines: list[list[Entry]], times: int) -> Damage:
    """Journals that end anywhere."""
    content, chance = path.read_bytes(), random.Random(2)
    ends = _ends(content)
    sizes = [chance.randrange(ends[0], len(content)) for _ in range(times)]
    return _sum(
        _looked_at(path, content[:size], [lines[n] for n, end in enumerate(ends) if end <= size], lines)
        for size in sizes
    )


def flip(path: Path, lines: list[list[Entry]], times: int) -> Damage:
    """Journals with one to twenty bits flipped anywhere, the first line included."""
    content, chance = path.read_bytes(), random.Random(3)
    ends = _ends(content)

    def one() -> Damage:
        flipped = bytearray(content)
        places = [chance.randrange(len(content)) for _ in range(chance.randrange(1, 21))]
        for place in places:
            flipped[place] ^= 1 << chance.randrange(8)
        whole, begin = list[list[Entry]](), 0
        for number, end in enumerate(ends):
            if not any(begin <= place < end for place in places):
                whole.append(lines[number])
            begin = end
        return _looked_at(path, bytes(flipped), whole, lines)

    return _sum(one() for _ in range(times))


def _ends(content: bytes) -> list[int]:
    ends, end = [], 0
    for line in content.splitlines(keepends=True):
        end += len(line)
        ends.append(end)
    return ends


def _looked_at(path: Path, content: bytes, whole: list[list[Entry]], all_of_it: list[list[Entry]]) -> Damage:
    damaged = path.with_suffix(".damaged")
    damaged.write_bytes(content)
    expected = [entry for records in whole for entry in records]
    try:
        journal = read_journal(damaged)
    except StorageError:
        return Damage(1, len(expected), len(expected), 0, 0, 1)
    written = [entry for records in all_of_it for entry in records]
    missing = len(expected) - _found(expected, journal.entries)
    invented = len(journal.entries) - _found(journal.entries, written)
    is_said = bool(journal.problems) or journal.cut_short is not None
    is_unsaid = len(journal.entries) < len(written) and not is_said
    return Damage(1, len(expected), missing, invented, int(is_unsaid), 0)


def _found(some: list[Entry] | tuple[Entry, ...], among: list[Entry] | tuple[Entry, ...]) -> int:
    """How many are there, in their order."""
    place = found = 0
    for entry in some:
        try:
            place = among.index(entry, place) + 1
        except ValueError:
            continue
        found += 1
    return found


def _sum(ones: Iterator[Damage]) -> Damage:
    several = list(ones)
    names = Damage.__slots__
    return Damage(*(sum(getattr(one, name) for one in several) for name in names))


if __name__ == "__main__":
    sys.exit("See python -m bench.journal.")
