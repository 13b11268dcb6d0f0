"""Which pulse of a MIDI clock is which: several ways to count them are kept until one explains them; pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

_FIRST_JITTER_S: Final = 0.002
_LEAST_JITTER_S: Final = 0.0003
_PULSES_OF_DOUBT: Final = 6
_WITHIN: Final = 0.8
_SIGMAS_WITHIN: Final = 0.6616 * math.sqrt(6.0)  # root mean square of the inner 80 % of second differences
_JITTER_EVERY: Final = 8
_TEMPI_S: Final = (0.009, 0.013, 0.019, 0.028, 0.041, 0.06)  # at 278 to 42 beats a minute
_ABOUT: Final = 0.2
_WANDERS: Final = 0.001
_CHANGES: Final = 0.2
_KNOWN: Final = 0.01
_LOSS: Final = 4.5
_ONE_MORE: Final = 0.5
_MOST: Final = 3.5
_CHANGE: Final = 6.0
_AGAIN: Final = 0.5
_BOTH: Final = 3.0
_SOON: Final = 24
_SHORTEST_S: Final = 0.006
_LEAP: Final = 7.0
_FAR: Final = 0.4
_UNKNOWN: Final = 3.0
_STRAY: Final = 8.0
_ODD: Final = 1.0
_WORTH: Final = 16.0
_DECIDED: Final = 4.0
_NEW: Final = 10
_WAYS: Final = 8
_OF_A_PLACE: Final = 3
_TOGETHER: Final = 0.25
_EARLY: Final = 0.5
_SAME: Final = 0.003
_SAME_PLACE: Final = 0.2


class Way(NamedTuple):
    """One way to count: a Kalman filter of place and tempo, and what was lost on the way.

    Attributes:
        cost: How little it explains the pulses: negative logarithm of a likelihood.
        lost: How many were lost, all in all.
        losses: (number of the pulse that came after them, how many), the latest.
        changed: Number of the pulse that showed another tempo, the latest.
        first: Which number is beat 0 of the song.
        at_s: When the latest was due.
        each_s: From pulse to pulse.
        var: Of `at_s`.
        cov: Of both.
        var_each: Of `each_s`.
    """

    cost: float
    lost: int
    losses: tuple[tuple[int, int], ...]
    changed: int
    first: int
    at_s: float
    each_s: float
    var: float
    cov: float
    var_each: float


class PulseCount:
    """Counts pulses, those that were lost on the way too.

    A late pulse, a lost one and another tempo look alike at first. So each pulse is explained in all of these
    ways, the ways that explain the latest pulses too badly are given up, and the best counts: a wrong guess
    is put right some pulses later. (Multiple hypothesis tracking, after D. Reid, An algorithm for tracking
    multiple targets, IEEE Transactions on Automatic Control 24(6), 1979.)

    Args:
        memory: So many of the latest losses are kept: those before so many pulses.
    """

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._ways = _of_any_tempo(Way(0.0, 0, (), -_SOON, 0, 0.0, 0.0, math.inf, 0.0, 0.0))
        self._recent_s: list[float] = []
        self._before: list[Way] = []
        self._heard_s = -math.inf
        self.held_up = 0
        """So many of the latest pulses came too late to say anything; they were due as `best` says."""
        self.jitter_s = _FIRST_JITTER_S
        """Standard deviation of a pulse."""

    @property
    def best(self) -> Way:
        """The way that explains the pulses best."""
        return self._ways[0]

    @property
    def decided(self) -> bool:
        """Whether no other count is near it."""
        best = self._ways[0]
        place = best.lost - best.first
        return all(w.cost > best.cost + _DECIDED or w.lost - w.first == place for w in self._ways)

    def forget(self, each_s: float | None) -> None:
        """What comes now has nothing to do with what came, but that its tempo was such."""
        self._recent_s.clear()
        self.held_up, self._heard_s = 0, -math.inf
        best, var = self._ways[0]._replace(cost=0.0, losses=(), var=math.inf, cov=0.0), self.jitter_s**2
        unknown = _of_any_tempo(best._replace(cost=0.0 if each_s is None else _UNKNOWN))
        if each_s is None:
            self._ways = unknown
            return
        known = best._replace(each_s=each_s, var_each=(_KNOWN * each_s) ** 2 + var / self._memory)
        self._ways = [known, *unknown]

    def pulse(self, number: int, at_s: float) -> None:
        """One came; they are numbered as they come."""
        gap_s, self._heard_s = at_s - self._heard_s, at_s
        if not self._is_new and gap_s < _TOGETHER * self._ways[0].each_s and self._is_overdue(at_s):
            self._hear_held_up()
            return
        self._before, self.held_up = self._ways, 0
        self._hear_jitter(number, at_s)
        var = self.jitter_s**2
        if math.isinf(self._ways[0].var):
            self._ways = [way._replace(at_s=at_s, var=var) for way in self._ways]
            return
        steady = [_with(way, at_s, var, way.cost) for way in self._ways]
        most = min(way.cost for way in steady) + _WORTH
        ways = steady + [
            after
            for way, on in zip(self._ways, steady, strict=True)
            if on.cost - way.cost > _ODD
            for after in self._after(way, number, at_s, var)
            if after.cost <= most
        ]
        ways.sort()
        self._ways = self._worth_keeping(ways)

    def _is_overdue(self, at_s: float) -> bool:
        """Whether one was due by then: no stall brings pulses forward, as a much faster tempo does."""
        best, steps = (self._ways[0], 1) if self.held_up else (self._before[0], 2)
        return best.at_s + steps * best.each_s < at_s + _EARLY * best.each_s

    def _hear_held_up(self) -> None:
        """It comes together with the one before, as after a stall: that was late, and nothing was lost."""
        if not self.held_up:
            self._ways, self.held_up = [_passed(way) for way in self._before], 1
        self._ways = [_passed(way) for way in self._ways]
        self.held_up += 1

    def place(self, number: int, place: int) -> None:
        """The latest pulse is that one of the song."""
        self._ways = [way._replace(first=number + way.lost - place) for way in self._ways]

    @property
    def _is_new(self) -> bool:
        """Whether the tempo is hardly known."""
        return len(self._recent_s) < _NEW

    def _hear_jitter(self, number: int, at_s: float) -> None:
        """By second differences, which neither a tempo nor a change of it moves much."""
        recent = self._recent_s
        recent.append(at_s)
        if len(recent) < _JITTER_EVERY or number % _JITTER_EVERY:
            return
        del recent[: -self._memory]
        bends = sorted(abs(a - 2 * b + c) for a, b, c in zip(recent, recent[1:], recent[2:], strict=False))
        inner = bends[: int(_WITHIN * len(bends)) + 1]
        measured = sum(bend * bend for bend in inner) / _SIGMAS_WITHIN**2
        doubt = _PULSES_OF_DOUBT
        var = (measured + doubt * _FIRST_JITTER_S**2) / (len(inner) + doubt)
        self.jitter_s = max(_LEAST_JITTER_S, math.sqrt(var))

    def _after(self, way: Way, number: int, at_s: float, var: float) -> Iterator[Way]:
        late_s, each_s = at_s - way.at_s - way.each_s, way.each_s
        ahead = late_s / each_s
        is_soon = number - way.changed < _SOON
        lost_lately = sum(1 for when, _ in way.losses if number - when < _SOON)
        loss = way.cost + _LOSS + _AGAIN * lost_lately + _BOTH * is_soon
        near = math.floor(ahead)
        for lost in (near, near + 1):
            if lost > 0:
                yield self._lost(way, number, at_s, var, lost, loss)
        if self._is_new:
            return
        cost = way.cost + _BOTH * (lost_lately > 0) + _BOTH * is_soon
        change = (_CHANGES * each_s) ** 2
        changed = way._replace(changed=number)
        yield _with(changed._replace(var_each=way.var_each + change), at_s, var, cost + _CHANGE)
        if abs(ahead) < _FAR:
            return
        change = max(each_s * each_s, late_s * late_s)
        yield _with(changed._replace(var_each=way.var_each + change), at_s, var, cost + _LEAP)
        changed = changed._replace(var=way.var + change)
        yield self._lost(changed, number, at_s, var, max(0, round(ahead)), cost + _LEAP)

    def _lost(self, way: Way, number: int, at_s: float, var: float, lost: int, cost: float) -> Way:
        if not lost:
            return _with(way, at_s, var, cost)
        losses = (*(one for one in way.losses if one[0] > number - self._memory), (number, lost))
        way = way._replace(lost=way.lost + lost, losses=losses)
        return _with(way, at_s, var, cost + min(_ONE_MORE * (lost - 1), _MOST), lost + 1)

    def _worth_keeping(self, ways: list[Way]) -> list[Way]:
        """The best that differ, several of each place; their costs from now on are those above the best."""
        least, kept = ways[0].cost, list[Way]()
        for way in ways:
            if way.cost > least + _WORTH or len(kept) == _WAYS:
                break
            alike = [one for one in kept if one.lost - one.first == way.lost - way.first]
            has_room = self._is_new or len(alike) < _OF_A_PLACE
            if has_room and not any(_is_as(one, way, self.jitter_s) for one in alike):
                kept.append(way)
        return [way._replace(cost=way.cost - least) for way in kept]


def _of_any_tempo(way: Way) -> list[Way]:
    """It, with each tempo that a song may have."""
    return [way._replace(each_s=each_s, var_each=(_ABOUT * each_s) ** 2) for each_s in _TEMPI_S]


def _with(way: Way, at_s: float, jitter: float, cost: float, steps: int = 1) -> Way:
    """That the pulse comes so many steps after the one before."""
    due_s = way.at_s + steps * way.each_s
    var = way.var + steps * (2 * way.cov + steps * way.var_each)
    cov = way.cov + steps * way.var_each
    var_each = way.var_each + steps * (_WANDERS * way.each_s) ** 2
    total, off_s = var + jitter, at_s - due_s
    odd = 0.5 * (off_s * off_s / total + math.log(total / jitter))
    if odd > _STRAY:  # it says nothing
        return Way(
            cost + _STRAY, way.lost, way.losses, way.changed, way.first, due_s, way.each_s, var, cov, var_each
        )
    gain, gain_each = var / total, cov / total
    return Way(
        cost + odd,
        way.lost,
        way.losses,
        way.changed,
        way.first,
        due_s + gain * off_s,
        max(way.each_s + gain_each * off_s, _SHORTEST_S),
        var - gain * var,
        cov - gain * cov,
        var_each - gain_each * cov,
    )


def _passed(way: Way) -> Way:
    """That a pulse came, nobody knows when."""
    var = way.var + 2 * way.cov + way.var_each
    return way._replace(at_s=way.at_s + way.each_s, var=var, cov=way.cov + way.var_each)


def _is_as(one: Way, other: Way, jitter_s: float) -> bool:
    """Whether both expect the same of the next pulses."""
    return (
        abs(one.each_s - other.each_s) < _SAME * one.each_s
        and abs(one.at_s - other.at_s) < _SAME_PLACE * jitter_s
        and one.var_each < 2 * other.var_each
        and other.var_each < 2 * one.var_each
    )
