"""What of a piece a picture shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """What of a piece is shown, and how.

    Attributes:
        from_s: From there.
        until_s: Until there; None: the end.
        bars: Count bars instead of seconds.
        systems: Into so many rows; 0: as many as are good to read.
    """

    from_s: float = 0.0
    until_s: float | None = None
    bars: bool = False
    systems: int = 0

    def until_in(self, length_s: float) -> float:
        """Where it ends in a piece of that length."""
        return length_s if self.until_s is None else min(self.until_s, length_s)
