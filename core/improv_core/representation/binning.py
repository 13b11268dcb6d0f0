"""Numbers to classes and back. All arithmetic is on integers, so that live and offline agree exactly."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

CELL_MS = 10
"""Times are compared on a grid of 10 ms cells; a cell is the rounded value."""


class Binning(Protocol):
    """A fixed number of classes over an integer quantity."""

    @property
    def size(self) -> int:
        """How many classes there are."""
        ...

    def bins(self, values: IntArray) -> IntArray:
        """The class of each value; what lies outside goes to the nearest class."""
        ...

    def index(self, value: int) -> int:
        """The class of one value; `bins` for one note that has just been played."""
        ...

    def value(self, index: int, uniform: float) -> int:
        """A value of the class, chosen by ``uniform`` in [0, 1)."""
        ...

    def log_widths(self) -> NDArray[np.float64]:
        """Log of how many distinguishable values each class holds: what a class costs beyond its name."""
        ...

    def spec(self) -> dict[str, Any]:
        """What `binning_from_spec` needs to make it again."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Each value 0..size-1 is its own class."""

    size: int

    def bins(self, values: IntArray) -> IntArray:
        """Clip into the range."""
        return np.clip(values, 0, self.size - 1)

    def index(self, value: int) -> int:
        """Clip into the range."""
        return min(max(value, 0), self.size - 1)

    def value(self, index: int, uniform: float) -> int:
        """The class itself."""
        return index

    def log_widths(self) -> NDArray[np.float64]:
        """Zero: nothing is lost."""
        return np.zeros(self.size)

    def spec(self) -> dict[str, Any]:
        """Kind and size."""
        return {"kind": "identity", "size": self.size}


@dataclass(frozen=True, slots=True)
class Groups:
    """Runs of ``width`` neighbouring values; the first class never yields ``lowest - 1`` or below."""

    size: int
    width: int
    lowest: int

    def bins(self, values: IntArray) -> IntArray:
        """Whole-number division, clipped."""
        return np.clip(values // self.width, 0, self.size - 1)

    def index(self, value: int) -> int:
        """Whole-number division, clipped."""
        return min(max(value // self.width, 0), self.size - 1)

    def value(self, index: int, uniform: float) -> int:
        """Uniform over the run."""
        return max(self.lowest, index * self.width + int(uniform * self.width))

    def log_widths(self) -> NDArray[np.float64]:
        """Zero: a run counts as one value (MIDI-like vocabularies bin velocity by four as well)."""
        return np.zeros(self.size)

    def spec(self) -> dict[str, Any]:
        """Kind and numbers."""
        return {"kind": "groups", "size": self.size, "width": self.width, "lowest": self.lowest}


class Grid:
    """Milliseconds on the 10 ms grid: single cells first, then classes that widen geometrically.

    Args:
        edges: Ascending cells; class ``k`` holds cells ``edges[k]`` up to, not including, ``edges[k + 1]``.
    """

    __slots__ = ("_cells", "_edges")

    def __init__(self, edges: IntArray) -> None:
        if len(edges) < 2 or np.any(np.diff(edges) < 1):
            raise ValueError("edges must ascend")
        self._edges = np.asarray(edges, dtype=np.int64)
        self._cells: list[int] = self._edges.tolist()

    @classmethod
    def geometric(cls, size: int, *, first: int, single: int, last: int) -> Grid:
        """``single`` one-cell classes from cell ``first``, the rest geometric up to cell ``last``."""
        edges = list(range(first, first + single + 1))
        while len(edges) <= size:
            remaining = size + 1 - len(edges)
            ratio = (last / edges[-1]) ** (1 / remaining)
            edges.append(max(edges[-1] + 1, round(edges[-1] * ratio)))
        return cls(np.array(edges))

    @property
    def size(self) -> int:
        """How many classes there are."""
        return len(self._edges) - 1

    def bins(self, values: IntArray) -> IntArray:
        """The class of each time in milliseconds."""
        cells = np.clip((values + CELL_MS // 2) // CELL_MS, self._edges[0], self._edges[-1] - 1)
        return np.searchsorted(self._edges, cells, side="right") - 1

    def index(self, value: int) -> int:
        """The class of one time in milliseconds."""
        cell = min(max((value + CELL_MS // 2) // CELL_MS, self._cells[0]), self._cells[-1] - 1)
        return bisect.bisect_right(self._cells, cell) - 1

    def value(self, index: int, uniform: float) -> int:
        """Milliseconds, uniform over the class, never negative."""
        low_ms, high_ms = (int(edge) * CELL_MS - CELL_MS // 2 for edge in self._edges[index : index + 2])
        return max(0, low_ms + int(uniform * (high_ms - low_ms)))

    def bounds_ms(self) -> IntArray:
        """Where each class begins, and behind the last where it ends, in milliseconds; shape (size + 1,)."""
        return np.maximum(0, self._edges * CELL_MS - CELL_MS // 2)

    def log_widths(self) -> NDArray[np.float64]:
        """Log of the number of cells."""
        return np.log(np.diff(self._edges))

    def spec(self) -> dict[str, Any]:
        """Kind and edges."""
        return {"kind": "grid", "edges": self._edges.tolist()}


def binning_from_spec(spec: dict[str, Any]) -> Binning:
    """The inverse of ``Binning.spec``; ``geometric`` stands for the grid that `Grid.geometric` makes.

    Raises:
        ValueError: The kind is unknown or a number is missing.
    """
    numbers = {key: value for key, value in spec.items() if key != "kind"}
    kinds: dict[str, Any] = {"identity": Identity, "groups": Groups}
    try:
        if spec["kind"] == "grid":
            return Grid(np.array(numbers["edges"], dtype=np.int64))
        if spec["kind"] == "geometric":
            return Grid.geometric(**numbers)
        binning: Binning = kinds[spec["kind"]](**numbers)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a binning: {spec}") from error
    return binning
