"""Presets: what a model reads and predicts, its sizes and how it is trained, each in a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from improv_core.errors import ConfigError
from improv_core.representation import Representation, from_spec
from improv_training.augment import Augmentation
from improv_training.corpora.corpus import TRACKS
from improv_training.plan import Plan
from improv_training.shape import Shape

DEFAULT: Final = "piano"

_FOLDER: Final = "presets"


@dataclass(frozen=True, slots=True)
class Preset:
    """What a TOML file says.

    Attributes:
        name: Of the preset.
        summary: In one line.
        representation: As it is before a vocabulary is learned.
        plan: Sizes, rates and ranges, to be changed by what is asked for.
        openings: How many openings of training pieces go into the model file.
    """

    name: str
    summary: str
    representation: Representation
    plan: Plan
    openings: int = 0


def preset_names() -> list[str]:
    """Those that come with improv, the default first."""
    names = sorted(Path(file.name).stem for file in _folder().iterdir() if file.name.endswith(".toml"))
    return [DEFAULT, *(name for name in names if name != DEFAULT)]


def load_preset(name: str) -> Preset:
    """One that comes with improv, or a TOML file of one's own.

    Raises:
        ConfigError: There is none of that name, or something in the file cannot be.
    """
    file: Traversable
    if name in preset_names():
        file = _folder() / f"{name}.toml"
    elif name.endswith(".toml"):
        file = Path(name)
    else:
        names = ", ".join(preset_names())
        raise ConfigError(f"There is no preset {name!r}; there are {names}, or name a .toml file.")
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{name} cannot be read ({error.strerror or error}).") from error
    except ValueError as error:
        raise ConfigError(f"{name} is not a TOML file: {error}.") from error
    try:
        return _preset(Path(name).stem, values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"The preset {name} cannot be used: {error}.") from error


def _folder() -> Traversable:
    return resources.files("improv_training") / _FOLDER


def _preset(name: str, values: Mapping[str, Any]) -> Preset:
    rest = {key: value for key, value in values.items() if key not in _TABLES}
    if unknown := set(rest) - {field.name for field in fields(Preset)}:
        raise ValueError(f"nothing is called {', '.join(sorted(unknown))}")
    training = values.get("training", {})
    if training.get("tracks", TRACKS[0]) not in TRACKS:
        raise ValueError(f"tracks is one of {', '.join(TRACKS)}")
    representation = from_spec(values["representation"])
    plan = Plan(
        **training,
        preset=name,
        shape=Shape(**values.get("network", {})),
        augmentation=Augmentation(**values.get("augmentation", {})),
        representation=representation.spec(),
    )
    return Preset(name, representation=representation, plan=plan, **rest)


_TABLES: Final = ("representation", "network", "training", "augmentation")
