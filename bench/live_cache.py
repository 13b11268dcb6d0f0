"""The live cache: nats per note on second halves of held-out pieces with and without it, and its time.

    python -m bench.live_cache MODEL [--corpus NAME ...] [--training NAME ...] [--data FOLDER]
        [--splits FOLDER] [--pieces 40] [--notes 2000] [--split test] [--choose] [-o FILE.json]

MODEL is `default` or a model file. Its state is carried through each piece. The first half fills the cache as
the player's, the second is scored while it goes on filling it, or (frozen) without. Pieces that recur in
training are left out. `--choose` looks for the numbers of `improv_core.live_cache.TRUSTS` on validation.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.corpora import NAMES, add_corpora_options
from bench.model_step import WARM_UP, durations_s
from bench.tables import load_average, milliseconds, print_table
from improv_core.live_cache import CONTEXT, NOTES, TRUSTS, LiveCache, Trust
from improv_core.model import Model
from improv_core.representation import ATTRIBUTE_NAMES, ATTRIBUTES
from improv_daemon.models import load_model
from improv_daemon.settings import Settings
from improv_training.corpora.corpus import SPLITS as PLACES
from improv_training.corpora.corpus import Corpus
from improv_training.corpora.loading import load_corpus
from improv_training.corpora.near_duplicates import keep_out_of_test
from improv_training.evaluation.adapting import (
    LEAST_NOTES,
    Halves,
    Piece,
    Remembering,
    Shares,
    chosen,
    read,
    second_half,
)
from improv_training.evaluation.generated.calls import section

STRENGTHS: Final = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
SHOWN: Final = Settings().memory.follow
"""The strength of which each attribute is printed: that which improv comes with."""

CHOSEN_AT: Final = 0.5
"""The strongest that the setting allows: what is chosen there is not too much anywhere below."""

STEPS: Final = (1.6, 1.25)
RESAMPLES: Final = 1000
TIMED_NOTES: Final = 4000


@dataclass(frozen=True, slots=True)
class Score:
    """Pieces of one corpus.

    Attributes:
        corpus: Its name.
        halves: Of each piece, while the second half goes on filling the cache.
        frozen: While it does not.
    """

    corpus: str
    halves: list[Halves]
    frozen: list[Halves]

    @property
    def notes(self) -> int:
        return sum(map(len, self.halves))

    @property
    def nats(self) -> Shares:
        return mean([one.nats for one in self.halves], self.halves)


def main() -> None:
    arguments = parsed()
    model = load_model(arguments.model)
    if arguments.choose:
        print_choice(model, dict(held_out(arguments, model)))
        return
    scores, timed = list[Score](), list[Piece]()
    for name, pieces in held_out(arguments, model):
        scores.append(score(model, name, pieces))
        timed = pieces[:1]
    print_attributes(scores)
    print_strengths(scores)
    for piece in timed:
        print_time(model, piece)
    if arguments.output is not None:
        told = {one.corpus: figures(one) for one in scores}
        arguments.output.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.live_cache",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", metavar="MODEL", help="default, or an .onnx model file")
    parser.add_argument("--corpus", nargs="+", default=NAMES, metavar="NAME")
    add_corpora_options(parser)
    parser.add_argument("--split", choices=PLACES, default="test")
    parser.add_argument("--pieces", type=int, default=40, help="most of each corpus, evenly spread")
    parser.add_argument("--notes", type=int, default=2000, help="most of each piece, from its beginning")
    parser.add_argument("--choose", action="store_true", help="look for better numbers of the cache")
    parser.add_argument("-o", "--output", type=Path, help="JSON of all figures")
    arguments = parser.parse_args()
    if arguments.choose:
        arguments.split = "validation"
    return arguments


def held_out(arguments: argparse.Namespace, model: Model) -> Iterator[tuple[str, list[Piece]]]:
    """Some pieces of each corpus that has any."""
    names = dict.fromkeys((*arguments.corpus, *arguments.training))
    loaded = [load_corpus(arguments.data / name, arguments.splits, arguments.cache) for name in names]
    for corpus in keep_out_of_test(loaded).corpora:
        found = some_pieces(corpus, arguments.split, arguments.pieces)
        if corpus.name in arguments.corpus and found:
            yield corpus.name, [read(model, section(corpus.piece(i), 0, arguments.notes)) for i in found]


def some_pieces(corpus: Corpus, split: str, most: int) -> list[int]:
    long_enough = np.diff(corpus.offsets) >= LEAST_NOTES
    places = [i for i, place in enumerate(corpus.split) if place == split and long_enough[i]]
    spread = np.linspace(0, len(places) - 1, min(most, len(places))).round().astype(int)
    return [places[place] for place in spread.tolist()]


def score(model: Model, name: str, pieces: Sequence[Piece]) -> Score:
    begin_s = time.monotonic()
    filling, frozen = (
        [second_half(model.heads, piece, Remembering(frozen=frozen)) for piece in pieces]
        for frozen in (False, True)
    )
    say(f"{name}: {len(pieces)} pieces in {time.monotonic() - begin_s:.0f} s")
    return Score(name, filling, frozen)


def mean(values: Sequence[Shares], halves: Sequence[Halves]) -> Shares:
    """Per note of all pieces together."""
    return np.average(np.array(values), axis=0, weights=[len(one) for one in halves])


def error(values: Sequence[float], halves: Sequence[Halves]) -> float:
    """Standard error of the mean per note, by drawing pieces anew (bootstrap)."""
    chance, notes = np.random.default_rng(1), np.array([len(one) for one in halves])
    drawn = chance.integers(len(notes), size=(RESAMPLES, len(notes)))
    means = (np.array(values) * notes)[drawn].sum(axis=1) / notes[drawn].sum(axis=1)
    return float(means.std())


def gain(halves: Sequence[Halves], follow: float) -> tuple[float, float]:
    """Nats per note saved, and the standard error."""
    gains = [float(one.gain(follow).sum()) for one in halves]
    return float(mean([np.array(value) for value in gains], halves)), error(gains, halves)


# --- tables ---------------------------------------------------------------------------------------


def print_attributes(scores: Sequence[Score]) -> None:
    rows = list[tuple[object, ...]]()
    for one in scores:
        without, saved = one.nats, mean([half.gain(SHOWN) for half in one.halves], one.halves)
        pairs = [f"{b:.3f} → {b - s:.3f}" for b, s in zip(without, saved, strict=True)]
        total, spread = gain(one.halves, SHOWN)
        frozen, frozen_spread = gain(one.frozen, SHOWN)
        whole = f"{without.sum():.3f} → {without.sum() - total:.3f}"
        facts = (one.corpus, len(one.halves), f"{one.notes:,}")
        rows.append(
            (*facts, *pairs, whole, f"**{total:.3f}** ± {spread:.3f}", f"{frozen:.3f} ± {frozen_spread:.3f}")
        )
    headers = ("corpus", "pieces", "notes", *ATTRIBUTE_NAMES, "nats a note", "gained", "gained, frozen")
    print(f"follow {SHOWN}:\n")
    print_table(headers, rows)


def print_strengths(scores: Sequence[Score]) -> None:
    table = [(one.corpus, [gain(one.halves, follow)[0] for follow in STRENGTHS]) for one in scores]
    table.append(("mean of corpora", np.mean([gains for _, gains in table], axis=0).tolist()))
    headers = ("nats a note gained at follow", *(f"{follow:g}" for follow in STRENGTHS))
    print_table(headers, ((name, *(f"{value:.3f}" for value in gains)) for name, gains in table))


def figures(one: Score) -> dict[str, Any]:
    strengths = [(0.0, (0.0, 0.0)), *((follow, gain(one.halves, follow)) for follow in STRENGTHS)]
    return {
        "notes": one.notes,
        "nats": one.nats.tolist(),
        "gains": {f"{follow:g}": both for follow, both in strengths},
        "frozen": {f"{follow:g}": gain(one.frozen, follow) for follow in STRENGTHS},
    }


# --- time -----------------------------------------------------------------------------------------


def print_time(model: Model, piece: Piece) -> None:
    rows = []
    for name, act in acts(model, piece):
        for pace, every_s in (("back to back", 0.0), ("every 5 ms", 0.005)):
            count = TIMED_NOTES if not every_s else TIMED_NOTES // 4
            begin_s = time.thread_time()
            taken_s = durations_s(act, count, every_s)
            used_s = (time.thread_time() - begin_s) / (count + WARM_UP)
            rows.append((name, pace, *milliseconds(taken_s), f"{1e3 * used_s:.3f}", load_average()))
    headers = ("p50 ms", "p99 ms", "max ms", "mean ms of the processor", "load average")
    print_table((f"{NOTES} notes held", "", *headers), rows)


def acts(model: Model, piece: Piece) -> Iterator[tuple[str, Callable[[int], None]]]:
    """What a cache that is full does for a note."""
    cache, pitches = LiveCache(model.heads, SHOWN), piece.notes.pitch.tolist()
    classes, asked = piece.classes.tolist(), piece.asked.tolist()

    def hear(index: int) -> None:
        i = index % len(piece)
        cache.lasted(cache.heard(piece.projected[i], asked[i], classes[i][:-1]), classes[i][-1])

    def mix(index: int) -> None:
        i = CONTEXT + index % (len(piece) - CONTEXT)
        here = cache.after(pitches[i - CONTEXT : i])
        for a in range(len(ATTRIBUTES)):
            here.mixed(a, piece.inputs[a][i], classes[i][:a], piece.shares[a][i])

    def both(index: int) -> None:
        mix(index)
        hear(index)

    for index in range(NOTES + 1):
        hear(index)
    yield from (("a note is heard", hear), ("a note is drawn", mix), ("both", both))


# --- choosing -------------------------------------------------------------------------------------


def print_choice(model: Model, pieces: dict[str, list[Piece]]) -> None:
    def saved(trusts: Sequence[Trust | None]) -> Shares:
        means = []
        for ones in pieces.values():
            halves = [second_half(model.heads, piece, Remembering(trusts=trusts)) for piece in ones]
            means.append(mean([half.gain(CHOSEN_AT) for half in halves], halves))
        found = np.mean(means, axis=0)
        say(" ".join(f"{value:.4f}" for value in found))
        return np.asarray(found)

    for trust in chosen(saved, TRUSTS, STEPS):
        print(trust)


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
