"""Which outputs sound what comes in at which input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Mode = Literal["auto", "on", "off"]


@dataclass(frozen=True, slots=True)
class Way:
    """From an input to an output.

    Attributes:
        output: The output.
        channel: On which channel, 0..15; None: on the one that a message comes on.
        returns: What is sent there may come back by the same input.
    """

    output: str
    channel: int | None
    returns: bool = False


@dataclass(frozen=True, slots=True)
class ThruSettings:
    """What is wanted.

    Attributes:
        mode: Which MIDI outputs sound the player: those that are named and belong to another device than the
            input (auto), all (on), none (off).
        routes: If not empty, just these, as parts of the names of inputs and outputs.
        channel: On MIDI outputs, 0..15; None: as it comes.
    """

    mode: Mode = "auto"
    routes: Sequence[tuple[str, str]] = ()
    channel: int | None = None


class ThruMatrix:
    """The ways of each input, by the settings and by what belongs together."""

    def __init__(
        self,
        settings: ThruSettings,
        named: Sequence[str],
        own: Sequence[str],
        synth: tuple[str, str, int] | None,
        same_device: Callable[[str, str], bool],
    ) -> None:
        """
        Args:
            settings: What is wanted.
            named: MIDI outputs that the musician has named.
            own: MIDI outputs that improv gives to other programs to listen to.
            synth: The built-in synthesiser where it sounds the player: its name in routes, its output and its
                channel.
            same_device: Whether an input and an output belong to one device.
        """
        self._settings = settings
        self._named, self._own = tuple(named), tuple(own)
        self._synth = synth
        self._same_device = same_device
        self._ways: dict[tuple[str, bool], tuple[Way, ...]] = {}

    def ways(self, source: str, *, routed: bool = True) -> tuple[Way, ...]:
        """Where to what comes in at this input goes.

        Args:
            source: The input.
            routed: By the routes, where there are any.
        """
        key = source, routed and bool(self._settings.routes)
        ways = self._ways.get(key)
        if ways is None:
            ways = self._ways[key] = tuple(self._by_routes(source) if key[1] else self._by_mode(source))
        return ways

    def ports_changed(self) -> None:
        """What belongs to one device may be another matter now."""
        self._ways.clear()

    def unknown_outputs(self) -> tuple[str, ...]:
        """Outputs that the routes name and nobody has."""
        return tuple(output for _, output in self._settings.routes if not self._outputs_called(output))

    def _by_mode(self, source: str) -> list[Way]:
        if self._settings.mode == "off":
            found = []
        elif self._settings.mode == "on":
            found = [self._midi(source, output) for output in (*self._own, *self._named)]
        else:
            ways = [self._midi(source, output) for output in self._named]
            found = [way for way in ways if not way.returns]
        return [*found, *self._to_synth()]

    def _by_routes(self, source: str) -> list[Way]:
        wanted = [
            output
            for part, text in self._settings.routes
            if part.casefold() in source.casefold()
            for output in self._outputs_called(text)
        ]
        to_synth = self._to_synth()
        midi = [] if self._settings.mode == "off" else [*self._own, *self._named]
        return [
            *(self._midi(source, output) for output in midi if output in wanted),
            *(way for way in to_synth if way.output in wanted),
        ]

    def _outputs_called(self, text: str) -> list[str]:
        if self._synth is not None and text == self._synth[0]:
            return [self._synth[1]]
        return matching(text, (*self._own, *self._named))

    def _to_synth(self) -> list[Way]:
        return [] if self._synth is None else [Way(self._synth[1], self._synth[2])]

    def _midi(self, source: str, output: str) -> Way:
        return Way(output, self._settings.channel, self._same_device(source, output))


def matching(text: str, names: Sequence[str]) -> list[str]:
    """Those names that contain a text, or, where none does, are contained in it; capitals do not matter."""
    wanted = text.casefold()
    return [name for name in names if wanted in name.casefold()] or [
        name for name in names if name.casefold() in wanted
    ]
