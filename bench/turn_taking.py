"""When a player's turn is over: false hand-overs against waiting time, for improv and for fixed silences.

    python -m bench.turn_taking [MODEL] [--corpus NAME ...] [--split test] [--calls 100] [--seed 1]
        [--rests] [--fit] [--data FOLDER] [--splits FOLDER]

Calls are phrases of held-out performances, played to each rule as live; at the phrase's end the player stops
for good. A hand-over before that is false. Pieces that recur in training are left out. `--fit` prints what
the constants of `improv_core.turns` should be, from training pieces and validation.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bench.corpora import add_corpora_options
from bench.tables import print_table
from improv_core import turns
from improv_core.expectation import expectation_of
from improv_core.model import Model
from improv_core.representation import Notes
from improv_core.turns import TurnBounds
from improv_daemon.models import load_model
from improv_training.corpora.corpus import SPLITS, Corpus, Split
from improv_training.corpora.loading import Reading, load_corpus
from improv_training.corpora.near_duplicates import keep_out_of_test
from improv_training.evaluation.generated.calls import section
from improv_training.evaluation.turn_taking.figures import Curve, Figures
from improv_training.evaluation.turn_taking.fitting import fit, most_patient
from improv_training.evaluation.turn_taking.phrases import calls_in, ends_in_a_rest, ends_phrase
from improv_training.evaluation.turn_taking.rules import (
    FixedRule,
    Heard,
    Outcome,
    Rule,
    bar,
    expectations_of,
    fixed,
    improv,
    outcome,
    pace,
)
from improv_training.mix import load_mix

NAMES = ("pianolatron_exp", "pop909_main", "piano_midi_de", "wjazzd", "maestro_v2")
MELODY = "pop909_main"
"""Of which the melody alone is a corpus of its own beside the five."""

SILENCES_S = (0.1, 0.3, 0.6, 1.0, 2.0)
CURVE_S = tuple(np.round(np.arange(0.05, 3.0, 0.05), 2).tolist())
PATIENCES = (0.7, 0.85, 1.0, 1.2, 1.5, 2.0)
"""Factors on the least silence and on the patience beyond it."""

RESAMPLES = 200

STRETCH_NOTES, CALLS_A_PIECE = 1500, 4
SOON_S, SOON_SHARE = 0.7, 0.5
"""In each corpus of validation that share of calls is to be answered so soon."""

HEADERS = (
    *("rule", "false hand-overs a call", "calls interrupted"),
    *("wait from the last onset: median s", "mean s", "90 % s", "from the last key-up: median s"),
)


def main() -> None:
    arguments = parsed()
    begin_s = time.process_time()
    model = load_model(arguments.model)
    corpora = read(arguments)
    if arguments.fit:
        print_fit(model, corpora, arguments)
        return
    calls, notes = chosen(
        corpora, arguments.split, arguments.calls, arguments.seed, model, rests=arguments.rests
    )
    print(
        f"{len(calls)} calls of {len({call.corpus for call in calls})} corpora, {arguments.split} split; "
        f"{notes:,} notes heard by the model.\n"
    )
    report(calls)
    print_costs(model, calls[0].notes)
    print(f"{time.process_time() - begin_s:.0f} s of CPU.")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.turn_taking",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "model", nargs="?", default="default", metavar="MODEL", help="default, or a model file"
    )
    parser.add_argument("--corpus", nargs="+", default=NAMES, metavar="NAME", help="where calls come from")
    add_corpora_options(parser)
    parser.add_argument("--split", choices=SPLITS, default="test", help="validation, to choose constants on")
    parser.add_argument("--calls", type=int, default=100, help="of each corpus")
    parser.add_argument("--seed", type=int, default=1, help="of the choice of pieces")
    parser.add_argument("--rests", action="store_true", help="phrases end in rests, see phrases.py")
    parser.add_argument("--fit", action="store_true", help="fit the constants of improv_core.turns")
    return parser.parse_args()


# --- calls ----------------------------------------------------------------------------------------


def read(arguments: argparse.Namespace) -> list[Corpus]:
    """The corpora, and the melody alone of the one that has one; without what recurs in training."""
    reading, mix = Reading(mix=load_mix("default")), load_mix("default")
    named = dict.fromkeys((*arguments.corpus, *arguments.training))
    loaded = [
        load_corpus(arguments.data / name, arguments.splits, arguments.cache, reading) for name in named
    ]
    kept = {corpus.name: corpus for corpus in keep_out_of_test(loaded).corpora}
    chosen = [kept[name] for name in arguments.corpus]
    if MELODY in arguments.corpus:
        melody = Reading(tracks="melody", mix=mix)
        alone = load_corpus(arguments.data / MELODY, arguments.splits, arguments.cache, melody)
        places = dict(zip(kept[MELODY].files, kept[MELODY].split, strict=True))
        split = tuple(places.get(file, "left out") for file in alone.files)
        chosen.append(replace(alone, name=f"{MELODY}, melody", split=split))
    return chosen


def chosen(
    corpora: Sequence[Corpus], split: Split, count: int, seed: int, model: Model, *, rests: bool = False
) -> tuple[list[Heard], int]:
    """So many calls of each corpus, a few of each piece, and how many notes the model has heard for them."""
    calls, notes = [], 0
    for corpus in corpora:
        rng, found = np.random.default_rng(seed), list[Heard]()
        for stretch in stretches(corpus, split, rng):
            spans = calls_in(stretch, ends_in_a_rest if rests else ends_phrase)
            spans = [spans[i] for i in sorted(rng.permutation(len(spans))[:CALLS_A_PIECE].tolist())]
            spans = spans[: count - len(found)]
            if spans:
                end = max(span.end for span in spans)
                heard = section(stretch, 0, end)
                expected = expectations_of(model, heard)
                notes += end
                found += [Heard(corpus.name, heard, expected, span) for span in spans]
            if len(found) == count:
                break
        calls += found
    return calls, notes


def stretches(corpus: Corpus, split: Split, rng: np.random.Generator) -> Iterator[Notes]:
    """Some of each piece, pieces in any order; then some more of each."""
    pieces = [i for i, place in enumerate(corpus.split) if place == split]
    for _ in range(3):
        for index in rng.permutation(pieces).tolist():
            piece = corpus.piece(index)
            begin = int(rng.integers(max(1, len(piece) - STRETCH_NOTES + 1)))
            yield section(piece, begin, begin + STRETCH_NOTES)


# --- figures --------------------------------------------------------------------------------------


def figures(calls: Sequence[Heard], rule: Callable[[Heard], Rule]) -> Figures:
    return Figures.of([call.corpus for call in calls], [outcome(call, rule(call)) for call in calls])


def answered_soon(calls: Sequence[Heard], rule: Callable[[Heard], Rule]) -> float:
    """Share of calls answered within `SOON_S`, in the corpus where it is least."""
    soon: dict[str, list[bool]] = {}
    for call in calls:
        soon.setdefault(call.corpus, []).append(outcome(call, rule(call)).wait_s <= SOON_S)
    return min(sum(one) / len(one) for one in soon.values())


def fixed_silences(calls: Sequence[Heard]) -> list[list[Outcome]]:
    """For each of `CURVE_S` what it makes of each call."""
    return [[outcome(call, FixedRule(silence_s)) for call in calls] for silence_s in CURVE_S]


def curve(calls: Sequence[Heard], under: Sequence[Sequence[Outcome]], names: Sequence[str]) -> Curve:
    """Of the calls of some corpora."""
    mine = [i for i, call in enumerate(calls) if call.corpus in names]
    corpora = [calls[i].corpus for i in mine]
    return Curve(CURVE_S, tuple(Figures.of(corpora, [each[i] for i in mine]) for each in under))


def report(everything: Sequence[Heard]) -> None:
    """All tables; the melody alone stands only in that of the corpora."""
    under = fixed_silences(everything)
    calls = [call for call in everything if call.corpus in NAMES]
    everywhere, ours = curve(everything, under, NAMES), figures(calls, improv)
    silence_s, false, interrupted = everywhere.alike(ours.wait_s)
    rules = {f"{silence_s:g} s": figures(calls, fixed(silence_s)) for silence_s in SILENCES_S}
    rules |= {"one bar": figures(calls, bar), "improv, the pace alone": figures(calls, pace), "improv": ours}
    print_table(HEADERS, [row(name, one) for name, one in rules.items()])
    print(
        f"A fixed silence with the same median wait, {silence_s:.2f} s: {false:.3f} false hand-overs a call, "
        f"{interrupted:.1%} of calls interrupted. improv's are {ours.false_per_call / false:.2f} and "
        f"{ours.calls_interrupted / interrupted:.2f} of that.\n"
    )
    mine = [i for i, call in enumerate(everything) if call.corpus in NAMES]
    low, high = spread(calls, [[each[i] for i in mine] for each in under])
    print(f"The first ratio over {RESAMPLES} draws of pieces: 95 % are from {low:.2f} to {high:.2f}.\n")
    print_table(
        ("calls of", "calls", "improv: false a call", "median wait s", "fixed s", "false a call", "ratio"),
        [
            by_corpus(name, everything, curve(everything, under, [name]))
            for name in dict.fromkeys(call.corpus for call in everything)
        ],
    )
    print_table(
        ("patience", "improv: median wait s", "false a call", "fixed s", "false a call", "ratio"),
        [at_patience(times, calls, everywhere) for times in PATIENCES],
    )


def spread(calls: Sequence[Heard], under: Sequence[Sequence[Outcome]]) -> tuple[float, float]:
    """Of false hand-overs improv's over those of the fixed silence that waits as long (bootstrap of pieces).

    Args:
        calls: Some.
        under: For each of `CURVE_S` what it makes of each of them.
    """
    rng, ratios = np.random.default_rng(1), []
    ours = [outcome(call, improv(call)) for call in calls]
    for _ in range(RESAMPLES):
        places = drawn_anew(calls, rng)
        corpora = [calls[i].corpus for i in places]
        fixed_rules = Curve(CURVE_S, tuple(Figures.of(corpora, [each[i] for i in places]) for each in under))
        mine = Figures.of(corpora, [ours[i] for i in places])
        ratios.append(mine.false_per_call / max(fixed_rules.alike(mine.wait_s)[1], 1e-9))
    low, high = np.percentile(ratios, (2.5, 97.5)).tolist()
    return low, high


def drawn_anew(calls: Sequence[Heard], rng: np.random.Generator) -> list[int]:
    """Which calls: of each corpus as many stretches as there are, with replacement, and all calls of each."""
    stretches_of: dict[str, dict[int, list[int]]] = {}
    for i, call in enumerate(calls):
        stretches_of.setdefault(call.corpus, {}).setdefault(id(call.notes), []).append(i)
    places = []
    for found in stretches_of.values():
        stretches = list(found.values())
        for drawn in rng.integers(len(stretches), size=len(stretches)).tolist():
            places += stretches[drawn]
    return places


def row(name: str, one: Figures) -> tuple[object, ...]:
    return (
        *(name, f"{one.false_per_call:.2f}", f"{one.calls_interrupted:.0%}", f"{one.wait_s:.2f}"),
        *(f"{one.wait_mean_s:.2f}", f"{one.wait_late_s:.2f}", f"{one.wait_up_s:.2f}"),
    )


def by_corpus(name: str, calls: Sequence[Heard], fixed_rules: Curve) -> tuple[object, ...]:
    mine = [call for call in calls if call.corpus == name]
    ours = figures(mine, improv)
    return (name, len(mine), f"{ours.false_per_call:.2f}", f"{ours.wait_s:.2f}", *alike(ours, fixed_rules))


def alike(ours: Figures, fixed_rules: Curve) -> tuple[str, str, str]:
    silence_s, false, _ = fixed_rules.alike(ours.wait_s)
    ratio = f"{ours.false_per_call / false:.2f}" if false else ""
    return f"{silence_s:.2f}", f"{false:.2f}", ratio


def at_patience(times: float, calls: Sequence[Heard], fixed_rules: Curve) -> tuple[object, ...]:
    ours = figures(calls, lambda call: improv(call, slower(times)))
    return (f"{times:g}", f"{ours.wait_s:.2f}", f"{ours.false_per_call:.2f}", *alike(ours, fixed_rules))


def slower(times: float) -> TurnBounds:
    bounds = TurnBounds()
    return replace(
        bounds,
        silence_min_s=bounds.silence_min_s * times,
        silence_max_s=max(bounds.silence_max_s, bounds.silence_min_s * times),
        silence_factor=bounds.silence_factor * times,
    )


# --- constants ------------------------------------------------------------------------------------


def print_fit(model: Model, corpora: Sequence[Corpus], arguments: argparse.Namespace) -> None:
    """What the constants should be: powers from training, patience from validation."""
    ours = [corpus for corpus in corpora if corpus.name in arguments.training]
    powers = fit(chosen(ours, "train", arguments.calls, arguments.seed, model)[0])
    measured = [corpus for corpus in corpora if corpus.name in NAMES]
    calls, _ = chosen(measured, "validation", arguments.calls, arguments.seed, model)
    turns.LONGEST_POWER, turns.SILENCE_POWER = powers.longest, powers.silence

    def soon_enough(patience: float) -> bool:
        turns.PATIENCE = patience
        return answered_soon(calls, improv) >= SOON_SHARE

    turns.PATIENCE = most_patient(soon_enough, 0.01, 10_000.0)
    print(f"PATIENCE {turns.PATIENCE:.1f}")
    print(f"LONGEST_POWER {powers.longest:.3f}, SILENCE_POWER {powers.silence:.3f}\n")
    print_table(HEADERS, [row("improv, validation", figures(calls, improv))])


def print_costs(model: Model, notes: Notes) -> None:
    """Microseconds of what a press and a look at the clock cost beside the model's own step."""
    read = model.representation.start()
    projected, _ = model.advance(read, model.initial_state())
    taker: Any = turns.TurnTaker(TurnBounds())
    expectation = expectation_of(model.heads, projected)
    taker.press(60, 0.0)
    taker.expect(expectation)
    taker.release(60, 0.1)
    print_table(
        ("microseconds", "p50", "p99"),
        [
            ("expectation after a press", *timed(lambda: expectation_of(model.heads, projected))),
            ("deadline", *timed(taker.deadline_s)),
        ],
    )


def timed(act: Callable[[], object], count: int = 2000) -> tuple[str, str]:
    taken = []
    for _ in range(count):
        begin_s = time.perf_counter()
        act()
        taken.append(time.perf_counter() - begin_s)
    p50, p99 = np.percentile(np.array(taken[count // 10 :]) * 1e6, [50, 99])
    return f"{p50:.0f}", f"{p99:.0f}"


if __name__ == "__main__":
    main()
