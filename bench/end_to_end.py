"""Whole sittings on real JACK ports: another process plays a real performance, improv answers and records.

``python -m bench.end_to_end --minutes 5`` prints the table of docs/benchmarks.md. It needs jackd, a soundfont
and, for real pieces, the corpora in ../shared/data; ``--human-like`` does without them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from maestro import piece_of_the_test_split
from midi_checks import balance, notes_of, pedals_down, polyphony
from performance_fixture import human_performance
from sittings import (
    Sitting,
    decisions_s,
    first_answers_s,
    onset_errors_s,
    phrase_of,
    phrases_at_gaps,
    recorded_as,
    recorded_sitting,
    unanswered,
    yields_s,
)
from sound_checks import decoded_mp3

from bench.sound_onsets import agreement, onsets_by_ear
from improv_core.midi_files import read_midi, read_performance
from improv_core.notes import Performance
from improv_daemon import wire
from improv_daemon.rendering import TAIL_S

SERVER = "improv-bench"
_ANSWER_PER_CALL = 1.25
"""An answer as a multiple of its call, for choosing how many phrases to play."""
_INTERRUPT_EVERY = 3
_PAIRED_WITHIN_S = 0.1


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as place, jack_server(realtime=not arguments.no_realtime):
        folder = Path(place)
        phrases = _phrases(arguments, folder)
        interrupt = frozenset(range(1, len(phrases) - 1, _INTERRUPT_EVERY))
        options = ("--seed", str(arguments.seed))
        sitting = recorded_sitting(folder, phrases, *options, interrupt=interrupt)
        load = os.getloadavg()
        report(sitting)
        print(f"load average at the end: {load[0]:.1f} {load[1]:.1f} {load[2]:.1f}")
        if arguments.keep is not None:
            shutil.copytree(sitting.midi.parent, arguments.keep / sitting.midi.parent.name)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--piece", type=int, default=0, help="which of MAESTRO's test pieces")
    parser.add_argument("--human-like", action="store_true", help="a performance of our own making instead")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--no-realtime", action="store_true", help="run jackd with ordinary priority")
    parser.add_argument("--keep", type=Path, help="a folder to keep the sitting in")
    return parser.parse_args()


@contextlib.contextmanager
def jack_server(*, realtime: bool, period_frames: int = 64) -> Iterator[None]:
    """A JACK server without hardware, that every process started from here uses."""
    command = ["jackd", "-n", SERVER, "--realtime" if realtime else "--no-realtime", "-S", "-p", "128"]
    command += ["-d", "dummy", "-r", "48000", "-p", str(period_frames)]
    os.environ |= {"JACK_DEFAULT_SERVER": SERVER, "JACK_NO_START_SERVER": "1"}
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        subprocess.run(["jack_wait", "-s", SERVER, "-w", "-t", "10"], capture_output=True, check=True)
        yield
    finally:
        server.terminate()
        server.wait()


def _phrases(arguments: argparse.Namespace, folder: Path) -> list[Performance]:
    if arguments.human_like:
        human = human_performance()
        bounds = zip(human.phrase_starts_s, human.phrase_ends_s, strict=True)
        found = [phrase_of(human.performance, s - 0.1, e + 0.1) for s, e in bounds]
    else:
        found = phrases_at_gaps(read_performance(piece_of_the_test_split(folder, arguments.piece)))
    chosen: list[Performance] = []
    length_s = 0.0
    while length_s < arguments.minutes * 60:
        chosen.append(found[len(chosen) % len(found)])
        length_s += chosen[-1].end_s * (1 + _ANSWER_PER_CALL) + 1.5
    return chosen


def report(sitting: Sitting) -> None:
    """Print every figure of one sitting."""
    player, improv = (track.performance for track in read_midi(sitting.midi))
    start_s = sitting.journal.header.now_s
    played = recorded_as(sitting.sent, start_s, player.notes, _PAIRED_WITHIN_S)
    answered = recorded_as(sitting.heard, start_s, improv.notes, _PAIRED_WITHIN_S)
    answers = notes_of(sitting.heard)
    sounded = [entry.message for entry in sitting.journal.entries if isinstance(entry.message, wire.Sounded)]
    found = balance(sitting.heard)
    missing = unanswered(sitting.calls, sitting.heard)
    print(f"calls: {len(sitting.calls)}, answered: {len(sitting.calls) - len(missing)}")
    print(
        f"notes played: {len(notes_of(sitting.sent))}; notes heard: {len(answers)}, "
        f"most at a time: {polyphony(answers)}, velocities: {len({n.velocity for n in answers})}, "
        f"pedal moves: {sum(data[:2] == (0xB1, 64) for _, data in sitting.heard)}"
    )
    print(
        f"note-offs missing: {len(found.hanging)}, without note-on: {len(found.orphans)}, "
        f"struck twice: {len(found.struck_twice)}, pedals down at the end: {len(pedals_down(sitting.heard))}"
    )
    _line("last onset of the call to first of the answer", first_answers_s(sitting.calls, sitting.heard))
    _line("decision to first onset of the answer", decisions_s(sitting.journal))
    _line("player's return to silence, at the listener", yields_s(sitting.sent, sitting.heard))
    _line("lateness of improv's notes, as acknowledged", [message.late_s for message in sounded])
    for name, matches in (("player", played), ("improv", answered)):
        _line(f"recorded {name} onsets against the ports", onset_errors_s(matches))
        apart = onset_errors_s(matches, start_s, sitting.stalls)
        _line("   the same without the time the machine stood still", apart)
        print(f"   notes not recorded: {len(matches.missing)}, recorded without cause: {len(matches.extra)}")
    print(
        f"machine standing still: {len(sitting.stalls)} times, "
        f"longest {1000 * max((end - start for start, end in sitting.stalls), default=0.0):.1f} ms"
    )
    _report_sound(sitting, player, improv)
    print(f"journal: {sitting.journal.damaged} damaged, {sitting.journal.lost} lost; status {sitting.status}")


def _report_sound(sitting: Sitting, player: Performance, improv: Performance) -> None:
    sound = decoded_mp3(sitting.mp3)
    end_s = max(player.end_s, improv.end_s)
    summary = json.loads((sitting.midi.parent / "summary.json").read_text(encoding="utf-8"))
    print(
        f"MP3: {sound.duration_s:.2f} s for {end_s + TAIL_S:.2f} s, "
        f"peak {20 * np.log10(sound.peak):.1f} dBFS, rms {20 * np.log10(sound.rms):.1f} dBFS; "
        f"as the summary has it: {summary['level']}"
    )
    onsets_s = [note.onset_s for note in (*player.notes, *improv.notes)]
    by_ear_s = onsets_by_ear(sound.samples, sound.sample_rate)
    for name, expected_s in (("onsets", onsets_s), ("the same 0.37 s later, by chance", _later(onsets_s))):
        found = agreement(expected_s, by_ear_s)
        late_ms = 1000 * float(np.median(found.offsets_s)) if found.offsets_s else float("nan")
        print(
            f"{name}: {found.found} of {found.expected} are heard ({found.found / found.expected:.1%}), "
            f"median {late_ms:.1f} ms after the file's; without cause: {found.without_cause} of {found.heard}"
        )


def _later(onsets_s: Sequence[float]) -> list[float]:
    return [onset_s + 0.37 for onset_s in onsets_s]


def _line(name: str, values_s: Sequence[float]) -> None:
    if not values_s:
        print(f"{name}: none")
        return
    ms = 1000 * np.array(values_s)
    p50, p95, p99 = np.percentile(ms, (50, 95, 99))
    print(f"{name}: p50 {p50:.2f} p95 {p95:.2f} p99 {p99:.2f} max {ms.max():.2f} ms ({len(ms)})")


if __name__ == "__main__":
    main()
