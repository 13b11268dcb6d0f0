"""Settings from their sources, each over the one before it.

Packaged defaults, the user's config, ``./config.toml`` when it carries the table ``[improv]``, the file given
with ``--config``, the preset that one of them names, and single assignments from the command line.
"""

from __future__ import annotations

import difflib
import importlib.resources
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from improv_core.errors import ConfigError
from improv_daemon.settings import presets
from improv_daemon.settings.built_in import BUILT_IN, Preset
from improv_daemon.settings.knob_texts import check_knobs
from improv_daemon.settings.rules import Value
from improv_daemon.settings.schema import ORDERED, REGISTRY, RULES, SCHEMA, SECTIONS, Settings

PACKAGED = "improv's packaged defaults.toml"
"""How messages call the first source."""

_LIVE_SOURCE = "While playing"
_PRESETS = "presets"
_KNOBS = "controls.knobs"

Layer = dict[str, tuple[Value, str]]
"""Setting to its value and the name of the source that set it."""


@dataclass(frozen=True, slots=True)
class _File:
    """What a configuration file says."""

    values: Layer = field(default_factory=dict)
    presets: tuple[Preset, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """One setting from the command line.

    Attributes:
        key: ``key`` or ``section.key``.
        text: The value as typed.
        source: The option that carried it, for messages.
    """

    key: str
    text: str
    source: str

    @classmethod
    def parse(cls, text: str, source: str = "-o") -> Assignment:
        """Cut ``section.key=value`` in two.

        Raises:
            ConfigError: There is no ``=`` in it.
        """
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"{source} {text}: write it as section.key=value, as in sampling.min_p=0.05.")
        return cls(key.strip(), value.strip(), source)


def user_config_file() -> Path:
    """The user's own configuration; it need not exist."""
    return Path(platformdirs.user_config_path("improv", appauthor=False)) / "config.toml"


def load_settings(config: Path | None = None, assignments: Iterable[Assignment] = ()) -> Settings:
    """Read every source and check every value.

    Args:
        config: The file of ``--config``.
        assignments: Later ones win.

    Raises:
        ConfigError: A source cannot be read, or a setting is unknown, of the wrong type or out of range.
    """
    return load_with_sources(config, assignments)[0]


def load_with_sources(
    config: Path | None = None, assignments: Iterable[Assignment] = ()
) -> tuple[Settings, dict[str, str]]:
    """`load_settings`, and to each setting the name of the source that set it.

    Raises:
        ConfigError: See `load_settings`.
    """
    values, known = _defaults(), BUILT_IN
    for path in (user_config_file(), Path("config.toml"), config):
        if path is not None:
            file = _read_file(path, required=path is config, shared=path == Path("config.toml"))
            values |= file.values
            known = presets.merged(known, file.presets)
    assigned = {one.key: (_assigned(one), one.source) for one in assignments}
    overlay = _overlay(known, *(assigned.get("preset") or values["preset"]))
    values |= assigned | {key: one for key, one in overlay.items() if key == "preset" or key not in assigned}
    _check_together(values)
    return _build(values, known), {key: source for key, (_, source) in values.items()}


def changed(settings: Settings, key: str, value: object) -> Settings:
    """One setting made another while improv plays.

    Args:
        settings: Those in force.
        key: ``key`` or ``section.key``.
        value: Of its type, or text as typed on the command line.

    Raises:
        ConfigError: It is unknown, out of range, against another one, or cannot change while playing.
    """
    if key in REGISTRY and not REGISTRY[key].live:
        why = REGISTRY[key].why_fixed
        raise ConfigError(f"{key} cannot change while improv plays: {why}; set it and start improv again.")
    if isinstance(value, str):
        checked = _assigned(Assignment(key, value, _LIVE_SOURCE))
    else:
        checked = _check(key, value, _LIVE_SOURCE)
    values = {path: (value_of(settings, path), PACKAGED) for path in RULES}
    values[key] = (checked, _LIVE_SOURCE)
    if key == "preset":
        values |= _overlay(settings.presets, checked, _LIVE_SOURCE)
    _check_together(values)
    return _build(values, settings.presets)


def _overlay(known: Sequence[Preset], name: Value, source: str) -> Layer:
    """What a preset sets, its own name as it is spelled among that."""
    if not name:
        return {}
    preset = presets.chosen(known, str(name), source)
    values: Layer = {key: (value, f'preset "{preset.name}"') for key, value in preset.changes}
    return values | {"preset": (preset.name, source)}


def value_of(settings: Settings, key: str) -> Value:
    """What a setting is."""
    section, _, name = key.rpartition(".")
    value: Value = getattr(getattr(settings, section) if section else settings, name)
    return value


def _defaults() -> Layer:
    packaged = importlib.resources.files("improv_daemon").joinpath("defaults.toml")
    text = packaged.read_text(encoding="utf-8")
    return _checked(tomllib.loads(text), PACKAGED).values


def _read_file(path: Path, *, required: bool, shared: bool) -> _File:
    """A configuration file; one that is ``shared`` may belong to another program altogether."""
    if not required and not path.is_file():
        return _File()
    text = _read(path)
    if shared and not required and "[improv" not in text:
        return _File()
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {_lowered(str(error))}.") from None
    if "improv" in document:
        return _checked(document, str(path))
    if not required and (shared or not document):
        return _File()
    raise ConfigError(f"{path}: improv's settings belong under [improv], and the file has no such table.")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"There is no configuration file {path}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not a configuration file: it is not UTF-8 text.") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {_lowered(error.strerror or str(error))}.") from None


def _checked(document: Mapping[str, Any], source: str) -> _File:
    """Every value of a parsed file, by setting, and its presets."""
    for name in document:
        if name != "improv":
            raise ConfigError(f"{source}: unknown table [{name}]; improv's settings belong under [improv].")
    table = document["improv"]
    if not isinstance(table, dict):
        raise ConfigError(f"{source}: improv must be a table, written as [improv].")
    _check_schema(table.get("schema", SCHEMA), source)
    values = {key: (_check(key, value, source), source) for key, value in _flattened(table, source)}
    return _File(values, tuple(_presets(table.get(_PRESETS, {}), source)))


def _presets(table: object, source: str) -> Iterator[Preset]:
    if not isinstance(table, dict):
        raise ConfigError(f"{source}: {_PRESETS} is a table, written as [improv.{_PRESETS}.NAME].")
    for name, entries in table.items():
        presets.check_name(name, source)
        inside = f'{source}, preset "{name}"'
        if not isinstance(entries, dict):
            raise ConfigError(f'{source}: a preset is a table, written as [improv.{_PRESETS}."{name}"].')
        changes = []
        for key, value in _flattened(entries, inside):
            presets.check_key(key, inside)
            changes.append((key, _check(key, value, inside)))
        yield Preset(name, tuple(changes))


def _check_schema(schema: object, source: str) -> None:
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        raise ConfigError(f"{source}: schema = {_shown(schema)} is not allowed: it must be {SCHEMA}.")
    if schema > SCHEMA:
        raise ConfigError(
            f"{source}: schema = {schema} was written for a newer improv; "
            f"update improv, or use a file with schema = {SCHEMA}."
        )


def _flattened(table: Mapping[str, Any], source: str) -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if name in ("schema", _PRESETS):
            continue
        if name not in SECTIONS:
            yield name, value
        elif isinstance(value, dict):
            yield from ((f"{name}.{key}", entry) for key, entry in value.items())
        else:
            raise ConfigError(f"{source}: {name} is a table, written as [improv.{name}].")


def _check(key: str, value: object, source: str) -> Value:
    if key not in RULES:
        raise unknown(key, source, _shown(value))
    try:
        return RULES[key].check(value)
    except (ValueError, OverflowError, RuntimeError):
        raise _refusal(key, _shown(value), source) from None


def _assigned(assignment: Assignment) -> Value:
    key, source = assignment.key, assignment.source
    if key not in RULES:
        raise unknown(key, source, assignment.text or '""')
    try:
        return RULES[key].parse(assignment.text)
    except (ValueError, OverflowError, RuntimeError):
        raise _refusal(key, assignment.text or '""', source) from None


def _refusal(key: str, shown: str, source: str) -> ConfigError:
    return ConfigError(f"{source}: {key} = {shown} is not allowed: it must be {RULES[key].allowed}.")


def unknown(key: str, source: str, shown: str | None = None) -> ConfigError:
    """A sentence that names the nearest setting there is, or else those of the section.

    Args:
        key: That is no setting.
        source: Who named it.
        shown: What it was to be.
    """
    if key in SECTIONS:
        return ConfigError(f"{source}: {key} is a table; set one of its settings, {_inside(key)}.")
    message = f"{source}: there is no setting {key}{'' if shown is None else f' (set to {shown})'}"
    if near := _nearest(key):
        return ConfigError(f"{message}; did you mean '{near}'?")
    return ConfigError(f"{message}; there are {_inside(key.rpartition('.')[0])}.")


def _nearest(key: str) -> str | None:
    section, _, last = key.rpartition(".")
    if section in SECTIONS:
        siblings = [path.removeprefix(f"{section}.") for path in RULES if path.startswith(f"{section}.")]
        if near := difflib.get_close_matches(last, siblings, n=1):
            return f"{section}.{near[0]}"
    names = {path: path.rpartition(".")[2] for path in RULES}
    same = [path for path, name in names.items() if name == last]
    longer = [path for path, name in names.items() if last and name.startswith(f"{last}_")]
    if same or len(longer) == 1:  # tempo is time.tempo_bpm
        return (same or longer)[0]
    if section in SECTIONS:
        return None
    return next(iter(difflib.get_close_matches(key, [*RULES, *SECTIONS], n=1, cutoff=0.7)), None)


def _inside(section: str) -> str:
    """What a section holds; anything but a section stands for the top."""
    if section in SECTIONS:
        return ", ".join(path for path in RULES if path.startswith(f"{section}."))
    return ", ".join([*(path for path in RULES if "." not in path), *(f"{name}.*" for name in SECTIONS)])


def _check_together(values: Layer) -> None:
    """What no rule can see by itself."""
    knobs, source = values[_KNOBS]
    if source != PACKAGED:
        check_knobs(str(knobs), source)
    for lower, upper in ORDERED:
        (low, low_source), (high, high_source) = values[lower], values[upper]
        if float(low) > float(high):
            sources = dict.fromkeys(source for source in (low_source, high_source) if source != PACKAGED)
            raise ConfigError(f"{' and '.join(sources)}: {lower} = {low} must not be above {upper} = {high}.")


def _build(values: Layer, known: tuple[Preset, ...]) -> Settings:
    top: dict[str, Any] = {key: value for key, (value, _) in values.items() if "." not in key}
    for name, kind in SECTIONS.items():
        prefix = f"{name}."
        inside = {key.removeprefix(prefix): one for key, (one, _) in values.items() if key.startswith(prefix)}
        top[name] = kind(**inside)
    return Settings(**top, presets=known)


def _shown(value: object) -> str:
    """A value as it stands in the file."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
