"""TOML files that come with improv, each known by its name, beside those of one's own."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from improv_core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Shipped:
    """A folder of such files in this package.

    Attributes:
        folder: Its name.
        kind: What one of them is called.
        first: The one that is meant when none is named.
    """

    folder: str
    kind: str
    first: str

    def names(self) -> list[str]:
        """All of them, ``first`` first, the others in the order of the alphabet."""
        there = {Path(file.name).stem for file in self._place.iterdir() if file.name.endswith(".toml")}
        return [self.first, *sorted(there - {self.first})]

    def read(self, name: str) -> dict[str, Any]:
        """What is in one of them, or in a .toml file of one's own.

        Raises:
            ConfigError: There is none of that name, or it cannot be read.
        """
        file: Traversable
        if name in self.names():
            file = self._place / f"{name}.toml"
        elif name.endswith(".toml"):
            file = Path(name)
        else:
            are, names = ("are" if len(self.names()) > 1 else "is"), ", ".join(self.names())
            raise ConfigError(f"There is no {self.kind} {name!r}; there {are} {names}, or name a .toml file.")
        try:
            return tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"{name} cannot be read ({error.strerror or error}).") from error
        except ValueError as error:
            raise ConfigError(f"{name} is not a TOML file: {error}.") from error

    @property
    def _place(self) -> Traversable:
        return resources.files("improv_training") / self.folder
