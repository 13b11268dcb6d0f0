"""A session played again in no time: what would have sounded if nothing ever were late; pure."""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Iterable, Iterator
from typing import Final

from improv_core.performer import Outcome, PedalMoved, Performer, Released, Sounded, TurnCancelled
from improv_daemon import wire
from improv_daemon.journal import Entry, Journal
from improv_daemon.replaying import Given

_OUT: Final = "file"
_CHANNEL: Final = 1
_CAPACITY: Final = 1 << 20
_OF_THEN: Final = (Sounded, Released, PedalMoved, TurnCancelled, *wire.Command.__args__)


def played_again(journal: Journal, again: Iterable[Given]) -> Journal:
    """The journal as it would be had improv done this, and all of it sounded when it was to.

    Args:
        journal: Of the session: what the player did is taken from it.
        again: What improv does, in order.
    """
    performer = Performer((_OUT,), _CHANNEL, _CAPACITY)
    told = (entry for entry in journal.entries if not isinstance(entry.message, _OF_THEN))
    done = list(_performed(performer, again, journal.end_s))
    entries = heapq.merge(told, sorted(done, key=_when), key=_when)
    return dataclasses.replace(journal, entries=tuple(entries))


def _performed(performer: Performer, again: Iterable[Given], end_s: float) -> Iterator[Entry]:
    """Each command, and what comes of it; what is planned for after the end does not sound."""
    for now_s, command in again:
        yield from _until(performer, now_s)
        yield Entry(command, now_s)
        yield from _entries(_obeyed(performer, command, now_s), now_s)
        yield from _entries(performer.advance(now_s), now_s)
    yield from _until(performer, end_s)
    yield from _entries(performer.panic(end_s), end_s)


def _until(performer: Performer, until_s: float) -> Iterator[Entry]:
    while (due_s := performer.next_deadline_s()) is not None and due_s <= until_s:
        yield from _entries(performer.advance(due_s), due_s)


def _obeyed(performer: Performer, command: wire.Command, now_s: float) -> Outcome:
    match command:
        case wire.PlayNote(turn, index, pitch, velocity, onset_s, release_s):
            performer.play_note(turn, index, pitch, velocity, onset_s, release_s)
        case wire.MovePedal(turn, value, at_s):
            performer.move_pedal(turn, value, at_s)
        case wire.CancelTurn(turn):
            return performer.cancel_turn(turn, now_s)
        case wire.FinishTurn(turn):
            return performer.finish_turn(turn, now_s)
        case wire.Panic():
            return performer.panic(now_s)
    return Outcome()


def _entries(outcome: Outcome, now_s: float) -> Iterator[Entry]:
    yield from (Entry(acknowledgement, now_s) for acknowledgement in outcome.acknowledgements)


def _when(entry: Entry) -> float:
    return entry.now_s
