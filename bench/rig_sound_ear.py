"""A process that records a JACK audio port, until its input ends; then it says where the sound began.

    python -m bench.rig_sound_ear PATTERN

Times of note-ons come as lines on standard input (monotonic seconds); for each the time of the first sample
that stands out from what sounded before goes out, or ``none``.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

OUTSTANDING = 4.0
"""The sound begins where it is so many times louder than the loudest of 20 ms before the note-on."""

AUDIBLE = 10 ** (-60 / 20)
"""And louder than this, of full scale."""

_BEFORE_S, _WITHIN_S = 0.02, 0.2
_NO_START_SERVER, _IS_INPUT, _IS_OUTPUT = 1, 1, 2
_AUDIO = b"32 bit float mono audio"


class Ear:
    """A JACK client with one input.

    Args:
        pattern: Of the full name of the output it listens to, a regular expression.
    """

    def __init__(self, pattern: str) -> None:
        self._jack = ctypes.CDLL(ctypes.util.find_library("jack") or "libjack.so.0")
        _declare(self._jack)
        self._client = self._jack.jack_client_open(b"rig-ear", _NO_START_SERVER, None)
        if not self._client:
            raise SystemExit("no JACK server answers")
        self._input = self._jack.jack_port_register(self._client, b"in", _AUDIO, _IS_INPUT, 0)
        self._blocks: list[tuple[float, bytes]] = []
        self._process = _PROCESS(self._take)  # JACK keeps no reference
        self._jack.jack_set_process_callback(self._client, self._process, None)
        self._jack.jack_activate(self._client)
        mine = self._jack.jack_port_name(self._input)
        found = self._jack.jack_get_ports(self._client, pattern.encode(), _AUDIO, _IS_OUTPUT)
        if not found or self._jack.jack_connect(self._client, found[0], mine) != 0:
            raise SystemExit(f"no JACK port like {pattern}")

    def close(self) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Stop; the times of all samples in monotonic seconds, and the samples."""
        self._jack.jack_deactivate(self._client)
        times = list(self._times())
        samples = [np.frombuffer(block, dtype=np.float32) for _, block in self._blocks]
        self._jack.jack_client_close(self._client)
        return np.maximum.accumulate(np.concatenate(times)), np.concatenate(samples)

    def _take(self, frames: int, _: object) -> int:
        # By the clock: JACK's own time of a frame is smoothed, and wanders by 10 ms on a busy machine.
        now_s = time.monotonic()
        buffer = self._jack.jack_port_get_buffer(self._input, frames)
        self._blocks.append((now_s, ctypes.string_at(buffer, 4 * frames)))
        return 0

    def _times(self) -> Iterator[NDArray[np.float64]]:
        rate = self._jack.jack_get_sample_rate(self._client)
        for begin_s, block in self._blocks:
            yield begin_s + np.arange(len(block) // 4) / rate


_PROCESS = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint32, ctypes.c_void_p)


def _declare(jack: ctypes.CDLL) -> None:
    text, pointer, frames = ctypes.c_char_p, ctypes.c_void_p, ctypes.c_uint32
    for name, result, arguments in (
        ("jack_client_open", pointer, [text, ctypes.c_int, pointer]),
        ("jack_port_register", pointer, [pointer, text, text, ctypes.c_ulong, ctypes.c_ulong]),
        ("jack_set_process_callback", ctypes.c_int, [pointer, _PROCESS, pointer]),
        ("jack_activate", ctypes.c_int, [pointer]),
        ("jack_deactivate", ctypes.c_int, [pointer]),
        ("jack_client_close", ctypes.c_int, [pointer]),
        ("jack_connect", ctypes.c_int, [pointer, text, text]),
        ("jack_get_ports", ctypes.POINTER(text), [pointer, text, text, ctypes.c_ulong]),
        ("jack_port_name", text, [pointer]),
        ("jack_port_get_buffer", pointer, [pointer, frames]),
        ("jack_get_sample_rate", frames, [pointer]),
    ):
        function = getattr(jack, name)
        function.restype, function.argtypes = result, arguments


def began_s(times_s: NDArray[np.float64], samples: NDArray[np.float32], sent_s: float) -> float | None:
    """When the sound of a note that was sent then began; None where nothing stands out."""
    first, sent, last = np.searchsorted(times_s, (sent_s - _BEFORE_S, sent_s, sent_s + _WITHIN_S))
    before = float(np.abs(samples[first:sent]).max(initial=0.0))
    louder = np.abs(samples[sent:last]) > max(AUDIBLE, OUTSTANDING * before)
    return float(times_s[sent + int(np.argmax(louder))]) if louder.any() else None


def main() -> None:
    ear = Ear(sys.argv[1])
    print("listening", flush=True)
    sent_s = [float(line) for line in sys.stdin]
    times_s, samples = ear.close()
    for at_s in sent_s:
        begun_s = began_s(times_s, samples, at_s)
        print("none" if begun_s is None else f"{begun_s:.6f}")


if __name__ == "__main__":
    main()
