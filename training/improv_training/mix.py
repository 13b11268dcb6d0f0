"""Mixes: what is said of each corpus beside its notes, and how often it comes, in a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Final

from improv_core.errors import ConfigError
from improv_core.representation import STYLES
from improv_training.corpora.beats import BEATS, Beats
from improv_training.shipped import Shipped

_SHIPPED: Final = Shipped("mixes", "mix", "default")


@dataclass(frozen=True, slots=True)
class Ingredient:
    """One corpus of a mix.

    Attributes:
        style: Of all its pieces, one of `STYLES`; None: unknown.
        beats: Where those of its pieces are known from.
        repeat: How often it comes in each epoch.
    """

    style: str | None = None
    beats: Beats = "none"
    repeat: int = 1


@dataclass(frozen=True, slots=True)
class Mix:
    """What is said of corpora.

    Attributes:
        ingredients: By name of the corpus.
    """

    ingredients: Mapping[str, Ingredient] = field(default_factory=dict)

    def of(self, corpus: str) -> Ingredient:
        """What is said of a corpus; of one that is not named, nothing."""
        return self.ingredients.get(corpus, Ingredient())


NO_MIX: Final = Mix()
"""Nothing is said of any corpus."""


def load_mix(name: str) -> Mix:
    """One that comes with improv, or a TOML file of one's own.

    Raises:
        ConfigError: There is none of that name, or something in the file cannot be.
    """
    values = _SHIPPED.read(name)
    return Mix({corpus: _ingredient(name, corpus, said) for corpus, said in values.items()})


def _ingredient(name: str, corpus: str, said: object) -> Ingredient:
    keys = [one.name for one in fields(Ingredient)]
    if not isinstance(said, dict):
        raise ConfigError(
            f"{name}: {corpus} = {said!r} is no corpus; write [{corpus}] and below it {_or(keys)}."
        )
    for key, value in said.items():
        if key not in keys:
            raise ConfigError(f"{name}: [{corpus}] has the unknown key {key!r}; it may have {_or(keys)}.")
        if not _FITS[key](value):
            raise ConfigError(f"{name}: [{corpus}] {key} = {value!r} is not known; it is {_ALLOWED[key]}.")
    return Ingredient(**said)


def _or(names: list[str] | tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


_FITS: Final = {
    "style": lambda value: value in STYLES,
    "beats": lambda value: value in BEATS,
    "repeat": lambda value: type(value) is int and value >= 1,
}
_ALLOWED: Final = {"style": _or(STYLES), "beats": _or(BEATS), "repeat": "a whole number, 1 at least"}
