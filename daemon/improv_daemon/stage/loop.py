"""The stage's one thread: waits for mind, input and deadline at once, and plays."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from improv_core.delays import DelayedPerformer
from improv_core.performer import Outcome, Sending
from improv_core.scheduler import Rank, Scheduler
from improv_core.thru import ThruMatrix
from improv_core.withholding import Withholding
from improv_daemon import wire
from improv_daemon.stage.beats_out import CLICKS, BeatsOut
from improv_daemon.stage.hearing import Hearing
from improv_daemon.stage.hot_plug import LOOK_EVERY_S, PortChanges
from improv_daemon.stage.inbox import Inbox, Stamped, WakeUp
from improv_daemon.stage.mind_socket import MindSocket
from improv_daemon.stage.outs import Outs
from improv_daemon.stage.voices import STATE, VOICES, Voices

DEMO_SOURCE = "demo"
_INPUTS_AT_ONCE = 32  # between two looks at the plan
_WAITING_AT_MOST = 4096  # the inbox's messages, and releases beside them
_LOOKING_TAKES_S, _OPENING_TAKES_S = 0.0005, 0.015
_COUNTS_EVERY_S = 1.0


class Ports(Protocol):
    """The MIDI ports, as they come and go.

    Attributes:
        unsent: Messages for outputs that were not there.
    """

    unsent: int

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the ports listened to that there are now."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the ports played to that there are now."""

    def look(self, now_s: float, may_open: bool) -> PortChanges:
        """See what has come and gone; quick until it is time again."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the loop connects.

    Attributes:
        performer: Has the plan and the ledgers.
        hearing: Tells what the player has played.
        thru: Where that goes.
        voices: How each part sounds.
        beats: MIDI clock out, and clicks.
        outs: The performer's outputs.
        ports: Where MIDI comes from and goes to.
    """

    performer: DelayedPerformer
    hearing: Hearing
    thru: ThruMatrix
    voices: Voices
    beats: BeatsOut
    outs: Outs
    ports: Ports


def rank_of(message: tuple[int, ...]) -> Rank:
    """Where a MIDI message stands among others of the same instant."""
    kind = message[0] & 0xF0
    if kind == 0x90 and message[2] > 0:
        return Rank.ON
    return Rank.OFF if kind in (0x80, 0x90) else Rank.PEDAL


class StageLoop:
    """Connects mind, inbox, performer and outputs until the mind leaves or somebody says stop."""

    def __init__(
        self,
        parts: Parts,
        inbox: Inbox,
        wake_up: WakeUp,
        mind: MindSocket,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            parts: What it connects.
            inbox: What came in at the ports.
            wake_up: Wakes the loop when the inbox has something, or a signal came.
            mind: Gives commands, is told events.
            clock: Monotonic seconds.
        """
        self._performer, self._outs, self._ports = parts.performer, parts.outs, parts.ports
        self._hearing, self._thru, self._voices = parts.hearing, parts.thru, parts.voices
        self._beats = parts.beats
        self._inbox = inbox
        self._wake_up = wake_up
        self._mind = mind
        self._clock = clock
        self._hands: Scheduler[tuple[int, ...]] = Scheduler()
        self._withholding = Withholding()
        self._stopping = False
        self._told_refused = False
        self._told_counts = wire.Counts(0, 0, 0)
        self._counts_due_s = float("-inf")

    def stop(self) -> None:
        """End `run` at the next wake-up; safe in a signal handler."""
        self._stopping = True

    def run(self) -> None:
        """Play until `stop`, Quit, or the mind's end of file."""
        while not (self._stopping or self._mind.gone):
            writers = [self._mind] if self._mind.has_unsent else []
            readers: list[MindSocket | int] = [self._mind, self._wake_up.read_fd]
            readable, writable, _ = select.select(readers, writers, [], self._timeout_s())
            self.perform()
            if self._wake_up.read_fd in readable:
                self._wake_up.clear()
            self._take_inputs(_INPUTS_AT_ONCE)
            if self._mind in readable:
                self._take_commands()
            if writable:
                self._mind.flush()
            self._look_at_ports()
            self._tell_counts()

    def perform(self) -> None:
        """Play what is due."""
        now_s = self._clock()
        self._carry_out(self._performer.advance(now_s), now_s)
        self._send_beats(now_s)
        for due in self._hands.due(now_s):
            self._hear(Stamped(due.item, now_s, DEMO_SOURCE), routed=False)

    def release_everything(self) -> None:
        """Send every note-off and pedal up that is owed, and forget the plan."""
        now_s = self._clock()
        self._hands.clear()
        self._carry_out(self._performer.panic(now_s), now_s)

    def stop_the_clock(self) -> None:
        """Stop those who go by improv's clock; there are no clicks any more."""
        now_s = self._clock()
        self._beats.stop(now_s)
        self._send_beats(now_s)

    def counts(self) -> wire.Counts:
        """What had to be left out so far."""
        hearing = self._hearing
        return wire.Counts(
            self._inbox.dropped,
            hearing.echoes_dropped,
            self._mind.events_unsent,
            hearing.merged,
            self._ports.unsent,
        )

    def _timeout_s(self) -> float:
        return 0.0 if not self._inbox.empty else max(0.0, min(self._free_s(), LOOK_EVERY_S))

    def _free_s(self) -> float:
        """How long nothing is due."""
        plans = (self._performer, self._beats, self._hands)
        deadlines = [deadline_s for plan in plans if (deadline_s := plan.next_deadline_s()) is not None]
        return min(deadlines, default=float("inf")) - self._clock()

    def _take_inputs(self, limit: int) -> None:
        for message in self._inbox.take(limit):
            for played in self._hearing.heard(message, self._clock()):
                self._hear(played)

    def _hear(self, message: Stamped, *, routed: bool = True) -> None:
        data, source = message.data, message.source
        ways = self._thru.ways(source, routed=routed)
        if ways and data[0] < 0xF0 and not self._withholding.withholds(data):
            now_s = self._clock()
            self._send_as(VOICES, self._voices.before_thru(ways, data[0] & 0x0F), now_s)
            returning = frozenset(way.output for way in ways if way.returns)
            sounding = self._performer.thru(data, ways, ("player", source))
            self._outs.send(sounding, now_s, source, returning)
        self._mind.say(wire.Played(data, message.at_s, source))

    def _look_at_ports(self) -> None:
        free_s = self._free_s()
        if free_s < _LOOKING_TAKES_S:
            return
        now_s = self._clock()
        changes = self._ports.look(now_s, free_s > _OPENING_TAKES_S)
        if not changes.changed:
            return
        self._thru.ports_changed()
        if changes.gone_inputs:
            self._let_go(changes.gone_inputs)
        for output in changes.come_outputs:
            self._outs.send(self._performer.renew(output), now_s, echoes_of_offs=False)
            self._send_as(VOICES, self._voices.of(output), now_s)
            self._send_as(STATE, self._voices.state_of(output), now_s)
            self._beats.come(output, now_s)
        self._mind.say(wire.PortsChanged(self._ports.inputs, self._ports.outputs))

    def _let_go(self, gone: tuple[str, ...]) -> None:
        # What they sent last may still wait, and would be held for ever if it came after this.
        for _ in range(_WAITING_AT_MOST // _INPUTS_AT_ONCE):
            if self._inbox.empty:
                break
            self._take_inputs(_INPUTS_AT_ONCE)
        for source in gone:
            for released in self._hearing.lost(source, self._clock()):
                self._hear(released)

    def _tell_counts(self) -> None:
        now_s = self._clock()
        if now_s < self._counts_due_s:
            return
        self._counts_due_s = now_s + _COUNTS_EVERY_S
        counts = self.counts()
        if counts != self._told_counts:
            self._told_counts = counts
            self._mind.say(counts)

    def _take_commands(self) -> None:
        for line in self._mind.read():
            try:
                self._obey(wire.decode(line))
            except ValueError as error:
                self._mind.say(wire.Trouble(f"The stage was sent something it cannot play: {error}."))

    def _obey(self, command: wire.Message) -> None:
        now_s = self._clock()
        match command:
            case wire.PlayNote(turn, index, pitch, velocity, onset_s, release_s):
                self._performer.play_note(turn, index, pitch, velocity, onset_s, release_s)
                self._tell_refused()
            case wire.MovePedal(turn, value, at_s):
                self._performer.move_pedal(turn, value, at_s)
                self._tell_refused()
            case wire.CancelTurn(turn):
                self._carry_out(self._performer.cancel_turn(turn, now_s), now_s)
            case wire.FinishTurn(turn):
                self._carry_out(self._performer.finish_turn(turn, now_s), now_s)
            case wire.PressKey(data, at_s):
                self._hands.add(at_s, rank_of(data), "demo", data)
            case wire.KeepTime():
                self._beats.keep(command, now_s)
            case wire.SetVoice():
                self._send_as(VOICES, self._voices.set(command), now_s)
            case wire.SendControl():
                self._send_as(STATE, self._voices.show(command), now_s)
            case wire.Withhold(places, keys, programs):
                self._withholding.withhold(places, keys, programs=programs)
            case wire.Panic():
                self.release_everything()
            case wire.Quit():
                self._stopping = True
            case _:
                raise ValueError(f"{type(command).__name__} is not a command")

    def _carry_out(self, outcome: Outcome, now_s: float) -> None:
        if outcome.sendings:
            self._outs.send(outcome.sendings, now_s)
        for acknowledgement in outcome.acknowledgements:
            self._mind.say(acknowledgement)

    def _send_beats(self, now_s: float) -> None:
        self._send_as(CLICKS, self._beats.due(now_s), now_s)

    def _send_as(self, owner: str, sendings: list[Sending], now_s: float) -> None:
        """Send what is not of the plan, through the ledgers where it is of a channel."""
        for sending in sendings:
            kept = [sending]
            if sending.data[0] < 0xF0:
                kept = self._performer.feed(sending.output, owner, sending.data)
            self._outs.send(kept, now_s)

    def _tell_refused(self) -> None:
        if self._performer.refused and not self._told_refused:
            self._told_refused = True
            self._mind.say(wire.Trouble("The plan is full: some of improv's notes are left out."))
