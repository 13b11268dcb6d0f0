"""MIDI clock and the clicks of the metronome, each sent as much earlier as its output sounds late."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from improv_core.ledger import NOTE_OFF, NOTE_ON
from improv_core.performer import Sending
from improv_core.scheduler import Rank, Scheduler
from improv_core.timekeeping import Tick, Timekeeper
from improv_daemon.wire import KeepTime

CLICKS = "clicks"
"""The ledger's owner of the metronome's notes."""

CLICK_CHANNEL = 9
"""General MIDI's percussion, channel 10."""

_ACCENT, _BEAT = (76, 110), (77, 90)  # high and low wood block, and how loud
_CLICK_S = 0.05
_STATUS = {"pulse": 0xF8, "start": 0xFA, "stop": 0xFC}


@dataclass(slots=True)
class _Receiver:
    """An output that gets pulses, or one that gets clicks."""

    output: str
    latency_s: float
    timekeeper: Timekeeper
    is_clock: bool


class BeatsOut:
    """Says what has to go out; see `improv_core.timekeeping.Timekeeper`."""

    def __init__(
        self,
        clocked: Mapping[str, float],
        clicked: Mapping[str, float],
        same_device: Callable[[str, str], bool] = lambda source, output: False,
    ) -> None:
        """
        Args:
            clocked: Outputs that get MIDI clock, and how many seconds late they sound.
            clicked: Outputs that get clicks, likewise.
            same_device: Whether an input and an output belong to one device: a clock does not go back to it.
        """
        self._same_device = same_device
        self._receivers = [
            _Receiver(output, latency_s, Timekeeper(pulses=is_clock), is_clock)
            for is_clock, outputs in ((True, clocked), (False, clicked))
            for output, latency_s in outputs.items()
        ]
        self._time: KeepTime | None = None
        self._offs: Scheduler[Sending] = Scheduler()

    def keep(self, time: KeepTime, now_s: float) -> None:
        """The beats are like this from now on.

        Raises:
            ValueError: They cannot be.
        """
        for receiver in self._receivers:
            self._keep(receiver, time, now_s)
        self._time = time if time.beat_s else None

    def stop(self, now_s: float) -> None:
        """Everybody who was started is stopped."""
        self._time = None
        for receiver in self._receivers:
            receiver.timekeeper.stop(now_s + receiver.latency_s)

    def come(self, output: str, now_s: float) -> None:
        """An output has come back: it is started on the next bar line."""
        for receiver in self._receivers:
            if receiver.output == output:
                receiver.timekeeper = Timekeeper(pulses=receiver.is_clock)
                if self._time is not None:
                    self._keep(receiver, self._time, now_s)

    def is_own_clock(self, source: str) -> bool:
        """Whether this input belongs to a device that improv gives the time to."""
        time = self._time
        return time is not None and any(
            receiver.is_clock and self._is_told(receiver, time) and self._same_device(source, receiver.output)
            for receiver in self._receivers
        )

    def next_deadline_s(self) -> float | None:
        """When something is due next; None when nothing is."""
        next_s = self._offs.next_deadline_s()
        for receiver in self._receivers:
            its_s = receiver.timekeeper.next_deadline_s()
            if its_s is not None:
                its_s -= receiver.latency_s
                next_s = its_s if next_s is None else min(next_s, its_s)
        return next_s

    def due(self, now_s: float) -> list[Sending]:
        """What has to go out by now."""
        sendings = [due.item for due in self._offs.due(now_s)]
        for receiver in self._receivers:
            for tick in receiver.timekeeper.due(now_s + receiver.latency_s):
                sendings.append(self._said(receiver.output, tick, now_s))
        return sendings

    def _keep(self, receiver: _Receiver, time: KeepTime, now_s: float) -> None:
        at_s = now_s + receiver.latency_s
        if receiver.is_clock and not self._is_told(receiver, time):
            receiver.timekeeper.stop(at_s)
            return
        clicks = (0.0, 0.0) if receiver.is_clock else (time.click_from_s, time.click_until_s)
        receiver.timekeeper.keep(time.origin_s, time.beat_s, time.beats_per_bar, *clicks, at_s)

    def _is_told(self, receiver: _Receiver, time: KeepTime) -> bool:
        return not (time.source and self._same_device(time.source, receiver.output))

    def _said(self, output: str, tick: Tick, now_s: float) -> Sending:
        if tick.kind != "click":
            return Sending(output, (_STATUS[tick.kind],))
        pitch, velocity = _ACCENT if tick.accent else _BEAT
        off = Sending(output, (NOTE_OFF | CLICK_CHANNEL, pitch, 64))
        self._offs.add(now_s + _CLICK_S, Rank.OFF, CLICKS, off)
        return Sending(output, (NOTE_ON | CLICK_CHANNEL, pitch, velocity))
