"""How long pictures of a long session take, from the command line to the file.

    python -m bench.plots [--minutes 120] [--only WHAT ...]

Two play in turn, 8 notes a second. The session is plotted from its journal and from its MIDI file, each
time by a process of its own, so that Python's start and matplotlib's import count, too. Beside it stands what
notebooks do: pretty_midi reads the file and pyplot's plot draws a line for each note.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.tables import load_average, print_table
from improv_core.notes import SUSTAIN_CONTROLLER, ControlChange, Note, Performance
from improv_daemon import wire
from improv_daemon.journal import JournalWriter, read_journal
from improv_daemon.phrases import key_messages
from improv_daemon.plotting import WHAT
from improv_daemon.recorder import write_session_midi

START_S = 100.0
TURN_S, PAUSE_S, NOTES_PER_S = 7.0, 1.0, 8
BATCH = 2000


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.plots",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = tuple(what for what in WHAT if what != "training")
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--only", nargs="+", choices=kinds, default=kinds, help="pictures of this kind")
    arguments = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        journal, midi = folder / "journal.jsonl", folder / "session.mid"
        notes = write_journal(journal, arguments.minutes * 60)
        write_session_midi(read_journal(journal), midi)
        print(f"{arguments.minutes:g} minutes, {notes:,} notes; load average {load_average()}.\n")
        rows = [row for what in arguments.only for row in timed(what, journal, midi, folder)]
        rows.append(
            ["pretty_midi and pyplot, a line for each note", "MIDI", *by_lines(midi, folder / "lines.png")]
        )
        print_table(("picture", "from", "seconds", "kB"), rows)


def timed(what: str, journal: Path, midi: Path, folder: Path) -> Iterator[list[str]]:
    for name, source in (("journal", journal), ("MIDI", midi)):
        out = folder / f"{what}-{name}.png"
        command = [sys.executable, "-m", "improv_daemon", "plot", str(source), "-o", str(out), "--what", what]
        begun_s = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        yield [what, name, f"{time.perf_counter() - begun_s:.1f}", f"{out.stat().st_size / 1000:.0f}"]


def by_lines(midi: Path, out: Path) -> list[str]:
    """In a process of its own, like the others."""
    code = (
        "import sys, pretty_midi, matplotlib; matplotlib.use('Agg'); from matplotlib import pyplot\n"
        "pretty_midi.pretty_midi.MAX_TICK = 1e10  # or it refuses files of 87 minutes\n"
        "figure = pyplot.figure(figsize=(12, 6.75), dpi=160)\n"
        "for instrument in pretty_midi.PrettyMIDI(sys.argv[1]).instruments:\n"
        "    for note in instrument.notes:\n"
        "        pyplot.plot([note.start, note.end], [note.pitch, note.pitch])\n"
        "figure.savefig(sys.argv[2])\n"
    )
    begun_s = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, str(midi), str(out)], check=True)
    return [f"{time.perf_counter() - begun_s:.1f}", f"{out.stat().st_size / 1000:.0f}"]


def write_journal(path: Path, length_s: float) -> int:
    """Returns the number of notes."""
    rng = np.random.default_rng(1)
    messages, notes, turn, at_s = list[wire.Message](), 0, 0, 0.5
    while at_s < length_s:
        phrase = random_phrase(rng)
        notes += len(phrase.notes)
        messages += told(phrase, turn, START_S + at_s) if turn % 2 else played(phrase, START_S + at_s)
        turn, at_s = turn + 1, at_s + TURN_S + PAUSE_S
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    with JournalWriter(
        path, started_at=begun, now_s=START_S, model="default", seed=1, settings={}
    ) as journal:
        for i in range(0, len(messages), BATCH):
            journal.write_batch(messages[i : i + BATCH], START_S + length_s * i / len(messages))
            journal.flush(10.0)
    return notes


def random_phrase(rng: np.random.Generator) -> Performance:
    onsets_s = np.sort(rng.uniform(0, TURN_S - 0.5, int(TURN_S * NOTES_PER_S)))
    pitches = np.clip(rng.normal(62, 12, len(onsets_s)), 21, 108).astype(int)
    notes = [
        Note(int(pitch), int(rng.integers(30, 110)), float(onset_s), float(rng.uniform(0.05, 0.45)))
        for onset_s, pitch in zip(onsets_s, pitches, strict=True)
    ]
    moves = [ControlChange(SUSTAIN_CONTROLLER, 127 * (i % 2), i * TURN_S / 8) for i in range(1, 9)]
    return Performance.of(notes, [*moves, ControlChange(SUSTAIN_CONTROLLER, 0, TURN_S)])


def played(phrase: Performance, start_s: float) -> list[wire.Message]:
    return [wire.Played(data, start_s + at_s, "keys") for at_s, data in key_messages(phrase)]


def told(phrase: Performance, turn: int, start_s: float) -> list[wire.Message]:
    timed: list[tuple[float, wire.Message]] = []
    for i, note in enumerate(phrase.notes):
        timed += [
            (note.onset_s, wire.Sounded(turn, i, note.pitch, note.velocity, start_s + note.onset_s, 0.0001)),
            (note.release_s, wire.Released(turn, i, note.pitch, start_s + note.release_s)),
        ]
    timed += [(move.at_s, wire.PedalMoved(turn, move.value, start_s + move.at_s)) for move in phrase.controls]
    return [message for _, message in sorted(timed, key=lambda one: one[0])]


if __name__ == "__main__":
    main()
