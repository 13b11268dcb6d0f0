"""The live view from the mind's side: what the screen is told, how often, and what it asks."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable

import pytest
from snapshots import SITTING, sitting

from improv_daemon.display import Opening
from improv_daemon.live_view import AT_LEAST_EACH_S, EACH_S, LiveView
from improv_daemon.partner import Said
from improv_daemon.screen.snapshot import Asked, Snapshot
from improv_daemon.settings import Settings
from improv_daemon.sitting_state import SittingState
from improv_daemon.view import View
from improv_daemon.wire import Change, Cue, Learn, Played, Ready, Sounded, Wish, Woken

OPENING = Opening("default", "answer", Ready(("in",), ("out",), None, ()))


class Easel:
    """A screen that remembers."""

    def __init__(self) -> None:
        self.told: list[tuple[float, Snapshot]] = []
        self.done: list[str] = []
        self.is_up = False
        self.is_slow = False
        self.on_asked: Callable[[Asked], None] = lambda asked: None
        self._on_lost: Callable[[str], None] = lambda reason: None

    def attach(self, on_asked: Callable[[Asked], None], on_lost: Callable[[str], None]) -> None:
        self.is_up, self.on_asked, self._on_lost = True, on_asked, on_lost

    def tell(self, snapshot: Snapshot) -> bool:
        if self.is_slow:
            return False
        self.told.append((asyncio.get_running_loop().time(), snapshot))
        return True

    def suspend(self) -> None:
        self.done.append("suspend")

    def resume(self) -> None:
        self.done.append("resume")

    def end(self) -> None:
        self.done.append("end")
        self.is_up = False

    def fail(self, reason: str) -> None:
        self.is_up = False
        self._on_lost(reason)


class Evening:
    """A live view in a sitting."""

    def __init__(self) -> None:
        self.out, self.screen = io.StringIO(), Easel()
        clock = asyncio.get_running_loop().time
        self.state = SittingState(clock)
        self.live = LiveView(self.screen, View(self.out, clock), self.state, clock)
        self.now = SITTING
        self.wishes: list[Wish] = []
        self.stops = 0

    def begin(self) -> None:
        self.live.begin(lambda now_s: self.now, Settings, self.wishes.append, self._stop)
        self.live.opening(OPENING)

    def _stop(self) -> None:
        self.stops += 1

    def happens(self) -> None:
        self.live.event(Played((0x90, 60, 64), 0.0, "keys"))

    @property
    def lines(self) -> list[str]:
        return self.out.getvalue().splitlines()


@pytest.mark.virtual_time
async def test_the_screen_is_told_at_once_and_then_no_oftener_than_it_can_be_seen() -> None:
    evening = Evening()
    evening.begin()
    for number in range(100):
        evening.now = sitting(states=(f"{number}",))
        evening.happens()
        await asyncio.sleep(0.01)
    times = [at_s for at_s, _ in evening.screen.told]
    assert times == pytest.approx([number * EACH_S for number in range(9)])
    await asyncio.sleep(EACH_S)
    assert evening.screen.told[-1][1] == evening.now
    assert evening.lines == []


@pytest.mark.virtual_time
async def test_what_is_the_same_as_before_is_not_told_again() -> None:
    evening = Evening()
    evening.begin()
    for _ in range(10):
        evening.live.saw(Woken(), [], 0.0, 0.0)
        await asyncio.sleep(1.0)
    assert len(evening.screen.told) == 1


@pytest.mark.virtual_time
async def test_a_tempo_that_goes_by_itself_is_seen_within_a_second() -> None:
    evening = Evening()
    evening.begin()
    await asyncio.sleep(0.3)
    evening.now = sitting(tempo=None)
    await asyncio.sleep(AT_LEAST_EACH_S)
    assert [snapshot.tempo for _, snapshot in evening.screen.told] == [SITTING.tempo, None]


@pytest.mark.virtual_time
async def test_a_screen_that_does_not_take_it_is_told_the_latest_once_it_does() -> None:
    evening = Evening()
    evening.begin()
    evening.screen.is_slow = True
    for number in range(5):
        evening.now = sitting(states=(f"{number}",))
        evening.happens()
        await asyncio.sleep(1.0)
    assert evening.screen.told == []
    evening.screen.is_slow = False
    await asyncio.sleep(AT_LEAST_EACH_S)
    assert [snapshot.states for _, snapshot in evening.screen.told] == [("4",)]


@pytest.mark.virtual_time
async def test_what_is_asked_at_the_terminal_is_wished() -> None:
    evening = Evening()
    evening.begin()
    for asked in (
        *(Asked("cue", "panic"), Asked("learn", "memory.follow"), Asked("learn")),
        *(Asked("turn", "sampling.temperature", 1), Asked("turn", "trade.bars", -9)),
        *(Asked("turn", "ports.name", 1), Asked("quit")),
    ):
        evening.screen.on_asked(asked)
    assert evening.wishes == [
        *(Cue("panic"), Learn("memory.follow"), Learn("")),
        *(Change("sampling.temperature", 1.05), Change("trade.bars", 1)),
    ]
    assert evening.stops == 1


@pytest.mark.virtual_time
async def test_before_the_screen_is_up_and_after_its_end_there_are_lines() -> None:
    evening = Evening()
    evening.live.line("The demo is in mode answer.")
    evening.begin()
    evening.live.line("Not on the terminal.")
    evening.live.notice(Said("Nor this."))
    evening.live.event(Sounded(1, 0, 60, 64, 0.0, 0.0))
    evening.live.end()
    evening.live.outcome("Kept it.")
    assert evening.lines == ["The demo is in mode answer.", "Kept it."]
    assert evening.screen.done == ["end"]


@pytest.mark.virtual_time
async def test_what_went_wrong_a_moment_before_the_end_stands_on_the_terminal() -> None:
    evening = Evening()
    evening.begin()
    evening.state.note("The Roland is gone.")
    evening.live.end()
    evening.live.end()
    assert evening.lines == ["Note: The Roland is gone."]


@pytest.mark.virtual_time
async def test_when_the_screen_is_lost_improv_goes_on_in_lines() -> None:
    evening = Evening()
    evening.begin()
    await asyncio.sleep(1.0)
    evening.screen.fail("ValueError: no")
    evening.happens()
    evening.live.end()
    assert evening.lines == [
        *('improv listens to "in".', 'It plays to "out".', "Model default, mode answer. Ctrl-C stops."),
        "Note: The live view has ended (ValueError: no); improv plays on and goes on in lines.",
        "   you  C4",
    ]


@pytest.mark.virtual_time
async def test_ctrl_z_gives_the_terminal_back_for_a_while() -> None:
    evening = Evening()
    evening.begin()
    await asyncio.sleep(1.0)
    evening.live.suspend()
    evening.now = sitting(states=("muted",))
    evening.live.resume()
    await asyncio.sleep(EACH_S)
    assert evening.screen.done == ["suspend", "resume"]
    assert evening.screen.told[-1][1].states == ("muted",)
