"""The live piano's process plays, and nobody else suffers when it does not."""

from __future__ import annotations

import io
import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from improv_core.errors import SoundError
from improv_daemon import wire
from improv_daemon.piano import Piano
from improv_daemon.piano.speaker import Inlet, frames_of, open_device
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage.piano_voice import PianoVoice, open_voice
from improv_daemon.stage.synth import LiveSynth
from improv_daemon.stage_link import StageLink, StageLost

UNHEARD = StageConfig(voice="piano", driver="null")


def sleeper(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", code], bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def child_of(pid: int) -> int:
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return int(child)


def test_the_process_plays_and_ends_with_the_stage() -> None:
    told: list[str] = []
    voice = PianoVoice.open(UNHEARD, told.append)
    assert voice.description == "the built-in piano (Null)"
    for message in ((0x90, 60, 100), (0xC0, 5), (0xD0, 40), (0xF8,), (0x80, 60, 64)):
        voice.send(message)
    voice.send((0xC0, 40))
    voice.send((0xC1, 41))
    voice.close()
    assert told == ["The built-in piano has no other instruments: what is set to one plays the piano."]
    assert voice._process.returncode == 0
    assert voice.unsent == 0


def test_a_piano_that_dies_is_told_once() -> None:
    told: list[str] = []
    voice = PianoVoice.open(UNHEARD, told.append)
    os.kill(voice.pid, signal.SIGKILL)
    voice._process.wait()
    for message in ((0x90, 60, 100), (0x80, 60, 64)):
        voice.send(message)
    voice.close()
    assert told == [
        "The built-in piano has stopped; improv plays on without sound. Start it again to hear it."
    ]


def test_a_full_pipe_takes_no_note_ons_and_loses_no_note_offs() -> None:
    process = sleeper(
        "import sys; sys.stdin.buffer.read(1); print('go', flush=True); sys.stdin.buffer.read()"
    )
    told: list[str] = []
    voice = PianoVoice(process, "a sleeper", told.append)
    os.kill(process.pid, signal.SIGSTOP)
    while not voice.unsent:
        voice.send((0x90, 60, 100))
    assert voice._written(bytes(3)) is False
    for key in (60, 61, 60):
        voice.send((0x81, key, 64))
    voice.send((0x91, 62, 0))
    voice.send((0xB1, 64, 127))
    voice.send((0xB1, 64, 0))
    waiting = list(voice._waiting.values())
    assert waiting == [
        bytes((0x81, 61, 64)),
        bytes((0x81, 60, 64)),
        bytes((0x91, 62, 0)),
        bytes((0xB1, 64, 0)),
    ]
    backlog = next(thread for thread in threading.enumerate() if thread.name == "piano backlog")
    os.kill(process.pid, signal.SIGCONT)
    backlog.join(10)
    assert not voice._waiting
    voice.close()
    assert told == ["The built-in piano does not keep up: some notes are not heard."]


def test_no_audio_output_is_one_sentence() -> None:
    with pytest.raises(SoundError, match=r'^No sound: the audio driver "jack" does not work here; set sound'):
        PianoVoice.open(StageConfig(voice="piano", driver="jack"))
    with pytest.raises(SoundError, match='the built-in piano knows no audio driver "gramophone"; set sound'):
        open_device("gramophone", "improv")


def test_a_process_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(SoundError, match="the built-in piano did not start; MIDI goes on without it"):
        PianoVoice.open(UNHEARD)
    monkeypatch.setattr(sys, "executable", "/no/python")
    with pytest.raises(SoundError, match="the piano's process does not start"):
        PianoVoice.open(UNHEARD)


def test_auto_is_the_piano_where_fluidsynth_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fluidsynth", None)
    voice = open_voice(StageConfig(driver="null"), lambda _: None)
    voice.close()
    assert isinstance(voice, PianoVoice)
    with pytest.raises(SoundError, match="FluidSynth's library is missing"):
        open_voice(StageConfig(voice="soundfont", driver="null"), lambda _: None)
    with pytest.raises(SoundError, match=r"grand\.sf2"):
        open_voice(StageConfig(soundfont="grand.sf2", driver="null"), lambda _: None)
    assert not isinstance(voice, LiveSynth)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux, to wait for others' processes")
@pytest.mark.asyncio
async def test_a_stage_that_is_killed_takes_the_piano_with_it() -> None:
    async with StageLink(StageConfig(api="none", sound="on", voice="piano", driver="null")) as stage:
        ended = os.pidfd_open(child_of(stage.pid))
        os.kill(stage.pid, signal.SIGKILL)
        assert select.select([ended], [], [], 10)[0] == [ended]
        os.close(ended)
        with pytest.raises(StageLost):
            await anext(stage.events())


@pytest.mark.asyncio
async def test_the_stage_plays_it() -> None:
    config = StageConfig(api="none", sound="on", voice="piano", driver="null")
    async with StageLink(config) as stage:
        assert stage.ready.sound == "the built-in piano (Null)"
        now_s = time.monotonic()
        stage.send(wire.PlayNote(1, 0, 60, 90, now_s, now_s + 0.01))
        events = stage.events()
        assert isinstance(await anext(events), wire.Sounded)
        assert isinstance(await anext(events), wire.Released)


def test_what_the_pipe_brings_sounds_as_if_it_were_sent() -> None:
    inlet, piano, same = Inlet(), Piano(48000, 0.0), Piano(48000, 0.0)
    frames = frames_of(piano, inlet)
    assert next(frames) == b""
    inlet.read_all(io.BytesIO(bytes((0x92, 60, 100, 0xC0, 5, 0, 0x90, 64))))
    same.send(2, (0x90, 60, 100))
    np.testing.assert_array_equal(np.frombuffer(frames.send(480), np.float32), same.pull(480).ravel())
    assert inlet.dropped == 0


def test_a_device_that_asks_no_more_ends_the_process() -> None:
    now_s = 0.0
    inlet, pipe = Inlet(lambda: now_s), io.BytesIO(bytes((0x90, 60, 100)))
    now_s = 4.9
    inlet.hand_on(Piano(48000, 0.0))
    now_s = 10.0
    inlet.read_all(pipe)
    assert not inlet._waiting


def test_what_waits_for_a_device_that_hangs_is_bounded() -> None:
    inlet = Inlet()
    for _ in range(8195):
        inlet.put(bytes((0x90, 60, 100)))
    inlet.put(bytes((0x80, 60, 64)))
    assert inlet.dropped == 3
    assert len(inlet._waiting) == 8193
