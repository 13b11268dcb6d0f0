"""Pieces as pictures: in axes of one's own, or a picture that a notebook shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from improv_core.errors import ConfigError
from improv_daemon.studio.checks import check_at_least, check_part
from improv_daemon.studio.pieces import Piece

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from improv_daemon.plotting.sheets import Sheet
    from improv_daemon.plotting.windows import Window


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure that a notebook shows.

    Attributes:
        sheet: The figure, and how it looks.
    """

    sheet: Sheet

    @property
    def figure(self) -> Figure:
        """Matplotlib's."""
        return self.sheet.figure

    def save(self, path: Path | str) -> Path:
        """Write it as PNG, SVG or PDF.

        Raises:
            ConfigError: The ending says none of these.
            StorageError: It cannot be written.
        """
        from improv_daemon.plotting.sheets import SUFFIXES, drawing, write

        if Path(path).suffix.lower() not in SUFFIXES:
            raise ConfigError(f"{path} is no picture: its name must end in {' or '.join(SUFFIXES)}.")
        with drawing():
            write(self.sheet, Path(path))
        return Path(path)

    def _repr_png_(self) -> bytes:
        import io

        from improv_daemon.plotting.sheets import drawing

        with drawing(), io.BytesIO() as file:
            self.figure.savefig(file, format="png", dpi=100)
            return file.getvalue()


def plot(
    pieces: Piece | Sequence[Piece],
    ax: Axes | None = None,
    *,
    what: str = "roll",
    dark: bool = False,
    bars: bool = False,
    from_s: float = 0.0,
    to_s: float | None = None,
    rows: int = 0,
) -> Picture | Axes:
    """Draw a piece, or several beside one another; see ``improv plot``.

    Args:
        pieces: One or more.
        ax: Axes to draw one piece into, in colours that suit their ground; None: a picture of its own.
        what: One of `improv_daemon.plotting.WHAT` or `SINGLE`.
        dark: On dark ground.
        bars: Count bars instead of seconds in a roll.
        from_s: Where to begin.
        to_s: Where to end; None: at the end.
        rows: Of a roll; 0: as many as suit its length.

    Returns:
        The axes, or the picture.

    Raises:
        ConfigError: It cannot be shown so.
    """
    from improv_daemon.plotting import SINGLE, WHAT
    from improv_daemon.plotting.groups import Subject
    from improv_daemon.plotting.palette import DARK, LIGHT
    from improv_daemon.plotting.picture import draw
    from improv_daemon.plotting.sheets import Look, drawing
    from improv_daemon.plotting.windows import Window

    if what not in (*WHAT, *SINGLE) or what == "training":
        known = [name for name in (*WHAT, *SINGLE) if name != "training"]
        raise ConfigError(f"There is no picture {what!r} of a piece; there are {', '.join(known)}.")
    check_part(from_s, to_s)
    check_at_least("rows", rows, 0)
    window = Window(from_s, to_s, bars, rows)
    shown = [pieces] if isinstance(pieces, Piece) else list(pieces)
    if not shown:
        raise ConfigError("There is no piece to draw.")
    subjects = [Subject(piece.name, (piece,)) for piece in shown]
    if ax is not None:
        return _into(ax, subjects, what, window)
    with drawing():
        return Picture(draw(subjects, what, Look(DARK if dark else LIGHT), window))


def _into(ax: Axes, subjects: Sequence[object], what: str, window: Window) -> Axes:
    from matplotlib.colors import to_rgb

    from improv_daemon.plotting.palette import suited
    from improv_daemon.plotting.picture import draw_into

    draw_into(ax, subjects, what, window, suited(to_rgb(ax.get_facecolor())))  # type: ignore[arg-type]
    return ax
