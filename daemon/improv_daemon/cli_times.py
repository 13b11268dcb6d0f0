"""Times as musicians type them."""

from __future__ import annotations

import math
import re
from typing import Final

import typer

from improv_core.errors import ConfigError

_CLOCK: Final = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)")


def time_s(text: str) -> float:
    """Seconds of ``90``, ``1:30``, ``1:30.5`` or ``1:02:03``; a parser of options.

    Raises:
        typer.BadParameter: It is none of these.
    """
    found = _CLOCK.fullmatch(text.strip().removesuffix("s").strip())
    if found is None:
        raise typer.BadParameter(f"{text!r} is no time; write seconds or minutes:seconds, as 90 or 1:30.")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    at_s = 3600 * hours + 60 * minutes + seconds
    if not math.isfinite(at_s) or (":" in text and seconds >= 60):
        raise typer.BadParameter(f"{text!r} is no time: a minute has 60 seconds.")
    return at_s


def check_span(from_s: float | None, to_s: float | None) -> None:
    """--from and --to, of which either may be missing.

    Raises:
        ConfigError: Nothing lies between them.
    """
    if to_s is not None and to_s <= (from_s or 0.0):
        raise ConfigError("--to must come after --from.")
