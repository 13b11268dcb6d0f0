"""How late the stage plays while the mind is busy.

    python -m bench.stage_lateness [--notes 2000] [--load none python numpy] [--jack]

Lateness is what the stage itself acknowledges: the moment a note-on is handed to the ports, less its
deadline. With --jack (a JACK server must be running) a second stage listens to the first one's output,
and the way through JACK is measured too: arrival at the listener's port, less the deadline.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager

import numpy as np

from bench.tables import load_average, milliseconds, print_table
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage_link import StageLink
from improv_daemon.wire import Event, Played, PlayNote, Sounded

LOOKAHEAD_S = 0.25
PITCHES = 88


def hog_python(stop: threading.Event) -> None:
    total = 0
    while not stop.is_set():
        for number in range(10_000):
            total += number * number


def hog_numpy(stop: threading.Event) -> None:
    """Two LSTM layers of 512 units, as fast as they go."""
    weights = np.random.default_rng(0).standard_normal((1024, 2048), dtype=np.float32)
    state = np.zeros(1024, dtype=np.float32)
    while not stop.is_set():
        state = np.tanh(np.tile((state @ weights)[:512], 2))


MINDS = {"none": "idle", "python": "a thread computes in Python", "numpy": "a thread computes in numpy"}
HOGS: dict[str, Callable[[threading.Event], None]] = {"python": hog_python, "numpy": hog_numpy}


@contextmanager
def busy(load: str) -> Iterator[None]:
    stop = threading.Event()
    hogs = [threading.Thread(target=HOGS[load], args=(stop,))] if load in HOGS else []
    for hog in hogs:
        hog.start()
    try:
        yield
    finally:
        stop.set()
        for hog in hogs:
            hog.join()


async def play(stage: StageLink, onsets_s: list[float]) -> None:
    for index, onset_s in enumerate(onsets_s):
        await asyncio.sleep(max(0.0, onset_s - LOOKAHEAD_S - time.monotonic()))
        # The velocity tells notes of one pitch apart at the listener.
        pitch, velocity = 21 + index % PITCHES, 1 + index // PITCHES % 127
        stage.send(PlayNote(1, index, pitch, velocity, onset_s, onset_s + 0.05))


async def collect(stage: StageLink, wanted: type[Event], count: int) -> list[Event]:
    taken: list[Event] = []
    async for event in stage.events():
        if isinstance(event, wanted) and not (isinstance(event, Played) and event.data[0] & 0xF0 != 0x90):
            taken.append(event)
        if len(taken) == count:
            break
    return taken


async def measure(notes: int, load: str, jack: bool) -> list[tuple[object, ...]]:
    gaps = random.Random(0)
    api = "jack" if jack else "none"
    async with AsyncExitStack() as open_stages:
        stage = await open_stages.enter_async_context(StageLink(StageConfig(api=api, sound="off")))
        if jack and stage.ready.problems:
            raise SystemExit(stage.ready.problems[0])
        listener = None
        if jack:
            ears = StageConfig(api=api, sound="off", name="ears", virtual=False, input="improv out")
            listener = await open_stages.enter_async_context(StageLink(ears))
        with busy(load):
            onset_s, onsets_s = time.monotonic() + 0.5, []
            for _ in range(notes):
                onset_s += gaps.uniform(0.005, 0.02)
                onsets_s.append(onset_s)
            planning = asyncio.create_task(play(stage, onsets_s))
            hearing = asyncio.create_task(collect(listener, Played, notes)) if listener else None
            sounded = await collect(stage, Sounded, notes)
            await planning
            late_s = [event.late_s for event in sounded if isinstance(event, Sounded)]
            rows = [row(load, "handed to the ports", late_s)]
            if hearing:
                async with asyncio.timeout(10):
                    heard = [event for event in await hearing if isinstance(event, Played)]
                late_s = [event.at_s - due_s for event, due_s in zip(heard, onsets_s, strict=True)]
                rows.append(row(load, "heard through JACK", late_s))
    return rows


def row(load: str, what: str, late_s: list[float]) -> tuple[object, ...]:
    return what, MINDS[load], len(late_s), *milliseconds(late_s), load_average()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--notes", type=int, default=2000)
    parser.add_argument("--load", nargs="+", choices=["none", *HOGS], default=["none", *HOGS])
    parser.add_argument("--jack", action="store_true")
    arguments = parser.parse_args()
    rows = [
        row for load in arguments.load for row in asyncio.run(measure(arguments.notes, load, arguments.jack))
    ]
    print_table(("lateness", "the mind", "notes", "p50 ms", "p99 ms", "max ms", "load average"), rows)


if __name__ == "__main__":
    main()
