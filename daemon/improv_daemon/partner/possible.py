"""Which modes an improviser can play in."""

from __future__ import annotations

from typing import Final

from improv_core.improvising import Improvising

PLAYING_ALONG: Final = ("duet",)
"""Modes in which improv hears the player while it plays."""


def cannot(improviser: Improvising, mode: str) -> str | None:
    """A sentence that says why a mode is not possible, if so."""
    if mode in PLAYING_ALONG and not improviser.plays_along:
        return (
            f"Mode {mode} needs a model that hears you while it plays, as the default one does, and this one "
            "cannot; choose another model or another mode."
        )
    return None
