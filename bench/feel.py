"""How improv feels under the hands, on real JACK ports, played from a second process.

    python -m bench.feel [--calls 100] [--notes 300] [--virtual 10000]

The rig's own floor is a row of its own, an echo instead of improv: nothing is subtracted from anything.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.end_to_end import jack_server
from bench.tables import load_average, milliseconds, print_table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from improv_process import ImprovProcess
from jack_player import JackPlayer, Timed
from midi_checks import balance, pedals_down
from playing import Room, improviser_of, partner_of

from improv_daemon.controls import PRESSED_FROM
from improv_daemon.journal import Journal, read_journal
from improv_daemon.settings import Answer, Settings
from improv_daemon.wire import Played, Sounded

_HAND_OVER_CC = 67
_JACK = ("--no-sound", "-o", "ports.api=jack")
_NOTE_ON, _NOTE_OFF, _CONTROL = 0x90, 0x80, 0xB0
_HAND_OVER = (_CONTROL, _HAND_OVER_CC)
_WITHIN_S = 1.5
Row = tuple[object, ...]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.feel",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--calls", type=int, default=100, help="hand-overs by a pedal, each answer cut short")
    parser.add_argument("--notes", type=int, default=300, help="notes that are harmonised")
    parser.add_argument("--virtual", type=int, default=10_000, help="calls at virtual time")
    arguments = parser.parse_args()
    rows: list[Row] = []
    with jack_server(realtime=True):
        rows += _echoed(arguments.notes)
        rows += _answered(arguments.calls)
        rows += _harmonised(arguments.notes)
    print_table(("what", "count", "p50 ms", "p99 ms", "max ms", "load average"), rows)
    if arguments.virtual:
        print(f"At virtual time {_answered_at_virtual_time(arguments.virtual)} calls answered.")


def row(name: str, values_s: Sequence[float]) -> Row:
    return (name, len(values_s), *milliseconds(values_s), load_average())


# --- the rig --------------------------------------------------------------------------------------


@contextmanager
def playing(*options: str) -> Iterator[tuple[JackPlayer, Callable[[], Journal]]]:
    """improv at work with a player at its ports; what it has kept, once it is over."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        command = ("record", "kept", *_JACK, "-o", "record.audio=off", *options)
        with ImprovProcess(*command, folder=folder) as improv, JackPlayer() as player:
            improv.wait_until_playing()
            player.connect()
            yield player, lambda: _kept(improv, folder)


def _kept(improv: ImprovProcess, folder: Path) -> Journal:
    improv.stop(timeout_s=60.0)
    (path,) = (folder / "kept").glob("*/journal.jsonl")
    return read_journal(path)


def replies_s(
    sent: Sequence[Timed], heard: Sequence[Timed], within_s: float = 0.3
) -> tuple[list[float], int]:
    """For each note-on that was sent the time to the first note-on heard after it; how many had none."""
    times, unanswered = list[float](), 0
    onsets = [at_s for at_s, data in heard if data[0] & 0xF0 == _NOTE_ON and data[2]]
    for at_s in (at_s for at_s, data in sent if data[0] & 0xF0 == _NOTE_ON and data[2]):
        after = next((onset_s for onset_s in onsets if onset_s > at_s), float("inf"))
        if after - at_s < within_s:
            times.append(after - at_s)
        else:
            unanswered += 1
    return times, unanswered


def steadily(player: JackPlayer, count: int, gap_s: float = 0.2) -> None:
    """Single notes up and down a scale."""
    scale = (60, 62, 64, 65, 67, 69, 71, 72, 74, 76, 77, 79)
    up_and_down = (*scale, *scale[-2:0:-1])
    begin_s = time.monotonic() + 0.1
    for i in range(count):
        at_s, pitch = begin_s + i * gap_s, up_and_down[i % len(up_and_down)]
        player.play([(at_s, (_NOTE_ON, pitch, 70)), (at_s + gap_s * 0.7, (_NOTE_OFF, pitch, 0))])
    player.wait_until(begin_s + count * gap_s + 0.5)


# --- the echo -------------------------------------------------------------------------------------


def _echoed(notes: int) -> list[Row]:
    with (
        subprocess.Popen([sys.executable, "-m", "bench.feel_echo"], stdin=subprocess.PIPE) as echo,
        JackPlayer() as player,
    ):
        player.connect("echo")
        steadily(player, notes)
        sent, heard = list(player.sent), list(player.heard)
        assert echo.stdin is not None
        echo.stdin.close()
    times_s, lost = replies_s(sent, heard)
    return [row(f"the rig alone: a note to its echo ({lost} lost)", times_s)]


# --- call and response ----------------------------------------------------------------------------


def _answered(calls: int) -> list[Row]:
    rng = np.random.default_rng(5)
    options = ("-o", f"controls.hand_over=cc {_HAND_OVER_CC}", "--seed", "3")
    handed_over, returned = list[float](), list[float]()
    with playing(*options) as (player, journal):
        for _ in range(calls):
            handed_over.append(_call(player, rng))
            player.wait_for(lambda since_s=handed_over[-1]: _onsets(player.heard, since_s) >= 3, _WITHIN_S)
            returned.append(_return(player))
        heard = list(player.heard)
        kept = journal()
    answers = [_first_after(heard, at_s) for at_s in handed_over]
    unanswered = sum(answer is None for answer in answers)
    first_s = [answer - at_s for at_s, answer in zip(handed_over, answers, strict=True) if answer]
    last_on_s, silent_s = _yielded(heard, returned)
    return [
        row("hand-over decided to the first note sent, as the stage tells", _decided_to_sent_s(kept)),
        row(f"hand-over by a pedal to the first note heard ({unanswered} of {calls} unanswered)", first_s),
        row("player's return to improv's last note-on heard", last_on_s),
        row("player's return to silence heard", silent_s),
    ]


def _call(player: JackPlayer, rng: np.random.Generator) -> float:
    """Four to seven notes, then the pedal; when that was pressed."""
    at_s = time.monotonic() + 0.05
    for pitch in rng.integers(55, 80, int(rng.integers(4, 8))).tolist():
        player.play([(at_s, (_NOTE_ON, pitch, 70)), (at_s + 0.1, (_NOTE_OFF, pitch, 0))])
        at_s += 0.12
    player.play([(at_s, (_CONTROL, _HAND_OVER_CC, 127)), (at_s + 0.02, (_CONTROL, _HAND_OVER_CC, 0))])
    player.wait_until(at_s)
    # What was sent is told a moment later.
    player.wait_for(lambda: bool(_pedals_s(player.sent, at_s)), _WITHIN_S)
    return _pedals_s(player.sent, at_s)[0]


def _pedals_s(sent: Sequence[Timed], since_s: float) -> list[float]:
    return [at_s for at_s, data in sent if at_s >= since_s and data == (*_HAND_OVER, 127)]


def _return(player: JackPlayer) -> float:
    at_s = time.monotonic() + 0.01
    player.play([(at_s, (_NOTE_ON, 48, 70)), (at_s + 0.1, (_NOTE_OFF, 48, 0))])
    player.wait_until(at_s + 0.25)
    return next(s for s, data in reversed(player.sent) if data[0] == _NOTE_ON)


def _onsets(heard: Sequence[Timed], since_s: float) -> int:
    return sum(at_s > since_s and data[0] & 0xF0 == _NOTE_ON for at_s, data in heard)


def _first_after(heard: Sequence[Timed], at_s: float) -> float | None:
    onsets = (onset_s for onset_s, data in heard if data[0] & 0xF0 == _NOTE_ON)
    first_s = next((onset_s for onset_s in onsets if onset_s > at_s), None)
    return first_s if first_s is not None and first_s - at_s < _WITHIN_S else None


def _decided_to_sent_s(journal: Journal) -> list[float]:
    """From when the mind takes the hand-over to when the stage sends the next note."""
    decided_s: float | None = None
    latencies = []
    for entry in journal.entries:
        match entry.message:
            case Played(data) if data[:2] == _HAND_OVER and data[2] >= PRESSED_FROM:
                decided_s = entry.now_s
            case Sounded(at_s=at_s) if decided_s is not None:
                latencies.append(at_s - decided_s)
                decided_s = None
    return latencies


def _yielded(heard: Sequence[Timed], returned: Sequence[float]) -> tuple[list[float], list[float]]:
    """For each return into something that sounded: the last note-on after it, and the end of all sound."""
    last_on_s, silent_s = [], []
    for at_s in returned:
        before = [one for one in heard if one[0] <= at_s]
        after = [one for one in heard if at_s < one[0] < at_s + 0.2]
        sounding = balance(before).hanging or pedals_down(before)
        if not (sounding or after):
            continue
        onsets = [one[0] for one in after if one[1][0] & 0xF0 == _NOTE_ON]
        last_on_s.append(max(onsets, default=at_s) - at_s)
        over = [*before, *after]
        lasting = balance(over).hanging or pedals_down(over)
        silent_s.append(float("inf") if lasting else max((one[0] for one in after), default=at_s) - at_s)
    return last_on_s, silent_s


# --- harmonise ------------------------------------------------------------------------------------


def _harmonised(notes: int) -> list[Row]:
    with playing("--mode", "harmonise") as (player, journal):
        steadily(player, notes)
        sent, heard = list(player.sent), list(player.heard)
        kept = journal()
    times_s, unanswered = replies_s(sent, heard)
    inside: list[float] = []
    played_s: float | None = None
    for entry in kept.entries:
        match entry.message:
            case Played(data, at_s, _) if data[0] & 0xF0 == _NOTE_ON and data[2]:
                played_s = at_s
            case Sounded(at_s=at_s) if played_s is not None:
                inside.append(at_s - played_s)
                played_s = None
    return [
        row(f"harmonise: a note to its first other note heard ({unanswered} of {notes} without)", times_s),
        row("harmonise: stamped at the port to sent, as the stage tells", inside),
    ]


# --- at virtual time ------------------------------------------------------------------------------


def _answered_at_virtual_time(calls: int) -> str:
    rng = np.random.default_rng(11)
    answer = replace(Answer(), candidates=1, length_min_s=0.3, length_max_s=0.6)
    settings = replace(Settings(), answer=answer)
    room = Room(partner_of(improviser=improviser_of(window_notes=512), settings=settings, candidates=1))
    answered = 0
    for _ in range(calls):
        room.call(*rng.integers(48, 84, int(rng.integers(1, 5))).tolist(), gap_s=0.15, duration_s=0.1)
        room.run_for(6.0)
        answered += bool(room.onsets)
        room.forget()
    return f"{answered} of {calls}"


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
