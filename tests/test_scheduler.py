"""The schedule: what is due, in which order, and what a full one refuses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from improv_core.scheduler import Due, Rank, Scheduler


def items(dues: list[Due[str]]) -> list[str]:
    return [due.item for due in dues]


def test_nothing_is_due_in_an_empty_schedule() -> None:
    scheduler: Scheduler[str] = Scheduler()
    assert scheduler.next_deadline_s() is None
    assert scheduler.due(100.0) == []


def test_item_is_due_at_its_deadline_and_not_before() -> None:
    scheduler: Scheduler[str] = Scheduler()
    scheduler.add(2.0, Rank.ON, "turn", "note")
    assert scheduler.next_deadline_s() == 2.0
    assert scheduler.due(1.999) == []
    assert scheduler.due(2.0) == [Due(2.0, Rank.ON, "note")]
    assert scheduler.due(2.0) == []


def test_at_one_instant_offs_come_before_pedal_before_ons_in_order_of_arrival() -> None:
    scheduler: Scheduler[str] = Scheduler()
    for rank, item in [(Rank.ON, "on 1"), (Rank.PEDAL, "pedal"), (Rank.OFF, "off 1")]:
        scheduler.add(1.0, rank, "turn", item)
    scheduler.add(1.0, Rank.ON, "turn", "on 2")
    scheduler.add(1.0, Rank.OFF, "turn", "off 2")
    assert items(scheduler.due(1.0)) == ["off 1", "off 2", "pedal", "on 1", "on 2"]


def test_cancelled_items_are_given_back_in_order_and_never_fall_due() -> None:
    scheduler: Scheduler[str] = Scheduler()
    scheduler.add(3.0, Rank.ON, 1, "later")
    scheduler.add(1.0, Rank.ON, 1, "sooner")
    scheduler.add(2.0, Rank.ON, 2, "another turn's")
    assert items(scheduler.cancel(1)) == ["sooner", "later"]
    assert scheduler.cancel(1) == []
    assert scheduler.next_deadline_s() == 2.0
    assert items(scheduler.due(9.0)) == ["another turn's"]
    assert len(scheduler) == 0


def test_full_schedule_refuses_and_counts_all_but_note_offs() -> None:
    scheduler: Scheduler[str] = Scheduler(capacity=1)
    assert scheduler.add(1.0, Rank.ON, 1, "on")
    assert not scheduler.add(1.0, Rank.ON, 1, "too many")
    assert not scheduler.add(1.0, Rank.PEDAL, 1, "too many")
    assert scheduler.add(1.0, Rank.OFF, 1, "off")
    assert scheduler.refused == 2
    assert items(scheduler.due(1.0)) == ["off", "on"]


def test_cancelling_makes_room() -> None:
    scheduler: Scheduler[str] = Scheduler(capacity=1)
    scheduler.add(1.0, Rank.ON, 1, "on")
    scheduler.cancel(1)
    assert scheduler.add(1.0, Rank.ON, 2, "on")


def test_cancelled_items_do_not_pile_up_in_memory() -> None:
    scheduler: Scheduler[str] = Scheduler()
    for turn in range(1000):
        scheduler.add(1.0 + turn, Rank.ON, turn, "on")
        scheduler.cancel(turn)
    assert len(scheduler._heap) <= 65


def test_clear_forgets_everything() -> None:
    scheduler: Scheduler[str] = Scheduler()
    scheduler.add(1.0, Rank.OFF, 1, "off")
    scheduler.clear()
    assert scheduler.next_deadline_s() is None


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(Rank), st.integers(0, 3)), max_size=50))
def test_due_items_come_sorted_and_exactly_those_not_cancelled(plan: list[tuple[int, Rank, int]]) -> None:
    scheduler: Scheduler[int] = Scheduler()
    for number, (deadline, rank, key) in enumerate(plan):
        scheduler.add(float(deadline), rank, key, number)
    scheduler.cancel(0)
    expected = sorted((d, rank, number) for number, (d, rank, key) in enumerate(plan) if key != 0)
    assert [due.item for due in scheduler.due(5.0)] == [number for _, _, number in expected]
