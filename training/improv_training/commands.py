"""``improv train`` and ``improv evaluate``: thin, and importable without torch."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improv_core.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from improv_training.corpora import Corpus

Folders = Annotated[list[Path], typer.Argument(help="Folders of MIDI files, each one a corpus.")]
Splits = Annotated[
    Path | None,
    typer.Option(
        help="Split file {path: train|validation|test}, or a folder with NAME.json for each corpus NAME; "
        "without it 5 % of the files are kept for validation and 5 % for the test."
    ),
]
Cache = Annotated[Path, typer.Option(help="Folder for encoded corpora, made again when files change.")]


def train(
    folders: Folders,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for checkpoints and the log.")],
    splits: Splits = None,
    repeat: Annotated[
        list[str] | None, typer.Option(help="NAME=2: this corpus comes twice in each epoch.")
    ] = None,
    hours: Annotated[float, typer.Option(min=0.0001, help="How long to train.")] = 1.0,
    hidden: Annotated[int, typer.Option(min=8, help="Width of the LSTM layers.")] = 512,
    layers: Annotated[int, typer.Option(min=1, help="LSTM layers.")] = 2,
    width: Annotated[int, typer.Option(min=8, help="Width of the embedded step and of the heads.")] = 256,
    dropout: Annotated[float, typer.Option(min=0.0, max=0.9, help="Share of activations dropped.")] = 0.1,
    lanes: Annotated[int, typer.Option(min=1, help="Pieces side by side in a batch.")] = 32,
    chunk: Annotated[int, typer.Option(min=8, help="Notes of each piece between updates.")] = 128,
    validate_every: Annotated[int, typer.Option(min=1, help="Updates between validations.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of weights, order and augmentation.")] = 1,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint in the output folder.")] = False,
    cache: Cache = Path("cache"),
) -> None:
    """Train a model on folders of MIDI files."""
    require_torch("train")
    from improv_training.console import show_corpora
    from improv_training.network import Shape
    from improv_training.trainer import Plan
    from improv_training.trainer import train as run_training

    corpora = _load(folders, splits, cache)
    show_corpora(corpora)
    shape = Shape(inputs=width, hidden=hidden, layers=layers, projected=width, dropout=dropout)
    plan = Plan(
        hours=hours, lanes=lanes, chunk=chunk, validate_every=validate_every, seed=seed, shape=shape
    )
    best = run_training(corpora, _repeats(repeat or [], corpora), output, plan, resume=resume)
    typer.echo(f"Best checkpoint: {best}")


def evaluate(
    model: Annotated[Path, typer.Argument(help="A checkpoint (.ckpt) or a model file (.onnx).")],
    folders: Folders,
    splits: Splits = None,
    split: Annotated[str, typer.Option(help="Which pieces: validation or test.")] = "test",
    baselines_from: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folders whose train split the unigram and the bigram learn from; default: each corpus' own."
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Also write the table as JSON.")] = None,
    cache: Cache = Path("cache"),
) -> None:
    """Print nats per note by attribute on held-out pieces, beside unigram and bigram."""
    require_torch("evaluate")
    from improv_training.console import show_figures
    from improv_training.evaluation import evaluate_corpora, write_json

    if split not in ("validation", "test"):
        raise ConfigError(f"--split must be validation or test, not {split!r}.")
    corpora = _load(folders, splits, cache)
    learned = _load(baselines_from, splits, cache) if baselines_from else None
    figures = evaluate_corpora(model, corpora, "test" if split == "test" else "validation", learned)
    show_figures(figures, split)
    if output is not None:
        write_json(figures, split, output)


def require_torch(command: str) -> None:
    """Raise `MissingExtraError` when the training extra is not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("torch", "lightning", "onnx")):
        raise MissingExtraError(
            f"improv {command} needs the training extra, which is not installed: "
            "pip install 'improv-midi[train]' (in a checkout: pip install -e '.[train]')."
        )


def _load(folders: list[Path], splits: Path | None, cache: Path) -> list[Corpus]:
    from improv_training.console import load_with_progress

    return [load_with_progress(folder, splits, cache) for folder in folders]


def _repeats(given: list[str], corpora: list[Corpus]) -> list[int]:
    names = [corpus.name for corpus in corpora]
    chosen = dict.fromkeys(names, 1)
    for item in given:
        name, _, times = item.partition("=")
        if name not in chosen or not times.isdecimal() or int(times) < 1:
            raise ConfigError(f"--repeat {item}: write NAME=TIMES with one of {', '.join(names)}.")
        chosen[name] = int(times)
    return [chosen[name] for name in names]
