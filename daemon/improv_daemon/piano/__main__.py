"""``python -m improv_daemon.piano JSON``: the live piano; the stage starts it and feeds its input."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import signal
import sys
import threading
from typing import Any

from improv_core.errors import SoundError
from improv_daemon.piano.instrument import Piano
from improv_daemon.piano.speaker import SAMPLE_RATE, Inlet, frames_of, open_device
from improv_daemon.stage.piano_voice import READY, REFUSED

_SWITCH_S = 0.0005  # how long the pipe's thread may keep the audio's waiting
_ENDS_WITHIN_S = 0.8


def main() -> int:
    """Sound until the stage closes the pipe, as it does when it dies, or until the device asks no more."""
    # Ctrl-C and a closed terminal are the mind's business; the piano ends when the stage does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.environ.setdefault("JACK_NO_START_SERVER", "1")  # libjack would start one with whatever settings
    options: dict[str, Any] = json.loads(sys.argv[1])
    try:
        device = open_device(options["driver"], options["name"])
    except SoundError as refusal:
        _answer(REFUSED + str(refusal))
        return 1
    piano = Piano(
        SAMPLE_RATE, options["reverb"], gain=options["gain"], click_channel=options["click_channel"]
    )
    piano.prepare()
    inlet = Inlet()
    frames = frames_of(piano, inlet)
    next(frames)
    gc.collect()
    gc.freeze()
    gc.disable()
    sys.setswitchinterval(_SWITCH_S)
    device.start(frames)
    _answer(f"{READY}the built-in piano ({device.backend})")
    inlet.read_all(io.FileIO(sys.stdin.fileno(), closefd=False))
    _end_within(_ENDS_WITHIN_S)
    device.close()
    return 0


def _end_within(seconds: float) -> None:
    """End even where the audio's server is gone, for which closing its device waits for ever."""
    timer = threading.Timer(seconds, os._exit, (1,))
    timer.daemon = True
    timer.start()


def _answer(line: str) -> None:
    with contextlib.suppress(OSError):  # the stage is gone: the pipe's end says so, too
        os.write(sys.stdout.fileno(), f"{line}\n".encode())


if __name__ == "__main__":
    sys.exit(main())
