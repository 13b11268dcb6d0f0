"""Commands that other installed parts of improv add: entry points of the group ``improv.commands``.

No part is imported before its command, or the list of commands, is asked for.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any, TypeAlias

import typer
from typer.core import TyperGroup

from improv_core.errors import MissingExtraError

GROUP = "improv.commands"
TRAIN_HINT = "pip install 'improv-midi[train]' (in a checkout: pip install -e '.[train]')"

# typer has made click's classes private, and older versions of it use another click.
_Context: TypeAlias = Any
_Command: TypeAlias = Any


class ExtensibleGroup(TyperGroup):
    """improv's own commands first, then those of entry points by name."""

    def list_commands(self, ctx: _Context) -> list[str]:
        """Names of every command, in the order of the help."""
        own = list(self.commands)
        return own + sorted(name for name in _entry_points() if name not in own)

    def get_command(self, ctx: _Context, cmd_name: str) -> _Command:
        """A command by name, None when there is none; an entry point is imported now."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        entry_point = _entry_points().get(cmd_name)
        return None if entry_point is None else _command(entry_point)


def _entry_points() -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name: point for point in importlib.metadata.entry_points(group=GROUP)}


def _command(entry_point: importlib.metadata.EntryPoint) -> _Command:
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    try:
        function: Callable[..., Any] = entry_point.load()
        options: dict[str, Any] = {}
    except (ImportError, AttributeError) as error:
        function = _unavailable(entry_point.name, str(error))
        options = {"context_settings": {"ignore_unknown_options": True, "allow_extra_args": True}}
    single.command(entry_point.name, rich_help_panel="Your own model", **options)(function)
    return typer.main.get_command(single)


def _unavailable(name: str, reason: str) -> Callable[..., Any]:
    """Stands in for a command whose part does not import, so that the others keep working."""

    def run() -> None:
        raise MissingExtraError(f"improv {name} cannot run ({reason}); install what it needs: {TRAIN_HINT}.")

    run.__doc__ = "Not available here; run it to see what is missing."
    return run
