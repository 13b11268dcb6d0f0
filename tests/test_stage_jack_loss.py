"""The JACK server dies while the stage plays."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace

import pytest

from improv_daemon import wire
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage_link import StageLink


@pytest.mark.asyncio
async def test_stage_outlives_its_midi_server_and_says_so(jack_process: subprocess.Popen[bytes]) -> None:
    async with StageLink(StageConfig(api="jack", sound="off")) as stage:
        jack_process.kill()
        jack_process.wait()
        events = stage.events()
        trouble = await anext(events)
        assert isinstance(trouble, wire.Trouble)
        assert trouble.text.startswith("The MIDI server has gone")
        # More than the dead server's buffer holds.
        for index in range(3000):
            now_s = time.monotonic()
            stage.send(wire.PlayNote(1, index, 60, 80, now_s, now_s))
        released = 0
        async for event in events:
            released += isinstance(event, wire.Released)
            if released == 3000:
                break
    assert stage.counts is not None
    assert stage.counts.unsent >= 2 * 3000
    assert replace(stage.counts, unsent=0) == wire.Counts(0, 0, 0)
