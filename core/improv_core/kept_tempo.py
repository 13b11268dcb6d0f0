"""A tempo that is kept whoever plays: it has been clicked, or others follow it; pure."""

from __future__ import annotations

from improv_core.representation.asking import Pulse


class KeptTempo:
    """Beats from a moment on, which go on evenly; another tempo goes on from where they are.

    Attributes:
        pulse: The beats; bars count from its origin. None: nothing is kept.
    """

    def __init__(self) -> None:
        self.pulse: Pulse | None = None

    def begin(self, at_s: float, beat_s: float) -> None:
        """Keep beats of this length; a bar begins then."""
        self.pulse = Pulse(at_s * 1e3, beat_s * 1e3)

    def change(self, beat_s: float, now_s: float) -> None:
        """Beats have another length from now on; nothing where none are kept."""
        if self.pulse is not None:
            passed = (now_s * 1e3 - self.pulse.origin_ms) / self.pulse.beat_ms
            self.pulse = Pulse((now_s - passed * beat_s) * 1e3, beat_s * 1e3)

    def drop(self) -> None:
        """Nobody goes by it any more."""
        self.pulse = None
