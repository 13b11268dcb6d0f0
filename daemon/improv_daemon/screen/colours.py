"""Two colours, and quiet for the rest; all are among the 256 that most terminals have.

Whatever a colour says is said without it, too, by words or by form.
"""

from __future__ import annotations

from typing import Final

from rich.style import Style

YOU: Final = Style.parse("#d7af00")
YOU_HELD: Final = Style.parse("#875f00")
IMPROV: Final = Style.parse("#00afd7")
IMPROV_HELD: Final = Style.parse("#005faf")
YOU_BADGE: Final = Style.parse("bold #1c1c1c on #d7af00")
IMPROV_BADGE: Final = Style.parse("bold #1c1c1c on #00afd7")
TOGETHER_BADGE: Final = Style.parse("bold #1c1c1c on #87af5f")
NAME: Final = Style.parse("bold")
PLAIN: Final = Style.null()
QUIET: Final = Style.parse("#8a8a8a")
HELP: Final = Style.parse("#767676")
FAINT: Final = Style.parse("#5f5f5f")
PROBLEM: Final = Style.parse("#e07a5f")

NOTES: Final = ((YOU_HELD, YOU), (IMPROV_HELD, IMPROV))
"""Who, and whether it is a note's beginning, to its colour."""
