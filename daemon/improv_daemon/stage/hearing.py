"""Tells what the player has played from what comes back, comes twice, or is not to be heard."""

from __future__ import annotations

from collections.abc import Callable

from improv_core.echo import EchoFilter
from improv_core.merging import Arrival, RouteMerger
from improv_core.thru import matching
from improv_daemon.port_texts import channels_of
from improv_daemon.stage.inbox import Stamped

_SYSTEM = 0xF0


class Hearing:
    """Channel filters, echo filter and merging, in this order."""

    def __init__(
        self,
        echo: EchoFilter,
        merger: RouteMerger,
        channels: str = "",
        is_own_clock: Callable[[str], bool] = lambda source: False,
    ) -> None:
        """
        Args:
            echo: Knows what improv sent.
            merger: Knows what came by several routes.
            channels: Those that are heard, see `improv_daemon.port_texts.channels_of`.
            is_own_clock: Whether MIDI clock at an input would be improv's own.

        Raises:
            ValueError: The text does not say channels.
        """
        self._echo = echo
        self._merger = merger
        self._channels = channels_of(channels)
        self._is_own_clock = is_own_clock
        self._heard_of: dict[str, frozenset[int] | None] = {}

    @property
    def echoes_dropped(self) -> int:
        """Messages left out because improv had sent them itself."""
        return self._echo.dropped

    @property
    def merged(self) -> int:
        """Messages left out because they had come by another route."""
        return self._merger.merged

    def heard(self, message: Stamped, now_s: float) -> list[Stamped]:
        """What of the player's an incoming message comes to."""
        data, source = message.data, message.source
        if data[0] >= _SYSTEM:
            if self._is_own_clock(source):
                self._echo.dropped += 1
                return []
        elif self._is_filtered(data[0] & 0x0F, source) or self._echo.heard(data, now_s, source):
            return []
        arrivals = self._merger.heard(source, data, message.at_s)
        return [_stamped(arrival, message.at_s) for arrival in arrivals]

    def lost(self, source: str, at_s: float) -> list[Stamped]:
        """An input has gone: what was held there is let go of."""
        self._echo.forget(source)
        return [_stamped(arrival, at_s) for arrival in self._merger.lost(source)]

    def _is_filtered(self, channel: int, source: str) -> bool:
        if not self._channels:
            return False
        if source not in self._heard_of:
            self._heard_of[source] = self._channels_of(source)
        heard = self._heard_of[source]
        return heard is not None and channel not in heard

    def _channels_of(self, source: str) -> frozenset[int] | None:
        """None: all. What is said of an input by name goes before what is said of all."""
        by_name = [channels for name, channels in self._channels if name and matching(name, [source])]
        everywhere = [channels for name, channels in self._channels if not name]
        found = by_name or everywhere
        return frozenset().union(*found) if found else None


def _stamped(arrival: Arrival, at_s: float) -> Stamped:
    return Stamped(arrival.data, at_s, arrival.source)
