"""``improv settings``: every setting there is, or all there is to know of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from improv_daemon.settings import Preset, Settings
from improv_daemon.settings.control_rules import Gesture
from improv_daemon.settings.layers import PACKAGED, unknown, value_of
from improv_daemon.settings.registry import Parameter
from improv_daemon.settings.rules import Value
from improv_daemon.settings.schema import REGISTRY, SECTIONS
from improv_daemon.settings.writing import toml_value

PIPED_WIDTH: Final = 200
"""So wide are lines that no terminal shows."""

_WIDE: Final = 140

_PRESETS: Final = ("preset", "presets")


def show_settings(settings: Settings, sources: dict[str, str], name: str | None, console: Console) -> None:
    """Write a table of all settings or those of a section, or all there is to know of one.

    Args:
        settings: As they would be in force.
        sources: Setting to who set it.
        name: A setting or section; None for all.
        console: Where to.

    Raises:
        ConfigError: There is no such setting.
    """
    if name in _PRESETS:
        lines = [*_about(REGISTRY["preset"], settings, sources), "", *_preset_lines(settings.presets)]
    elif name in REGISTRY:
        lines = list(_about(REGISTRY[name], settings, sources))
    elif name is None or name in SECTIONS:
        parameters = [one for key, one in REGISTRY.items() if _is_in(key, name)]
        console.print(_table(settings, parameters, is_wide=console.width >= _WIDE))
        lines = ["", "* not the default. improv settings KEY tells all of one."]
    else:
        raise unknown(name, "improv settings")
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def _is_in(key: str, section: str | None) -> bool:
    return section is None or key.startswith(f"{section}.")


# --- all of them ------------------------------------------------------------------------------------


def _table(settings: Settings, parameters: Sequence[Parameter], *, is_wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("setting", no_wrap=True)
    table.add_column("is", overflow="fold")
    if is_wide:
        table.add_column("may be", overflow="fold")
        table.add_column("while playing", no_wrap=True)
    table.add_column("what it does")
    for one in parameters:
        value = value_of(settings, one.key)
        shown = toml_value(value) + ("" if value == one.default else " *")
        more = (f"{one.rule.allowed}{_unit(one)}", _ways(one)) if is_wide else ()
        table.add_row(*map(Text, (one.key, shown, *more, one.help)))
    return table


def _ways(parameter: Parameter) -> str:
    if not parameter.live:
        return "no"
    return "knob, OSC" if _is_turned(parameter) else "OSC"


def _unit(parameter: Parameter) -> str:
    return f" ({parameter.unit})" if parameter.unit else ""


def _is_turned(parameter: Parameter) -> bool:
    return parameter.at(0.0) is not None


# --- one of them ------------------------------------------------------------------------------------


def _about(parameter: Parameter, settings: Settings, sources: dict[str, str]) -> Iterator[str]:
    value, source = value_of(settings, parameter.key), sources[parameter.key]
    default = f"default {toml_value(parameter.default)}"
    said = default if source == PACKAGED else f"from {source}; {default}"
    yield f"{parameter.key} = {toml_value(value)}{_unit(parameter)}   ({said})"
    yield f"  {parameter.help}"
    yield f"  It must be {parameter.rule.allowed}."
    if not parameter.live:
        yield f"  It cannot change while improv plays: {parameter.why_fixed}."
        return
    yield "  While improv plays:"
    for way in _live_ways(parameter, value):
        yield f"    {way}"


def _live_ways(parameter: Parameter, value: Value) -> Iterator[str]:
    key, address = parameter.key, parameter.key.replace(".", "/")
    if _is_turned(parameter):
        yield f'a controller: controls.knobs = "cc 1 {key}", {_span(parameter)}'
        yield f"a learned one: ask in the terminal or by OSC, /improv/learn {key}, then move it"
    if isinstance(parameter.rule, Gesture):
        cue = key.removeprefix("controls.")
        yield f"a learned pedal: ask for it by OSC, /improv/learn {cue}, then press it"
    yield f"OSC: /improv/{address} {toml_value(value)}"
    if key == "preset":
        yield "a gesture, controls.next_preset; a program change, with controls.presets_by_program"


def _span(parameter: Parameter) -> str:
    ends = [toml_value(value) for share in (0.0, 1.0) if (value := parameter.at(share)) is not None]
    return f"from {' to '.join(ends)}"


def _preset_lines(presets: Sequence[Preset]) -> Iterator[str]:
    yield "Presets, by the program change that chooses them:"
    for number, preset in enumerate(presets, 1):
        changes = ", ".join(f"{key} = {toml_value(value)}" for key, value in preset.changes)
        yield f"  {number} {preset.name}: {changes}"
