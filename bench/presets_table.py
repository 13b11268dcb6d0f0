"""Models of every preset side by side: on their own terms, and by the pitch of the next note.

    python -m bench.presets_table --corpus FOLDER [--splits PATH] --models FILE.onnx [FILE.ckpt ...]
        [--limit-notes N] [--tracks all]

Scored are the pieces of the test split, the same for all; baselines learn from the train split. A model that
was trained on fixed-length sequences is scored with its state carried on and in windows.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bench.tables import print_table
from improv_core.representation import Attribute, Notes, Symbols
from improv_core.representation.binning import Identity
from improv_core.representation.note_attributes import NoteAttributes
from improv_training.corpora.corpus import TRACKS, Corpus
from improv_training.corpora.loading import Reading, load_corpus
from improv_training.evaluation.baselines import Baselines
from improv_training.evaluation.chords import ChordHabits
from improv_training.evaluation.figures import Figures
from improv_training.evaluation.nats import score_corpus
from improv_training.evaluation.pitch_space import (
    GROUPING,
    PAST,
    TIMING,
    BigramPitch,
    EventPitch,
    NotePitch,
    PianoPitch,
    PitchModel,
    PpmPitch,
    Told,
    UnigramPitch,
    pitch_nats,
)
from improv_training.evaluation.pitch_symbols import SymbolPitch, in_vocabulary
from improv_training.evaluation.ppm import Ppm
from improv_training.evaluation.scoring import Scorer, open_scorer
from improv_training.evaluation.spelling import spelling_of

Values = NDArray[np.float64]

PITCH_ALONE = NoteAttributes((Attribute("pitch", Identity(128)),))

NOTES = """\
Pitch of the next note: mean of -log p(pitch | all before it), the notes in the order of the file, p over 128
pitches. Told `the past`: nothing else; `piano` is summed over every time and pedal. `the past and the
grouping`: whether the note still belongs to the onset of the one before (50 ms), which a model of symbols
needs; `piano` is summed over the times that agree with it. `the past, time and pedal`: at a note-on word
time shifts, key-ups and velocity have been said; `piano` is told the time and the pedal, not the velocity.
Unigram, bigram and PPM are told the past alone; `PPM-4, adaptive` also counts the piece so far.

Chords: a symbol of pitches gives its notes in rising order or in any, as often as in the train split; one of
pitch classes gives each class evenly over its octaves from 21 to 108, doublings as often as in the train
split. The unknown symbol may be any pitch; notes that no symbol holds are charged with what is left for it.
"""


@dataclass(frozen=True, slots=True)
class Named:
    """A model under the name of its row."""

    name: str
    scorer: Scorer


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, help="a folder of MIDI files")
    parser.add_argument("--splits", type=Path, help="a split file or a folder of them")
    parser.add_argument("--models", type=Path, nargs="+", default=[], help="model files or checkpoints")
    parser.add_argument("--limit-notes", type=int, help="whole test pieces, evenly spread, of so many notes")
    parser.add_argument("--tracks", choices=TRACKS, default="all")
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="folder for encoded corpora")
    arguments = parser.parse_args()
    if arguments.corpus is None or not arguments.models:
        print("Name a folder with --corpus and models of presets with --models.\n")
        return
    torch.set_num_threads(1)
    corpus = load_corpus(arguments.corpus, arguments.splits, arguments.cache, Reading(arguments.tracks))
    corpus = limited(corpus, arguments.limit_notes)
    scorers = [open_scorer(path) for path in arguments.models]
    models = [
        Named(one.preset or path.stem, one) for one, path in zip(scorers, arguments.models, strict=True)
    ]
    print(f"{corpus.name}: {corpus.split.count('test')} test pieces, {corpus.note_count('test'):,} notes.\n")
    print_own_terms(models, corpus)
    print_pitches(models, corpus)
    print(NOTES)


def limited(corpus: Corpus, notes: int | None) -> Corpus:
    """With whole test pieces only, evenly spread, until they have so many notes."""
    of_test = [i for i, split in enumerate(corpus.split) if split == "test"]
    if notes is None or corpus.note_count("test") <= notes:
        return corpus
    count = max(1, round(len(of_test) * notes / corpus.note_count("test")))
    kept = {of_test[place] for place in np.linspace(0, len(of_test) - 1, count).round().astype(int)}
    places = [
        "left out" if split == "test" and i not in kept else split for i, split in enumerate(corpus.split)
    ]
    return replace(corpus, split=tuple(places))


# --- on their own terms ---------------------------------------------------------------------------


def print_own_terms(models: Sequence[Named], corpus: Corpus) -> None:
    headers = (
        "preset",
        "hours",
        "steps a note",
        "nats a step",
        "nats a note",
        "bigram, nats a note",
        "accuracy",
        "not in the vocabulary",
        "charged, nats a note",
    )
    print_table(headers, (own_terms(model, corpus) for model in models))


def own_terms(model: Named, corpus: Corpus) -> tuple[object, ...]:
    say(f"{model.name} on its own terms")
    baselines = Baselines.learn([corpus], model.scorer.representation)
    one = score_corpus(model.scorer, corpus, "test", baselines)
    return (
        model.name,
        f"{model.scorer.hours:.2f}",
        f"{one.steps / one.notes:.2f}",
        f"{one.total_per_step:.3f}",
        f"{one.total('model'):.3f}",
        f"{one.total('bigram'):.3f}",
        ", ".join(right(one)),
        f"{one.lost:.2%}",
        f"{one.charge:.3f}",
    )


def right(one: Figures) -> Iterator[str]:
    for attribute, value in zip(one.attributes, one.right, strict=True):
        is_class = attribute.head == "categorical"
        yield f"{attribute.name} {value:.1%}" if is_class else f"{attribute.name} ± {value:.0f} ms"


# --- by the pitch of the next note ----------------------------------------------------------------


def print_pitches(models: Sequence[Named], corpus: Corpus) -> None:
    pieces = sorted(corpus.pieces("test"), key=len)
    baselines = dict(learned_baselines(corpus, pieces))
    habits = ChordHabits.learned(corpus.pieces("train"))
    rows = [row for model in models for row in pitch_rows(model, habits, pieces)]
    piano = {row.told: row.nats for row in reversed(rows) if row.model.scorer.representation.kind == "piano"}
    others = {row.told: [piano.get(row.told), *baselines.values()] for row in rows}
    everything = np.ones(sum(map(len, pieces)), dtype=np.bool_)
    table = [cells(row, row.name, others[row.told], everything) for row in rows]
    for row in rows:
        symbols = row.model.scorer.representation
        if isinstance(symbols, Symbols):
            known = np.concatenate([in_vocabulary(symbols, notes) for notes in pieces])
            table.append(cells(row, f"{row.name}, onsets in its vocabulary", others[row.told], known))
    headers = ("preset", "told", "notes", "nats a note", "piano, told as much", *baselines)
    print_table(headers, table)


@dataclass(frozen=True, slots=True)
class PitchRow:
    """How a model says the pitches of all test pieces, in one way of reading it."""

    model: Named
    name: str
    told: Told
    nats: Values


def cells(
    row: PitchRow, name: str, others: Sequence[Values | None], which: NDArray[np.bool_]
) -> tuple[object, ...]:
    means = ["" if one is None else f"{one[which].mean():.3f}" for one in (row.nats, *others)]
    return (name, row.told, f"{np.count_nonzero(which):,}", *means)


def pitch_rows(model: Named, habits: ChordHabits, pieces: Sequence[Notes]) -> Iterator[PitchRow]:
    for name, told, said in pitch_models(model, habits):
        yield PitchRow(model, name, told, scored(f"{name}, told {told}", said, pieces))


def learned_baselines(corpus: Corpus, pieces: Sequence[Notes]) -> Iterator[tuple[str, Values]]:
    counts = Baselines.learn([corpus], PITCH_ALONE)
    ppm = Ppm.learn(notes.pitch for notes in corpus.pieces("train"))
    models: dict[str, PitchModel] = {
        "unigram": UnigramPitch(counts),
        "bigram": BigramPitch(counts),
        "PPM-4": PpmPitch(ppm),
        "PPM-4, adaptive": PpmPitch(replace(ppm, adaptive=True)),
    }
    for name, model in models.items():
        yield name, scored(name, model, pieces)


def pitch_models(model: Named, habits: ChordHabits) -> Iterator[tuple[str, Told, PitchModel]]:
    """A model as it says pitches; twice where it can be read in two ways, not at all where it cannot."""
    scorer = model.scorer
    windows = (None,) if scorer.window is None else (None, scorer.window)
    for window in windows:
        name = model.name if window is None else f"{model.name}, windows of {window}"
        match scorer.representation:
            case Symbols() as symbols:
                yield name, GROUPING, SymbolPitch(scorer, spelling_of(symbols, habits), window)
            case NoteAttributes():
                yield name, PAST, NotePitch(scorer, window)
            case other if other.kind == "piano":
                for told in (PAST, GROUPING, TIMING):
                    yield name, told, PianoPitch(scorer, told)
            case other if other.kind == "events":
                yield name, TIMING, EventPitch(scorer)


def scored(name: str, model: PitchModel, pieces: Sequence[Notes]) -> Values:
    begin_s = time.monotonic()
    nats = np.concatenate(pitch_nats(model, pieces))
    say(f"{name}: {nats.mean():.3f} nats a note in {time.monotonic() - begin_s:.0f} s")
    return nats


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
