"""Settings written into the user's own configuration, which keeps its comments, order and form."""

from __future__ import annotations

import contextlib
import os
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from improv_core.errors import ConfigError
from improv_daemon.settings.layers import user_config_file
from improv_daemon.settings.rules import Value
from improv_daemon.settings.schema import SCHEMA


def keep_in_user_file(changes: Iterable[tuple[str, Value]]) -> Path:
    """Write settings into the user's configuration, which is made if it is not there.

    Args:
        changes: ``key`` or ``section.key``, and value.

    Returns:
        The file.

    Raises:
        ConfigError: It cannot be read or written, or is no configuration.
    """
    path = user_config_file()
    try:
        document = _document(path)
        for key, value in changes:
            _put(document, key, value)
        _write(path.resolve(), tomlkit.dumps(document))
    except (TOMLKitError, UnicodeDecodeError, AttributeError, TypeError, KeyError):
        raise ConfigError(f"{path} is not valid TOML") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({(error.strerror or str(error)).lower()})") from None
    return path


def overruled(key: str) -> Path | None:
    """A configuration in this folder that counts for more than the user's, if it has this setting."""
    path = Path("config.toml")
    try:
        table: Any = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("improv", {})
        for name in key.split("."):
            table = table[name]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return path


def _document(path: Path) -> tomlkit.TOMLDocument:
    if not path.exists():
        return tomlkit.parse(f"[improv]\nschema = {SCHEMA}\n")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return tomlkit.parse(file.read())


def _put(document: tomlkit.TOMLDocument, key: str, value: Value) -> None:
    table: Any = document.setdefault("improv", tomlkit.table())
    *sections, name = key.split(".")
    for section in sections:
        table = table.setdefault(section, tomlkit.table())
    table[name] = value


def _write(path: Path, text: str) -> None:
    """Beside the old one first, so that there is a whole file whatever happens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(beside).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        Path(beside).replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            Path(beside).unlink()
        raise
