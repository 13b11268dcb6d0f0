"""Models on the test split of MAESTRO, by the total nats of each piece.

    python -m bench.maestro MODEL... --data FOLDER --splits FOLDER [--limit-pieces N] [--split validation]

The pieces are read in the canonical form, the pedal in the durations: 10 ms grid, notes by (onset, pitch), 32
steps of velocity, no pedal. There a model of notes and one of words are told the same notes, and the total of
a piece needs no conversion: a class of times that holds several cells is charged with the log of how many.
Baselines learn from the train split. MODEL is a checkpoint or a model file; the others are compared with the
first.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bench.tables import print_table
from improv_core.errors import ImprovError
from improv_core.representation import Representation
from improv_training.corpora.corpus import Corpus, Split
from improv_training.corpora.loading import Reading, load_corpus
from improv_training.evaluation.baselines import Baselines
from improv_training.evaluation.figures import Figures
from improv_training.evaluation.nats import score_corpus
from improv_training.evaluation.scoring import Scorer, open_scorer

CORPUS = "maestro_v2"

NOTES = """\
Nats of a piece: all that a model is charged for it, the log of the width of every time class among them. Per
token: divided by the words (key down, key up, 10 ms time shift, velocity on a change) that say the same
notes, whatever a model reads. Bits a second: between first and last onset. Trained: minutes by the clock, and
notes (steps of a model of words divided by the tokens of a note) at most, as lanes may be empty. Nothing is
augmented, and the state is carried through each whole piece.

Published, per token: 1.99, and 1.92 with relative attention, by a Music Transformer of 6 layers of 512 on
MAESTRO v2 without augmentation (gwinndr/MusicTransformer-Pytorch). By its code each is the lowest of 300
epochs on the test split itself, an epoch's figure being the mean over one random crop of up to 2,048 tokens
of each piece: cross entropy, not smoothed. The model knows nothing before the crop, where those above have
heard the whole piece so far. Its words say a velocity before every key down, so that more of them make a note
(4.16 on this split where ours are 4.03), and its pedal follows rules of its own. So the two compare roughly.
"""


@dataclass(frozen=True, slots=True)
class Scored:
    """A model with its figures, under the name of its row."""

    name: str
    scorer: Scorer
    figures: Figures

    def pieces(self, row: str = "model") -> NDArray[np.float64]:
        """Nats of each piece."""
        return np.array(self.figures.per_piece[row])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", type=Path, nargs="*", metavar="MODEL", help="checkpoints or model files")
    parser.add_argument("--data", type=Path, help=f"the folder {CORPUS}, or the one that holds it")
    parser.add_argument("--splits", type=Path, help="the split file, or the folder that holds it")
    parser.add_argument("--split", choices=("test", "validation"), default="test", help="which pieces")
    parser.add_argument("--limit-pieces", type=int, help="so many pieces, evenly spread by length")
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="folder for encoded corpora")
    parser.add_argument("--json", type=Path, help="also write the nats of every piece")
    arguments = parser.parse_args()
    if not arguments.models or arguments.data is None or arguments.splits is None:
        print("Name models, the corpus with --data and its split with --splits.\n")
        return 0
    torch.set_num_threads(1)
    try:
        corpus = load(arguments)
        models = [open_scorer(path) for path in arguments.models]
        names = named(arguments.models, models)
        scored = list(score_all(names, models, corpus, arguments.split))
    except ImprovError as error:
        print(error, file=sys.stderr)
        return 1
    print_totals(scored, corpus)
    print_attributes(scored)
    print(NOTES)
    if arguments.json is not None:
        write_pieces(scored, corpus, arguments.split, arguments.json)
    return 0


def load(arguments: argparse.Namespace) -> Corpus:
    data = arguments.data / CORPUS
    folder = data if data.is_dir() else arguments.data
    splits = arguments.splits
    if splits.is_dir():
        splits = splits / f"{CORPUS}.json"
    say(f"Reading {folder}")
    reading = Reading(canonical=True)
    corpus = load_corpus(folder, splits, arguments.cache, reading, progress=Progress("files read"))
    return limited(corpus, arguments.split, arguments.limit_pieces)


def limited(corpus: Corpus, split: str, count: int | None) -> Corpus:
    """With so many pieces of a split only, evenly spread from the shortest to the longest."""
    lengths = np.diff(corpus.offsets)
    pieces = sorted((i for i, name in enumerate(corpus.split) if name == split), key=lambda i: lengths[i])
    if count is None or count >= len(pieces):
        return corpus
    kept = {pieces[place] for place in np.linspace(0, len(pieces) - 1, count).round().astype(int)}
    left = set(pieces) - kept
    places = ("left out" if i in left else name for i, name in enumerate(corpus.split))
    return replace(corpus, split=tuple(places))


def named(paths: Sequence[Path], models: Sequence[Scorer]) -> list[str]:
    """The preset, and where several are of one, the file."""
    presets = [model.preset or path.stem for path, model in zip(paths, models, strict=True)]
    return [
        preset if presets.count(preset) == 1 else f"{preset} ({path})"
        for path, preset in zip(paths, presets, strict=True)
    ]


def score_all(names: Sequence[str], models: Sequence[Scorer], corpus: Corpus, split: str) -> Iterator[Scored]:
    learned: dict[str, Baselines] = {}
    for name, scorer in zip(names, models, strict=True):
        key = kind_of(scorer.representation)
        if key not in learned:
            say(f"{name}: baselines of the train split")
            learned[key] = Baselines.learn([corpus], scorer.representation)
        say(f"{name}: {corpus.split.count(split)} pieces")
        begin_s = time.perf_counter()
        which: Split = "test" if split == "test" else "validation"
        figures = score_corpus(scorer, corpus, which, learned[key], Progress("notes scored"))
        say(f"{name}: {(time.perf_counter() - begin_s) / 60:.1f} minutes")
        yield Scored(name, scorer, figures)


def kind_of(representation: Representation) -> str:
    """What tells representations apart."""
    return json.dumps(representation.spec(), sort_keys=True)


# --- tables -----------------------------------------------------------------------------------------


def print_totals(scored: Sequence[Scored], corpus: Corpus) -> None:
    first = scored[0]
    figures = first.figures
    print(
        f"{corpus.name}, canonical: {figures.pieces} pieces, {sum_of_notes(scored):,} notes, "
        f"{figures.seconds / 3600:.1f} hours, {figures.tokens / figures.notes:.2f} tokens a note.\n"
    )
    headers = (
        *("", "nats a piece", f"against {first.name}", f"lower than {first.name} in"),
        *("nats a note", "bits a note", "bits a second", "nats a token"),
        *("parameters", "trained", "updates", "passes"),
    )
    rows = [totals(one, "model", one.name, first) + training(one) for one in scored]
    for one in {kind_of(one.scorer.representation): one for one in reversed(scored)}.values():
        baselines = (row for row in one.figures.nats if row != "model")
        rows += [totals(one, row, f"{row}, as {one.name} reads", first) + ("",) * 4 for row in baselines]
    print_table(headers, rows)


def sum_of_notes(scored: Sequence[Scored]) -> int:
    """Of the pieces; every model must have been told the same ones."""
    counts = {one.figures.notes for one in scored}
    if len(counts) != 1:
        raise ValueError(f"the models were scored on {' and '.join(map(str, counts))} notes")
    return counts.pop()


def totals(one: Scored, row: str, name: str, first: Scored) -> tuple[object, ...]:
    mine, others = one.pieces(row), first.pieces()
    figures = one.figures
    against = ("", "")
    if one is not first or row != "model":
        lower = np.count_nonzero(mine < others)
        against = (f"{mine.sum() / others.sum() - 1:+.1%}", f"{lower} of {len(mine)}")
    return (
        name,
        f"{mine.mean():,.0f}",
        *against,
        f"{mine.sum() / figures.notes:.3f}",
        f"{figures.bits(row):.3f}",
        f"{figures.bits_per_second[row]:.1f}",
        f"{figures.per_token[row]:.3f}",
    )


def training(one: Scored) -> tuple[object, ...]:
    scorer = one.scorer
    trained = f"{60 * scorer.hours:.0f} minutes"
    if scorer.steps is not None:
        notes = scorer.steps * one.figures.notes / one.figures.steps
        trained += f", {notes / 1e6:.1f} M notes"
    passes = "" if scorer.passes is None else str(scorer.passes)
    return (f"{scorer.weights / 1e6:.2f} M", trained, f"{scorer.updates:,}", passes)


def print_attributes(scored: Sequence[Scored]) -> None:
    """By attribute, without the widths."""
    for one in scored:
        figures = one.figures
        headers = (f"{one.name}, nats a note", *figures.names, "sum", "+ width")
        rows = []
        for row, nats in figures.nats.items():
            values = (*nats, figures.total(row), figures.total(row) + figures.width)
            rows.append((row, *(f"{value:.3f}" for value in values)))
        print_table(headers, rows)


def write_pieces(scored: Sequence[Scored], corpus: Corpus, split: str, path: Path) -> None:
    files = [file for file, name in zip(corpus.files, corpus.split, strict=True) if name == split]
    models = {one.name: {row: list(nats) for row, nats in one.figures.per_piece.items()} for one in scored}
    path.write_text(json.dumps({"files": files, "nats": models}, indent=1) + "\n", encoding="utf-8")


# --- progress ---------------------------------------------------------------------------------------


class Progress:
    """Says every tenth.

    Args:
        what: Is counted.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._said = 0

    def __call__(self, done: int, total: int) -> None:
        """``done`` of ``total``."""
        tenth = 10 * done // max(1, total)
        if tenth > self._said:
            self._said = tenth
            say(f"  {done:,} of {total:,} {self._what}")


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
