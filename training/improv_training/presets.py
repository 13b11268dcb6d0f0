"""Presets: what a model reads and predicts, its sizes and how it is trained, each in a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

from improv_core.errors import ConfigError
from improv_core.representation import Representation, from_spec
from improv_training.augment import Augmentation
from improv_training.corpora.corpus import TRACKS
from improv_training.plan import Plan
from improv_training.shape import Shape
from improv_training.shipped import Shipped

DEFAULT: Final = "piano"

_SHIPPED: Final = Shipped("presets", "preset", DEFAULT)


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
    return _SHIPPED.names()


def load_preset(name: str) -> Preset:
    """One that comes with improv, or a TOML file of one's own.

    Raises:
        ConfigError: There is none of that name, or something in the file cannot be.
    """
    values = _SHIPPED.read(name)
    try:
        return _preset(Path(name).stem, values)
    except KeyError as error:
        raise ConfigError(f"The preset {name} cannot be used: it lacks {error}.") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f"The preset {name} cannot be used: {error}.") from error


def _preset(name: str, values: Mapping[str, Any]) -> Preset:
    if unknown := set(values) - {*_TABLES, "summary", "openings"}:
        raise ValueError(f"nothing is called {', '.join(sorted(unknown))}")
    summary, openings = values["summary"], values.get("openings", 0)
    _checked({"summary": summary, "openings": openings}, Preset)
    training = values.get("training", {})
    if training.get("tracks", TRACKS[0]) not in TRACKS:
        raise ValueError(f"tracks is one of {', '.join(TRACKS)}")
    representation = from_spec(values["representation"])
    plan = Plan(
        **_checked(training, Plan),
        preset=name,
        shape=Shape(**_checked(values.get("network", {}), Shape)),
        augmentation=Augmentation(**_checked(values.get("augmentation", {}), Augmentation)),
        representation=representation.spec(),
    )
    return Preset(name, summary, representation, plan, openings)


def _checked(values: Mapping[str, Any], kind: type) -> Mapping[str, Any]:
    """A table whose names and types are those of a dataclass; words are left to the dataclass."""
    hints = get_type_hints(kind)
    if unknown := set(values) - set(hints):
        raise ValueError(f"nothing is called {', '.join(sorted(unknown))}")
    for name, value in values.items():
        wanted = (get_args(hints[name]) or (hints[name],))[0]
        fits = type(value) is wanted or (wanted is float and type(value) is int)
        if isinstance(wanted, type) and not fits:
            raise ValueError(f"{name} = {value!r} is not {_SAID[wanted]}")
    return values


_SAID: Final = {int: "a whole number", float: "a number", bool: "true or false", str: "text", dict: "a table"}

_TABLES: Final = ("representation", "network", "training", "augmentation")
