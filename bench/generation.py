"""Continuations of held-out calls against what the pieces go on with.

    python -m bench.generation MODEL --corpus NAME ... [--data FOLDER] [--splits FOLDER] [--calls 300]
        [--seed 1] [-o FILE.json]

MODEL is `default` or a model file. It continues each call by the code that plays live and with the settings
that improv comes with; `--sampling temperature_pitch=1` changes one of them. Pieces that recur in training
are left out. Copies are sought in the training splits of the corpora named with `--training`.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.corpora import add_corpora_options
from bench.tables import print_table
from improv_core.improvising import Improvising
from improv_core.model import Model
from improv_core.representation import Notes
from improv_daemon.building import improviser_of
from improv_daemon.models import load_model
from improv_daemon.settings import Settings
from improv_training.corpora.corpus import SPLITS as PLACES
from improv_training.corpora.corpus import Corpus
from improv_training.corpora.loading import load_corpus
from improv_training.corpora.near_duplicates import keep_out_of_test
from improv_training.evaluation.generated.calls import (
    CALL_NOTES,
    CONTINUATION_NOTES,
    Call,
    choose_calls,
)
from improv_training.evaluation.generated.classifiers import RECIPES, Verdict, tell_apart
from improv_training.evaluation.generated.copies import RUN_NOTES, Copied, TrainingRuns, pieces_of
from improv_training.evaluation.generated.drift import Block, drift
from improv_training.evaluation.generated.features import on_grid
from improv_training.evaluation.generated.overlap import HALVINGS, Compared, compare, mean_shares
from improv_training.evaluation.generated.playing import continuations
from improv_training.evaluation.generated.segments import SEGMENT_NOTES, segments
from improv_training.evaluation.generated.shares import Summary, summary

NOTES = f"""\
Overlapping area (the headline): of the distances within the real set and of those to it, after Yang and Lerch
(2018). Histogram overlap: of all notes counted together. Both are means over {HALVINGS} halvings of each
corpus by pieces, each both ways: continuations of one half, generated and real, against the real ones of the
other. Nats: Kullback-Leibler divergence from the real.
"""


@dataclass(frozen=True, slots=True)
class Played:
    """What is compared.

    Attributes:
        calls: What was heard.
        generated: What the model went on with, for each call, on the grid.
        real: What the piece goes on with, on the grid.
    """

    calls: list[Call]
    generated: list[Notes]
    real: list[Notes]

    @property
    def pieces(self) -> list[tuple[str, str]]:
        return [call.piece for call in self.calls]

    def of(self, corpus: str) -> Played:
        places = [i for i, call in enumerate(self.calls) if call.corpus == corpus]
        return Played(
            [self.calls[i] for i in places],
            [self.generated[i] for i in places],
            [self.real[i] for i in places],
        )

    @property
    def corpora(self) -> list[str]:
        return list(dict.fromkeys(call.corpus for call in self.calls))


def main() -> None:
    arguments = parsed()
    torch.set_num_threads(1)
    names = dict.fromkeys((*arguments.corpus, *arguments.training))
    loaded = [load_corpus(arguments.data / name, arguments.splits, arguments.cache) for name in names]
    corpora = {corpus.name: corpus for corpus in keep_out_of_test(loaded).corpora}
    calls = choose_calls(
        [corpora[name] for name in arguments.corpus],
        arguments.split,
        arguments.calls,
        call_notes=arguments.call_notes,
        continuation_notes=arguments.notes,
        seed=arguments.seed,
    )
    played = play(load_model(arguments.model), calls, sampled(arguments.sampling), arguments.seed)
    told: dict[str, Any] = {"model": arguments.model, "split": arguments.split, "calls": len(calls)}
    told |= {"sampling": asdict(sampled(arguments.sampling).sampling), "seed": arguments.seed}
    told |= report_likeness(played)
    told["drift"] = report_drift(played)
    if not arguments.without_classifiers:
        told["classifiers"] = report_classifiers(played, arguments.seed)
    told["copies"] = report_copies(played, [corpora[name] for name in arguments.training])
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(as_json(told), indent=1) + "\n", encoding="utf-8")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.generation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", metavar="MODEL", help="default, or an .onnx model file")
    parser.add_argument("--corpus", nargs="+", required=True, metavar="NAME", help="where calls come from")
    add_corpora_options(parser)
    parser.add_argument("--split", choices=PLACES, default="test", help="validation, to choose settings on")
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--call-notes", type=int, default=CALL_NOTES)
    parser.add_argument("--notes", type=int, default=CONTINUATION_NOTES, help="of each continuation")
    parser.add_argument(
        "--sampling", nargs="*", default=(), metavar="NAME=VALUE", help="other than the default"
    )
    parser.add_argument("--seed", type=int, default=1, help="of calls, chance and halvings")
    parser.add_argument("--without-classifiers", action="store_true")
    parser.add_argument("-o", "--output", type=Path, help="JSON of all figures")
    return parser.parse_args()


def sampled(changes: Iterable[str]) -> Settings:
    """The settings that improv comes with, but for some of sampling."""
    settings = Settings()
    given = dict(change.split("=", 1) for change in changes)
    values: dict[str, Any] = {name: float(value) for name, value in given.items()}
    return replace(settings, sampling=replace(settings.sampling, **values))


def beginner(model: Model, settings: Settings, seed: int, call: Call) -> Improvising:
    """An improviser for a call, as improv makes it; nothing is asked of it."""
    return improviser_of(settings, model, seed)


def play(model: Model, calls: Sequence[Call], settings: Settings, seed: int) -> Played:
    begin_s = time.monotonic()
    seeds = {id(call): seed + i for i, call in enumerate(calls)}
    generated = list(
        continuations(
            lambda call: beginner(model, settings, seeds[id(call)], call),
            calls,
            max_gap_s=settings.answer.max_gap_s,
        )
    )
    notes = sum(map(len, generated))
    say(f"{len(calls)} calls continued by {notes:,} notes in {time.monotonic() - begin_s:.0f} s")
    return Played(list(calls), [*map(on_grid, generated)], [on_grid(call.truth) for call in calls])


# --- likeness -------------------------------------------------------------------------------------


def report_likeness(played: Played) -> dict[str, Any]:
    """Print overlaps and shares, of all calls and of each corpus."""
    sets = {"all": played, **{name: played.of(name) for name in played.corpora}}
    compared = {name: compare(one.generated, one.real, one.pieces) for name, one in sets.items()}
    calls = {name: len(one.calls) for name, one in sets.items()}
    print_compared(compared["all"])
    print_table(
        (
            "calls of",
            "calls",
            "overlapping area, share of real/real",
            "histogram overlap, share of real/real",
        ),
        (
            (name, calls[name], *(f"{share:.3f}" for share in mean_shares(compared[name])))
            for name in compared
        ),
    )
    print(NOTES)
    figures = {name: (summary(one.generated), summary(one.real)) for name, one in sets.items()}
    print_summaries(figures)
    return {
        "headline": mean_shares(compared["all"])[0],
        "histograms": mean_shares(compared["all"])[1],
        "features": {name: [asdict(one) for one in ones] for name, ones in compared.items()},
        "summaries": {
            name: {"generated": asdict(one), "real": asdict(other)} for name, (one, other) in figures.items()
        },
    }


def print_compared(compared: Sequence[Compared]) -> None:
    headers = ("feature", "area", "real/real", "share", "nats", "real/real")
    print_table(
        (*headers, *("histograms" if one == "area" else one for one in headers[1:])),
        ((one.feature, *_areas(one), *_overlaps(one)) for one in compared),
    )


def _areas(one: Compared) -> tuple[str, ...]:
    return _cells(one.generated.area, one.real.area, one.generated.area_nats, one.real.area_nats)


def _overlaps(one: Compared) -> tuple[str, ...]:
    return _cells(one.generated.overlap, one.real.overlap, one.generated.overlap_nats, one.real.overlap_nats)


def _cells(generated: float, real: float, nats: float, real_nats: float) -> tuple[str, ...]:
    return (f"{generated:.3f}", f"{real:.3f}", f"{generated / real:.3f}", f"{nats:.3f}", f"{real_nats:.3f}")


def print_summaries(figures: dict[str, tuple[Summary, Summary]]) -> None:
    print_table(
        (
            "calls of",
            "",
            "chord-mates released within 50 ms",
            "in chords",
            "under pedal",
            "pedal moves a note",
            "notes a second",
            "median duration, ms",
            "velocity",
            "velocity sd in a run",
            "pitch",
            "pitch-class bits",
        ),
        (
            (name, who, *_figures(one))
            for name, both in figures.items()
            for who, one in zip(("generated", "real"), both, strict=True)
        ),
    )


def _figures(one: Summary) -> tuple[str, ...]:
    together = "" if math.isnan(one.together) else f"{one.together:.1%}"
    shares = (together, f"{one.chord:.1%}", f"{one.pedalled:.1%}", f"{one.pedal_moves:.3f}")
    numbers = (one.notes_per_s, one.duration_ms, one.velocity, one.velocity_spread, one.pitch)
    return (*shares, *(f"{value:.1f}" for value in numbers), f"{one.class_bits:.2f}")


def report_drift(played: Played) -> list[dict[str, Any]]:
    blocks = drift(played.generated, played.real, played.pieces)
    print_table(
        (
            "notes",
            "overlapping area, share",
            "histogram overlap, share",
            "notes a second",
            "under pedal",
            "in chords",
            "velocity",
            "median duration, ms",
            "pitch",
            "pitch-class bits",
        ),
        (_drift_row(block) for block in blocks),
    )
    print("By position in the continuation; where there are two figures: generated, real.\n")
    return [asdict(block) for block in blocks]


def _drift_row(block: Block) -> tuple[str, ...]:
    one, other = block.generated, block.real
    return (
        f"{block.begin + 1}",
        f"{block.area_share:.3f}",
        f"{block.overlap_share:.3f}",
        f"{one.notes_per_s:.2f}, {other.notes_per_s:.2f}",
        f"{one.pedalled:.1%}, {other.pedalled:.1%}",
        f"{one.chord:.1%}, {other.chord:.1%}",
        f"{one.velocity:.1f}, {other.velocity:.1f}",
        f"{one.duration_ms:.0f}, {other.duration_ms:.0f}",
        f"{one.pitch:.1f}, {other.pitch:.1f}",
        f"{one.class_bits:.2f}, {other.class_bits:.2f}",
    )


# --- real or generated ----------------------------------------------------------------------------


def report_classifiers(played: Played, seed: int) -> list[dict[str, Any]]:
    data = segments(played.generated, played.real, played.pieces)
    corpus_of = [corpus for corpus, _ in dict.fromkeys(played.pieces)]
    verdicts = []
    for recipe in RECIPES:
        begin_s = time.monotonic()
        verdicts.append(tell_apart(data, recipe, seed=seed))
        say(f"{recipe.name}: {verdicts[-1].accuracy:.3f} in {time.monotonic() - begin_s:.0f} s")
    of_corpora = [{name: accuracy(one, corpus_of, name) for name in played.corpora} for one in verdicts]
    print_table(
        ("classifier", "accuracy", "standard error", *played.corpora),
        (
            (one.name, f"{one.accuracy:.3f}", f"{one.error:.3f}", *(f"{value:.3f}" for value in of.values()))
            for one, of in zip(verdicts, of_corpora, strict=True)
        ),
    )
    print(
        f"Real or generated: {len(data.notes):,} segments of {SEGMENT_NOTES} notes, half of them generated; "
        "folds by piece.\n"
    )
    return [
        {"name": one.name, "accuracy": one.accuracy, "error": one.error, "corpora": of}
        for one, of in zip(verdicts, of_corpora, strict=True)
    ]


def accuracy(verdict: Verdict, corpus_of: Sequence[str], corpus: str) -> float:
    counts = [both for piece, both in verdict.by_piece.items() if corpus_of[piece] == corpus]
    right, asked = np.sum(counts, axis=0)
    return float(right / asked)


# --- copies ---------------------------------------------------------------------------------------


def report_copies(played: Played, training: Sequence[Corpus]) -> list[dict[str, Any]]:
    begin_s = time.monotonic()
    known = [*pieces_of(notes for corpus in training for notes in corpus.pieces("train"))]
    generated, real = [*pieces_of(played.generated)], [*pieces_of(played.real)]
    rows: list[tuple[int, bool, Copied, Copied]] = []
    for run_notes, rhythm in ((12, True), (RUN_NOTES, True), (12, False), (RUN_NOTES, False)):
        runs = TrainingRuns(known, run_notes=run_notes, rhythm=rhythm)
        rows.append((run_notes, rhythm, runs.copied(generated), runs.copied(real)))
    say(f"copies sought in {len(known):,} pieces in {time.monotonic() - begin_s:.0f} s")
    print_table(
        ("run of notes", "of", "generated", "real", "generated, not plain", "real, not plain"),
        (
            (
                run_notes,
                "pitch and rhythm" if rhythm else "pitch",
                f"{one.share:.1%}",
                f"{other.share:.1%}",
                f"{one.share_not_plain:.1%}",
                f"{other.share_not_plain:.1%}",
            )
            for run_notes, rhythm, one, other in rows
        ),
    )
    print("Share of continuations that hold such a run from the training data, up to transposition.\n")
    return [
        {"notes": notes, "rhythm": rhythm, "generated": asdict(one), "real": asdict(other)}
        for notes, rhythm, one, other in rows
    ]


def as_json(value: object) -> object:
    """With null for what is not a number."""
    match value:
        case dict():
            return {key: as_json(one) for key, one in value.items()}
        case list():
            return [as_json(one) for one in value]
        case float() if math.isnan(value):
            return None
    return value


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
