"""Input on its way from the driver's threads: stamped, bounded, releases never lost."""

from __future__ import annotations

import select
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improv_daemon.stage.inbox import Inbox, Stamped, Stamper, WakeUp


@pytest.fixture
def wake_up() -> Iterator[WakeUp]:
    made = WakeUp()
    yield made
    made.close()


def message(*data: int, at_s: float = 1.0) -> Stamped:
    return Stamped(data, at_s, "keyboard")


def is_awake(wake_up: WakeUp) -> bool:
    return bool(select.select([wake_up.read_fd], [], [], 0)[0])


def take_all(inbox: Inbox) -> list[tuple[int, ...]]:
    return [taken.data for taken in inbox.take(1000)]


def test_first_stamp_is_the_arrival() -> None:
    assert Stamper().stamp(0.0, 5.0) == 5.0


def test_stamp_follows_the_drivers_delta_when_the_thread_was_late() -> None:
    stamper = Stamper()
    stamper.stamp(0.0, 5.0)
    assert stamper.stamp(0.25, 5.255) == 5.25


def test_stamp_never_lies_after_the_arrival() -> None:
    stamper = Stamper()
    stamper.stamp(0.0, 5.0)
    assert stamper.stamp(0.25, 5.125) == 5.125


def test_stamp_more_than_20_ms_behind_is_anchored_anew() -> None:
    stamper = Stamper()
    stamper.stamp(0.0, 5.0)
    assert stamper.stamp(0.25, 5.5) == 5.5
    assert stamper.stamp(0.25, 5.75) == 5.75


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 3)), max_size=30))
def test_stamps_never_run_backwards_nor_leave_the_20_ms_before_arrival(
    gaps: list[tuple[float, float]],
) -> None:
    stamper, arrival_s, previous_s = Stamper(), 10.0, 0.0
    for delta_s, gap_s in gaps:
        arrival_s += gap_s
        stamp_s = stamper.stamp(delta_s, arrival_s)
        assert max(previous_s, arrival_s - 0.02) <= stamp_s <= arrival_s
        previous_s = stamp_s


def test_messages_are_taken_in_order_of_arrival(wake_up: WakeUp) -> None:
    inbox = Inbox(wake_up)
    inbox.put(message(0x90, 60, 90))
    inbox.put(message(0x80, 60, 0))
    assert not inbox.empty
    assert take_all(inbox) == [(0x90, 60, 90), (0x80, 60, 0)]
    assert inbox.empty


def test_any_number_of_messages_is_one_wake_up(wake_up: WakeUp) -> None:
    inbox = Inbox(wake_up)
    for _ in range(10):
        inbox.put(message(0x90, 60, 90))
    assert is_awake(wake_up)
    wake_up.clear()
    inbox.put(message(0x90, 60, 90))
    assert not is_awake(wake_up)
    inbox.take(1)
    inbox.put(message(0x90, 60, 90))
    assert is_awake(wake_up)


def test_waking_never_blocks(wake_up: WakeUp) -> None:
    for _ in range(100_000):
        wake_up.wake()
    assert is_awake(wake_up)


def test_full_inbox_drops_and_counts_note_ons_and_keeps_every_release(wake_up: WakeUp) -> None:
    inbox = Inbox(wake_up, size=2)
    for data in [
        (0x90, 60, 90),
        (0xB0, 64, 127),
        (0x90, 61, 90),
        (0x80, 60, 10),
        (0x80, 60, 20),
        (0x90, 62, 0),
        (0xB0, 64, 30),
        (0xB0, 64, 0),
    ]:
        inbox.put(message(*data))
    assert inbox.dropped == 1
    assert take_all(inbox) == [(0x90, 60, 90), (0xB0, 64, 127), (0x80, 60, 20), (0x90, 62, 0), (0xB0, 64, 0)]


def test_nothing_overtakes_a_release_that_waits_beside_the_full_queue(wake_up: WakeUp) -> None:
    inbox = Inbox(wake_up, size=1)
    inbox.put(message(0x90, 60, 90))
    inbox.put(message(0x80, 60, 0))
    assert [taken.data for taken in inbox.take(1)] == [(0x90, 60, 90)]
    inbox.put(message(0x90, 60, 91))
    assert inbox.dropped == 1
    assert take_all(inbox) == [(0x80, 60, 0)]


def test_what_says_nothing_of_music_or_its_time_is_ignored(wake_up: WakeUp) -> None:
    inbox = Inbox(wake_up)
    for data in [(0xFE,), (0xFF,), (0xF0, 1, 0xF7), (0xF1, 5), (0xF3, 1), (0xF6,), (0xD0, 5, 1), (0xA0, 60)]:
        inbox.put(message(*data))
    assert inbox.empty


def test_broken_messages_of_another_program_are_ignored(wake_up: WakeUp) -> None:
    inbox = Inbox(wake_up)
    for data in [
        (),
        (0x90,),
        (0x90, 60),
        (0xB0, 64),
        (0x80, 60, 64, 0x80),
        (0xC0, 5, 5),
        (0xF8, 0),
        (0xF2, 0),
    ]:
        inbox.put(message(*data))
    assert inbox.empty


def test_program_and_pitch_wheel_come_through(wake_up: WakeUp) -> None:
    inbox = Inbox(wake_up)
    inbox.put(message(0xC0, 5))
    inbox.put(message(0xE0, 0, 64))
    assert take_all(inbox) == [(0xC0, 5), (0xE0, 0, 64)]


def test_clock_and_transport_come_through_in_order(wake_up: WakeUp) -> None:
    inbox = Inbox(wake_up)
    messages = [(0xF2, 16, 0), (0xFB,), (0xF8,), (0x90, 60, 90), (0xF8,), (0xFC,), (0xFA,)]
    for data in messages:
        inbox.put(message(*data))
    assert take_all(inbox) == messages


def test_full_inbox_drops_and_counts_clock_pulses_and_keeps_the_latest_of_transport(wake_up: WakeUp) -> None:
    inbox = Inbox(wake_up, size=1)
    for data in [(0xF8,), (0xF8,), (0xFA,), (0xF2, 1, 0), (0xFC,), (0xF2, 2, 0), (0xF8,)]:
        inbox.put(message(*data))
    assert inbox.dropped == 2
    assert take_all(inbox) == [(0xF8,), (0xFC,), (0xF2, 2, 0)]
