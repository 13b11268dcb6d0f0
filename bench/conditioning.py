"""Whether asking changes the music: each condition of a model on held-out pieces.

    python -m bench.conditioning MODEL [--corpus NAME ...] [--training NAME ...] [--data FOLDER]
        [--splits FOLDER] [--calls 100] [--seed 1] [-o FILE.json]

MODEL is `default` or a model file. Pieces that recur in the training split of any corpus that is
named are left out. Calls are heard as played; what is asked, and how, is as live. Nats are of true notes, of
which nothing else is told.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.corpora import add_corpora_options
from bench.tables import print_table
from improv_core.improviser import Improviser
from improv_core.improvising import NOTHING_ASKED, Ask
from improv_core.model import Model
from improv_core.representation import ATTRIBUTE_NAMES, STYLES, Notes, Pulse
from improv_core.sampler import Sampling
from improv_daemon.models import load_model, model_path
from improv_training.corpora.corpus import Corpus
from improv_training.corpora.loading import Reading, load_corpus
from improv_training.corpora.near_duplicates import keep_out_of_test
from improv_training.evaluation.conditioning.answers import (
    Answer,
    asked_for,
    closed,
    histograms,
    notes_per_s,
    overlap,
    pulse_of,
)
from improv_training.evaluation.conditioning.beats import places_in_beat, places_of_setting
from improv_training.evaluation.conditioning.endings import (
    FEATURES,
    Ending,
    ending,
    likeness,
    real_endings,
    real_middles,
)
from improv_training.evaluation.conditioning.roles import roles
from improv_training.evaluation.conditioning.told import gains
from improv_training.evaluation.generated.calls import Call, choose_calls
from improv_training.evaluation.generated.shares import bits
from improv_training.evaluation.scoring import Scorer, open_scorer
from improv_training.mix import load_mix

NAMES = ("pianolatron_exp", "pop909_main", "piano_midi_de", "wjazzd")
"""What of the training mix has a test split."""

SECONDS = 10.0
"""Of every asked continuation."""

CALL_NOTES, TRUE_NOTES = 96, 64
ANSWER_S = 6.0
SAMPLES = 50
"""Of ends, of which there are more in some sets than in others."""

NOTES_SCORED = 12_000
"""Of each corpus, whole pieces: where nats are measured."""


class Study:
    """One model, its calls and its pieces.

    Args:
        model: Plays.
        scorer: The same, for nats.
        corpora: Held-out pieces, none of which recurs in training.
        calls: How many.
        seed: Of calls and chance.
    """

    def __init__(
        self, model: Model, scorer: Scorer, corpora: Sequence[Corpus], calls: int, seed: int
    ) -> None:
        self.model, self.scorer, self.seed = model, scorer, seed
        self.corpora = list(corpora)
        self.calls = choose_calls(
            corpora, "test", calls, call_notes=CALL_NOTES, continuation_notes=TRUE_NOTES, seed=seed
        )
        self.style = {corpus.name: corpus.style for corpus in corpora}
        self._seeds = {id(call): seed + i for i, call in enumerate(self.calls)}

    def seed_of(self, call: Call) -> int:
        """The same whatever is asked, so that nothing else tells two answers to a call apart."""
        return self._seeds[id(call)]

    def answer(self, call: Call, ask: Ask, pulse: Pulse | None = None) -> Answer:
        improviser = Improviser(self.model, Sampling(), seed=self.seed_of(call), style=ask.style)
        return asked_for(improviser, call, ask, seconds=SECONDS, pulse=pulse)

    def free(self) -> list[Answer]:
        """To every call, nothing asked."""
        return [self.answer(call, NOTHING_ASKED) for call in self.calls]

    def pieces(self, corpus: Corpus, most: int = NOTES_SCORED) -> list[Notes]:
        """The shortest test pieces, until they hold enough notes."""
        found = list[Notes]()
        for piece in sorted(corpus.pieces("test"), key=len):
            if sum(map(len, found)) >= most:
                break
            found.append(piece)
        return found


def main() -> None:
    arguments = parsed()
    torch.set_num_threads(1)
    mix = load_mix("default")
    loaded = [
        load_corpus(arguments.data / name, arguments.splits, arguments.cache, Reading(mix=mix))
        for name in dict.fromkeys((*arguments.corpus, *arguments.training))
    ]
    corpora = [one for one in keep_out_of_test(loaded).corpora if one.name in arguments.corpus]
    model, scorer = load_model(arguments.model), open_scorer(model_path(arguments.model))
    study = Study(model, scorer, corpora, arguments.calls, arguments.seed)
    told = {
        "model": arguments.model,
        "calls": len(study.calls),
        "seed": arguments.seed,
        "told": report_told(study),
        "density": report_density(study),
        "style": report_style(study),
        "part": report_part(study),
        "endings": report_endings(study),
        "beat": report_beat(study),
    }
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.conditioning",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", metavar="MODEL", help="default, or an .onnx model file")
    parser.add_argument("--corpus", nargs="+", default=NAMES, metavar="NAME")
    add_corpora_options(parser)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="of calls and chance")
    parser.add_argument("-o", "--output", type=Path, help="JSON of all figures")
    return parser.parse_args()


# --- what being told is worth ---------------------------------------------------------------------


def report_told(study: Study) -> dict[str, Any]:
    figures, rows = dict[str, Any](), list[tuple[str, ...]]()
    for corpus in study.corpora:
        pieces = study.pieces(corpus)
        found = gains(study.scorer, pieces)
        nothing = found[0].nats.sum()
        for one in found:
            cells = [f"{value:.3f}" for value in (*one.nats, one.nats.sum(), one.nats.sum() - nothing)]
            rows.append((corpus.name, f"{sum(map(len, pieces)):,}", one.told, *cells))
        figures[corpus.name] = {one.told: one.nats.tolist() for one in found}
    print_table(("corpus", "notes", "told", *ATTRIBUTE_NAMES, "nats a note", "against nothing"), rows)
    return figures


# --- density --------------------------------------------------------------------------------------


def report_density(study: Study) -> dict[str, Any]:
    """Half, as many and twice as many notes a second as each call has."""
    wanted = np.array([_density(call) for call in study.calls])
    measured = {"free": [notes_per_s(one, SECONDS) for one in study.free()]}
    for factor in (0.5, 1.0, 2.0):
        asks = [Ask(notes_per_s=float(factor * density)) for density in wanted]
        played = map(study.answer, study.calls, asks)
        measured[f"x{factor:g}"] = [notes_per_s(one, SECONDS) for one in played]
    ratio = np.array(measured["x2"]) / np.array(measured["x1"])
    rows = [
        (
            name,
            f"{np.mean(values):.2f}",
            f"{np.median(np.array(values) / wanted):.2f}",
            f"{_correlation(values, wanted):.2f}",
        )
        for name, values in measured.items()
    ]
    print_table(
        ("asked, times the call's", "notes a second", "median, times the call's", "correlation"), rows
    )
    quartiles = np.quantile(ratio, [0.25, 0.5, 0.75])
    median = f"{quartiles[1]:.2f} times as many (median; quartiles {quartiles[0]:.2f} and {quartiles[2]:.2f})"
    print(
        f"Asked for twice as many instead of as many: {median}, in sum "
        f"{sum(measured['x2']) / sum(measured['x1']):.2f}; {len(study.calls)} calls, {SECONDS:g} s each. "
        "Correlations are of logarithms.\n"
    )
    return {"measured": measured, "median_ratio": float(quartiles[1])}


def _density(call: Call) -> float:
    return len(call.heard) / max(1.0, float(call.heard.onset_ms[-1]) / 1000)


def _correlation(values: Sequence[float], wanted: np.ndarray) -> float:
    return float(np.corrcoef(np.log(np.maximum(values, 0.1)), np.log(wanted))[0, 1])


# --- style ----------------------------------------------------------------------------------------


def report_style(study: Study) -> dict[str, Any]:
    """Each style asked of the calls of all others: towards the music that the style is of?"""
    free = dict(zip(map(id, study.calls), study.free(), strict=True))
    rows, figures = list[tuple[str, ...]](), dict[str, Any]()
    for style in STYLES:
        own = [call for call in study.calls if study.style[call.corpus] == style]
        others = [call for call in study.calls if study.style[call.corpus] != style]
        if not own or not others:
            continue
        real = histograms([call.truth for call in own])
        asked = histograms([study.answer(call, Ask(style=style)).notes for call in others])
        unasked = histograms([free[id(call)].notes for call in others])
        figures[style] = {
            name: (overlap(unasked[name], real[name]), overlap(asked[name], real[name])) for name in real
        }
        cells = (f"{one:.3f} to {other:.3f}" for one, other in figures[style].values())
        rows.append((style, str(len(others)), *cells))
    print_table(("asked", "calls of others", *next(iter(figures.values()), ())), rows)
    print(
        "Histogram overlap with the real music of the style, of answers to calls of all other styles: free, "
        "and asked for that style.\n"
    )
    return figures


# --- part -----------------------------------------------------------------------------------------


def report_part(study: Study) -> list[dict[str, Any]]:
    rows, figures = list[tuple[str, ...]](), list[dict[str, Any]]()
    for corpus in study.corpora:
        for one in roles(study.scorer, study.pieces(corpus)):
            figures.append({"corpus": corpus.name, **asdict(one)})
            nats = (f"{one.nats:.3f}", f"{one.nats_other:.3f}")
            pitches = (one.pitch, one.pitch_other, one.pitch_real, one.pitch_real_other)
            rows.append(
                (corpus.name, one.name, f"{one.notes:,}", *nats, *(f"{value:.1f}" for value in pitches))
            )
    print_table(
        (
            "corpus",
            "improv plays the voice that is",
            "its notes",
            "nats a note, asked for improv",
            "asked for the player",
            "pitch expected, asked for improv",
            "asked for the player",
            "real, improv's",
            "real, the player's",
        ),
        rows,
    )
    return figures


# --- endings --------------------------------------------------------------------------------------


def report_endings(study: Study) -> dict[str, Any]:
    """Answers that were told their length, and answers that were not, against real ends of phrases."""
    pieces = [piece for corpus in study.corpora for piece in corpus.pieces("test")]
    rng = np.random.default_rng(study.seed)
    ends = list(real_endings(pieces))
    order = rng.permutation(len(ends))
    halves = [[ends[i] for i in order[side::2]] for side in (0, 1)]
    sets = {
        "other real ends": halves[0],
        "real music cut anywhere": list(real_middles(pieces, rng)),
        "answers told their length": _answers_end(study, told=True),
        "answers not told": _answers_end(study, told=False),
    }
    least = min(map(len, sets.values()))
    found = {name: _mean_likeness(some, halves[1], least, rng) for name, some in sets.items()}
    rows = [
        (
            name,
            f"{len(sets[name]):,}",
            *(f"{value:.3f}" for value in values),
            f"{values.mean():.3f}",
            f"{np.median([one.duration_ms for one in sets[name]]):.0f}",
        )
        for name, values in found.items()
    ]
    print_table(("ends of", "count", *FEATURES, "mean", "median duration, ms"), rows)
    print(
        f"Histogram overlap with {len(halves[1]):,} real ends of phrases, of {least} ends at a time; "
        f"answers of {ANSWER_S:g} s, all ended by the same rule.\n"
    )
    return {name: values.tolist() for name, values in found.items()}


def _mean_likeness(
    some: Sequence[Ending], real: Sequence[Ending], count: int, rng: np.random.Generator
) -> np.ndarray:
    """Over samples of one size: the fewer ends there are, the less their histograms overlap with any."""
    samples = [rng.choice(len(some), count, replace=False).tolist() for _ in range(SAMPLES)]
    mean: np.ndarray = np.mean([likeness([some[i] for i in one], real) for one in samples], axis=0)
    return mean


def _answers_end(study: Study, *, told: bool) -> list[Ending]:
    answers = (
        closed(study.model, call, ANSWER_S, seed=study.seed_of(call), told=told) for call in study.calls
    )
    return [found for one in answers if (found := ending(one)) is not None]


# --- beat -----------------------------------------------------------------------------------------


def report_beat(study: Study) -> dict[str, Any]:
    rows, figures = list[tuple[str, ...]](), dict[str, Any]()
    for corpus in study.corpora:
        calls = [call for call in study.calls if call.corpus == corpus.name]
        pulses = [pulse_of(call.heard) for call in calls]
        known = [(call, pulse) for call, pulse in zip(calls, pulses, strict=True) if pulse is not None]
        if not known:
            continue
        places = {"real": np.sum([places_of_setting(call.truth) for call, _ in known], axis=0)}
        for name, told in (("told the beat", True), ("not told", False)):
            answers = [study.answer(call, NOTHING_ASKED, pulse if told else None) for call, pulse in known]
            each = [places_in_beat(one, pulse) for one, (_, pulse) in zip(answers, known, strict=True)]
            places[name] = np.sum(each, axis=0)
        figures[corpus.name] = {name: counts.tolist() for name, counts in places.items()}
        rows += [
            (
                corpus.name,
                name,
                str(len(known)),
                f"{overlap(counts, places['real']):.3f}",
                f"{bits(counts):.2f}",
            )
            for name, counts in places.items()
        ]
    print_table(("corpus", "onsets", "calls", "overlap with real places in the beat", "bits"), rows)
    print("Places are 24ths of the beat; bits are the entropy of where onsets are, at most 4.58.\n")
    return figures


if __name__ == "__main__":
    main()
