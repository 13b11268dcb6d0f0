"""Keeps the ports that are wanted connected while they come and go."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from improv_daemon.stage.midi_system import System
from improv_daemon.stage.plugs import Connections, Ear, Mouth, Plug
from improv_daemon.stage.port_names import is_own

LOOK_EVERY_S = 0.2
"""Between two looks at which ports there are; a cable that is loose is out for longer."""

_LOOK_AGAIN_S = 0.02
_QUIET_FOR_S = 0.2
_POSTPONED_S = 1.0
_RETRY_AFTER_S = 2.0
_SETTLES_WITHIN_S = 0.15
_UNDONE_WITHIN_S, _UNDONE_TIMES = 0.5, 3
_LONG_AGO_S = float("-inf")


@dataclass(frozen=True, slots=True)
class PortChanges:
    """What has changed since the last look.

    Attributes:
        gone_inputs: Inputs that are not there any more: what was held on them is to be let go.
        come_outputs: Keys of outputs that are there now: they know nothing of what was sent before.
        changed: Whether the ports there are are others now.
    """

    gone_inputs: tuple[str, ...] = ()
    come_outputs: tuple[str, ...] = ()
    changed: bool = False


NO_CHANGES = PortChanges()


class HotPlug:
    """Looks which ports there are, and connects and lets go."""

    def __init__(
        self,
        ins: Connections[Ear],
        outs: Connections[Mouth],
        system: System,
        heard_s: Callable[[], float],
        say: Callable[[str], None],
        own: str,
    ) -> None:
        """
        Args:
            ins: The inputs that are wanted.
            outs: The outputs that are wanted.
            system: The MIDI system.
            heard_s: When something came in last, in monotonic seconds.
            say: Told in one sentence what is missing, has come, gone or failed.
            own: What improv's own ports are called.
        """
        self._ins, self._outs = ins, outs
        self._system, self._errors = system, system.errors
        self._heard_s, self._say, self._own = heard_s, say, own
        self._failed: set[str] = set()
        self._refused_until_s: dict[str, float] = {}
        self._connected_s: dict[str, float] = {}
        self._undone: dict[str, int] = {}
        self._settling: dict[str, Mouth] = {}
        self._next_look_s: float | None = None
        self._waiting_since_s: float | None = None

    def begin(self) -> None:
        """Connect to what is there, before anything is listened to.

        Raises:
            Exception: One of `errors`.
        """
        ins, outs = self._ins.present(), self._outs.present()
        self._ins.prepare(ins)
        found = {key for key, _ in (*self._ins.wanted_of(ins), *self._outs.wanted_of(outs))}
        self._reconcile(ins, outs, _LONG_AGO_S, may_open=True)
        for mouth in self._settling.values():
            mouth.begin()
        self._settling.clear()
        for kind, there, one_way in (("input", ins, self._ins), ("output", outs, self._outs)):
            for name in one_way.absent():
                if name not in found:
                    self._say(missing_problem(kind, name, there, self._own))

    def look(self, now_s: float, may_open: bool) -> PortChanges:
        """See what has come and gone; quick until it is time again.

        Args:
            now_s: Monotonic seconds.
            may_open: Nothing is due within the next milliseconds, which opening and closing take; they are
                put off while it is, for a second at most.
        """
        if self._next_look_s is None:  # the connections of the beginning may not be seen yet
            self._next_look_s = now_s + LOOK_EVERY_S
        if now_s < self._next_look_s:
            return NO_CHANGES
        self._next_look_s = now_s + LOOK_EVERY_S
        try:
            ins, outs = self._ins.present(), self._outs.present()
        except self._errors:
            return NO_CHANGES
        gone_ins = self._ins.lose_those_not_in(ins, lambda name: self._is_linked(name, now_s))
        gone_outs = self._outs.lose_those_not_in(outs, lambda name: self._is_linked(name, now_s))
        self._tell_gone(gone_ins, gone_outs)
        self._leave_what_is_undone((*gone_ins, *gone_outs), (*ins, *outs), now_s)
        come_ins = self._reconcile(ins, outs, now_s, may_open)
        come_outs = self._settle(now_s)
        for does, come in (("listens", come_ins), ("plays", come_outs.values())):
            for name in come:
                self._say(f'improv {does} to "{name}" now.')
        if not (gone_ins or gone_outs or come_ins or come_outs):
            return NO_CHANGES
        return PortChanges(tuple(gone_ins), tuple(come_outs), True)

    def _reconcile(self, ins: Sequence[str], outs: Sequence[str], now_s: float, may_open: bool) -> list[str]:
        """Close what is left of those that have gone, connect those that have come: the inputs' names."""
        come_ins = self._not_refused(self._ins.wanted_of(ins), now_s)
        come_outs = self._not_refused(self._outs.wanted_of(outs), now_s)
        plugs: list[Plug[Any]] = [*self._ins.plugs, *self._outs.plugs]
        dangling = [plug for plug in plugs if plug.dangling]
        if not (come_ins or come_outs or dangling):
            self._waiting_since_s = None
            return []
        needs_client = self._ins.needs_client(sum(not key for key, _ in come_ins))
        if not self._may_work(now_s, may_open, needs_client):
            self._next_look_s = now_s + _LOOK_AGAIN_S
            return []
        for plug in dangling:
            with contextlib.suppress(*self._errors):
                plug.close()
        connected = [name for key, name in come_ins if self._connect(self._ins, key, name, now_s)]
        for key, name in come_outs:
            if self._connect(self._outs, key, name, now_s):
                self._settling[key] = self._outs.named[key]
        return connected

    def _settle(self, now_s: float) -> dict[str, str]:
        """Begin to play to outputs whose connections carry messages by now: names by keys."""
        begun: dict[str, str] = {}
        for key, mouth in list(self._settling.items()):
            if mouth.port is None:
                del self._settling[key]
            elif self._shows_link(mouth.port):
                del self._settling[key]
                with contextlib.suppress(*self._errors):
                    mouth.begin()
                begun[key] = mouth.port
        if self._settling:
            self._next_look_s = now_s + _LOOK_AGAIN_S
        return begun

    def _may_work(self, now_s: float, may_open: bool, needs_client: bool) -> bool:
        if self._waiting_since_s is None:
            self._waiting_since_s = now_s
        # A new client stops a JACK server for 60 ms if a message comes just then, and for 9 ms if not.
        quiet = may_open and not (needs_client and now_s - self._heard_s() < _QUIET_FOR_S)
        if not quiet and now_s - self._waiting_since_s < _POSTPONED_S:
            return False
        self._waiting_since_s = None
        return True

    def _connect(
        self, connections: Connections[Ear] | Connections[Mouth], key: str, name: str, now_s: float
    ) -> bool:
        try:
            connected = connections.connect(key, name)
        except self._errors as error:
            self._refused_until_s[name] = now_s + _RETRY_AFTER_S
            if name not in self._failed:
                self._failed.add(name)
                self._say(f'"{name}" cannot be opened ({error}); is another program using it?')
            return False
        if connected:
            self._failed.discard(name)
            self._connected_s[name] = now_s
        return connected

    def _not_refused(self, come: list[tuple[str, str]], now_s: float) -> list[tuple[str, str]]:
        return [(key, name) for key, name in come if self._refused_until_s.get(name, now_s) <= now_s]

    def _is_linked(self, name: str, now_s: float) -> bool:
        just_connected = now_s - self._connected_s.get(name, _LONG_AGO_S) < _SETTLES_WITHIN_S
        return just_connected or self._shows_link(name)

    def _shows_link(self, name: str) -> bool:
        links = self._system.links_of(name)
        return links is None or any(is_own(link, self._own) for link in links)

    def _tell_gone(self, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        for name in inputs:
            self._say(
                f'"{name}" has gone: what you held on it is let go; it is taken up again when it is back.'
            )
        for name in outputs:
            self._say(f'"{name}" has gone; improv plays to it again when it is back.')
        for mouth in self._outs.plugs:
            if mouth.ready:
                mouth.confirm()

    def _leave_what_is_undone(self, gone: Sequence[str], there: Sequence[str], now_s: float) -> None:
        """Do not quarrel with a patchbay that takes apart what improv connects."""
        for name in [name for name in self._undone if name not in there]:
            del self._undone[name]
            self._refused_until_s.pop(name, None)
        for name in (name for name in gone if name in there):
            quickly = now_s - self._connected_s.get(name, _LONG_AGO_S) < _UNDONE_WITHIN_S
            self._undone[name] = self._undone.get(name, 0) + 1 if quickly else 0
            if self._undone[name] == _UNDONE_TIMES:
                self._refused_until_s[name] = float("inf")
                self._say(f'Another program disconnects "{name}": it is left alone until it is unplugged.')


def missing_problem(kind: str, wanted: str, there: Sequence[str], own: str) -> str:
    """What is said of a port that is wanted and not there.

    Args:
        kind: "input" or "output".
        wanted: Part of its name.
        there: Names of those there are.
        own: What improv's own ports are called; they are left out.
    """
    others = ", ".join(f'"{name}"' for name in there if not is_own(name, own)) or "none"
    return f'There is no MIDI {kind} called "{wanted}" (there are: {others}); it is taken up when it appears.'
