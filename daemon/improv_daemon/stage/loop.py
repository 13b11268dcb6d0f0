"""The stage's one thread: waits for mind, input and deadline at once, and plays."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from improv_core.echo import EchoFilter
from improv_core.ledger import Ledger
from improv_core.performer import PLAYER, Outcome, Performer, Sending
from improv_core.scheduler import Rank, Scheduler
from improv_daemon import wire
from improv_daemon.stage.inbox import Inbox, Stamped, WakeUp
from improv_daemon.stage.mind_socket import MindSocket

MIDI, SYNTH = "midi", "synth"
DEMO_SOURCE = "demo"
_INPUTS_AT_ONCE = 32  # between two looks at the plan
_LONGEST_WAIT_S = 1.0
_LOOK_AFTER_S = (
    1.0  # listing ports takes time: only where something is held, and nothing has come for so long
)


class Output(Protocol):
    """Takes MIDI messages; never raises for a device that fails."""

    def send(self, message: tuple[int, ...]) -> None:
        """Send one message now."""


@dataclass(slots=True)
class _Held:
    """What the player holds at one input, since the last message or the last look whether it is there."""

    since_s: float
    ledger: Ledger = field(default_factory=Ledger)


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
        performer: Performer,
        echo: EchoFilter,
        inbox: Inbox,
        wake_up: WakeUp,
        mind: MindSocket,
        outputs: Mapping[str, Output],
        watch: Callable[[], None] = lambda: None,
        is_there: Callable[[str], bool] = lambda source: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            performer: Has the plan and the ledgers.
            echo: Knows what improv sent to `outputs[MIDI]`.
            inbox: What came in at the ports.
            wake_up: Wakes the loop when the inbox has something, or a signal came.
            mind: Gives commands, is told events.
            outputs: The performer's outputs, by name.
            watch: Called at each wake-up, and at least once a second.
            is_there: Whether an input is still connected; what the player held at one that is not is let go.
            clock: Monotonic seconds.
        """
        self._performer = performer
        self._echo = echo
        self._inbox = inbox
        self._wake_up = wake_up
        self._mind = mind
        self._outputs = outputs
        self._watch = watch
        self._is_there = is_there
        self._clock = clock
        self._hands: Scheduler[tuple[int, ...]] = Scheduler()
        self._held: dict[str, _Held] = {}
        self._stopping = False
        self._told_refused = False

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
            self._take_inputs()
            if self._mind in readable:
                self._take_commands()
            if writable:
                self._mind.flush()
            self._watch()
            self._let_go_of_the_unplugged()

    def perform(self) -> None:
        """Play what is due."""
        now_s = self._clock()
        self._carry_out(self._performer.advance(now_s), now_s)
        for due in self._hands.due(now_s):
            self._hear(Stamped(due.item, now_s, DEMO_SOURCE))

    def release_everything(self) -> None:
        """Send every note-off and pedal up that is owed, and forget the plan."""
        now_s = self._clock()
        self._hands.clear()
        self._carry_out(self._performer.panic(now_s), now_s)

    def counts(self) -> wire.Counts:
        """What had to be dropped so far."""
        return wire.Counts(self._inbox.dropped, self._echo.dropped, self._mind.events_unsent)

    def _timeout_s(self) -> float:
        if not self._inbox.empty:
            return 0.0
        plans = (self._performer.next_deadline_s(), self._hands.next_deadline_s())
        now_s = self._clock()
        waits_s = [deadline_s - now_s for deadline_s in plans if deadline_s is not None]
        return max(0.0, min([*waits_s, _LONGEST_WAIT_S]))

    def _take_inputs(self) -> None:
        for message in self._inbox.take(_INPUTS_AT_ONCE):
            if not self._echo.heard(message.data, self._clock()):
                self._hear(message)

    def _hear(self, message: Stamped) -> None:
        self._send(self._performer.thru(message.data), message.at_s)
        self._mind.say(wire.Played(message.data, message.at_s, message.source))
        held = self._held.setdefault(message.source, _Held(message.at_s))
        held.since_s = message.at_s
        held.ledger.feed(PLAYER, message.data)

    def _let_go_of_the_unplugged(self) -> None:
        now_s = self._clock()
        for source, held in self._held.items():
            if held.ledger.silent or now_s - held.since_s < _LOOK_AFTER_S:
                continue
            held.since_s = now_s
            if not self._is_there(source):
                for data in held.ledger.release_all():
                    self._hear(Stamped(data, now_s, source))

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
            case wire.Panic():
                self.release_everything()
            case wire.Quit():
                self._stopping = True
            case _:
                raise ValueError(f"{type(command).__name__} is not a command")

    def _carry_out(self, outcome: Outcome, now_s: float) -> None:
        self._send(outcome.sendings, now_s)
        for acknowledgement in outcome.acknowledgements:
            self._mind.say(acknowledgement)

    def _send(self, sendings: list[Sending], now_s: float) -> None:
        faults: list[Exception] = []
        for sending in sendings:
            if sending.output == MIDI:
                self._echo.sent(sending.data, now_s)
            try:
                self._outputs[sending.output].send(sending.data)
            except Exception as fault:  # noqa: BLE001 - raised again: the note-offs behind it must go out first
                faults.append(fault)
        if faults:
            raise faults[0]

    def _tell_refused(self) -> None:
        if self._performer.refused and not self._told_refused:
            self._told_refused = True
            self._mind.say(wire.Trouble("The plan is full: some of improv's notes are left out."))
