"""The stage in memory keeps the times of the loop it runs in."""

from __future__ import annotations

import asyncio

import pytest

from improv_daemon import wire
from improv_daemon.stage.virtual import VirtualStage


async def told(stage: VirtualStage, count: int) -> list[wire.Event]:
    events = stage.events()
    return [await anext(events) for _ in range(count)]


@pytest.mark.virtual_time
async def test_notes_go_out_and_are_acknowledged_at_their_times() -> None:
    async with VirtualStage() as stage:
        stage.send(wire.PlayNote(1, 0, 60, 90, 3600.0, 3601.5))
        assert await told(stage, 2) == [
            wire.Sounded(1, 0, 60, 90, 3600.0, 0.0),
            wire.Released(1, 0, 60, 3601.5),
        ]
        assert asyncio.get_running_loop().time() == 3601.5
    assert stage.sent[:2] == [(3600.0, (0x91, 60, 90)), (3601.5, (0x81, 60, 64))]


@pytest.mark.virtual_time
async def test_earlier_note_sent_later_sounds_earlier() -> None:
    async with VirtualStage() as stage:
        stage.send(wire.PlayNote(1, 1, 62, 90, 2.0, 3.0))
        stage.send(wire.PlayNote(1, 0, 60, 90, 1.0, 1.5))
        assert [type(event).__name__ for event in await told(stage, 4)] == [
            *("Sounded", "Released", "Sounded", "Released")
        ]


@pytest.mark.virtual_time
async def test_cancelled_turn_is_acknowledged_at_once() -> None:
    async with VirtualStage() as stage:
        stage.send(wire.MovePedal(1, 127, 0.0))
        stage.send(wire.PlayNote(1, 0, 60, 90, 5.0, 6.0))
        await asyncio.sleep(1.0)
        stage.send(wire.CancelTurn(1))
        assert await told(stage, 3) == [
            wire.PedalMoved(1, 127, 0.0),
            wire.PedalMoved(1, 0, 1.0),
            wire.TurnCancelled(1, 1.0, 1),
        ]
        assert stage.silent


@pytest.mark.virtual_time
async def test_player_and_demo_are_told_as_played() -> None:
    async with VirtualStage() as stage:
        stage.play(0x90, 60, 90)
        stage.send(wire.PressKey((0x80, 60, 0), 2.0))
        assert await told(stage, 2) == [
            wire.Played((0x90, 60, 90), 0.0, "keyboard"),
            wire.Played((0x80, 60, 0), 2.0, "demo"),
        ]


@pytest.mark.virtual_time
async def test_nothing_sounds_after_the_stage_is_left() -> None:
    async with VirtualStage() as stage:
        stage.send(wire.PlayNote(1, 0, 60, 90, 1.0, 99.0))
        await asyncio.sleep(2.0)
        assert not stage.silent
    assert stage.silent
    assert (2.0, (0x81, 60, 64)) in stage.sent
