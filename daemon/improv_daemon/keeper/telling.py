"""What the keeper's process tells the mind: a line of JSON each."""

from __future__ import annotations

import json
from dataclasses import dataclass

from improv_daemon.keeper.kept import Kept


@dataclass(frozen=True, slots=True)
class Done:
    """So much of it is done, 0..1."""

    share: float


@dataclass(frozen=True, slots=True)
class Refused:
    """It cannot be done: a sentence for the musician."""

    sentence: str


Telling = Done | Refused | Kept


def to_line(telling: Telling) -> bytes:
    """One line."""
    match telling:
        case Done(share):
            fields: dict[str, object] = {"done": round(share, 4)}
        case Refused(sentence):
            fields = {"refused": sentence}
        case Kept():
            fields = {"kept": telling.to_json()}
    return json.dumps(fields).encode() + b"\n"


def from_line(line: bytes) -> Telling:
    """The inverse of `to_line`.

    Raises:
        ValueError, TypeError, KeyError: It is none.
    """
    fields = json.loads(line)
    if "done" in fields:
        return Done(float(fields["done"]))
    if "refused" in fields:
        return Refused(str(fields["refused"]))
    return Kept.from_json(fields["kept"])
