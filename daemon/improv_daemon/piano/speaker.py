"""The piano on the computer's audio output, fed by a pipe."""

from __future__ import annotations

import importlib
import sys
import time
from collections import deque
from collections.abc import Callable, Generator
from typing import IO, Any, Final

from improv_core.errors import SoundError
from improv_daemon.piano.instrument import Piano

SAMPLE_RATE: Final = 48000
_PERIOD_MS: Final = 5
_MESSAGE: Final = 3
_WAITING_AT_MOST: Final = 8192
_HANGS_AFTER_S: Final = 5.0  # a device that sounds asks every few milliseconds
_DRIVERS: Final = {
    "darwin": ("coreaudio",),
    "win32": ("wasapi", "dsound", "winmm"),
    "linux": ("pulseaudio", "alsa", "jack"),
}


class Inlet:
    """Messages on their way from the pipe's thread to the audio's.

    Attributes:
        dropped: Note-ons that were left out because very many waited.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            clock: Monotonic seconds.
        """
        self._waiting: deque[bytes] = deque()
        self._clock = clock
        self._asked_s = clock()
        self.dropped = 0

    def read_all(self, pipe: IO[bytes]) -> None:
        """Take messages of three bytes until the pipe's other end is closed or the device asks no more."""
        rest = b""
        while (data := pipe.read(4096)) and self._clock() - self._asked_s < _HANGS_AFTER_S:
            rest += data
            whole = len(rest) - len(rest) % _MESSAGE
            for at in range(0, whole, _MESSAGE):
                self.put(rest[at : at + _MESSAGE])
            rest = rest[whole:]

    def put(self, message: bytes) -> None:
        """One message is to sound."""
        is_on = message[0] & 0xF0 == 0x90 and message[2] > 0
        if is_on and len(self._waiting) >= _WAITING_AT_MOST:
            self.dropped += 1
        else:
            self._waiting.append(message)

    def hand_on(self, piano: Piano) -> None:
        """Give the piano all that waits; the device asks for it."""
        self._asked_s = self._clock()
        while self._waiting:
            message = self._waiting.popleft()
            piano.send(message[0] & 0x0F, (message[0] & 0xF0, message[1], message[2]))


def frames_of(piano: Piano, inlet: Inlet) -> Generator[bytes, int, None]:
    """What the audio device is given, for as many frames as it asks for."""
    wanted = yield b""
    while True:
        inlet.hand_on(piano)
        wanted = yield piano.pull(wanted).tobytes()


def open_device(driver: str, name: str) -> Any:  # noqa: ANN401 - no types there
    """An audio output that is not started yet; ``backend`` says which it is.

    Args:
        driver: The setting ``sound.driver``; "null": a device that nobody hears.
        name: What mixers call it.

    Raises:
        SoundError: There is none; what to do.
    """
    try:
        miniaudio = importlib.import_module("miniaudio")
    except (ImportError, OSError):
        raise SoundError("No sound: miniaudio is missing; pip install miniaudio.") from None
    known = _DRIVERS.get(sys.platform, _DRIVERS["linux"])
    names = known if driver in ("auto", "pipewire") else (driver,)
    if driver not in ("auto", "pipewire", "null", *known):
        raise SoundError(
            f'No sound: the built-in piano knows no audio driver "{driver}"; '
            f'set sound.driver to "auto" or one of {", ".join(known)}.'
        )
    try:
        return miniaudio.PlaybackDevice(
            output_format=miniaudio.SampleFormat.FLOAT32,
            nchannels=2,
            sample_rate=SAMPLE_RATE,
            buffersize_msec=_PERIOD_MS,
            backends=[miniaudio.Backend[each.upper()] for each in names],
            app_name=name,
        )
    except miniaudio.MiniaudioError:
        raise SoundError(_no_output(driver, known)) from None


def _no_output(driver: str, known: tuple[str, ...]) -> str:
    if driver == "auto":
        return "No sound: there is no audio output here; MIDI goes on without it."
    return (
        f'No sound: the audio driver "{driver}" does not work here; '
        f'set sound.driver to "auto" or one of {", ".join(known)}.'
    )
