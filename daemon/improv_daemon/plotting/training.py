"""The curves of training runs, from the table that a run keeps."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from improv_core.errors import DataError
from improv_daemon.plotting.arrays import FloatArray
from improv_daemon.plotting.palette import Palette, mixed
from improv_daemon.plotting.sheets import Look, Sheet, new_sheet, nothing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_METRICS: Final = "metrics.csv"
_PLACES: Final = (_METRICS, f"log/{_METRICS}")
_HEAD: Final = "val_"
_COUNTS: Final = ("steps", "notes")
_SMOOTH: Final = 25
_MOST_HEADS: Final = 6


@dataclass(frozen=True, slots=True)
class Run:
    """A training run.

    Attributes:
        folder: Where it is kept.
        curves: Column of its table to (updates, values).
    """

    folder: Path
    curves: dict[str, tuple[FloatArray, FloatArray]]

    @property
    def heads(self) -> list[str]:
        """What is predicted, each with a curve of its own."""
        names = (name.removeprefix(_HEAD) for name in self.curves if name.startswith(_HEAD))
        return [name for name in names if name not in _COUNTS]


def metrics_of(path: Path) -> Path | None:
    """The table of a run's folder, or of the table itself; None where there is none."""
    try:
        if path.suffix.lower() == ".csv" and path.is_file():
            return path
        return next((path / place for place in _PLACES if (path / place).is_file()), None)
    except OSError:  # a name that no file can have, or a folder that may not be looked into
        return None


def read_run(path: Path) -> Run:
    """Read the table of a run; it may go on at this moment.

    Raises:
        DataError: It has none, or one that is not ours.
    """
    metrics = metrics_of(path)
    if metrics is None:
        raise DataError(f"{path} is no training run: there is no log/{_METRICS} in it.")
    try:
        with metrics.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        columns = [name for name in (rows[0] if rows else {}) if name not in (None, "step", "epoch")]
        curves = {name: _curve(rows, name) for name in columns}
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        raise DataError(f"{metrics} is no table of a training run, or a damaged one.") from None
    if not any(name in curves for name in ("train", "val")):
        raise DataError(f"{metrics} is no table of a training run, or it has not begun yet.")
    folder = metrics.parent.parent if metrics.parent.name == "log" else metrics.parent
    return Run(folder.resolve(), {name: curve for name, curve in curves.items() if len(curve[0])})


def training(runs: Sequence[Run], look: Look) -> Sheet:
    """A sheet with the loss of the runs, and of one alone what each head has of it."""
    sheet = new_sheet(look)
    palette = look.palette
    heads = runs[0].heads[:_MOST_HEADS] if len(runs) == 1 and len(runs[0].heads) > 1 else []
    colours = [palette.of(i) for i in range(len(runs))]
    if heads:
        loss, *_ = sheet.panels(1)
        box = loss.get_position()
        loss.set_position((box.x0, box.y0, box.width * 0.6, box.height))
        _heads(sheet, runs[0], heads, (box.x0 + box.width * 0.68, box.y0, box.x1, box.y1))
    else:
        (loss,) = sheet.panels(1)
    draw_training(loss, list(zip(runs, colours, strict=True)), palette)
    names = _names(runs)
    title = names[0] if len(runs) == 1 else f"{len(runs)} runs"
    legend = list(zip(names, colours, strict=True)) if len(runs) > 1 else []
    sheet.head(title, "thin: training   ·   with dots: validation, the best one ringed", legend)
    return sheet


def _names(runs: Sequence[Run]) -> list[str]:
    """Of their folders, with those above them where that is the same."""
    names = [run.folder.name for run in runs]
    if len(set(names)) == len(names):
        return names
    return [f"{run.folder.parent.name}/{run.folder.name}" for run in runs]


def draw_training(axes: Axes, runs: Sequence[tuple[Run, str]], palette: Palette) -> None:
    """Loss over updates."""
    shown: list[float] = []
    for run, colour in runs:
        if "train" in run.curves:
            at, loss = run.curves["train"]
            faint = tuple(mixed(colour, palette.ground, 0.2))
            axes.plot(at, loss, color=faint, linewidth=0.8, zorder=1)
            smooth = _smoothed(loss)
            axes.plot(at, smooth, color=tuple(mixed(colour, palette.ground, 0.6)), linewidth=1.4, zorder=2)
            shown += smooth[len(smooth) // 10 :].tolist()
        if "val" in run.curves:
            at, loss = run.curves["val"]
            _validation(axes, at, loss, colour, palette)
            shown += loss.tolist()
    if not shown:
        nothing(axes, palette, "nothing logged yet")
        return
    low, high = min(shown), max(shown)
    room = max(0.02, 0.08 * (high - low))
    axes.set_ylim(low - room, high + 2 * room)
    axes.set_xlim(left=0)
    axes.grid(axis="y", color=palette.grid, linewidth=0.7)
    axes.set_xlabel("updates")
    axes.set_ylabel("loss, nats a step")


def _validation(axes: Axes, at: FloatArray, loss: FloatArray, colour: str, palette: Palette) -> None:
    axes.plot(at, loss, "o-", color=colour, linewidth=2.0, markersize=5, zorder=4)
    best = int(np.argmin(loss))
    axes.plot(at[best], loss[best], "o", markersize=12, fillstyle="none", color=palette.ink, zorder=5)
    axes.annotate(
        f"{loss[best]:.3f}",
        (at[best], loss[best]),
        xytext=(0, 12),
        textcoords="offset points",
        ha="center",
        color=palette.ink,
        fontsize=11,
        fontweight="bold",
        zorder=6,
    )


def _heads(sheet: Sheet, run: Run, heads: Sequence[str], box: tuple[float, float, float, float]) -> None:
    """A little panel for each head, its curve from the first validation on."""
    from improv_daemon.plotting.sheets import plain

    palette = sheet.look.palette
    left, bottom, right, top = box
    each = (top - bottom) / len(heads)
    for i, head in enumerate(heads):
        place = (left, top - (i + 1) * each + 0.3 * each, right - left, 0.5 * each)
        axes = sheet.figure.add_axes(place)
        plain(axes, palette)
        at, loss = run.curves[_HEAD + head]
        axes.plot(at, loss, "o-", color=palette.of(0), linewidth=1.6, markersize=3.5)
        axes.set_title(head, loc="left", fontsize=10.5, color=palette.ink, pad=3)
        axes.set_title(f"{loss[-1]:.3f}", loc="right", fontsize=10.5, color=palette.quiet, pad=3)
        axes.margins(y=0.25)
        axes.set_yticks([])
        axes.set_xlim(left=0)
        axes.spines["left"].set_visible(False)
        if i < len(heads) - 1:
            axes.set_xticklabels([])
        else:
            axes.set_xlabel("updates")


def _curve(rows: Sequence[dict[str, str]], name: str) -> tuple[FloatArray, FloatArray]:
    points = [(float(row["step"]), float(row[name])) for row in rows if row[name]]
    columns = np.array(points, dtype=np.float64).reshape(-1, 2)
    columns = columns[np.isfinite(columns).all(axis=1)].T  # a run that diverged has no loss any more
    return columns[0], columns[1]


def _smoothed(values: FloatArray) -> FloatArray:
    """A running mean that looks at fewer values at both ends."""
    width = max(1, min(_SMOOTH, len(values) // 4))
    kernel = np.ones(width)
    result: FloatArray = np.convolve(values, kernel, "same") / np.convolve(
        np.ones_like(values), kernel, "same"
    )
    return result
