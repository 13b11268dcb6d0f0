"""Which controllers set what, as one line of text says it: ``cc 1 sampling.temperature, cc 74 ch 2 mode``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from improv_core.errors import ConfigError
from improv_daemon.settings.control_rules import HIGHEST_CONTROLLER
from improv_daemon.settings.rules import Number, Value, Whole
from improv_daemon.settings.schema import REGISTRY

CHANNELS: Final = 16

_BINDING: Final = re.compile(r"cc (\d+)(?: ch (\d+))? ([a-z0-9_.]+)(?: (-?[\d.]+?)\.\.(-?[\d.]+))?")


@dataclass(frozen=True, slots=True)
class Binding:
    """A controller and the setting that it sets.

    Attributes:
        controller: Its number, 0..119.
        key: Of the setting.
        channel: MIDI channel 1..16 on which it counts; None for any.
        span: Values at its two ends, the first may be the greater; None: those of the registry.
    """

    controller: int
    key: str
    channel: int | None = None
    span: tuple[float, float] | None = None

    @classmethod
    def parse(cls, text: str) -> Binding:
        """One controller and its setting.

        Raises:
            ConfigError: A sentence without its full stop, to follow a colon: why it cannot be.
        """
        matched = _BINDING.fullmatch(text)
        if matched is None:
            raise ConfigError('write it as "cc 1 sampling.temperature", or with a range as in "0.5..1.5"')
        number, channel, key, low, high = matched.groups()
        binding = cls(
            int(number),
            key,
            None if channel is None else int(channel),
            None if low is None else (float(low), float(high)),
        )
        binding._check()
        return binding

    def __str__(self) -> str:
        """As it is written in the settings."""
        channel = "" if self.channel is None else f" ch {self.channel}"
        span = "" if self.span is None else f" {self.span[0]:g}..{self.span[1]:g}"
        return f"cc {self.controller}{channel} {self.key}{span}"

    def hears(self, controller: int, channel: int) -> bool:
        """Whether it goes by this controller on this channel, 1..16."""
        return self.controller == controller and self.channel in (None, channel)

    def value(self, position: int) -> Value:
        """What it sets with the controller at 0..127."""
        parameter = REGISTRY[self.key]
        value = parameter.rule.at(position / 127, self.span or parameter.knob)
        assert value is not None  # `_check`
        return value

    def _check(self) -> None:
        if self.controller > HIGHEST_CONTROLLER:
            raise ConfigError(f"controllers go from 0 to {HIGHEST_CONTROLLER}")
        if self.channel is not None and not 1 <= self.channel <= CHANNELS:
            raise ConfigError(f"channels go from 1 to {CHANNELS}")
        check_turned(self.key)
        if self.span is not None:
            self._check_span(*self.span)

    def _check_span(self, *span: float) -> None:
        rule = REGISTRY[self.key].rule
        if not isinstance(rule, Number | Whole):
            raise ConfigError(f"{self.key} takes no range, it must be {rule.allowed}")
        try:
            for end in span:
                rule.parse(f"{end:g}")
        except ValueError:
            raise ConfigError(f"{self.key} must be {rule.allowed}, at both ends") from None


def check_turned(key: str) -> None:
    """Refuse a setting that no controller can set while improv plays.

    Raises:
        ConfigError: A sentence without its full stop, to follow a colon.
    """
    parameter = REGISTRY.get(key)
    if parameter is None:
        meant = {one.rpartition(".")[2]: one for one in REGISTRY} | {one: one for one in REGISTRY}
        near = [meant[one] for one in difflib.get_close_matches(key, meant, n=1)]
        raise ConfigError(f"there is no setting {key}{f'; did you mean {near[0]!r}?' if near else ''}")
    if not parameter.live:
        raise ConfigError(f"{key} cannot change while improv plays")
    if parameter.at(0.0) is None:
        raise ConfigError(f"{key} is text, which no controller can set")


def bindings_of(text: str) -> tuple[Binding, ...]:
    """Every controller and its setting.

    Args:
        text: Lower case, single spaces, with commas between them.

    Raises:
        ConfigError: A sentence without its full stop that names the one that cannot be, and why.
    """
    bindings = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        try:
            bindings.append(Binding.parse(part))
        except ConfigError as refusal:
            raise ConfigError(f'"{part}": {refusal}') from None
    return tuple(bindings)


def check_knobs(text: str, source: str) -> None:
    """Refuse a line of knobs in a sentence.

    Args:
        text: As its rule gives it.
        source: Who says so, for the message.

    Raises:
        ConfigError: One of them cannot be.
    """
    try:
        bindings_of(text)
    except ConfigError as refusal:
        sentence = f"{source}: controls.knobs, {refusal}"
        raise ConfigError(sentence if sentence.endswith("?") else f"{sentence}.") from None


def text_of(bindings: Iterable[Binding]) -> str:
    """The line that `bindings_of` reads."""
    return ", ".join(map(str, bindings))


def with_learned(text: str, learned: Binding) -> str:
    """The line with another binding, which replaces those of its controller and those of its setting."""
    others = (one for one in bindings_of(text) if one.key != learned.key and not _meets(one, learned))
    return text_of((*others, learned))


def without_controller(text: str, controller: int) -> str:
    """The line without what a controller sets."""
    return text_of(one for one in bindings_of(text) if one.controller != controller)


def _meets(one: Binding, other: Binding) -> bool:
    channels = {one.channel, other.channel}
    return one.controller == other.controller and (None in channels or len(channels) == 1)
