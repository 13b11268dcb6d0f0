"""Lines of text to what a terminal understands: only the lines that are others than before."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

_CLEAR_LINE: Final = "\x1b[0m\x1b[K"


class Painter:
    """Knows what is on the screen.

    Args:
        environment: TERM, COLORTERM and NO_COLOR say which colours there are.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        wanted = dict(os.environ if environment is None else environment)
        self._console = Console(
            file=io.StringIO(), force_terminal=True, _environ=wanted, legacy_windows=False
        )
        self._shown: list[str] = []
        self._size = (0, 0)

    @property
    def colour(self) -> bool:
        """Whether there are colours, and they are wanted."""
        return self._console.color_system is not None and not self._console.no_color

    def forget(self) -> None:
        """Something else was on the screen: all lines are painted anew."""
        self._shown = []

    def paint(self, lines: Sequence[Text], size: tuple[int, int]) -> str:
        """What to send, so that the screen shows these lines; empty when it does.

        Args:
            lines: As many as there are rows.
            size: Columns and rows.
        """
        if size != self._size:
            self._size = size
            self.forget()
        clear = "" if self._shown else "\x1b[0m\x1b[2J"
        painted = [self._painted(line) for line in lines]
        before = self._shown or [""] * len(painted)
        changed = [
            f"\x1b[{row};1H{_CLEAR_LINE}{now}"
            for row, (now, then) in enumerate(zip(painted, before, strict=True), 1)
            if now != then
        ]
        self._shown = painted
        return clear + "".join(changed)

    def _painted(self, line: Text) -> str:
        if not line:
            return ""
        with self._console.capture() as captured:
            self._console.print(line, end="", no_wrap=True, overflow="ignore", crop=False, highlight=False)
        return captured.get()
