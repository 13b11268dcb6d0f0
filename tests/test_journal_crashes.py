"""A process that is killed while it writes leaves a journal with all that had reached the system."""

from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import sys

import pytest
from journals import WITHIN_S

from improv_daemon import wire
from improv_daemon.journal import Journal, is_being_written, read_journal

CRASHES = 20

WRITE = """
import mmap, os, struct, sys
from journals import *

def write_on(path, told, enough):
    with make_writer(path, now_s=0.0, pace=None) as journal:
        for number in range(10**9):
            message = pulse(number) if number % 5 else played(0x90, number % 128, 1, at_s=number / 2)
            if number % 7:
                journal.write(message, number / 1024)
            else:
                journal.write_batch([message, wire.Woken()], number / 1024)
            if number == enough:
                os.write(1, b"enough\\n")
            if number % 64 == 63:
                journal.flush(WITHIN_S)
                told[:8] = struct.pack("q", number)  # a killed process leaves its memory to who shares it

folder = Path(sys.argv[1])
for line in sys.stdin:  # a fork for each: importing takes longer than all of it
    name, enough = line.split()
    with (folder / f"{name}.told").open("w+b") as file:
        file.write(bytes(8))
        file.flush()
        told = mmap.mmap(file.fileno(), 8)
    child = os.fork()
    if not child:
        write_on(folder / f"{name}.jsonl", told, int(enough))
    print(child, flush=True)
    sys.stdin.readline()
    os.waitpid(child, 0)
    print("dead", flush=True)
"""


def what_was_written(count: int) -> list[tuple[wire.Message, float]]:
    """So many messages, the first ones, as `WRITE` has them, and when."""
    told: list[tuple[wire.Message, float]] = []
    for number in range(count):
        pulse = wire.Played((0xF8,), number / 1e9, "daw")
        key = wire.Played((0x90, number % 128, 1), number / 2, "keys")
        told.append((pulse if number % 5 else key, number / 1024))
        if number % 7 == 0:
            told.append((wire.Woken(), number / 1024))
    return told[:count]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Journal, int]]:
    """Journals of killed processes, and how far each was told to be with the system."""
    folder, chance = tmp_path_factory.mktemp("killed"), random.Random(7)
    search = os.pathsep.join(entry for entry in sys.path if entry)
    found = []
    with subprocess.Popen(
        [sys.executable, "-c", WRITE, folder],
        env=os.environ | {"PYTHONPATH": search},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as forks:
        assert forks.stdin is not None
        assert forks.stdout is not None
        for number in range(CRASHES):
            forks.stdin.write(f"{number} {chance.randrange(64, 800)}\n")
            said = {forks.stdout.readline(), forks.stdout.readline()} - {"enough\n"}
            child, told = int(said.pop()), folder / f"{number}.told"
            assert is_being_written(folder / f"{number}.jsonl")
            os.kill(child, signal.SIGKILL)
            forks.stdin.write("killed\n")
            assert forks.stdout.readline() == "dead\n"
            sure = struct.unpack("q", told.read_bytes())[0]
            found.append((read_journal(folder / f"{number}.jsonl"), sure))
        forks.stdin.close()
        forks.wait(WITHIN_S)
    return found


def test_all_that_had_reached_the_system_is_there_and_nothing_else(left: list[tuple[Journal, int]]) -> None:
    assert len(left) == CRASHES
    for journal, sure in left:
        entries = [(entry.message, entry.now_s) for entry in journal.entries]
        assert entries == what_was_written(len(entries))
        assert entries[-1][1] >= sure / 1024


def test_it_is_known_that_the_end_is_missing_and_that_nobody_writes_any_more(
    left: list[tuple[Journal, int]],
) -> None:
    for journal, _ in left:
        assert (journal.closed, journal.problems) == (False, ())
        assert journal.cut_short is not None
        assert not is_being_written(journal.path)
