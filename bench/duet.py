"""Duets of improv with one hand of held-out pieces, against the hand that was written for it.

    python -m bench.duet [--model default] [--data FOLDER] [--splits FOLDER] [--split test] [--pieces 0]

The upper hand is played and improv supports it, fully or sparsely; or the lower one is played and improv
leads. All settings are at their defaults, and time is virtual: notes are heard and played when they would be.
Pieces that recur in the training mix are left out. Agreement is with the real other hand within half a
second, and its control is the hand of another piece at the same seconds.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np

from bench.corpora import add_corpora_options
from bench.tables import load_average, milliseconds, print_table
from improv_core.model import Model
from improv_core.notes import Note
from improv_core.representation import keyed
from improv_daemon.building import improviser_of
from improv_daemon.models import load_model
from improv_daemon.settings import Settings
from improv_training.corpora.corpus import SPLITS as PLACES
from improv_training.corpora.loading import load_corpus
from improv_training.corpora.near_duplicates import keep_out_of_test
from improv_training.evaluation.duetting import CROWDED, Figures, TwoHands, figures, read_two_hands, stretch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from playing import Room, partner_of

CORPORA = ("pop909_main", "piano_midi_de", "pianolatron_exp")
ROLES = {"support": True, "sparse": True, "lead": False}
"""And whether improv is the lower hand in it."""

WRITTEN = "as written"
LOWER, UPPER = "lower hand", "upper hand"
FIGURES = [one.name for one in fields(Figures)]
RING_S = 8.0


@dataclass(slots=True)
class Tally:
    """Figures of each piece, by (corpus, which hand improv has, who plays it)."""

    of_pieces: dict[tuple[str, str, str], list[list[float]]] = field(default_factory=dict)
    by_chance: dict[tuple[str, str, str], list[float]] = field(default_factory=dict)
    taken_s: list[tuple[float, float]] = field(default_factory=list)

    def add(self, key: tuple[str, str, str], found: Figures, other: Figures) -> None:
        """Of one piece, and what agreement it has with another."""
        self.of_pieces.setdefault(key, []).append([getattr(found, name) for name in FIGURES])
        self.by_chance.setdefault(key, []).append(other.agreement)


class Hall(Room):
    """A room in which it is measured how long improv takes from a key of the player's to its new plan."""

    taken_s: list[tuple[float, float]]

    def strike(self, pitch: int, velocity: int) -> None:
        """The player strikes a key."""
        begin_s, computed_s = time.perf_counter(), time.thread_time()
        self.press(pitch, velocity=velocity)
        while (at_s := self.partner.next_wakeup_s()) is not None and at_s <= self.now_s:
            self.obey(self.partner.wake(self.now_s))
        self.taken_s.append((time.perf_counter() - begin_s, time.thread_time() - computed_s))


def duet(
    settings: Settings, model: Model, player: Sequence[Note], taken_s: list[tuple[float, float]]
) -> list[Note]:
    """What improv plays with somebody."""
    improviser = improviser_of(settings, model, settings.seed)
    room = Hall(partner_of(improviser=improviser, settings=settings))
    room.taken_s = taken_s
    strokes = [(on, 1, pitch, velocity) for on, pitch, velocity, _ in keyed(player)]
    strokes += [(off, 0, pitch, 0) for _, pitch, _, off in keyed(player)]
    for at_ms, is_on, pitch, velocity in sorted(strokes):
        room.run_for(max(0.0, at_ms / 1000 - room.now_s))
        if is_on:
            room.strike(pitch, velocity)
        else:
            room.release(pitch)
    room.run_for(RING_S)
    return played(room)


def played(room: Room) -> list[Note]:
    notes, down = [], dict[int, tuple[float, int]]()
    for at_s, data in room.sent:
        kind = data[0] & 0xF0
        if kind in (0x80, 0x90) and data[1] in down:
            onset_s, velocity = down.pop(data[1])
            notes.append(Note(data[1], velocity, onset_s, at_s - onset_s))
        if kind == 0x90 and data[2]:
            down[data[1]] = at_s, data[2]
    return sorted(notes, key=lambda note: note.onset_s)


def main() -> None:
    arguments = parsed()
    model, tally = load_model(arguments.model), Tally()
    for name, pieces in held_out(arguments):
        for number, piece in enumerate(pieces):
            other = pieces[(number + 1) % len(pieces)]
            for role, is_lower in ROLES.items():
                if role in arguments.roles:
                    settings = replace(Settings(), mode="duet", seed=arguments.seed)
                    settings = replace(settings, duet=replace(settings.duet, role=role))
                    play(settings, model, tally, name, piece, other, arguments.seconds, is_lower=is_lower)
            say(f"{name}: piece {number + 1} of {len(pieces)}")
    print_tally(tally)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.duet", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="default", help="default, or an .onnx model file")
    add_corpora_options(parser)
    parser.add_argument("--split", choices=PLACES, default="test", help="validation, to choose weights on")
    parser.add_argument("--pieces", type=int, default=0, help="of each corpus, at most; 0: all")
    parser.add_argument("--seconds", type=float, default=45.0, help="of each piece")
    parser.add_argument("--roles", nargs="*", choices=tuple(ROLES), default=tuple(ROLES))
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def held_out(arguments: argparse.Namespace) -> list[tuple[str, list[TwoHands]]]:
    names = dict.fromkeys((*CORPORA, *arguments.training))
    loaded = [load_corpus(arguments.data / name, arguments.splits, arguments.cache) for name in names]
    found = []
    for corpus in keep_out_of_test(loaded).corpora:
        if corpus.name in CORPORA:
            files = [
                f for f, place in zip(corpus.files, corpus.split, strict=True) if place == arguments.split
            ]
            hands = [read_two_hands(arguments.data / corpus.name / file) for file in files]
            pieces = [stretch(one, arguments.seconds) for one in hands if one is not None]
            pieces = [one for one in pieces if min(len(one.upper), len(one.lower)) >= arguments.seconds / 2]
            found.append((corpus.name, pieces[: arguments.pieces or None]))
    return found


def play(
    settings: Settings,
    model: Model,
    tally: Tally,
    name: str,
    piece: TwoHands,
    other: TwoHands,
    length_s: float,
    *,
    is_lower: bool,
) -> None:
    """A piece in one role; what was written is measured beside it."""
    player, real = (piece.upper, piece.lower) if is_lower else (piece.lower, piece.upper)
    strange = other.lower if is_lower else other.upper
    hand = [one for one in duet(settings, model, player, tally.taken_s) if one.onset_s < length_s]
    side = LOWER if is_lower else UPPER
    for who, notes in ((settings.duet.role, hand), (WRITTEN, real)):
        if who == WRITTEN and settings.duet.role == "sparse":
            continue
        found = figures(notes, player, real, is_lower=is_lower, length_s=length_s)
        chance = figures(notes, player, strange, is_lower=is_lower, length_s=length_s)
        if found is not None and chance is not None:
            tally.add((name, side, who), found, chance)


def print_tally(tally: Tally) -> None:
    rows = []
    for key, found in sorted(tally.of_pieces.items()):
        values = np.array(found)
        cells = [cell(values[:, place], name) for place, name in enumerate(FIGURES)]
        chance = np.array(tally.by_chance[key])
        gained = values[:, FIGURES.index("agreement")] - chance
        rows.append((*key, len(found), *cells, cell(chance, "agreement"), cell(gained, "agreement")))
    print_table(
        (
            "corpus",
            "improv's hand",
            "who",
            "pieces",
            "notes a second",
            "of both",
            f"half seconds with more than {CROWDED}, %",
            "within 4 semitones, %",
            "unisons, %",
            "crossing, %",
            "struck together, %",
            "agreement, %",
            "with another piece, %",
            "difference",
        ),
        rows,
    )
    print("Means of pieces with their standard errors.\n")
    for what, times_s in zip(
        ("as the clock says", "of the processor"), zip(*tally.taken_s, strict=True), strict=True
    ):
        p50, p99, most = milliseconds(times_s)
        print(
            f"From a key to the new plan, {what}: {p50} ms at p50, {p99} ms at p99, {most} ms "
            f"at most over {len(times_s):,} notes; load average {load_average()}.\n"
        )


def cell(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], name: str) -> str:
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return ""
    scale, digits = (1.0, 2) if name.endswith("per_s") else (100.0, 1)
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{scale * np.mean(values):.{digits}f} ± {scale * error:.{digits}f}"


def say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:<70}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
