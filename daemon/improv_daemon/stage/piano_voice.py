"""The live piano, in a process of its own: what the stage tells it goes through a pipe that never blocks."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Final

from improv_core.errors import SoundError
from improv_daemon.soundfonts import find_soundfont, load_fluidsynth
from improv_daemon.stage.beats_out import CLICK_CHANNEL
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage.synth import LiveSynth

_STARTS_WITHIN_S: Final = 8.0  # the mind waits for the stage, which waits for this, 15 s
_ENDS_WITHIN_S: Final = 1.0
_LOOKS_EVERY_MS: Final = 1000
_NOTE_ON, _NOTE_OFF, _PROGRAM, _SYSTEM = 0x90, 0x80, 0xC0, 0xF0
_LAST_PIANO: Final = 7  # of General MIDI's programs, from 0
READY, REFUSED = "ready ", "refused "
"""How the process answers, once: what it is, or a sentence."""


def open_voice(config: StageConfig, tell: Callable[[str], None]) -> LiveSynth | PianoVoice:
    """What sounds live: FluidSynth with a soundfont, or else the built-in piano.

    Args:
        config: Says which, and how.
        tell: Given what the musician must know of the piano; called from within `PianoVoice.send`.

    Raises:
        SoundError: There is none to be had; what to do.
    """
    if config.voice == "piano" or (config.voice == "auto" and not _has_fluidsynth(config)):
        return PianoVoice.open(config, tell)
    return LiveSynth.open(config)


def _has_fluidsynth(config: StageConfig) -> bool:
    if config.soundfont:
        return True  # somebody wants it: what is missing has to be said
    try:
        load_fluidsynth()
    except SoundError:
        return False
    return find_soundfont() is not None


class PianoVoice:
    """The stage's end of the piano's process.

    A pipe that is full takes no more note-ons; note-offs and controllers wait for room, the latest of each.

    Attributes:
        description: What it is, for the musician.
        unsent: Note-ons that were left out.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], description: str, tell: Callable[[str], None]
    ) -> None:
        """
        Args:
            process: Plays already; takes messages of three bytes from its standard input.
            description: What it is, for the musician.
            tell: Given a sentence, each once, when it is lost or asked for another instrument.
        """
        assert process.stdin is not None
        self.description = description
        self.unsent = 0
        self._process = process
        self._pipe = process.stdin.fileno()
        self._tell = tell
        self._said: set[str] = set()
        self._lost = False
        self._waiting: dict[tuple[int, int], bytes] = {}
        self._lock = threading.Lock()
        with contextlib.suppress(OSError):  # Windows has no such pipes: there a full one is waited for
            os.set_blocking(self._pipe, False)

    @classmethod
    def open(cls, config: StageConfig, tell: Callable[[str], None] = lambda _: None) -> PianoVoice:
        """Start the process and wait until it sounds.

        Raises:
            SoundError: There is no audio output; what to do.
        """
        options = {
            "name": config.name,
            "driver": config.driver,
            "gain": config.gain,
            "reverb": config.reverb,
            "click_channel": CLICK_CHANNEL if config.channel - 1 != CLICK_CHANNEL else None,
        }
        try:
            process = subprocess.Popen(
                # -P: a random.py in the folder where improv is started must not come before Python's.
                [sys.executable, "-P", "-m", "improv_daemon.piano", json.dumps(options)],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )
        except OSError as error:
            raise SoundError(f"No sound: the piano's process does not start ({error.strerror}).") from None
        answer = _answer_of(process)
        if answer.startswith(READY):
            return cls(process, answer.removeprefix(READY), tell)
        _end(process)
        raise SoundError(
            answer.removeprefix(REFUSED)
            or "No sound: the built-in piano did not start; MIDI goes on without it."
        )

    @property
    def pid(self) -> int:
        """The process number."""
        return self._process.pid

    def send(self, message: tuple[int, ...]) -> None:
        """Sound one channel message; never blocks, never raises."""
        if message[0] >= _SYSTEM:
            return
        with self._lock:
            if not self._lost:
                self._send(bytes((*message, 0, 0)[:3]))
            lost, unsent = self._lost, self.unsent
        if unsent:
            self._say("The built-in piano does not keep up: some notes are not heard.")
        if lost:
            self._say(
                "The built-in piano has stopped; improv plays on without sound. Start it again to hear it."
            )
        elif message[0] & 0xF0 == _PROGRAM and message[1] > _LAST_PIANO:
            self._say("The built-in piano has no other instruments: what is set to one plays the piano.")

    def _say(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self._tell(sentence)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._lost = True
        _end(self._process)

    def _send(self, data: bytes) -> None:
        if not self._waiting and self._written(data):
            return
        kind = data[0] & 0xF0
        if kind == _NOTE_ON and data[2] > 0:
            self.unsent += 1
            return
        if not self._waiting:
            threading.Thread(target=self._catch_up, name="piano backlog", daemon=True).start()
        place = (
            (_NOTE_OFF if kind == _NOTE_ON else kind) | data[0] & 0x0F,
            data[1] if kind < _PROGRAM else 0,
        )
        self._waiting.pop(place, None)
        self._waiting[place] = data

    def _written(self, data: bytes) -> bool:
        try:
            # No more than a page, so all of it or nothing.
            return os.write(self._pipe, data) == len(data)
        except BlockingIOError:
            return False
        except OSError:
            self._lost = True
            self._waiting.clear()
            return True

    def _catch_up(self) -> None:
        room = select.poll()
        room.register(self._pipe, select.POLLOUT)
        while True:
            room.poll(_LOOKS_EVERY_MS)
            with self._lock:
                while self._waiting and not self._lost:
                    place = next(iter(self._waiting))
                    if not self._written(self._waiting[place]):
                        break
                    self._waiting.pop(place, None)
                if self._lost or not self._waiting:
                    return


def _answer_of(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    watchdog = threading.Timer(_STARTS_WITHIN_S, process.kill)
    watchdog.start()
    try:
        return process.stdout.readline().decode("utf-8", "replace").strip()
    finally:
        watchdog.cancel()


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    try:
        process.wait(_ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
