"""What the settings say of ports in one line of text each; imports nothing heavy, for the stage."""

from __future__ import annotations

import re
from typing import Final

AUTO: Final = "auto"
"""Every hardware keyboard that there is."""

ALL: Final = "all"
"""Every output."""

SYNTH: Final = "synth"
"""What the built-in synthesiser is called among the outputs."""

MOST_LATENCY_MS: Final = 500.0

_CHANNELS: Final = re.compile(r"\d{1,2}(-\d{1,2})?( \d{1,2}(-\d{1,2})?)*")
_BY_NAME: Final = re.compile(r"(.*?\S) +(\d{1,2}(?:-\d{1,2})?(?: \d{1,2}(?:-\d{1,2})?)*)")
_LATENCY: Final = re.compile(r"(?:(.*?\S) +)?(\d+(?:\.\d+)?)")


def names_of(text: str) -> tuple[str, ...]:
    """Parts of port names, with commas between them.

    Raises:
        ValueError: One of several is empty.
    """
    if not text.strip():
        return ()
    names = tuple(" ".join(name.split()) for name in text.split(","))
    if not all(names):
        raise ValueError(f"an empty name in {text!r}")
    return names


def channels_of(text: str) -> tuple[tuple[str, frozenset[int]], ...]:
    """Which channels, 0..15, are heard of which input; an empty name stands for every input.

    Raises:
        ValueError: It does not say so.
    """
    found = []
    for part in names_of(text):
        if _CHANNELS.fullmatch(part):
            found.append(("", _numbers(part)))
        elif matched := _BY_NAME.fullmatch(part):
            found.append((matched[1], _numbers(matched[2])))
        else:
            raise ValueError(f"no channels in {part!r}")
    return tuple(found)


def _numbers(text: str) -> frozenset[int]:
    channels: set[int] = set()
    for one in text.split():
        first, _, last = one.partition("-")
        low, high = int(first), int(last or first)
        if not 1 <= low <= high <= 16:
            raise ValueError(f"there are no channels {one}")
        channels.update(range(low - 1, high))
    return frozenset(channels)


def latencies_of(text: str) -> tuple[tuple[str, float], ...]:
    """How many seconds late which output sounds; an empty name stands for every output.

    Raises:
        ValueError: It does not say so.
    """
    found = []
    for part in names_of(text):
        matched = _LATENCY.fullmatch(part)
        if matched is None or float(matched[2]) > MOST_LATENCY_MS:
            raise ValueError(f"no latency in {part!r}")
        found.append((matched[1] or "", float(matched[2]) / 1e3))
    return tuple(found)


def routes_of(text: str) -> tuple[tuple[str, str], ...]:
    """From which input to which output the player's notes go.

    Raises:
        ValueError: It does not say so.
    """
    found = []
    for part in names_of(text):
        source, arrow, output = (one.strip() for one in part.partition(">"))
        if not (arrow and source and output) or ">" in output:
            raise ValueError(f"no route in {part!r}")
        found.append((source, output))
    return tuple(found)
