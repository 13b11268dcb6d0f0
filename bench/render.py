"""Rendering: times real time by synthesiser and format, beside midi2audio with pydub and pretty_midi.

    python -m bench.render [--midi FILE] [--minutes 10] [--soundfont FILE ...]

Each row is a whole file made from a MIDI file already read, levelled, tagged and measured in one go; the
others leave the level as it comes. Every row runs in a process of its own, whose memory stands beside it.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bench.tables import load_average, print_table
from improv_core.midi_files import Track, read_midi, write_midi
from improv_core.notes import ControlChange, Note, Performance
from improv_daemon.rendering import SUFFIXES, RenderOptions, VoiceChoice, render_file
from improv_daemon.rendering.loudness import Meter
from improv_daemon.soundfonts import find_soundfont

HERE = "improv"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.render", description=__doc__)
    parser.add_argument("--midi", type=Path, help="render this instead of made-up playing")
    parser.add_argument("--minutes", type=float, default=10.0, help="of made-up playing")
    parser.add_argument(
        "--soundfont", type=Path, action="append", default=[], help="default: the first found"
    )
    parser.add_argument("--one", nargs=4, metavar=("MIDI", "WAY", "VOICE", "SUFFIX"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        return _one(*arguments.one)
    found = find_soundfont()
    soundfonts = arguments.soundfont or ([found] if found else [])
    with tempfile.TemporaryDirectory() as folder:
        midi = arguments.midi or _made_up(Path(folder) / "made-up.mid", arguments.minutes)
        print(f"{_length_s(midi) / 60:.1f} minutes, {_notes(midi)} notes; load average {load_average()}.\n")
        print_table(
            ("by", "sound", "file", "times real time", "of processor time", "memory"), _rows(midi, soundfonts)
        )
    _loudness()
    return 0


def _rows(midi: Path, soundfonts: list[Path]) -> Iterator[tuple[str, ...]]:
    voices = [*map(str, soundfonts), "piano"]
    jobs = [(HERE, voice, suffix) for voice in voices for suffix in (*SUFFIXES, "vbr.mp3")]
    jobs += [(way, str(soundfont), suffix) for soundfont in soundfonts for way, suffix in _others()]
    for way, voice, suffix in jobs:
        command = [sys.executable, "-m", "bench.render", "--one", str(midi), way, voice, suffix]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode:
            yield way, Path(voice).name, suffix, f"left out: {ran.stderr.strip().splitlines()[-1]}", "", ""
            continue
        took_s, processor_s, megabytes = map(float, ran.stdout.split()[-3:])
        ratios = (f"{_length_s(midi) / seconds:.0f}" for seconds in (took_s, processor_s))
        yield way, Path(voice).name, suffix, *ratios, f"{megabytes:.0f} MB"


def _others() -> Iterator[tuple[str, str]]:
    if importlib.util.find_spec("midi2audio") and shutil.which("fluidsynth"):
        yield "midi2audio", ".wav"
        if importlib.util.find_spec("pydub") and shutil.which("ffmpeg"):
            yield "midi2audio, pydub", ".mp3"
        else:
            print("Left out: pydub, since it or ffmpeg is not installed.\n")
    else:
        print("Left out: midi2audio, since it or the program fluidsynth is not installed.\n")
    yield "pretty_midi", "array"


def _one(midi: str, way: str, voice: str, suffix: str) -> int:
    ways: dict[str, Callable[[Path, str, Path], Callable[[], object]]] = {
        HERE: _by_improv,
        "midi2audio": _by_midi2audio,
        "midi2audio, pydub": _by_midi2audio,
        "pretty_midi": _by_pretty_midi,
    }
    with tempfile.TemporaryDirectory() as folder:
        work = ways[way](Path(midi), voice, Path(folder) / f"a{suffix if suffix[0] == '.' else '.' + suffix}")
        before_s, begun_s = _processor_s(), time.perf_counter()
        work()
        took_s = time.perf_counter() - begun_s
    own, others = (
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(took_s, _processor_s() - before_s, max(own, others) / 1024)
    return 0


def _processor_s() -> float:
    """Of this process and those it has started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _by_improv(midi: Path, voice: str, out: Path) -> Callable[[], object]:
    tracks = read_midi(midi)
    choice = VoiceChoice("piano") if voice == "piano" else VoiceChoice("soundfont", Path(voice))
    options = RenderOptions(bitrate_kbps=0 if ".vbr" in out.suffixes else 192)
    return lambda: render_file(tracks, out, choice, options)


def _by_midi2audio(midi: Path, voice: str, out: Path) -> Callable[[], object]:
    from midi2audio import FluidSynth

    def work() -> None:
        FluidSynth(voice, sample_rate=44_100).midi_to_audio(str(midi), str(out.with_suffix(".wav")))
        if out.suffix == ".mp3":
            from pydub import AudioSegment

            AudioSegment.from_wav(out.with_suffix(".wav")).export(out, format="mp3", bitrate="192k")

    return work


def _by_pretty_midi(midi: Path, voice: str, out: Path) -> Callable[[], object]:
    import pretty_midi

    read = pretty_midi.PrettyMIDI(str(midi))
    return lambda: read.fluidsynth(fs=44_100, sf2_path=voice)


def _made_up(path: Path, minutes: float) -> Path:
    """Ten notes a second in both hands, with the pedal down half of the time."""
    dice = random.Random(1)
    onsets_s = [dice.uniform(0, 60 * minutes) for _ in range(round(600 * minutes))]
    notes = [
        Note(dice.randint(36, 84), dice.randint(30, 100), at_s, dice.expovariate(4) + 0.05)
        for at_s in sorted(onsets_s)
    ]
    pedal = [ControlChange(64, 127 * (step % 2), step * 0.8) for step in range(round(75 * minutes))]
    write_midi(path, [Track("piano", Performance.of(notes, pedal))])
    return path


def _length_s(midi: Path) -> float:
    return max(track.performance.end_s for track in read_midi(midi))


def _notes(midi: Path) -> int:
    return sum(len(track.performance.notes) for track in read_midi(midi))


def _loudness() -> None:
    print("### Loudness (ITU-R BS.1770-4) against pyloudnorm\n")
    if importlib.util.find_spec("pyloudnorm") is None:
        print("Left out: pyloudnorm not installed.\n")
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pyloudnorm

    rows = []
    for rate in (22_050, 44_100, 48_000, 96_000):
        noise = np.random.default_rng(1).normal(0, 0.1, (20 * rate, 2)).astype(np.float32)
        noise *= np.sin(np.arange(len(noise)) / rate)[:, None].astype(np.float32) ** 4
        meter = Meter(rate)
        meter.add(noise)
        theirs = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(noise.astype(np.float64))
        ours = meter.levels().loudness_lufs
        rows.append((f"{rate} Hz", f"{ours:.3f}", f"{theirs:.3f}", f"{ours - theirs:+.4f}"))
    print_table(("20 s of swelling noise", "improv, LUFS", "pyloudnorm, LUFS", "difference"), rows)


if __name__ == "__main__":
    sys.exit(main())
