"""Figures of a size, with a title and a legend, and how they are written: the same bytes each time."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from improv_core.errors import StorageError
from improv_daemon.plotting.palette import LIGHT, Palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES: Final = (".png", ".svg", ".pdf")
DPI: Final = 160
LEFT_IN: Final = 0.78
_WIDE_PX, _SMALLEST = 1600, 0.5
_RIGHT_IN, _TOP_IN, _BOTTOM_IN = 0.3, 1.02, 0.62
_LEGEND_COLUMNS: Final = 4
_METADATA: Final[dict[str, dict[str, Any]]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "ModDate": None, "Creator": None, "Producer": None},
}


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture is to look.

    Attributes:
        palette: Its colours.
        width_px: Of a PNG; other formats have the same proportions.
        height_px: Of a PNG.
        title: Over it; what it shows, if this is empty.
    """

    palette: Palette = LIGHT
    width_px: int = 1920
    height_px: int = 1080
    title: str = ""

    @property
    def dpi(self) -> float:
        """Dots an inch: fewer in a small picture, so that words leave room for what they are about."""
        return DPI * min(1.0, max(_SMALLEST, self.width_px / _WIDE_PX))

    @property
    def inches(self) -> tuple[float, float]:
        """Width and height."""
        return self.width_px / self.dpi, self.height_px / self.dpi


@dataclass(frozen=True, slots=True)
class Sheet:
    """A figure that is being drawn.

    Attributes:
        figure: Matplotlib's.
        look: How it is to look.
        top_in: What the heading takes, in inches.
    """

    figure: Figure
    look: Look
    top_in: float = _TOP_IN

    def panels(
        self,
        rows: int,
        columns: int = 1,
        *,
        gap_in: tuple[float, float] = (0.8, 0.75),
        left_in: float = LEFT_IN,
    ) -> list[Axes]:
        """Axes of one size, row by row; the gap is (between columns, between rows)."""
        width_in, height_in = self.look.inches
        across = (width_in - left_in - _RIGHT_IN - (columns - 1) * gap_in[0]) / columns
        down = (height_in - self.top_in - _BOTTOM_IN - (rows - 1) * gap_in[1]) / rows
        axes = []
        for row in range(rows):
            bottom_in = height_in - self.top_in - (row + 1) * down - row * gap_in[1]
            for column in range(columns):
                x_in = left_in + column * (across + gap_in[0])
                box = (x_in / width_in, bottom_in / height_in, across / width_in, down / height_in)
                axes.append(self.figure.add_axes(box))
        for one in axes:
            plain(one, self.look.palette)
        return axes

    def head(self, title: str, subtitle: str, legend: Sequence[tuple[str, str]] = ()) -> None:
        """Write what is shown above it; a legend is (label, colour)."""
        width_in, height_in = self.look.inches
        palette, left = self.look.palette, 0.3 / width_in
        self.figure.text(
            left,
            1 - 0.2 / height_in,
            _shortened(self.look.title or title, 78),
            fontsize=15,
            fontweight="bold",
            color=palette.ink,
            va="top",
        )
        self.figure.text(left, 1 - 0.52 / height_in, subtitle, fontsize=10.5, color=palette.quiet, va="top")
        if legend:
            self._legend(legend)

    def _legend(self, legend: Sequence[tuple[str, str]]) -> None:
        from matplotlib.patches import Patch

        width_in, height_in = self.look.inches
        self.figure.legend(
            handles=[Patch(facecolor=colour, label=_shortened(label, 34)) for label, colour in legend],
            loc="upper right",
            bbox_to_anchor=(1 - 0.18 / width_in, 1 - 0.1 / height_in),
            ncols=min(len(legend), _LEGEND_COLUMNS),
            frameon=False,
            fontsize=11,
            labelcolor=self.look.palette.ink,
            handlelength=1.0,
            handleheight=1.0,
            columnspacing=1.4,
        )


def new_sheet(look: Look, *, height_px: int | None = None) -> Sheet:
    """An empty figure; ``height_px`` instead of the look's where a picture needs more."""
    from dataclasses import replace

    from matplotlib.figure import Figure

    sized = look if height_px is None else replace(look, height_px=height_px)
    return Sheet(Figure(figsize=sized.inches, dpi=sized.dpi, facecolor=look.palette.ground), sized)


def plain(axes: Axes, palette: Palette) -> None:
    """No frame, quiet ticks."""
    axes.set_facecolor(palette.ground)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(palette.grid)
    axes.tick_params(which="both", colors=palette.quiet, labelsize=10, length=3, color=palette.grid)
    axes.xaxis.label.set_color(palette.quiet)
    axes.yaxis.label.set_color(palette.quiet)
    axes.xaxis.label.set_fontsize(10.5)
    axes.yaxis.label.set_fontsize(10.5)
    axes.set_axisbelow(True)


def nothing(axes: Axes, palette: Palette, words: str) -> None:
    """Say in place of a picture why there is none."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", color=palette.quiet, fontsize=15)


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """Matplotlib as it comes, whatever the user's own settings are, and nothing random in its files."""
    import matplotlib as mpl

    fixed: dict[Any, Any] = {
        "svg.hashsalt": "improv",
        "svg.fonttype": "path",
        "pdf.fonttype": 42,
        "text.parse_math": False,  # names may hold dollar signs
    }
    with mpl.rc_context(), warnings.catch_warnings():
        # Names in scripts that the font lacks are drawn as boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        mpl.rcdefaults()
        mpl.rcParams.update(fixed)
        yield


def write(sheet: Sheet, path: Path) -> None:
    """Write a figure as PNG, SVG or PDF, by the file's ending.

    Raises:
        StorageError: It cannot be written.
    """
    suffix = path.suffix.lower()
    part = path.with_name(f".{path.name}.part")  # a full disk leaves what was there before
    try:
        with part.open("wb") as file:
            sheet.figure.savefig(file, format=suffix[1:], metadata=_METADATA[suffix])
        part.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror or error}).") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _shortened(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
