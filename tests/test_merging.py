"""One event that comes by two routes counts once, and nothing hangs whichever route dies."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improv_core.ledger import Ledger
from improv_core.merging import Arrival, RouteMerger

WINDOW_S = 0.03
ON, OFF = (0x90, 60, 90), (0x80, 60, 64)
BY_DAW, OFF_BY_DAW = (0x95, 60, 90), (0x85, 60, 30)
"""The same, as the DAW sends it on: on another channel, with another release velocity."""


@pytest.fixture
def merger() -> RouteMerger:
    return RouteMerger(WINDOW_S)


def once(source: str, *data: int) -> list[Arrival]:
    return [Arrival(source, data)]


def test_a_key_that_comes_by_two_routes_is_struck_and_let_go_of_once(merger: RouteMerger) -> None:
    assert merger.heard("piano", ON, 1.0) == once("piano", *ON)
    assert merger.heard("daw", BY_DAW, 1.02) == []
    assert merger.heard("piano", OFF, 1.5) == once("piano", *OFF)
    assert merger.heard("daw", OFF_BY_DAW, 1.52) == []
    assert merger.merged == 2
    assert not merger.holds("piano")


def test_the_first_release_counts_as_of_the_route_that_struck(merger: RouteMerger) -> None:
    merger.heard("piano", ON, 1.0)
    merger.heard("daw", BY_DAW, 1.02)
    assert merger.heard("daw", OFF_BY_DAW, 1.5) == once("piano", 0x80, 60, 30)
    assert merger.heard("piano", OFF, 1.51) == []


@pytest.mark.parametrize(
    ("second", "at_s"), [((0x95, 60, 91), 1.02), ((0x95, 61, 90), 1.02), (BY_DAW, 1.031)]
)
def test_another_velocity_or_pitch_or_a_later_time_is_another_event(
    merger: RouteMerger, second: tuple[int, ...], at_s: float
) -> None:
    merger.heard("piano", ON, 1.0)
    assert merger.heard("daw", second, at_s) == once("daw", *second)
    assert merger.merged == 0


def test_one_route_never_repeats_itself(merger: RouteMerger) -> None:
    assert [merger.heard("piano", ON, 1.0 + n / 100) for n in range(3)] == [once("piano", *ON)] * 3


def test_stamps_of_two_routes_may_be_out_of_order(merger: RouteMerger) -> None:
    merger.heard("daw", BY_DAW, 1.01)
    assert merger.heard("piano", ON, 1.0) == []


def test_without_a_window_nothing_is_the_same() -> None:
    merger = RouteMerger(0.0)
    merger.heard("piano", ON, 1.0)
    assert merger.heard("daw", BY_DAW, 1.0) == once("daw", *BY_DAW)


def test_a_note_that_is_over_before_the_second_route_brings_it_stays_over(merger: RouteMerger) -> None:
    merger.heard("piano", ON, 1.0)
    merger.heard("piano", OFF, 1.005)
    assert merger.heard("piano", ON, 1.01) == once("piano", *ON)
    late = [merger.heard("daw", data, 1.02) for data in (BY_DAW, OFF_BY_DAW, BY_DAW)]
    assert late == [[], [], []]
    assert merger.heard("piano", OFF, 2.0) == once("piano", *OFF)


def test_three_routes_are_one_too(merger: RouteMerger) -> None:
    merger.heard("piano", ON, 1.0)
    assert [merger.heard(source, ON, 1.01) for source in ("daw", "phone")] == [[], []]
    assert merger.heard("phone", OFF, 1.2) == once("piano", *OFF)
    assert [merger.heard(source, OFF, 1.21) for source in ("daw", "piano")] == [[], []]


@pytest.mark.parametrize("lost", ["piano", "daw"])
def test_what_two_routes_hold_ends_with_the_first_that_dies(merger: RouteMerger, lost: str) -> None:
    merger.heard("piano", ON, 1.0)
    merger.heard("daw", BY_DAW, 1.01)
    assert merger.lost(lost) == once("piano", *OFF)
    assert merger.lost("piano") == merger.lost("daw") == []
    assert not merger.holds("piano")


def test_what_dies_takes_pedals_bends_and_aftertouch_with_it(merger: RouteMerger) -> None:
    for data in ((0xB3, 64, 127), (0xE3, 0, 70), (0xD3, 9), (0xA3, 60, 8), (0xB3, 1, 99)):
        merger.heard("piano", data, 1.0)
    assert [arrival.data for arrival in merger.lost("piano")] == [
        (0xB3, 64, 0),
        (0xE3, 0, 64),
        (0xD3, 0),
        (0xA3, 60, 0),
    ]


def test_a_pedal_that_comes_by_two_routes_is_up_with_the_first_that_says_so(merger: RouteMerger) -> None:
    merger.heard("daw", (0xB5, 64, 127), 1.0)
    assert merger.heard("piano", (0xB0, 64, 127), 1.01) == []
    assert merger.heard("piano", (0xB0, 64, 0), 2.0) == once("daw", 0xB5, 64, 0)
    assert merger.heard("daw", (0xB5, 64, 0), 2.01) == []


def test_a_pedal_that_one_route_brought_too_late_is_up_with_that_route(merger: RouteMerger) -> None:
    merger.heard("piano", (0xB0, 64, 127), 1.0)
    assert merger.heard("daw", (0xB5, 64, 127), 1.2) == once("daw", 0xB5, 64, 127)
    assert merger.heard("piano", (0xB0, 64, 0), 2.0) == once("piano", 0xB0, 64, 0)
    assert merger.heard("daw", (0xB5, 64, 0), 2.01) == once("daw", 0xB5, 64, 0)


@pytest.mark.parametrize("data", [(0xB0, 1, 5), (0xC0, 7), (0xE0, 1, 2), (0xD0, 9), (0xA0, 60, 9)])
def test_controllers_programs_bends_and_aftertouch_count_once(
    merger: RouteMerger, data: tuple[int, ...]
) -> None:
    merger.heard("piano", data, 1.0)
    assert merger.heard("daw", (data[0] | 3, *data[1:]), 1.02) == []
    assert merger.merged == 1


def test_clock_is_left_alone(merger: RouteMerger) -> None:
    merger.heard("piano", (0xF8,), 1.0)
    assert merger.heard("daw", (0xF8,), 1.0) == once("daw", 0xF8)


def test_all_notes_off_of_one_route_ends_only_what_it_began(merger: RouteMerger) -> None:
    merger.heard("piano", ON, 1.0)
    merger.heard("daw", BY_DAW, 1.01)
    merger.heard("daw", (0x95, 40, 90), 1.1)
    assert merger.heard("daw", (0xB5, 123, 0), 1.2) == once("daw", 0xB5, 123, 0)
    assert not merger.holds("daw")
    assert merger.heard("daw", OFF_BY_DAW, 1.3) == []
    assert merger.heard("piano", OFF, 1.4) == once("piano", *OFF)


def test_all_notes_off_of_two_keyboards_at_once_is_not_merged(merger: RouteMerger) -> None:
    merger.heard("piano", ON, 1.0)
    merger.heard("organ", (0x90, 40, 70), 1.0)
    for keyboard in ("piano", "organ"):
        assert merger.heard(keyboard, (0xB0, 123, 0), 1.2) == once(keyboard, 0xB0, 123, 0)
        assert not merger.holds(keyboard)
    assert merger.merged == 0


def test_release_of_a_key_that_nobody_holds_passes(merger: RouteMerger) -> None:
    assert merger.heard("daw", OFF, 1.0) == once("daw", *OFF)


def test_memory_is_bounded(merger: RouteMerger) -> None:
    for number in range(5000):
        merger.heard("piano", (0xB0, 1, number % 128), 1.0)
    assert len(merger._events) == 1024
    assert sum(len(events) for events in merger._by_data.values()) == 1024


# --- whatever comes -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Coming:
    """Something that one route brings."""

    at_s: float
    route: str
    data: tuple[int, ...]


_SECONDS = st.integers(0, 2000).map(lambda ms: ms / 1000)
_GESTURES = st.one_of(
    st.tuples(st.just("key"), st.integers(60, 62), st.sampled_from((64, 90))),
    st.tuples(st.just("pedal"), st.just(64), st.sampled_from((64, 127))),
    st.tuples(st.just("bend"), st.just(0), st.sampled_from((70, 99))),
    st.tuples(st.just("touch"), st.just(0), st.sampled_from((5, 99))),
)
_PLAYED = st.lists(st.tuples(_GESTURES, _SECONDS, st.integers(1, 400)), min_size=1, max_size=14)
_LAGS = st.lists(st.integers(0, 29), min_size=1, max_size=12)


def on_and_off(kind: str, number: int, value: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return {
        "key": ((0x90, number, value), (0x80, number, 64)),
        "pedal": ((0xB0, number, value), (0xB0, number, 0)),
        "bend": ((0xE0, number, value), (0xE0, 0, 64)),
        "touch": ((0xD0, value), (0xD0, 0)),
    }[kind]


def of_keyboard(played: list[tuple[tuple[str, int, int], float, int]]) -> list[tuple[float, tuple[int, ...]]]:
    """What a keyboard sends, in order; each of its keys and pedals is down once at a time."""
    free_s: dict[tuple[str, int], float] = {}
    sent = []
    for (kind, number, value), wanted_s, duration_ms in sorted(played, key=lambda one: one[1]):
        begin_s = max(wanted_s, free_s.get((kind, number), 0.0))
        free_s[kind, number] = end_s = begin_s + duration_ms / 1000
        down, up = on_and_off(kind, number, value)
        sent += [(begin_s, down), (end_s + 0.0001, up)]
        free_s[kind, number] += 0.0002
    return sorted(sent)


def by_route(
    sent: list[tuple[float, tuple[int, ...]]], route: str, channel: int, lags_ms: list[int]
) -> list[Coming]:
    """The same by one route: later by now this, now that, but in order."""
    arrived, latest_s = [], 0.0
    for place, (at_s, data) in enumerate(sent):
        latest_s = max(latest_s, at_s + lags_ms[place % len(lags_ms)] / 1000)
        arrived.append(Coming(latest_s, route, (data[0] | channel, *data[1:])))
    return arrived


@given(_PLAYED, _LAGS, _LAGS)
def test_by_two_routes_everything_counts_once_and_in_order(
    played: list[tuple[tuple[str, int, int], float, int]], direct: list[int], through_daw: list[int]
) -> None:
    sent = of_keyboard(played)
    routes = [by_route(sent, "piano", 0, direct), by_route(sent, "daw", 5, through_daw)]
    merger = RouteMerger(WINDOW_S)
    heard = [
        (arrival.data[0] & 0xF0, *arrival.data[1:])
        for coming in sorted((c for route in routes for c in route), key=lambda c: c.at_s)
        for arrival in merger.heard(coming.route, coming.data, coming.at_s)
    ]
    for kind in (0x80, 0xB0, 0xD0, 0xE0):
        kinds = (kind, 0x90) if kind == 0x80 else (kind,)
        wanted = [data for _, data in sent if data[0] in kinds]
        assert sorted(data for data in heard if data[0] in kinds) == sorted(wanted)
    for pitch in (60, 61, 62):
        of_key = [data[0] for data in heard if data[0] in (0x80, 0x90) and data[1] == pitch]
        assert of_key == [0x90, 0x80] * (len(of_key) // 2)


@given(
    _PLAYED,
    _LAGS,
    st.lists(st.integers(0, 200), min_size=1, max_size=12),
    st.sampled_from(("piano", "daw")),
    _SECONDS,
    st.booleans(),
    st.floats(0, 1),
)
def test_nothing_hangs_whichever_route_dies_and_however_late_the_other_is(
    played: list[tuple[tuple[str, int, int], float, int]],
    direct: list[int],
    through_daw: list[int],
    dead: str,
    dies_s: float,
    the_other_goes_on: bool,
    lost_share: float,
) -> None:
    """A route that dies says nothing more; the other may go on, or its source may have died with it."""
    sent = of_keyboard(played)
    routes = [by_route(sent, "piano", 0, direct), by_route(sent, "daw", 5, through_daw)]
    coming = sorted((c for route in routes for c in route), key=lambda c: c.at_s)
    merger, ledger = RouteMerger(WINDOW_S), Ledger()

    def sounds(arrivals: list[Arrival]) -> None:
        for arrival in arrivals:
            ledger.feed(arrival.source, (arrival.data[0] & 0xF0, *arrival.data[1:]))

    for place, one in enumerate(coming):
        if one.at_s >= dies_s and (one.route == dead or not the_other_goes_on):
            continue
        if one.data[0] & 0xF0 == 0x90 and place % 10 < 3 * lost_share:
            continue  # a full inbox drops note-ons, never what lets go
        sounds(merger.heard(one.route, one.data, one.at_s))
    sounds(merger.lost(dead))
    if not the_other_goes_on:
        sounds(merger.lost("daw" if dead == "piano" else "piano"))
    assert ledger.silent
    assert not any(merger.holds(route) for route in ("piano", "daw"))


@given(_PLAYED, _LAGS, _LAGS, st.sampled_from(("piano", "daw")), _SECONDS)
def test_one_route_that_is_known_to_have_died_is_enough_when_the_other_falls_silent(
    played: list[tuple[tuple[str, int, int], float, int]],
    direct: list[int],
    through_daw: list[int],
    dead: str,
    unplugged_s: float,
) -> None:
    """The keyboard is unplugged, and the DAW, which is still there, says nothing of what it held."""
    sent = [one for one in of_keyboard(played) if one[0] < unplugged_s]
    routes = [by_route(sent, "piano", 0, direct), by_route(sent, "daw", 5, through_daw)]
    merger, ledger = RouteMerger(WINDOW_S), Ledger()
    coming = sorted((c for route in routes for c in route), key=lambda c: c.at_s)
    arrivals = [a for c in coming for a in merger.heard(c.route, c.data, c.at_s)]
    for arrival in (*arrivals, *merger.lost(dead)):
        ledger.feed(arrival.source, (arrival.data[0] & 0xF0, *arrival.data[1:]))
    assert ledger.silent
