"""From a note-on that is sent to its sound at FluidSynth's JACK port, recorded by a second process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator

from bench.rig_rows import Effort, Row, timed
from improv_daemon.soundfonts import find_soundfont
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage_link import StageLink
from improv_daemon.wire import PlayNote, Sounded

_EVERY_S, _LENGTH_S = 0.7, 0.08
_PITCHES = (60, 64, 67, 72, 76, 79)
_LOUD = 110
_PORT = "improv.*:left"


def sound(effort: Effort) -> Iterator[Row]:
    """Single notes of the piano, the sound of the last one nearly gone before the next."""
    soundfont = find_soundfont("")
    name = soundfont.resolve().name if soundfont else "no soundfont"
    sent_s = asyncio.run(_played(effort.sounds))
    took_s = [begun_s - at_s for at_s, begun_s in sent_s if begun_s is not None]
    silent = len(sent_s) - len(took_s)
    what = f"note-on sent to its sound at FluidSynth's port, {name} ({silent} silent)"
    yield timed(what, "15 (p99)", took_s)


async def _played(notes: int) -> list[tuple[float, float | None]]:
    """When each was sent, and when its sound began."""
    config = StageConfig(api="jack", input="", sound="on", driver="jack")
    async with StageLink(config) as stage:
        with subprocess.Popen(  # noqa: ASYNC220 - it forks, which is quick
            [sys.executable, "-m", "bench.rig_sound_ear", _PORT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as ear:
            try:
                assert ear.stdout is not None
                if not await asyncio.to_thread(ear.stdout.readline):
                    raise RuntimeError("the stage has no sound to record")
                sent_s = await _sent(stage, notes)
                said, _ = await asyncio.to_thread(ear.communicate, "".join(f"{s:.6f}\n" for s in sent_s), 60)
            finally:
                ear.kill()
    begun_s = [None if line == "none" else float(line) for line in said.split()]
    return list(zip(sent_s, begun_s, strict=True))


async def _sent(stage: StageLink, notes: int) -> list[float]:
    begin_s = time.monotonic() + 0.5
    for index in range(notes):
        onset_s = begin_s + index * _EVERY_S
        pitch = _PITCHES[index % len(_PITCHES)]
        stage.send(PlayNote(1, index, pitch, _LOUD, onset_s, onset_s + _LENGTH_S))
    sent_s: list[float] = []
    async with asyncio.timeout(10 + notes * _EVERY_S):
        async for event in stage.events():
            if isinstance(event, Sounded):
                sent_s.append(event.at_s)
                if len(sent_s) == notes:
                    break
    await asyncio.sleep(0.3)  # the last one sounds
    return sent_s
