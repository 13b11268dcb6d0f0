"""How late the stage plays while the mind is busy.

    python bench/stage_lateness.py [--notes 2000] [--load none python numpy] [--jack]

Lateness is what the stage itself acknowledges: the moment a note-on is handed to the ports, less its
deadline. With --jack (a JACK server must be running) a second stage listens to the first one's output,
and the way through JACK is measured too: arrival at the listener's port, less the deadline.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager

import numpy as np

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


async def measure(notes: int, load: str, jack: bool) -> None:
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
            print(line(load, "stage", [event.late_s for event in sounded if isinstance(event, Sounded)]))
            if hearing:
                async with asyncio.timeout(10):
                    heard = [event for event in await hearing if isinstance(event, Played)]
                print(line(load, "through JACK", [h.at_s - o for h, o in zip(heard, onsets_s, strict=True)]))


def line(load: str, what: str, late_s: list[float]) -> str:
    p50, p99, worst = np.percentile(np.array(late_s) * 1e3, [50, 99, 100])
    return (
        f"load {load:7} {what:12} notes {len(late_s)}  p50 {p50:.3f} ms  p99 {p99:.3f} ms  "
        f"max {worst:.3f} ms  (load average {os.getloadavg()[0]:.2f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--notes", type=int, default=2000)
    parser.add_argument("--load", nargs="+", choices=["none", *HOGS], default=["none", *HOGS])
    parser.add_argument("--jack", action="store_true")
    arguments = parser.parse_args()
    for load in arguments.load:
        asyncio.run(measure(arguments.notes, load, arguments.jack))


if __name__ == "__main__":
    main()
