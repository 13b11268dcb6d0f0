"""The built-in piano beside soundfonts: levels, brightness, decay; a picture; and how fast it is.

python -m bench.piano_sound [--picture docs/pictures/piano.png]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.tables import print_machine, print_table
from improv_daemon.piano import Piano
from improv_daemon.rendering.fluidsynth_voice import FluidSynthVoice
from improv_daemon.rendering.instrument import Instrument

RATE = 48000
_KEYS = (24, 36, 48, 60, 72, 84, 96, 106)
_VELOCITIES = (20, 50, 80, 110)
_LENGTH_S, _HOP_S = 8.0, 0.02
_FONTS = (
    ("FluidR3", "/usr/share/sounds/sf2/FluidR3_GM.sf2"),
    ("TimGM6mb", "/usr/share/sounds/sf2/TimGM6mb.sf2"),
)
_COLOURS = ("#0072B2", "#D55E00", "#999999")

Makes = Callable[[], Instrument]
Sound = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Note:
    """What was measured of a note that is held.

    Attributes:
        level_db: Of its loudest 400 ms, mono, below full scale.
        centroid_hz: Of the spectrum of the second to the fifth tenth of a second.
        early_s: To 60 dB less, by the slope of the first second.
        late_s: By the slope from the third to the sixth.
    """

    level_db: float
    centroid_hz: float
    early_s: float
    late_s: float


def makers() -> Iterator[tuple[str, Makes]]:
    """The piano, and the soundfonts that are here."""
    yield "built-in", lambda: Piano(RATE, 0.0)
    for name, path in _FONTS:
        if Path(path).is_file():
            yield name, lambda path=Path(path): _font(path)  # type: ignore[misc]


def _font(path: Path) -> Instrument:
    return FluidSynthVoice(path, RATE, reverb=0.0, channels=16, drum_channels=frozenset({9}))


def note_of(make: Makes, key: int, velocity: int, length_s: float = _LENGTH_S) -> Sound:
    """A held note, shape (frames, 2)."""
    instrument = make()
    instrument.send(0, (0x90, key, velocity))
    sound = instrument.pull(round(length_s * RATE)).astype(np.float64)
    instrument.close()
    return sound


def measured(sound: Sound) -> Note:
    """The figures of a note."""
    mono = sound.mean(axis=1)
    envelope = envelope_db(mono)
    part = mono[round(0.1 * RATE) : round(0.5 * RATE)]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
    hz = np.fft.rfftfreq(len(part), 1 / RATE)
    loud = 20 * np.log10(np.sqrt(np.mean(mono[: round(0.4 * RATE)] ** 2)) + 1e-9)
    centroid = float((spectrum * hz).sum() / spectrum.sum())
    return Note(loud, centroid, _t60(envelope, 0.1, 1.0), _t60(envelope, 3.0, 6.0))


def envelope_db(mono: Sound) -> Sound:
    """Root mean square in steps of 20 ms."""
    hop = round(_HOP_S * RATE)
    steps = mono[: len(mono) // hop * hop].reshape(-1, hop)
    return np.asarray(20 * np.log10(np.sqrt(np.mean(steps**2, axis=1)) + 1e-7))


def _t60(envelope: Sound, from_s: float, to_s: float) -> float:
    part = envelope[round(from_s / _HOP_S) : round(to_s / _HOP_S)]
    if not len(part) or part[-1] < -120:
        return float("nan")
    slope = np.polyfit(np.arange(len(part)) * _HOP_S, part, 1)[0]
    return float(-60 / slope) if slope < 0 else float("inf")


def print_sounds() -> None:
    """Tables by register and by velocity."""
    every = dict(makers())
    rows = []
    for key in _KEYS:
        notes = [measured(note_of(make, key, 80)) for make in every.values()]
        cells = [
            (f"{n.level_db:.1f}", f"{n.centroid_hz:.0f}", f"{n.early_s:.1f}", f"{n.late_s:.1f}")
            for n in notes
        ]
        rows.append([key, *(" / ".join(values) for values in zip(*cells, strict=True))])
    print(f"Velocity 80, by key; {' / '.join(every)}.\n")
    print_table(["key", "level dBFS", "centroid Hz", "T60 early s", "T60 late s"], rows)
    rows = []
    for key in (36, 60, 84):
        for velocity in _VELOCITIES:
            notes = [measured(note_of(make, key, velocity, 1.0)) for make in every.values()]
            levels = " / ".join(f"{n.level_db:.1f}" for n in notes)
            rows.append([key, velocity, levels, " / ".join(f"{n.centroid_hz:.0f}" for n in notes)])
    print(f"By velocity; {' / '.join(every)}.\n")
    print_table(["key", "velocity", "level dBFS", "centroid Hz"], rows)


def print_speed() -> None:
    """How fast it is with many voices."""
    rows = []
    for voices in (0, 8, 16, 32, 64, 88):
        piano = Piano(RATE, 0.3)
        piano.prepare()
        piano.send(0, (0xB0, 64, 127))
        for key in range(21, 21 + voices):
            piano.send(0, (0x90, key, 80))
        took_s = []
        for _ in range(5 * RATE // 256):
            begun_s = time.thread_time()
            piano.pull(256)
            took_s.append(time.thread_time() - begun_s)
        factor = len(took_s) * 256 / RATE / sum(took_s)
        p99, worst = np.percentile(took_s, [99, 100]) * 1e3
        rows.append([voices, piano.voices, f"{factor:.1f}", f"{p99:.2f}", f"{worst:.2f}"])
    print("Blocks of 256 frames (5.3 ms) at 48 kHz, pedal down, time of the processor.\n")
    print_table(["struck", "sounding at the end", "x real time", "p99 ms", "max ms"], rows)


def draw(path: Path) -> None:
    """Spectra and envelopes beside the soundfonts'."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    every = dict(makers())
    keys = (36, 60, 84)
    figure, axes = pyplot.subplots(2, 3, figsize=(11, 6), layout="constrained")
    for column, key in enumerate(keys):
        for (name, make), colour in reversed(list(zip(every.items(), _COLOURS, strict=False))):
            sound = note_of(make, key, 80)
            _draw_note(axes[0, column], axes[1, column], sound, colour, name)
        axes[0, column].set_title(f"key {key}, velocity 80")
    axes[0, 0].set_ylabel("spectrum, dB below its peak")
    axes[1, 0].set_ylabel("envelope, dBFS")
    axes[0, 0].legend(loc="upper right", fontsize=8)
    figure.savefig(path, dpi=80, metadata={"Software": ""})
    pyplot.close(figure)


def _draw_note(spectra: Any, envelopes: Any, sound: Sound, colour: str, name: str) -> None:  # noqa: ANN401
    mono = sound.mean(axis=1)
    part = mono[round(0.05 * RATE) : round(0.55 * RATE)]
    spectrum = 20 * np.log10(np.abs(np.fft.rfft(part * np.hanning(len(part)))) + 1e-9)
    hz = np.fft.rfftfreq(len(part), 1 / RATE)
    shown = (hz > 30) & (hz < 8000)
    spectra.plot(hz[shown], spectrum[shown] - spectrum.max(), color=colour, lw=0.7, label=name, alpha=0.85)
    spectra.set(xlim=(0, 8000), ylim=(-90, 3), xlabel="Hz")
    envelope = envelope_db(mono)
    envelopes.plot(np.arange(len(envelope)) * _HOP_S, envelope, color=colour, lw=1, label=name)
    envelopes.set(xlim=(0, _LENGTH_S), ylim=(-100, -15), xlabel="s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", type=Path, help="where to draw spectra and envelopes")
    wanted = parser.parse_args()
    print_machine()
    print_speed()
    print_sounds()
    if wanted.picture:
        draw(wanted.picture)


if __name__ == "__main__":
    main()
