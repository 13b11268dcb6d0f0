"""From what was asked for to a plan: a preset, an existing model, or a run that is gone on with."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from improv_core.errors import ConfigError, ModelFileError
from improv_core.representation import STYLES, from_spec
from improv_training.corpora.corpus import TRACKS, Corpus, Tracks
from improv_training.engine import run_folder
from improv_training.engine.checkpoints import Checkpoint, load_checkpoint
from improv_training.mix import Mix
from improv_training.plan import Plan
from improv_training.presets import DEFAULT, load_preset
from improv_training.vocabulary import Openings, draw_openings, learn_vocabulary

SHIPPED: Final = "default"
"""The model that comes with improv."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a run begins from.

    Attributes:
        plan: Before what was asked for is put into it.
        checkpoint: Of the run that is gone on with.
        weights: Of the model that is trained further.
        rounded: Whether they come out of a model file in int8.
        openings: How many openings of training pieces go into the model file.
    """

    plan: Plan
    checkpoint: Checkpoint | None = None
    weights: Mapping[str, Tensor] | None = None
    rounded: bool = False
    openings: int = 0

    @property
    def new(self) -> bool:
        """Whether nothing is known yet."""
        return self.checkpoint is None and self.weights is None


def begin(run: Path, *, preset: str | None, from_: str | None, resume: bool) -> Beginning:
    """Find out what a run begins from.

    Raises:
        ConfigError: More than one beginning, or no such preset.
        ModelFileError: The model or checkpoint cannot be used.
    """
    if resume:
        if preset is not None or from_ is not None:
            raise ConfigError("A run that is gone on with keeps its preset: leave out --preset and --from.")
        checkpoint = load_checkpoint(run_folder.last_checkpoint(run))
        return Beginning(checkpoint.plan, checkpoint=checkpoint)
    if from_ is not None:
        if preset is not None:
            raise ConfigError("A model that is trained further keeps its preset: leave out --preset.")
        from improv_training.engine.initial_weights import load_initial  # where onnx is installed

        initial = load_initial(_model_file(from_))
        return Beginning(initial.plan, weights=initial.weights, rounded=initial.rounded)
    chosen = load_preset(preset or DEFAULT)
    return Beginning(chosen.plan, openings=chosen.openings)


def _model_file(name: str) -> Path:
    if name != SHIPPED:
        return Path(name)
    # The trainer does not depend on the daemon, which may not be there.
    found = importlib.util.find_spec("improv_daemon")
    if found is None or not found.submodule_search_locations:
        raise ModelFileError("The default model is not installed here; name a model file.")
    return Path(found.submodule_search_locations[0]) / "models" / f"{SHIPPED}.onnx"


def checked_tracks(name: str) -> Tracks:
    """What --tracks may be.

    Raises:
        ConfigError: It is something else.
    """
    for tracks in TRACKS:
        if name == tracks:
            return tracks
    raise ConfigError(f"--tracks is one of {', '.join(TRACKS)}, not {name!r}.")


def changed(beginning: Beginning, run: Path, shape: Mapping[str, Any], rest: Mapping[str, Any]) -> Plan:
    """What was asked for, upon the plan of the beginning; None stands for what was not asked for.

    Raises:
        ConfigError: What was asked for cannot be, or the run is finished.
    """
    plan, checkpoint = beginning.plan, beginning.checkpoint
    # A width that the preset does without (nothing is embedded, no dense layer) stays away.
    asked = {name: value for name, value in shape.items() if value is not None and getattr(plan.shape, name)}
    sizes = dataclasses.replace(plan.shape, **asked)
    if not beginning.new and sizes != plan.shape:
        what = f"{run} trains" if checkpoint is not None else "The model is"
        raise ConfigError(
            f"{what} a network of other sizes, which cannot change on the way: leave out --hidden, "
            "--layers, --width and --dropout, or begin a new run."
        )
    changes = {name: value for name, value in rest.items() if value is not None}
    tracks = checked_tracks(changes.get("tracks", plan.tracks))
    if checkpoint is not None and tracks != plan.tracks:
        raise ConfigError(f"{run} is trained on the tracks {plan.tracks!r}: leave out --tracks.")
    if checkpoint is not None and changes.get("canonical", plan.canonical) != plan.canonical:
        raise ConfigError(f"{run} is trained on notes as they were played: leave out --canonical.")
    if "hours" in changes:
        changes["updates"] = None
    try:
        plan = dataclasses.replace(plan, shape=sizes, **changes)
    except ValueError as error:
        raise ConfigError(f"This cannot be trained: {error}.") from error
    if plan.canonical:
        as_scored = dataclasses.replace(plan.augmentation, shuffle=False, cast=False)
        plan = dataclasses.replace(plan, augmentation=as_scored)
    if checkpoint is not None and plan.elapsed(hours=checkpoint.hours, updates=checkpoint.updates) >= 1:
        raise ConfigError(
            f"{run} is finished ({checkpoint.updates:,} updates, {checkpoint.hours:.2f} h); to go on, name a "
            "later end with --hours or --updates."
        )
    return plan


def repeats(given: Sequence[str], corpora: Sequence[Corpus], mix: Mix) -> list[int]:
    """How often each corpus comes in an epoch: as often as the mix says, unless something else is given.

    Args:
        given: NAME=TIMES each.
        corpora: Their names count.
        mix: What is said of them.

    Raises:
        ConfigError: One of what is given is not of that form.
    """
    names = [corpus.name for corpus in corpora]
    chosen = {name: mix.of(name).repeat for name in names}
    for item in given:
        name, _, times = item.partition("=")
        if name not in chosen or not times.isdecimal() or int(times) < 1:
            raise ConfigError(f"--repeat {item}: write NAME=TIMES with one of {', '.join(names)}.")
        chosen[name] = int(times)
    return [chosen[name] for name in names]


def learned(
    beginning: Beginning, plan: Plan, corpora: Sequence[Corpus], say: Callable[[str], None]
) -> tuple[Plan, Openings]:
    """The plan with what it learns from the train splits, and openings.

    Vocabulary and openings are kept by what is gone on with; styles and beats come to those that it has.

    Args:
        beginning: From `begin`.
        plan: From `changed`.
        corpora: Encoded corpora.
        say: Told how large a vocabulary is and what it misses, or that weights were rounded.
    """
    plan = _with_conditions(plan, corpora)
    if beginning.checkpoint is not None:
        return plan, beginning.checkpoint.openings
    if beginning.weights is not None:
        if beginning.rounded:
            say("The model is in int8: training goes on from weights rounded to 8 bits.")
        return plan, []
    representation, sentence = learn_vocabulary(from_spec(plan.representation), corpora)
    if sentence:
        say(sentence)
    openings = draw_openings(corpora, beginning.openings, plan.chunk, plan.seed)
    return dataclasses.replace(plan, representation=representation.spec()), openings


def _with_conditions(plan: Plan, corpora: Sequence[Corpus]) -> Plan:
    """The plan with the styles of the train splits, and whether beats are known there."""
    trained_on = [corpus for corpus in corpora if "train" in corpus.split]
    styles = {*plan.styles, *(corpus.style for corpus in trained_on)}
    beats = plan.beats or any(corpus.has_beats("train") for corpus in trained_on)
    return dataclasses.replace(plan, styles=tuple(s for s in STYLES if s in styles), beats=beats)
