"""``improv train`` and ``improv evaluate``: thin, and importable without torch."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import platformdirs
import typer

from improv_core.errors import ConfigError, DataError, MissingExtraError
from improv_training import run_folder

if TYPE_CHECKING:
    from rich.console import Console

    from improv_training.baselines import Baselines
    from improv_training.checkpoints import Checkpoint
    from improv_training.corpora import Corpus, Split
    from improv_training.evaluation import Figures, Scorer
    from improv_training.plan import Plan

INTERRUPTED = 130

Folders = Annotated[list[Path], typer.Argument(help="Folders of MIDI files, each one a corpus.")]
_SPLITS = (
    "Split file {path: train|validation|test}, or a folder with NAME.json for each corpus NAME (a corpus "
    "without one is all for training); without it, 5 % of the files are for validation and 5 % for the test."
)
Splits = Annotated[Path | None, typer.Option(help=_SPLITS)]
_CACHE = "Folder for encoded corpora, made again when files change."
Cache = Annotated[Path | None, typer.Option(help=_CACHE, show_default="the user's cache folder")]

Run = Annotated[Path, typer.Option("--output", "-o", help="Folder for checkpoints and the log.")]
Repeat = Annotated[list[str] | None, typer.Option(help="NAME=2: this corpus comes twice in each epoch.")]
_RESUME = (
    "Go on from the last checkpoint in the output folder, by its plan; --hours or --updates set a new end, "
    "counted from the very beginning."
)
Resume = Annotated[bool, typer.Option("--resume", help=_RESUME)]
Threads = Annotated[
    int, typer.Option(min=1, help="Processor threads; more than 1 helps only if they are idle.")
]

# Options of the plan have no default here, so that --resume can tell what was asked for.
Hours = Annotated[float | None, typer.Option(min=0.0001, help="How long to train.", show_default="1")]
Updates = Annotated[int | None, typer.Option(min=1, help="How many updates to make, instead of --hours.")]
Hidden = Annotated[int | None, typer.Option(min=8, help="Width of the LSTM layers.", show_default="512")]
Layers = Annotated[int | None, typer.Option(min=1, help="LSTM layers.", show_default="2")]
_WIDTH = "Width of the embedded step and of the heads."
Width = Annotated[int | None, typer.Option(min=8, help=_WIDTH, show_default="256")]
_DROPOUT = "Share of activations dropped."
Dropout = Annotated[float | None, typer.Option(min=0.0, max=0.9, help=_DROPOUT, show_default="0.1")]
Lanes = Annotated[int | None, typer.Option(min=1, help="Pieces side by side in a batch.", show_default="32")]
_CHUNK = "Notes of each piece between updates."
Chunk = Annotated[int | None, typer.Option(min=8, help=_CHUNK, show_default="128")]
_EVERY = "Updates between validations."
ValidateEvery = Annotated[int | None, typer.Option(min=1, help=_EVERY, show_default="1000")]
_SEED = "Seed of weights, order and augmentation."
Seed = Annotated[int | None, typer.Option(min=0, help=_SEED, show_default="1")]


def train(
    folders: Folders,
    output: Run,
    splits: Splits = None,
    repeat: Repeat = None,
    hours: Hours = None,
    updates: Updates = None,
    hidden: Hidden = None,
    layers: Layers = None,
    width: Width = None,
    dropout: Dropout = None,
    lanes: Lanes = None,
    chunk: Chunk = None,
    validate_every: ValidateEvery = None,
    seed: Seed = None,
    threads: Threads = 1,
    resume: Resume = False,
    cache: Cache = None,
) -> None:
    """Train a model on folders of MIDI files; Ctrl-C stops and keeps what is there."""
    if hours is not None and updates is not None:
        raise ConfigError("Give either --hours or --updates, not both.")
    require_torch("train")
    import torch

    from improv_training.checkpoints import load_checkpoint
    from improv_training.console import make_console, show_corpora
    from improv_training.trainer import train as run_training

    run_folder.prepare(output, resume=resume)
    last = run_folder.last_checkpoint(output)
    checkpoint = load_checkpoint(last) if resume else None
    shape = {"inputs": width, "hidden": hidden, "layers": layers, "projected": width, "dropout": dropout}
    rest = {"lanes": lanes, "chunk": chunk, "validate_every": validate_every, "seed": seed}
    plan = _plan(checkpoint, output, shape, {"hours": hours, "updates": updates, **rest})
    torch.set_num_threads(threads)
    console = make_console()
    corpora = _load(console, folders, splits, cache)
    repeats = _repeats(repeat or [], corpora)
    show_corpora(console, corpora)
    outcome = run_training(corpora, repeats, output, plan, console, resume=checkpoint)
    if outcome.interrupted:
        typer.echo(f"Stopped after {outcome.updates:,} updates. To go on, add --resume to the same command.")
        raise typer.Exit(INTERRUPTED)
    typer.echo(f"Best checkpoint: {run_folder.best_checkpoint(output)}")


def evaluate(
    model: Annotated[Path, typer.Argument(help="A checkpoint (.ckpt) or a model file (.onnx).")],
    folders: Folders,
    splits: Splits = None,
    split: Annotated[str, typer.Option(help="Which pieces: validation or test.")] = "test",
    baselines_from: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folders from whose train splits, taken together, unigram and bigram learn.",
            show_default="each corpus by itself",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the table as JSON.")
    ] = None,
    cache: Cache = None,
) -> None:
    """Print nats per note by attribute on held-out pieces, beside unigram and bigram."""
    if split not in ("validation", "test"):
        raise ConfigError(f"--split must be validation or test, not {split!r}.")
    chosen: Split = "test" if split == "test" else "validation"
    if output is not None:
        run_folder.check_output(output)
    require_torch("evaluate")
    import torch

    from improv_training import console as show
    from improv_training.baselines import Baselines
    from improv_training.evaluation import mean_over_corpora, mean_over_notes, open_scorer, write_json

    torch.set_num_threads(1)
    console = show.make_console()
    scorer = open_scorer(model)
    corpora = _load(console, folders, splits, cache)
    learned = _load(console, baselines_from, splits, cache) if baselines_from else None
    shared = Baselines.learn(learned) if learned else None
    figures = [
        _score(console, scorer, corpus, chosen, shared) for corpus in corpora if chosen in corpus.split
    ]
    if not figures:
        raise DataError(f"None of the folders has a piece in the {split} split.")
    means = (mean_over_corpora(figures), mean_over_notes(figures))
    show.show_figures(console, figures, means)
    show.show_verdict(console, str(model), split, figures, means[0], learned)
    if output is not None:
        write_json(figures, means, chosen, output)


def require_torch(command: str) -> None:
    """Raise `MissingExtraError` when the training extra is not installed."""
    try:
        for name in ("torch", "lightning", "onnx"):
            importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(
            f"improv {command} needs the training extra, which is not installed: "
            "pip install 'improv-midi[train]' (in a checkout: pip install -e '.[train]')."
        ) from error


def _plan(
    checkpoint: Checkpoint | None, run: Path, shape: Mapping[str, Any], rest: Mapping[str, Any]
) -> Plan:
    """What was asked for, upon the plan of the checkpoint or the default one."""
    from improv_training.plan import Plan

    plan = Plan() if checkpoint is None else checkpoint.plan
    asked = {name: value for name, value in shape.items() if value is not None}
    sizes = dataclasses.replace(plan.shape, **asked)
    if checkpoint is not None and sizes != plan.shape:
        raise ConfigError(
            f"{run} trains a network of other sizes, which cannot change on the way: leave out --hidden, "
            "--layers, --width and --dropout, or begin a new run."
        )
    changes = {name: value for name, value in rest.items() if value is not None}
    if "hours" in changes:
        changes["updates"] = None
    plan = dataclasses.replace(plan, shape=sizes, **changes)
    if checkpoint is not None and plan.elapsed(hours=checkpoint.hours, updates=checkpoint.updates) >= 1:
        raise ConfigError(
            f"{run} is finished ({checkpoint.updates:,} updates, {checkpoint.hours:.2f} h); to go on, name a "
            "later end with --hours or --updates."
        )
    return plan


def _load(console: Console, folders: list[Path], splits: Path | None, cache: Path | None) -> list[Corpus]:
    from improv_training.console import load_with_progress

    cache = cache or platformdirs.user_cache_path("improv", appauthor=False) / "corpora"
    return [load_with_progress(console, folder, splits, cache) for folder in folders]


def _score(
    console: Console, scorer: Scorer, corpus: Corpus, split: Split, shared: Baselines | None
) -> Figures:
    from improv_training.baselines import Baselines
    from improv_training.console import progress_bar
    from improv_training.evaluation import score_corpus

    baselines = shared or Baselines.learn([corpus])
    with progress_bar(console, f"Scoring {corpus.name}") as progress:
        return score_corpus(scorer, corpus, split, baselines, progress)


def _repeats(given: list[str], corpora: list[Corpus]) -> list[int]:
    names = [corpus.name for corpus in corpora]
    chosen = dict.fromkeys(names, 1)
    for item in given:
        name, _, times = item.partition("=")
        if name not in chosen or not times.isdecimal() or int(times) < 1:
            raise ConfigError(f"--repeat {item}: write NAME=TIMES with one of {', '.join(names)}.")
        chosen[name] = int(times)
    return [chosen[name] for name in names]
