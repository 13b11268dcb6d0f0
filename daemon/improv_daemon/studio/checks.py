"""What somebody asks of the studio, and cannot have, in a sentence each."""

from __future__ import annotations

from typing import Final

from improv_core.errors import ConfigError

VOICES: Final = ("auto", "soundfont", "piano")
_RATES: Final = (8_000, 192_000)


def check_part(from_s: float, to_s: float | None) -> None:
    """Whether there is something between two moments.

    Raises:
        ConfigError: There is nothing.
    """
    if from_s < 0:
        raise ConfigError(f"from_s is {from_s:g}, but a piece begins at 0.")
    if to_s is not None and to_s <= from_s:
        raise ConfigError(f"to_s must come after from_s, but they are {to_s:g} and {from_s:g}.")


def check_at_least(name: str, value: float | None, least: float) -> None:
    """Whether a number is large enough; None is.

    Raises:
        ConfigError: It is too small, or no number.
    """
    if value is not None and not value >= least:
        raise ConfigError(f"{name} must be {least:g} or more, not {value:g}.")


def check_sound(voice: str, sample_rate: int) -> None:
    """Whether there is such a voice, and such a sound file.

    Raises:
        ConfigError: There is not.
    """
    if voice not in VOICES:
        raise ConfigError(f"There is no voice {voice!r}; there are {', '.join(VOICES)}.")
    low, high = _RATES
    if not low <= sample_rate <= high:
        raise ConfigError(f"sample_rate must be {low} to {high}, not {sample_rate}.")
