"""Tables and progress bars of the trainer's commands; importable without torch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from improv_training.corpora.corpus import SPLITS, Corpus
from improv_training.corpora.loading import AS_PLAYED, Reading, load_corpus
from improv_training.corpora.near_duplicates import KeptOut, tally

if TYPE_CHECKING:
    from improv_training.evaluation.figures import Figures
    from improv_training.presets import Preset

_WIDTH = 120
"""Columns where nothing says how wide the output is (a pipe, a log file)."""

_SHOWN_SKIPS = 5
_RATES = ("bits", "bits/s", "token")
_TEXT = (
    *("corpus", "split", "nats a note", "of"),
    *("preset", "what it is", "taken from the player's playing"),
)


class Advance(Protocol):
    """Tells a bar how far things are."""

    def __call__(self, done: float, total: float) -> None:
        """``done`` of ``total``."""


def make_console() -> Console:
    """Where the trainer's commands print."""
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDTH
    return console


@contextmanager
def progress_bar(console: Console, label: str) -> Iterator[Advance]:
    """A bar that goes when done, and shows only in a terminal."""
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def load_with_progress(
    console: Console, folder: Path, splits: Path | None, cache: Path, reading: Reading = AS_PLAYED
) -> Corpus:
    """Load a corpus; show a bar while files are read, and say what could not be read."""
    with progress_bar(console, f"Reading {folder.name}") as progress:
        workers = os.cpu_count() or 1
        corpus = load_corpus(folder, splits, cache, reading, workers=workers, progress=progress)
    for sentence in corpus.skipped[:_SHOWN_SKIPS]:
        console.print(f"Skipped: {sentence}", soft_wrap=True, markup=False, highlight=False)
    more = len(corpus.skipped) - _SHOWN_SKIPS
    if more > 0:
        console.print(f"Skipped {more} more file{'s' if more > 1 else ''}.", soft_wrap=True, highlight=False)
    return corpus


def show_twins(console: Console, kept: KeptOut) -> None:
    """How many pieces of validation and test training holds as well, and what was done about it."""
    for twins, done, reason in (
        (kept.left_out, "Left out", "--keep-twins keeps them"),
        (kept.stayed, "Kept", "there are no others in that split, so its figures flatter"),
    ):
        for corpus, split, kind, of_corpus, count in tally(twins):
            console.print(
                f"{done}: {_counted(count, 'piece')} of the {split} split of {corpus}, of which training has "
                f"the {kind} in {of_corpus}; {reason}.",
                soft_wrap=True,
                highlight=False,
            )


def show_corpora(console: Console, corpora: Sequence[Corpus]) -> None:
    """Pieces, notes and hours by split."""
    table = _table("corpus", "split", "pieces", "notes", "hours")
    for corpus in corpora:
        for split in SPLITS:
            table.add_row(
                corpus.name if split == SPLITS[0] else "",
                split,
                f"{corpus.split.count(split):,}",
                f"{corpus.note_count(split):,}",
                f"{corpus.hours(split):.1f}",
                end_section=split == SPLITS[-1],
            )
    console.print(table)


def show_presets(console: Console, presets: Sequence[Preset]) -> None:
    """What each is, and what it leaves to the player's own playing."""
    table = _table("preset", "what it is", "taken from the player's playing")
    for preset in presets:
        table.add_row(preset.name, preset.summary, ", ".join(preset.representation.lacks))
    console.print(table)


def show_figures(console: Console, figures: Sequence[Figures], means: Sequence[Figures]) -> None:
    """Nats per note by attribute; then means over the corpora, where there are several."""
    shown = (*figures, *(means if len(figures) > 1 else ()))
    has_width = any(one.width for one in shown)
    sums = ("sum", *(["+ width"] if has_width else []), *_RATES)
    table = _table("nats a note", "of", *figures[0].names, *sums)
    for one in shown:
        counts = (_counted(one.pieces, "piece"), _counted(one.notes, "note"), _hours(one), _tokens(one))
        facts = [one.corpus, *counts, ""]
        rows = [_nats_row(one, row, has_width=has_width) for row in one.nats]
        rows.append(["difference", *_three_digits((*one.difference, sum(one.difference)))])
        if one.steps != one.notes:
            rows.append(["model, a step", *_three_digits((*one.per_step, one.total_per_step))])
            facts.insert(4, _counted(one.steps, "step"))
        rows.append(["accuracy", *(_right(one, i) for i in range(len(one.attributes)))])
        for fact, row in zip(facts, rows, strict=True):
            table.add_row(fact, *row, end_section=row is rows[-1])
    console.print(table)
    for line in _legend(shown, has_width=has_width):
        console.print(line, soft_wrap=True, highlight=False)


def _nats_row(one: Figures, row: str, *, has_width: bool) -> list[str]:
    width = [one.total(row) + one.width] if has_width else []
    nats = (*one.nats[row], one.total(row), *width)
    rates = (f"{one.bits(row):.2f}", f"{one.bits_per_second[row]:.1f}", f"{one.per_token[row]:.3f}")
    return [row, *_three_digits(nats), *rates]


def _three_digits(values: Sequence[float]) -> list[str]:
    return [f"{value:.3f}" for value in values]


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}" + "s" * (count != 1)


def _hours(one: Figures) -> str:
    return f"{one.seconds / 3600:.1f} hours"


def _tokens(one: Figures) -> str:
    return f"{one.tokens / one.notes:.2f} tokens"


def _right(one: Figures, attribute: int) -> str:
    value = one.right[attribute]
    return f"{value:.1%}" if one.attributes[attribute].head == "categorical" else f"± {value:.0f} ms"


def _legend(shown: Sequence[Figures], *, has_width: bool) -> Iterator[str]:
    yield "difference: model less bigram; below zero the model is better."
    yield "PPM-4: each attribute from its own four classes before, as seen in training; escapes by method C."
    if has_width:
        yield (
            "+ width: with the log of each time class' width in 10 ms cells, which is what a class leaves "
            "open."
        )
    yield (
        "bits, bits/s, token: all of it, widths too, as bits a note and a second, and as nats for each "
        "MIDI-like token of the same notes (key down, key up, 10 ms time shift, velocity; the pedal in the "
        "durations); so many tokens make a note."
    )
    yield "accuracy: how often the model's likeliest class is the true one."
    if any(attribute.head == "regression" for attribute in shown[0].attributes):
        yield (
            "± ms: mean absolute error of a time that is predicted as a number; its nats are those of a "
            "Laplace distribution round the prediction, on the grid of 10 ms cells, as are those beside it."
        )
    for one in shown:
        if one.lost:
            yield (
                f"{one.corpus}: {one.lost:.2%} of the notes are not in the model's vocabulary; naming them "
                f"is charged with {one.charge:.3f} nats a note in every sum."
            )


def show_verdict(
    console: Console,
    model: str,
    split: str,
    figures: Sequence[Figures],
    mean: Figures,
    learned: Sequence[Corpus] | None,
) -> None:
    """What was compared, and how far the model is from the bigram."""
    source = "each corpus by itself" if learned is None else ", ".join(corpus.name for corpus in learned)
    sentence = f"{sum(mean.difference):+.3f} nats a note"
    if len(figures) > 1:
        nearest = max(figures, key=lambda one: sum(one.difference))
        sentence += (
            f" on average over {len(figures)} corpora; nearest on {nearest.corpus}: "
            f"{sum(nearest.difference):+.3f}"
        )
    for line in (
        f"Model: {model}; {split} split; baselines learned from the train split of {source}.",
        f"Model less bigram: {sentence}.",
    ):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _table(*names: str) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in names:
        table.add_column(name, justify="left" if name in _TEXT else "right", overflow="fold")
    return table
