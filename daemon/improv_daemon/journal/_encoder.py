"""From what was said to a journal's lines; pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from improv_daemon import wire
from improv_daemon.journal._format import (
    CLOSED_KEY,
    IN_FORCE_KEY,
    JOURNAL_VERSION,
    MIDDLE_KEY,
    VERSION_KEY,
    WALL_KEY,
    line_of,
    message_line,
)
from improv_daemon.journal._runs import Run


def header_line(
    *,
    model: str,
    seed: int,
    settings: Mapping[str, Any],
    started_at: datetime,
    now_s: float,
    model_hash: str = "",
    from_the_middle: bool = False,
) -> bytes:
    """The first line; see `improv_daemon.journal.Header`."""
    fields: dict[str, Any] = {
        VERSION_KEY: JOURNAL_VERSION,
        "improv_version": improv_version(),
        "started_at": wall_text(started_at),
        "now_s": now_s,
        "model": model,
        "model_hash": model_hash,
        "seed": seed,
    }
    if from_the_middle:
        fields[MIDDLE_KEY] = True
    return line_of(fields | {"settings": dict(settings)})


def wall_line(at: datetime, now_s: float) -> bytes:
    """What the clock on the wall says at ``now_s``."""
    return line_of({WALL_KEY: wall_text(at), "now_s": now_s})


def closed_line(at: datetime, now_s: float) -> bytes:
    """The last line, of a journal that is at its end; ``now_s`` is when the last message came."""
    return line_of({CLOSED_KEY: wall_text(at), "now_s": now_s})


def wall_text(at: datetime) -> str:
    """Milliseconds and offset; a naive time is taken as local."""
    return (at.astimezone() if at.tzinfo is None else at).isoformat(timespec="milliseconds")


def improv_version() -> str:
    """Of the improv that runs."""
    try:
        return version("improv-midi")
    except PackageNotFoundError:
        return "unknown"


class Encoder:
    """Makes lines of batches of messages and of settings."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._run = Run()
        self._in_force = flat(settings)

    @property
    def is_open(self) -> bool:
        """Whether a line has begun and has no end yet."""
        return self._run.is_open

    def encoded(self, messages: tuple[wire.Message, ...], now_s: float) -> bytes:
        """What is to be appended for what the mind had, or did, at ``now_s``."""
        if len(messages) == 1:
            (message,) = messages
            grown = self._run.takes(message, now_s)
            if grown is not None:
                return grown
            closed, grown = self._run.close(), self._run.takes(message, now_s)
            return closed + (message_line(message, now_s) if grown is None else grown)
        return self.closed() + b"".join(message_line(message, now_s) for message in messages)

    def settled(self, settings: object, now_s: float) -> bytes:
        """What is to be appended when these settings are in force; nothing where they are as before."""
        now = flat(settings)
        changes = {key: value for key, value in now.items() if self._in_force.get(key, _NONE) != value}
        self._in_force = now
        return self.closed() + line_of({IN_FORCE_KEY: changes, "now_s": now_s}) if changes else b""

    def closed(self) -> bytes:
        """The end of the line that has begun, if any."""
        return self._run.close()


_NONE = object()


def flat(settings: object) -> dict[str, Any]:
    """Settings by key, as ``answer.length_ratio``, from a dataclass of such or from plain values."""
    values: dict[str, Any] = {}
    for name, value in _items(settings):
        inner = _items(value)
        if inner:
            values |= {f"{name}.{key}": one for key, one in inner}
        else:
            values[name] = _plain(value)
    return values


def _items(value: object) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    if dataclasses.is_dataclass(value):
        return [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
    return []


def _plain(value: object) -> object:
    """As `dataclasses.asdict` has it."""
    if isinstance(value, tuple):
        return tuple(dict(_items(one)) or one for one in value)
    return value
