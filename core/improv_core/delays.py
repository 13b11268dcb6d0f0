"""Outputs that sound late are played ahead, so that all of them sound together."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

from improv_core.ledger import Bytes
from improv_core.performer import PLAYER, Outcome, Performer, Sending
from improv_core.thru import Way


@dataclass(frozen=True, slots=True)
class _Ahead:
    """Outputs that are as late as one another."""

    latency_s: float
    performer: Performer


class DelayedPerformer:
    """A `Performer` for outputs that sound some time after they are sent to.

    A note is sent to each output as much earlier as that sounds late, if it is known so early; what is cut is
    cut at once everywhere, and so is thru, which nobody can know earlier. What came of a note is told when
    it is heard, with how late it was where nothing is sent ahead.
    """

    def __init__(self, latencies_s: Mapping[str, float], channel: int, capacity: int = 4096) -> None:
        """
        Args:
            latencies_s: The outputs, and how late each of them sounds, 0 or more.
            channel: improv's MIDI channel, 0..15.
            capacity: Largest number of planned events.
        """
        groups: dict[float, list[str]] = {0.0: []}
        for output, latency_s in latencies_s.items():
            groups.setdefault(latency_s, []).append(output)
        # It tells what came of the plan, even where it has no output itself.
        self._on_time = Performer(groups.pop(0.0), channel, capacity)
        self._ahead = [
            _Ahead(latency_s, Performer(outputs, channel, capacity)) for latency_s, outputs in groups.items()
        ]
        self._of_output = dict.fromkeys(latencies_s, self._on_time)
        for ahead in self._ahead:
            self._of_output |= dict.fromkeys(groups[ahead.latency_s], ahead.performer)

    @property
    def refused(self) -> int:
        """Planned events refused because the schedule was full."""
        return self._on_time.refused

    @property
    def silent(self) -> bool:
        """No output owes a note-off, a pedal up or a bend back."""
        return self._on_time.silent and all(ahead.performer.silent for ahead in self._ahead)

    def next_deadline_s(self) -> float | None:
        """When `advance` has something to do, None when nothing is planned."""
        next_s = self._on_time.next_deadline_s()
        for ahead in self._ahead:
            its_s = ahead.performer.next_deadline_s()
            if its_s is not None:
                next_s = its_s - ahead.latency_s if next_s is None else min(next_s, its_s - ahead.latency_s)
        return next_s

    def play_note(
        self, turn: int, index: int, pitch: int, velocity: int, onset_s: float, release_s: float
    ) -> bool:
        """See `Performer.play_note`; times are those of the sound."""
        planned = self._on_time.play_note(turn, index, pitch, velocity, onset_s, release_s)
        # What is refused is to sound nowhere: nothing would ever be told of it.
        for ahead in self._ahead if planned else ():
            ahead.performer.play_note(turn, index, pitch, velocity, onset_s, release_s)
        return planned

    def move_pedal(self, turn: int, value: int, at_s: float) -> bool:
        """See `Performer.move_pedal`; the time is that of the sound."""
        planned = self._on_time.move_pedal(turn, value, at_s)
        for ahead in self._ahead if planned else ():
            ahead.performer.move_pedal(turn, value, at_s)
        return planned

    def advance(self, now_s: float) -> Outcome:
        """Play everything whose deadline is not after `now_s`, less what its output is late."""
        outcome = self._on_time.advance(now_s)
        for ahead in self._ahead:
            outcome.sendings += ahead.performer.advance(now_s + ahead.latency_s).sendings
        return outcome

    def cancel_turn(self, turn: int, now_s: float) -> Outcome:
        """See `Performer.cancel_turn`."""
        outcome = self._on_time.cancel_turn(turn, now_s)
        for ahead in self._ahead:
            outcome.sendings += ahead.performer.cancel_turn(turn, now_s + ahead.latency_s).sendings
        return outcome

    def finish_turn(self, turn: int, now_s: float) -> Outcome:
        """See `Performer.finish_turn`; what was only sent ahead is ended."""
        outcome = self._on_time.finish_turn(turn, now_s)
        for ahead in self._ahead:
            finished = ahead.performer.finish_turn(turn, now_s + ahead.latency_s, begun_by_s=now_s)
            outcome.sendings += finished.sendings
        return outcome

    def panic(self, now_s: float) -> Outcome:
        """See `Performer.panic`."""
        outcome = self._on_time.panic(now_s)
        for ahead in self._ahead:
            outcome.sendings += ahead.performer.panic(now_s + ahead.latency_s).sendings
        return outcome

    def thru(self, message: Bytes, ways: Iterable[Way], owner: Hashable = PLAYER) -> list[Sending]:
        """See `Performer.thru`."""
        return [
            sending for way in ways for sending in self._of_output[way.output].thru(message, (way,), owner)
        ]

    def feed(self, output: str, owner: Hashable, message: Bytes) -> list[Sending]:
        """See `Performer.feed`."""
        return self._of_output[output].feed(output, owner, message)

    def renew(self, output: str) -> list[Sending]:
        """See `Performer.renew`."""
        return self._of_output[output].renew(output)
