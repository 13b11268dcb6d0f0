"""Reading whole corpora, beside pretty_midi, symusic and core's reader, and whether the notes are the same.

    python -m bench.encoding [NAME ...] [--corpora FOLDER] [--quick]

Times are wall clock with a process on each core, from the start of the processes and files that are in memory
already to encoded rows; improv also writes them to its cache. Every reader's notes are compared with core's.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import multiprocessing
import os
import resource
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from bench.corpora import HERE, NAMES, midi_files, unpacked
from bench.tables import load_average, print_table
from improv_core.errors import ImprovError
from improv_core.midi_files import read_performance
from improv_core.notes import SUSTAIN_CONTROLLER
from improv_core.representation import encode
from improv_core.tempo_map import TempoMap
from improv_training.corpora.archives import Archive
from improv_training.corpora.encoded import FIELDS, Encoded
from improv_training.corpora.encoding import encode_source
from improv_training.corpora.fast_midi import Voice
from improv_training.corpora.rows import rows_of

TIMED = "maestro_v2"
QUICK = 24
Rows = NDArray[np.int32] | None
Reader = Callable[[Path], Rows]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", default=NAMES, help="of corpora; default: all")
    parser.add_argument("--corpora", type=Path, default=HERE, help="folder of corpora or their .tar.xz")
    parser.add_argument("--quick", action="store_true", help=f"the first {QUICK} files of each corpus")
    arguments = parser.parse_args()
    with unpacked(arguments.corpora, QUICK if arguments.quick else None, arguments.names) as folders:
        if not folders:
            print(f"Left out: no corpora in {arguments.corpora}.\n")
            return
        encoded = measure_improv(folders, arguments.corpora, quick=arguments.quick)
        compare(folders, encoded)


# --- improv ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Taken:
    """What reading a corpus took, in a process that did nothing else."""

    wall_s: float
    computed_s: float
    again_s: float
    here_mb: float
    reader_mb: float


def measure_improv(folders: Sequence[Path], corpora: Path, *, quick: bool) -> dict[str, Encoded]:
    workers = os.cpu_count() or 1
    encoded, rows = {}, []
    with TemporaryDirectory() as cache:
        for folder in folders:
            for path in midi_files(folder):
                path.read_bytes()
            taken = alone(folder, Path(cache))
            one = encode_source(folder, Path(cache))
            facts = (folder.name, len(one.files), len(one.skipped), f"{len(one.rows):,}")
            seconds = (f"{taken.wall_s:.2f}", f"{taken.computed_s:.2f}", f"{taken.again_s:.3f}")
            rows.append((*facts, *seconds, f"{taken.here_mb:.0f} + {workers} x {taken.reader_mb:.0f}"))
            notes = one.rows[:, : len(FIELDS)].copy()
            encoded[folder.name] = Encoded(one.files, one.offsets, notes, one.skipped)
        print(f"Encoding with {workers} processes; load average {load_average()}.\n")
        seconds = ("seconds", "processor seconds", "seconds again, from the cache")
        print_table(("corpus", "files", "skipped", "notes", *seconds, "most memory, MB"), rows)
        archive = corpora / f"{TIMED}.tar.xz"
        if archive.is_file() and not quick:
            begin_s = time.perf_counter()
            encode_source(Archive(archive), Path(cache), workers=workers)
            print(f"{archive.name} without unpacking it: {time.perf_counter() - begin_s:.1f} s.\n")
    return encoded


def alone(folder: Path, cache: Path) -> Taken:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(take, folder, cache).result()


def take(folder: Path, cache: Path) -> Taken:
    begin_s, before_s = time.perf_counter(), processor_s()
    encode_source(folder, cache, workers=os.cpu_count() or 1)
    wall_s, computed_s = time.perf_counter() - begin_s, processor_s() - before_s
    peaks = (
        resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    begin_s = time.perf_counter()
    encode_source(folder, cache)
    return Taken(wall_s, computed_s, time.perf_counter() - begin_s, *peaks)


def processor_s() -> float:
    """Of this process and those that it has waited for."""
    return sum(os.times()[:4])


# --- beside others --------------------------------------------------------------------------------


def by_core(path: Path) -> Rows:
    try:
        notes = encode(read_performance(path))
    except ImprovError:
        return None
    return np.stack([getattr(notes, name) for name in FIELDS], axis=1).astype(np.int32)


def by_pretty_midi(path: Path) -> Rows:
    import pretty_midi

    warnings.simplefilter("ignore", RuntimeWarning)
    voices = []
    for one in pretty_midi.PrettyMIDI(str(path)).instruments:
        notes = [(note.start, note.end, note.pitch, note.velocity) for note in one.notes]
        pedal = [(c.time, c.value) for c in one.control_changes if c.number == SUSTAIN_CONTROLLER]
        if notes and not one.is_drum:
            voices.append(voice(*zip(*notes, strict=True), *zip(*(pedal or [(0.0, 0)]), strict=True)))
    return rows_of(voices)[:, : len(FIELDS)] if voices else None


def by_symusic(path: Path) -> Rows:
    import symusic

    data = path.read_bytes()
    score = symusic.Score.from_midi(data)
    tempos = score.tempos.numpy()
    division = int.from_bytes(data[12:14], signed=True)
    tempo_map = TempoMap(division, list(zip(tempos["time"].tolist(), tempos["mspq"].tolist(), strict=True)))
    voices = []
    for track in score.tracks:
        notes, controls = track.notes.numpy(), track.controls.numpy()
        if track.is_drum or not len(track.notes):
            continue
        pedal = controls["number"] == SUSTAIN_CONTROLLER
        ticks = (notes["time"], notes["time"] + notes["duration"], controls["time"][pedal])
        onset_s, release_s, pedal_s = (tempo_map.seconds_of(one.astype(np.int64)) for one in ticks)
        value = controls["value"][pedal]
        voices.append(voice(onset_s, release_s, notes["pitch"], notes["velocity"], pedal_s, value))
    return rows_of(voices)[:, : len(FIELDS)] if voices else None


def voice(
    onset_s: object, release_s: object, pitch: object, velocity: object, pedal_s: object, pedal: object
) -> Voice:
    seconds = [np.asarray(one, dtype=np.float64) for one in (onset_s, release_s, pedal_s)]
    whole = [np.asarray(one, dtype=np.int64) for one in (pitch, velocity, pedal)]
    release_s = seconds[0] + (seconds[1] - seconds[0])
    return Voice("", 0, 0, seconds[0], release_s, whole[0], whole[1], seconds[2], whole[2])


READERS: dict[str, Reader] = {"core": by_core, "pretty_midi": by_pretty_midi, "symusic": by_symusic}


def compare(folders: Sequence[Path], encoded: dict[str, Encoded]) -> None:
    names = [name for name in READERS if name == "core" or importlib.util.find_spec(name) is not None]
    rows = []
    for folder in folders:
        files = midi_files(folder)
        read: dict[str, list[Rows]] = {"improv": by_improv(encoded[folder.name], folder, files)}
        times = {}
        for name in names:
            begin_s, before_s = time.perf_counter(), processor_s()
            read[name] = read_all(READERS[name], files)
            times[name] = time.perf_counter() - begin_s, processor_s() - before_s
        for name, results in read.items():
            differing, missing = differences(results, read["core"])
            taken = [f"{seconds:.1f}" for seconds in times[name]] if name in times else ["above", "above"]
            rows.append((folder.name, name, len(files), *taken, differing, missing))
    taken = ["seconds", "processor seconds"]
    headers = ("corpus", "reader", "files", *taken, "files that differ from core", "notes lost in them")
    print_table(headers, rows)


def by_improv(encoded: Encoded, folder: Path, files: Sequence[Path]) -> list[Rows]:
    spans = dict(zip(encoded.files, itertools.pairwise(encoded.offsets.tolist()), strict=True))
    names = [path.relative_to(folder).as_posix() for path in files]
    return [encoded.rows[slice(*spans[name])] if name in spans else None for name in names]


def read_all(reader: Reader, files: Sequence[Path]) -> list[Rows]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count() or 1, context) as pool:
        return list(pool.map(reader, files, chunksize=16))


def differences(results: Sequence[Rows], yardstick: Sequence[Rows]) -> tuple[int, int]:
    """Files that are not read alike, and how many notes fewer those have."""
    differing, missing = 0, 0
    for one, other in zip(results, yardstick, strict=True):
        if (one is None) != (other is None) or (
            one is not None and other is not None and not np.array_equal(one, other)
        ):
            differing += 1
            missing += (0 if other is None else len(other)) - (0 if one is None else len(one))
    return differing, missing


if __name__ == "__main__":
    main()
