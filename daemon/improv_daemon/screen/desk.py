"""What the musician does at the terminal and what is open there; pure: keys in, wishes out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from improv_daemon.screen import keys
from improv_daemon.screen.snapshot import Asked, Snapshot

NO_LEARNING: Final = Asked("learn", "")
_BIG: Final = 1


@dataclass(frozen=True, slots=True)
class Desk:
    """As it is now.

    Attributes:
        chosen: Which dial the arrows turn, counted from the first.
        help: Whether the page of keys is open.
        asks: What the last key asked of improv.
    """

    chosen: int = 0
    help: bool = False
    asks: tuple[Asked, ...] = field(default=())

    def pressed(self, key: str, snapshot: Snapshot) -> Desk:
        """After this key."""
        desk = replace(self, asks=(), chosen=self.in_reach(snapshot))
        match key:
            case keys.UP | keys.DOWN if snapshot.dials:
                step = -1 if key == keys.UP else 1
                return replace(desk, chosen=(desk.chosen + step) % len(snapshot.dials))
            case keys.LEFT | keys.RIGHT if snapshot.dials:
                dial = snapshot.dials[desk.chosen]
                return replace(desk, asks=(Asked("turn", dial.key, -_BIG if key == keys.LEFT else _BIG),))
            case keys.LEARN if snapshot.dials:
                dial = snapshot.dials[desk.chosen]
                return replace(desk, asks=(Asked("learn", "" if snapshot.learning else dial.key),))
            case keys.ESCAPE if desk.help:
                return replace(desk, help=False)
            case keys.ESCAPE if snapshot.learning:
                return replace(desk, asks=(NO_LEARNING,))
            case keys.HELP | "h":
                return replace(desk, help=not desk.help)
            case keys.QUIT:
                return replace(desk, asks=(Asked("quit"),))
        cue = keys.CUES.get(key)
        return desk if cue is None else replace(desk, asks=(Asked("cue", cue),))

    def in_reach(self, snapshot: Snapshot) -> int:
        """The chosen dial, of those that there are now."""
        return min(self.chosen, max(0, len(snapshot.dials) - 1))
