"""The configuration file with every default, as it is shipped."""

from __future__ import annotations

import textwrap
from typing import Final

from improv_daemon.settings.rules import Value
from improv_daemon.settings.schema import REGISTRY, SCHEMA, SECTIONS

_WIDTH: Final = 120
_COMMENT_AT: Final = 28

_HEAD: Final = """\
# Every setting of improv, with its default.
#
# Change a value here and start improv again. improv reads, each over the one before it:
#   1. its own defaults, which are these,
#   2. your config.toml in the user configuration folder (Linux: ~/.config/improv, macOS:
#      ~/Library/Application Support/improv, Windows: %LOCALAPPDATA%\\improv),
#   3. config.toml in the folder where you start it, if it has the line [improv],
#   4. a file given with --config FILE,
#   5. single settings given with -o, as in:  improv play -o sampling.temperature_pitch=1.1
# A file needs only the settings that it changes. `improv settings` lists them with their ranges.
"""

_ABOUT_CONTROLS: Final = """\
# The gestures: "cc 67" for a pedal or knob, "note 21" for a key, "notes 21+108" for keys struck together, ""
# for none.
"""

_TAIL: Final = """\
# Presets of your own: settings under one name, chosen with preset = "late night", with a gesture, by OSC or
# with a program change. improv has four: `improv settings preset` lists them.
#
# [improv.presets."late night"]
# sampling.temperature = 0.8
# answer.density_ratio = 0.5
"""


def config_text() -> str:
    """All of it, as TOML."""
    schema = _line("schema", SCHEMA, "version of this file's form; leave it as it is")
    parts = [_HEAD, "[improv]\n" + schema + _lines("")]
    for name, kind in SECTIONS.items():
        about = _ABOUT_CONTROLS if name == "controls" else ""
        doc = (kind.__doc__ or "").partition("\n")[0].rstrip(".")
        parts.append(f"{f'[improv.{name}]':<{_COMMENT_AT}}# {doc}\n{about}{_lines(f'{name}.')}")
    return "\n".join([*parts, _TAIL])


def _lines(prefix: str) -> str:
    inside = (one for key, one in REGISTRY.items() if key.rpartition(".")[0] == prefix.rstrip("."))
    return "".join(_line(one.key.removeprefix(prefix), one.default, one.help) for one in inside)


def _line(name: str, value: Value, about: str) -> str:
    setting = f"{name} = {toml_value(value)}"
    first, *rest = textwrap.wrap(about, _WIDTH - _COMMENT_AT - 2)
    indent = " " * _COMMENT_AT
    return "".join([f"{setting:<{_COMMENT_AT - 1}} # {first}\n", *(f"{indent}# {more}\n" for more in rest)])


def toml_value(value: Value) -> str:
    """A value as it stands in a TOML file."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
