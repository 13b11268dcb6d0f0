"""How a sitting is shown; imports nothing, for the command line."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Showing:
    """What the musician sees of a sitting, and what is written of it beside.

    Attributes:
        quiet: Only what goes wrong, and what was kept.
        plain: Lines of text even where a live view is possible.
        log: A file that everything said and played is written to.
        trace: A file that the way of each note is written to, as a Chrome trace.
    """

    quiet: bool = False
    plain: bool = False
    log: Path | None = None
    trace: Path | None = None
