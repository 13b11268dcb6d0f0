"""``improv train`` and ``improv evaluate``: thin, and importable without torch."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import platformdirs
import typer

from improv_core.errors import ConfigError, DataError, MissingExtraError
from improv_training.engine import run_folder

if TYPE_CHECKING:
    from rich.console import Console

    from improv_training.corpora.corpus import Corpus, Split
    from improv_training.corpora.loading import Reading
    from improv_training.evaluation.baselines import Baselines
    from improv_training.evaluation.figures import Figures
    from improv_training.evaluation.scoring import Scorer

_FOLDERS = "Folders of MIDI files, or archives of them (.zip, .tar, .tar.gz, .tar.xz); each is a corpus."
Folders = Annotated[list[Path], typer.Argument(help=_FOLDERS)]
_SPLITS = (
    "Split file {path: train|validation|test}, or a folder with NAME.json for each corpus NAME (a corpus "
    "without one is all for training); without it, 5 % of the files are for validation and 5 % for the test."
)
Splits = Annotated[Path | None, typer.Option(help=_SPLITS)]
_CACHE = "Folder for encoded corpora, made again when files change."
Cache = Annotated[Path | None, typer.Option(help=_CACHE, show_default="the user's cache folder")]

_PRESET = "What to train: a name (improv presets lists them), or a .toml file of your own."
PresetName = Annotated[str | None, typer.Option("--preset", help=_PRESET, show_default="piano")]
_TRACKS = "Which voices of each file are read: piano, melody or all."
TracksOption = Annotated[str | None, typer.Option("--tracks", help=_TRACKS, show_default="the preset's")]
_CANONICAL = (
    "Notes as the literature compares them: the pedal in the durations, a grid of 10 ms, chords from low to "
    "high."
)
Canonical = Annotated[bool, typer.Option("--canonical", help=_CANONICAL)]
_FROM = "Go on from an existing model: a checkpoint (.ckpt), a model file (.onnx), or default."
From = Annotated[str | None, typer.Option("--from", metavar="MODEL", help=_FROM, show_default="none")]
_KEEP_TWINS = "Keep pieces of validation and test that recur in training, as copies or in other performances."
KeepTwins = Annotated[bool, typer.Option("--keep-twins", help=_KEEP_TWINS)]
Run = Annotated[Path, typer.Option("--output", "-o", help="Folder for checkpoints and the log.")]
_REPEAT = "NAME=2: this corpus comes twice in each epoch, whatever the mix says."
Repeat = Annotated[list[str] | None, typer.Option(help=_REPEAT)]
_MIX = (
    "What is said of each corpus (style, where its beats are known from, how often it comes): default, or a "
    ".toml file of your own."
)
MixName = Annotated[str | None, typer.Option("--mix", help=_MIX, show_default="nothing is said")]
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
Hidden = Annotated[
    int | None, typer.Option(min=8, help="Width of the LSTM layers.", show_default="the preset's")
]
Layers = Annotated[int | None, typer.Option(min=1, help="LSTM layers.", show_default="the preset's")]
_WIDTH = "Width of the embedded step and of the heads."
Width = Annotated[int | None, typer.Option(min=8, help=_WIDTH, show_default="the preset's")]
_DROPOUT = "Share of activations dropped."
Dropout = Annotated[float | None, typer.Option(min=0.0, max=0.9, help=_DROPOUT, show_default="the preset's")]
Lanes = Annotated[
    int | None, typer.Option(min=1, help="Pieces side by side in a batch.", show_default="the preset's")
]
_CHUNK = "Notes of each piece between updates."
Chunk = Annotated[int | None, typer.Option(min=8, help=_CHUNK, show_default="the preset's")]
_EVERY = "Updates between validations."
ValidateEvery = Annotated[int | None, typer.Option(min=1, help=_EVERY, show_default="1000")]
_SEED = "Seed of weights, order and augmentation."
Seed = Annotated[int | None, typer.Option(min=0, help=_SEED, show_default="1")]


def train(
    folders: Folders,
    output: Run,
    preset: PresetName = None,
    from_: From = None,
    splits: Splits = None,
    tracks: TracksOption = None,
    canonical: Canonical = False,
    keep_twins: KeepTwins = False,
    mix: MixName = None,
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

    from improv_training import planning
    from improv_training.console import make_console, show_corpora
    from improv_training.corpora.loading import Reading
    from improv_training.mix import NO_MIX, load_mix
    from improv_training.progress import train_in_console

    shape = {"inputs": width, "hidden": hidden, "layers": layers, "projected": width, "dropout": dropout}
    ends = {"hours": hours, "updates": updates}
    rest = {"lanes": lanes, "chunk": chunk, "validate_every": validate_every, "seed": seed, "tracks": tracks}
    rest |= {"canonical": canonical or None, "mix": mix}
    run_folder.prepare(output, resume=resume)
    beginning = planning.begin(output, preset=preset, from_=from_, resume=resume)
    plan = planning.changed(beginning, output, shape, {**ends, **rest})
    said = NO_MIX if plan.mix is None else load_mix(plan.mix)
    torch.set_num_threads(threads)
    console = make_console()
    reading = Reading(plan.tracks, said, plan.canonical, plan.held_out)
    corpora = _load(console, folders, splits, cache, reading)
    repeats = planning.repeats(repeat or [], corpora, said)
    if not keep_twins:
        corpora = _without_twins(console, corpora)
    show_corpora(console, corpora)
    plan, openings = planning.learned(beginning, plan, corpora, console.print)
    outcome = train_in_console(
        corpora,
        repeats,
        output,
        plan,
        console,
        resume=beginning.checkpoint,
        initial=beginning.weights,
        openings=openings,
    )
    if outcome.interrupted:
        typer.echo(f"Stopped after {outcome.updates:,} updates. To go on, add --resume to the same command.")
        raise typer.Exit(outcome.status)
    typer.echo(f"Best checkpoint: {run_folder.best_checkpoint(output)}")


def presets() -> None:
    """List what can be trained with improv train --preset."""
    from improv_training.console import make_console, show_presets
    from improv_training.presets import load_preset, preset_names

    show_presets(make_console(), [load_preset(name) for name in preset_names()])


def evaluate(
    model: Annotated[Path, typer.Argument(help="A checkpoint (.ckpt) or a model file (.onnx).")],
    folders: Folders,
    splits: Splits = None,
    split: Annotated[str, typer.Option(help="Which pieces: validation or test.")] = "test",
    baselines_from: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folders from whose train splits, taken together, the baselines learn.",
            show_default="each corpus by itself",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the table as JSON.")
    ] = None,
    tracks: Annotated[
        str | None, typer.Option("--tracks", help=_TRACKS, show_default="as the model was trained")
    ] = None,
    canonical: Annotated[
        bool | None,
        typer.Option("--canonical/--as-played", help=_CANONICAL, show_default="as the model was trained"),
    ] = None,
    keep_twins: KeepTwins = False,
    cache: Cache = None,
) -> None:
    """Print nats per note by attribute on held-out pieces, beside unigram, bigram and order-4 PPM."""
    if split not in ("validation", "test"):
        raise ConfigError(f"--split must be validation or test, not {split!r}.")
    chosen: Split = "test" if split == "test" else "validation"
    if output is not None:
        run_folder.check_output(output)
    require_torch("evaluate")
    import torch

    from improv_training import console as show
    from improv_training import planning
    from improv_training.corpora.loading import Reading
    from improv_training.evaluation.baselines import Baselines
    from improv_training.evaluation.figures import mean_over_corpora, mean_over_notes, write_json
    from improv_training.evaluation.scoring import open_scorer

    torch.set_num_threads(1)
    console = show.make_console()
    scorer = open_scorer(model)
    form = scorer.canonical if canonical is None else canonical
    reading = Reading(planning.checked_tracks(tracks or scorer.tracks), canonical=form)
    corpora = _load(console, folders, splits, cache, reading)
    learned = _load(console, baselines_from, splits, cache, reading) if baselines_from else None
    if not keep_twins:
        corpora = _without_twins(console, corpora, learned or [])
    shared = Baselines.learn(learned, scorer.representation) if learned else None
    figures = [
        _score(console, scorer, corpus, chosen, shared) for corpus in corpora if chosen in corpus.split
    ]
    if not figures:
        raise DataError(f"None of the folders has a piece in the {split} split; name others, or --splits.")
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


def _load(
    console: Console, folders: list[Path], splits: Path | None, cache: Path | None, reading: Reading
) -> list[Corpus]:
    from improv_training.console import load_with_progress

    cache = cache or platformdirs.user_cache_path("improv", appauthor=False) / "corpora"
    return [load_with_progress(console, folder, splits, cache, reading) for folder in folders]


def _without_twins(console: Console, corpora: list[Corpus], trained: Sequence[Corpus] = ()) -> list[Corpus]:
    """Without the pieces of validation and test that recur in training, here or in ``trained``."""
    from improv_training.console import show_twins
    from improv_training.corpora.near_duplicates import keep_out_of_test

    names = {corpus.name for corpus in corpora}
    others = [corpus for corpus in trained if corpus.name not in names]
    with console.status("Looking for pieces of validation and test that recur in training"):
        kept = keep_out_of_test([*corpora, *others])
    show_twins(console, kept)
    return list(kept.corpora[: len(corpora)])


def _score(
    console: Console, scorer: Scorer, corpus: Corpus, split: Split, shared: Baselines | None
) -> Figures:
    from improv_training.console import progress_bar
    from improv_training.evaluation.baselines import Baselines
    from improv_training.evaluation.nats import score_corpus

    with console.status(f"Learning the baselines from {corpus.name}"):
        baselines = shared or Baselines.learn([corpus], scorer.representation)
    with progress_bar(console, f"Scoring {corpus.name}") as progress:
        return score_corpus(scorer, corpus, split, baselines, progress)
