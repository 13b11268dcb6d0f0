"""Journals as a sitting would leave them, made from performances."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from improv_core.notes import Performance
from improv_daemon import wire
from improv_daemon.journal import JournalWriter
from improv_daemon.phrases import demo_phrases, key_messages
from improv_daemon.sessions import SessionFolder

STARTED_AT = datetime(2026, 11, 20, 19, 30, 5).astimezone()
START_S = 500.0


def writer(path: Path, **settings: object) -> JournalWriter:
    """A journal that begins at `START_S`."""
    values: dict[str, Any] = {"model": "default", "seed": 1, "settings": settings}
    return JournalWriter(path, started_at=STARTED_AT, now_s=START_S, **values)


def make_journal(path: Path, messages: Sequence[wire.Message] = (), end_s: float = 12.0) -> Path:
    with writer(path) as journal:
        journal.write_batch(messages, START_S + end_s)
    return path


def player_messages(performance: Performance, delay_s: float = 0.0) -> list[wire.Message]:
    return [wire.Played(data, START_S + delay_s + at_s, "keys") for at_s, data in key_messages(performance)]


def improv_messages(performance: Performance, turn: int, delay_s: float) -> list[wire.Message]:
    at = START_S + delay_s
    messages: list[tuple[float, wire.Message]] = []
    for index, note in enumerate(performance.notes):
        sounded = wire.Sounded(turn, index, note.pitch, note.velocity, at + note.onset_s, 0.0001)
        released = wire.Released(turn, index, note.pitch, at + note.release_s)
        messages += [(sounded.at_s, sounded), (released.at_s, released)]
    messages += [(at + c.at_s, wire.PedalMoved(turn, c.value, at + c.at_s)) for c in performance.controls]
    return [message for _, message in sorted(messages, key=lambda timed: timed[0])]


def conversation(path: Path) -> Path:
    """Two demo phrases, the second as improv's answer from 4.5 s on."""
    asking, pressing, _ = demo_phrases()
    return make_journal(path, player_messages(asking) + improv_messages(pressing, 0, 4.5))


def session(root: Path, name: str = "2026-11-20_19-30-05") -> SessionFolder:
    """A session's folder with the journal of `conversation`, as a crash leaves it."""
    folder = SessionFolder(root / name)
    folder.path.mkdir(parents=True)
    conversation(folder.journal)
    return folder


def told(*data: int, at_s: float, source: str = "keys") -> wire.Played:
    return wire.Played(data, START_S + at_s, source)


def struck(channel: int, pitch: int, at_s: float, source: str = "keys") -> list[wire.Message]:
    return [
        told(0x90 | channel, pitch, 64, at_s=at_s, source=source),
        told(0x80 | channel, pitch, 0, at_s=at_s + 0.5, source=source),
    ]
