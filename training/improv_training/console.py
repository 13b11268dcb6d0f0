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

from improv_core.representation import ATTRIBUTE_NAMES
from improv_training.corpora import SPLITS, Corpus, load_corpus

if TYPE_CHECKING:
    from improv_training.evaluation import Figures

_WIDTH = 120
"""Columns where nothing says how wide the output is (a pipe, a log file)."""

_SHOWN_SKIPS = 5
_TEXT = ("corpus", "split", "nats a note", "of")


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


def load_with_progress(console: Console, folder: Path, splits: Path | None, cache: Path) -> Corpus:
    """Load a corpus; show a bar while files are read, and say what could not be read."""
    with progress_bar(console, f"Reading {folder.name}") as progress:
        corpus = load_corpus(folder, splits, cache, workers=os.cpu_count() or 1, progress=progress)
    for sentence in corpus.skipped[:_SHOWN_SKIPS]:
        console.print(f"Skipped: {sentence}", soft_wrap=True, markup=False, highlight=False)
    more = len(corpus.skipped) - _SHOWN_SKIPS
    if more > 0:
        console.print(f"Skipped {more} more file{'s' if more > 1 else ''}.", soft_wrap=True, highlight=False)
    return corpus


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


def show_figures(console: Console, figures: Sequence[Figures], means: Sequence[Figures]) -> None:
    """Nats per note by attribute; then means over the corpora, where there are several."""
    table = _table("nats a note", "of", *ATTRIBUTE_NAMES, "sum", "+ width")
    for one in (*figures, *(means if len(figures) > 1 else ())):
        pieces = f"{one.pieces:,} piece" + "s" * (one.pieces != 1)
        facts = (one.corpus, pieces, f"{one.notes:,} notes", f"{one.seconds / 3600:.1f} hours")
        rows = {**one.nats, "difference": one.difference}
        for fact, (name, nats) in zip(facts, rows.items(), strict=True):
            width = f"{sum(nats) + one.width:.3f}" if name in one.nats else ""
            table.add_row(
                fact,
                name,
                *(f"{value:.3f}" for value in nats),
                f"{sum(nats):.3f}",
                width,
                end_section=name == "difference",
            )
    console.print(table)
    for line in (
        "difference: model less bigram; below zero the model is better.",
        "+ width: with the log of each time class' width in 10 ms cells, which is what a class leaves open.",
    ):
        console.print(line, soft_wrap=True, highlight=False)


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
        f"Model: {model}; {split} split; unigram and bigram learned from the train split of {source}.",
        f"Model less bigram: {sentence}.",
    ):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _table(*names: str) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in names:
        table.add_column(name, justify="left" if name in _TEXT else "right", overflow="fold")
    return table
