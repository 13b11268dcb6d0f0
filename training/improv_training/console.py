"""Tables and progress bars of the trainer's commands."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from improv_core.representation import ATTRIBUTE_NAMES
from improv_training.corpora import SPLITS, Corpus, load_corpus

if TYPE_CHECKING:
    from improv_training.evaluation import Figures

_CONSOLE = Console()


def load_with_progress(folder: Path, splits: Path | None, cache: Path) -> Corpus:
    """Load a corpus; show a bar while files are read, and say what could not be read."""
    with Progress(console=_CONSOLE, transient=True) as bar:
        task = bar.add_task(f"Reading {folder.name}", total=None)
        corpus = load_corpus(
            folder,
            splits,
            cache,
            workers=os.cpu_count() or 1,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    for sentence in corpus.skipped[:5]:
        _CONSOLE.print(f"[yellow]Skipped:[/] {sentence}", soft_wrap=True)
    if len(corpus.skipped) > 5:
        _CONSOLE.print(f"[yellow]Skipped {len(corpus.skipped) - 5} more files.[/]")
    return corpus


def show_corpora(corpora: Sequence[Corpus]) -> None:
    """Pieces, notes and hours by split."""
    table = Table("corpus", *(f"{split}: pieces / notes / hours" for split in SPLITS), title="Corpora")
    for corpus in corpora:
        cells = (
            f"{corpus.split.count(split)} / {corpus.note_count(split):,} / {corpus.hours(split):.1f}"
            for split in SPLITS
        )
        table.add_row(corpus.name, *cells)
    _CONSOLE.print(table)


def show_figures(figures: Sequence[Figures], split: str) -> None:
    """Nats per note by attribute."""
    table = Table("corpus", "notes", "model", *ATTRIBUTE_NAMES, "sum", "+ width", title=f"Nats per note, {split}")
    for one in figures:
        for i, (name, nats) in enumerate(one.nats.items()):
            total = sum(nats)
            table.add_row(
                one.corpus if i == 0 else "",
                f"{one.notes:,}" if i == 0 else "",
                name,
                *(f"{value:.3f}" for value in nats),
                f"{total:.3f}",
                f"{total + one.width:.3f}",
                end_section=i == len(one.nats) - 1,
            )
    _CONSOLE.print(table)
    _CONSOLE.print(
        "'+ width' adds the log of each time class' width in 10 ms cells: what a class leaves open.",
        soft_wrap=True,
    )
