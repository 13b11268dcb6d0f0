"""Presets: settings under one name, laid over those in force when it is chosen; what they do not name stays.

improv has a few of its own (`BUILT_IN`); a file's table ``[improv.presets.NAME]`` adds one, or replaces that
of its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from improv_core.errors import ConfigError
from improv_daemon.settings.built_in import Preset
from improv_daemon.settings.rules import Value
from improv_daemon.settings.schema import REGISTRY

LONGEST_NAME: Final = 40


def merged(presets: Sequence[Preset], others: Iterable[Preset]) -> tuple[Preset, ...]:
    """Presets with others added; one of a name there is takes its place."""
    by_name = {folded(one.name): one for one in presets}
    for other in others:
        by_name[folded(other.name)] = other
    return tuple(by_name.values())


def check_name(name: str, source: str) -> None:
    """Refuse a name that cannot be said in a sentence or typed.

    Raises:
        ConfigError: It is empty, long or not printable.
    """
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise ConfigError(
            f"{source}: a preset's name must be text of 1 to {LONGEST_NAME} characters, as in "
            '[improv.presets."late night"].'
        )


def check_key(key: str, source: str) -> None:
    """Refuse a setting that a preset cannot hold; one that is unknown is for others to refuse.

    Raises:
        ConfigError: It can change only at the start, or would choose another preset.
    """
    if key == "preset" or (key in REGISTRY and not REGISTRY[key].live):
        raise ConfigError(
            f"{source}: {key} cannot be part of a preset, which may be chosen while improv plays."
        )


def find(presets: Sequence[Preset], name: str) -> Preset | None:
    """The preset of a name in any case, with - or _ for a space; None where there is none."""
    return next((one for one in presets if folded(one.name) == folded(name)), None)


def chosen(presets: Sequence[Preset], name: str, source: str) -> Preset:
    """The preset of a name.

    Raises:
        ConfigError: A sentence that lists those there are.
    """
    found = find(presets, name)
    if found is None:
        raise ConfigError(f'{source}: there is no preset "{name}"; there are {listed(presets)}.')
    return found


def listed(presets: Sequence[Preset]) -> str:
    """Their names in a sentence."""
    *others, last = [one.name for one in presets]
    return f"{', '.join(others)} and {last}" if others else last


def after(presets: Sequence[Preset], name: str) -> str:
    """The name of the preset after this one, round and round; of the first where none is in force."""
    here = find(presets, name)
    return presets[0].name if here is None else presets[(presets.index(here) + 1) % len(presets)].name


def by_program(presets: Sequence[Preset], program: int) -> str:
    """The name of the preset that a program change chooses.

    Args:
        presets: In order.
        program: As musicians count, from 1.

    Raises:
        ConfigError: A sentence that lists those there are.
    """
    if program > len(presets):
        numbered = ", ".join(f"{number} {one.name}" for number, one in enumerate(presets, 1))
        raise ConfigError(f"There is no preset for program change {program}; there are {numbered}.")
    return presets[program - 1].name


def restored(plain: Iterable[Mapping[str, Any]]) -> tuple[Preset, ...]:
    """The presets of a sitting's journal, which keeps them as plain objects.

    Raises:
        KeyError: A setting is not known any more.
        ValueError: A value is not allowed any more.
    """
    return tuple(
        Preset(str(one["name"]), tuple((key, _checked(key, value)) for key, value in one["changes"]))
        for one in plain
    )


def _checked(key: str, value: object) -> Value:
    return REGISTRY[key].rule.check(value)


def folded(name: str) -> str:
    """What of a name counts."""
    return " ".join(name.lower().replace("-", " ").replace("_", " ").split())
