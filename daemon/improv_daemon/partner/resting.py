"""What improv does while it is muted or something goes round: it listens and remembers, in any mode."""

from __future__ import annotations

from improv_daemon.partner.listening import Listening


class Resting(Listening):
    """Stands in for the mode."""

    def stop(self) -> None:
        """The mode goes on."""
        self._background.abandon()
