"""The beats of a session's MIDI file against the true ones, where nothing told improv a tempo.

    python -m bench.session_midi [--data FOLDER] [--splits FOLDER] [--split test] [--pieces 40]

Each piece is played into a journal, message by message; the file that is made of the journal has a tempo map
estimated from the playing, and its beats, the lines that a DAW draws, are compared with those that are known:
annotated in POP909, of hand-made tempo maps in piano-midi.de. Of MAESTRO none are known, nor is there much
tempo. "clear" is the share of the time for which beats are found at all; the rest of the figures are of that.
"half-way" between two true ones are beats of eighths where quarters are true, or off-beats.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import mido
import numpy as np

from bench.corpora import HERE, SPLITS, unpacked
from bench.pulse import CLASSICAL, POP, RECITALS, beats_beside, split_files
from bench.tables import load_average, print_table
from improv_core.beat_finding import Stretch, found_beats
from improv_core.midi_files import read_performance
from improv_core.notes import Performance
from improv_core.tempo_map import TempoMap
from improv_daemon import wire
from improv_daemon.journal import JournalWriter, read_journal
from improv_daemon.recorder import write_session_midi
from improv_training.corpora.beats import ANNOTATIONS

START_S = 100.0
NEAR_S, VERY_NEAR_S = 0.07, 0.02


@dataclass(frozen=True, slots=True)
class File:
    """What the made file says of its time."""

    beats_s: np.ndarray
    bar_lines_s: np.ndarray
    tempos: int
    made_in_s: float


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.session_midi",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=HERE, help="folder of corpora or their .tar.xz")
    parser.add_argument("--splits", type=Path, default=SPLITS, help="folder of NAME.json")
    parser.add_argument("--split", default="test", choices=("validation", "test"))
    parser.add_argument("--pieces", type=int, default=40, help="of each corpus, at most")
    arguments = parser.parse_args()
    with unpacked(arguments.data, names=(POP, CLASSICAL, RECITALS)) as folders, TemporaryDirectory() as made:
        if not folders:
            print(f"Left out: no corpora in {arguments.data}.\n")
            return
        print(f"Load average {load_average()}.\n")
        rows = []
        for folder in folders:
            paths = split_files(folder, arguments.splits, arguments.split, arguments.pieces)
            rows.append(measured(folder.name, paths, Path(made)))
        headers = ("corpus", "pieces", "clear", "tempos a minute", "beats found", "within 20 ms")
        print_table(
            (
                *headers,
                "within 70 ms",
                "half-way",
                "median ms",
                "p90 ms",
                "bar lines found",
                "right",
                "ms a minute",
            ),
            rows,
        )


def measured(name: str, paths: list[Path], scratch: Path) -> list[str]:
    known_s = off_s = np.zeros(0)
    found = halves = length_s = estimated_s = cost_s = 0.0
    tempos, right, there = 0, list[float](), list[float]()
    pieces = 0
    for path in paths:
        performance = read_performance(path)
        first_s, last_s = performance.notes[0].onset_s, performance.notes[-1].onset_s
        file = played_into_a_file(performance, scratch / f"{name}-{pieces}")
        pieces += 1
        length_s, cost_s = length_s + last_s - first_s, cost_s + file.made_in_s
        stretches = found_beats(performance.notes, 4)
        estimated_s += sum(float(one.beats_s[-1] - one.beats_s[0]) for one in stretches)
        tempos += file.tempos
        true_s = beats_beside(path, path.read_bytes(), last_s)
        if true_s is None or len(true_s) < 2:
            continue
        beats_s = file.beats_s[clear(file.beats_s, stretches, true_s)]
        true_s = true_s[clear(true_s, stretches, true_s)]
        if not len(beats_s) or len(true_s) < 2:
            continue
        off_s = np.append(off_s, apart(beats_s, true_s))
        found += float(np.sum(apart(true_s, beats_s) <= NEAR_S))
        halves += float(np.sum(apart(beats_s, (true_s[1:] + true_s[:-1]) / 2) <= NEAR_S))
        known_s = np.append(known_s, true_s)
        of_file, of_piece = bar_lines_found(path, file)
        right, there = right + of_file, there + of_piece
    share = estimated_s / max(length_s, 1e-9)
    cells = [name, str(pieces), f"{share:.0%}", f"{tempos / length_s * 60:.1f}"]
    if len(off_s):
        cells += [f"{found / len(known_s):.1%}"]
        cells += [f"{np.mean(off_s <= near_s):.1%}" for near_s in (VERY_NEAR_S, NEAR_S)]
        cells += [f"{halves / len(off_s):.1%}"]
        cells += [f"{np.percentile(off_s, part) * 1e3:.1f}" for part in (50, 90)]
    else:
        cells += [""] * 6
    cells += [f"{np.mean(bars):.1%}" if bars else "" for bars in (there, right)]
    return [*cells, f"{cost_s / length_s * 60e3:.0f}"]


def clear(at_s: np.ndarray, stretches: tuple[Stretch, ...], true_s: np.ndarray) -> np.ndarray:
    """Which moments are in a stretch whose beats are clear, and where the true ones are known."""
    known = (at_s >= true_s[0] - NEAR_S) & (at_s <= true_s[-1] + NEAR_S)
    found = np.zeros(len(at_s), dtype=np.bool_)
    for one in stretches:
        found |= (at_s >= one.beats_s[0] - NEAR_S) & (at_s <= one.beats_s[-1] + NEAR_S)
    both: np.ndarray = known & found
    return both


def apart(some_s: np.ndarray, others_s: np.ndarray) -> np.ndarray:
    """How far each is from the nearest of the others."""
    place = np.clip(np.searchsorted(others_s, some_s), 1, len(others_s) - 1)
    nearest: np.ndarray = np.minimum(np.abs(some_s - others_s[place - 1]), np.abs(some_s - others_s[place]))
    return nearest


def played_into_a_file(performance: Performance, scratch: Path) -> File:
    path, midi_path = scratch.with_suffix(".jsonl"), scratch.with_suffix(".mid")
    first_s = performance.notes[0].onset_s
    with JournalWriter(
        path, model="none", seed=0, settings={}, started_at=datetime.now(UTC), now_s=START_S
    ) as journal:
        for at_s, data in messages(performance):
            journal.write(wire.Played(data, START_S + at_s, "keys"), START_S + at_s)
    read = read_journal(path)
    if read.lost or read.damaged:
        raise RuntimeError(f"{path}: {read.problems}")
    begun_s = time.perf_counter()
    write_session_midi(read, midi_path, tempo="estimated")
    made_in_s = time.perf_counter() - begun_s
    return read_file(midi_path, first_s, performance.notes[-1].onset_s, made_in_s)


def messages(performance: Performance) -> list[tuple[float, tuple[int, ...]]]:
    made: list[tuple[float, tuple[int, ...]]] = []
    for note in performance.notes:
        made.append((note.onset_s, (0x90, note.pitch, note.velocity)))
        made.append((note.release_s, (0x80, note.pitch, 0)))
    made += [(control.at_s, (0xB0, control.controller, control.value)) for control in performance.controls]
    return sorted(made, key=lambda timed: timed[0])


def read_file(path: Path, first_s: float, last_s: float, made_in_s: float) -> File:
    midi = mido.MidiFile(path)
    tempos, signatures, tick = [], [], 0
    for message in midi.tracks[0]:
        tick += message.time
        if message.type == "set_tempo":
            tempos.append((tick, message.tempo))
        if message.type == "time_signature":
            signatures.append((tick, message.numerator * 4 * midi.ticks_per_beat // message.denominator))
    tempo_map = TempoMap(midi.ticks_per_beat, tempos)
    if tempos == [(0, 500_000)]:
        return File(np.zeros(0), np.zeros(0), 1, made_in_s)
    last = tempo_map.tick(last_s)
    parts = list(spans(signatures, last))
    beats = [at for begin, end, _ in parts for at in range(begin, end, midi.ticks_per_beat)]
    bars = [at for part in parts for at in range(*part)]
    beats_s, bars_s = (np.array([tempo_map.seconds(at) for at in some]) for some in (beats, bars))
    return File(
        beats_s[beats_s >= first_s - NEAR_S], bars_s[bars_s >= first_s - NEAR_S], len(tempos), made_in_s
    )


def spans(signatures: list[tuple[int, int]], last: int) -> Iterator[tuple[int, int, int]]:
    ends = [tick for tick, _ in signatures[1:]] + [last + 1]
    for (begin, length), end in zip(signatures, ends, strict=True):
        yield begin, end, length


def bar_lines_found(path: Path, file: File) -> tuple[list[float], list[float]]:
    """Of each bar line of the file whether it is one, and of each true one whether it is there."""
    beside = path.with_name(ANNOTATIONS)
    if not beside.is_file():
        return [], []
    rows = [line.split() for line in beside.read_text(encoding="utf-8").splitlines() if line.strip()]
    true_s = np.array([float(row[0]) for row in rows if float(row[2])])
    lines_s = file.bar_lines_s
    lines_s = lines_s[(lines_s >= true_s[0] - NEAR_S) & (lines_s <= true_s[-1] + NEAR_S)]
    right, found = (apart(one, other) <= NEAR_S for one, other in ((lines_s, true_s), (true_s, lines_s)))
    return right.astype(float).tolist(), found.astype(float).tolist()


if __name__ == "__main__":
    main()
