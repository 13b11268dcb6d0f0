"""The stage process on real MIDI ports: heard, played, and silent whatever kills the mind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from conftest import Heard, JackPeer

from improv_daemon import wire
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage.port_list import list_ports
from improv_daemon.stage_link import StageLink, StageLost

pytestmark = pytest.mark.usefixtures("jack_server")

CONFIG = StageConfig(api="jack", sound="off")

# A mind that plays a chord and a pedal, says so, and then does nothing more.
MIND = f"""
import asyncio, time
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage_link import StageLink
from improv_daemon.wire import MovePedal, PlayNote, Sounded

async def main():
    async with StageLink(StageConfig.from_json({CONFIG.to_json()!r})) as stage:
        print("ready", flush=True)
        input()
        now_s = time.monotonic()
        stage.send(MovePedal(1, 127, now_s))
        for index, pitch in enumerate((60, 64, 67)):
            stage.send(PlayNote(1, index, pitch, 80, now_s, now_s + 60.0))
        stage.send(PlayNote(1, 3, 72, 80, now_s + 50.0, now_s + 60.0))
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def first(events: AsyncIterator[wire.Event], kind: type[wire.Event]) -> wire.Event:
    async with asyncio.timeout(10):
        return await anext(event async for event in events if isinstance(event, kind))


def of(heard: list[Heard], *statuses: int) -> list[tuple[int, ...]]:
    return [message.data for message in heard if message.data[0] in statuses]


@pytest.mark.asyncio
async def test_stage_opens_its_virtual_ports_and_says_so() -> None:
    async with StageLink(CONFIG) as stage:
        assert stage.ready == wire.Ready(("improv in",), ("improv out",), None, ())
        ports = list_ports("jack")
    assert ports.problem is None
    assert [name.partition(":")[2] for name in ports.inputs] == ["improv out"]
    assert [name.partition(":")[2] for name in ports.outputs] == ["improv in"]


@pytest.mark.asyncio
async def test_note_played_into_improv_in_is_heard(jack_peer: JackPeer) -> None:
    async with StageLink(CONFIG) as stage:
        jack_peer.connect("improv in")
        before_s = time.monotonic()
        jack_peer.send(0x90, 60, 90)
        jack_peer.send(0x80, 60, 0)
        events = stage.events()
        played = [await first(events, wire.Played) for _ in range(2)]
    assert [event.data for event in played] == [(0x90, 60, 90), (0x80, 60, 0)]
    assert {event.source for event in played} == {"improv in"}
    assert before_s <= played[0].at_s <= played[1].at_s <= before_s + 1.0


@pytest.mark.asyncio
async def test_clock_and_transport_are_heard_and_go_no_further(jack_peer: JackPeer) -> None:
    messages = [(0xF2, 16, 0), (0xFB,), *[(0xF8,)] * 24, (0xFC,), (0xFA,)]
    async with StageLink(CONFIG) as stage:
        jack_peer.listen("improv out")
        jack_peer.connect("improv in")
        for message in messages:
            jack_peer.send(*message)
        events = stage.events()
        assert [(await first(events, wire.Played)).data for _ in messages] == messages
        now_s = time.monotonic()
        stage.send(wire.PlayNote(1, 0, 60, 80, now_s, now_s + 60.0))
        assert jack_peer.hear().data == (0x91, 60, 80)
    assert stage.counts == wire.Counts(0, 0, 0)


@pytest.mark.asyncio
async def test_burst_of_input_arrives_whole(jack_peer: JackPeer) -> None:
    async with StageLink(CONFIG) as stage:
        jack_peer.connect("improv in")
        burst = [(status, 21 + n % 88, 64) for n in range(200) for status in (0x90, 0x80)]
        for message in burst:
            jack_peer.send(*message)
        events = stage.events()
        assert [(await first(events, wire.Played)).data for _ in burst] == burst
    assert stage.counts == wire.Counts(0, 0, 0)


@pytest.mark.asyncio
async def test_planned_notes_reach_a_listener_at_their_times(jack_peer: JackPeer) -> None:
    async with StageLink(CONFIG) as stage:
        jack_peer.listen("improv out")
        start_s = time.monotonic() + 0.05
        for index in range(20):
            onset_s = start_s + 0.02 * index
            stage.send(wire.PlayNote(1, index, 60 + index, 80, onset_s, onset_s + 0.05))
        heard = jack_peer.hear_until(lambda messages: len(messages) == 40)
        sounded = [await first(stage.events(), wire.Sounded) for _ in range(20)]
    ons = [message for message in heard if message.data[0] == 0x91]
    assert [message.data for message in ons] == [(0x91, 60 + index, 80) for index in range(20)]
    assert sorted(of(heard, 0x81)) == [(0x81, 60 + index, 64) for index in range(20)]
    assert [event.index for event in sounded] == list(range(20))
    assert all(m.at_s >= start_s + 0.02 * index for index, m in enumerate(ons))


@pytest.mark.asyncio
async def test_cancelled_turn_stops_at_once(jack_peer: JackPeer) -> None:
    async with StageLink(CONFIG) as stage:
        jack_peer.listen("improv out")
        now_s = time.monotonic()
        stage.send(wire.PlayNote(1, 0, 60, 80, now_s, now_s + 60.0))
        stage.send(wire.PlayNote(1, 1, 62, 80, now_s + 30.0, now_s + 60.0))
        assert jack_peer.hear().data == (0x91, 60, 80)
        stage.send(wire.CancelTurn(1))
        assert jack_peer.hear().data == (0x81, 60, 64)
        cancelled = await first(stage.events(), wire.TurnCancelled)
    assert (cancelled.turn, cancelled.unplayed) == (1, 1)


@pytest.mark.asyncio
async def test_improv_does_not_hear_itself_through_a_cable(jack_peer: JackPeer) -> None:
    async with StageLink(CONFIG) as stage:
        names = {
            name.partition(":")[2]: name for name in (*list_ports("jack").inputs, *list_ports("jack").outputs)
        }
        cable = ["jack_connect", names["improv out"], names["improv in"]]
        await asyncio.to_thread(subprocess.run, cable, check=True, timeout=5)
        jack_peer.listen("improv out")
        jack_peer.connect("improv in")
        now_s = time.monotonic()
        stage.send(wire.PlayNote(1, 0, 60, 80, now_s, now_s + 0.05))
        # What another listener has heard has come through the cable too.
        assert [jack_peer.hear().data for _ in range(2)] == [(0x91, 60, 80), (0x81, 60, 64)]
        jack_peer.send(0x90, 72, 50)
        assert (await first(stage.events(), wire.Played)).data == (0x90, 72, 50)
    assert stage.counts == wire.Counts(0, 2, 0)


@pytest.mark.asyncio
async def test_named_ports_are_connected_by_part_of_their_names(jack_peer: JackPeer) -> None:
    keyboard = StageConfig(api="jack", sound="off", name="Stage Piano")
    named = StageConfig(api="jack", sound="off", virtual=False, input="piano OUT", output="piano in")
    async with StageLink(keyboard) as piano, StageLink(named) as stage:
        assert stage.ready.inputs[0].endswith(":Stage Piano out")
        assert stage.ready.outputs[0].endswith(":Stage Piano in")
        now_s = time.monotonic()
        piano.send(wire.PlayNote(1, 0, 60, 80, now_s, now_s + 0.05))
        assert (await first(stage.events(), wire.Played)).data == (0x91, 60, 80)
        stage.send(wire.PlayNote(1, 0, 61, 80, now_s, now_s + 0.05))
        assert (await first(piano.events(), wire.Played)).data == (0x91, 61, 80)


@pytest.mark.asyncio
async def test_what_is_held_on_a_keyboard_that_vanishes_is_let_go() -> None:
    keyboard = StageConfig(api="jack", sound="off", name="Stage Piano")
    named = StageConfig(api="jack", sound="off", virtual=False, input="piano OUT")
    async with AsyncExitStack() as stack:
        piano = await stack.enter_async_context(StageLink(keyboard))
        stage = await stack.enter_async_context(StageLink(named))
        now_s = time.monotonic()
        piano.send(wire.PlayNote(1, 0, 60, 80, now_s, now_s + 60.0))
        assert (await first(stage.events(), wire.Played)).data == (0x91, 60, 80)
        os.kill(piano.pid, signal.SIGKILL)
        trouble = await first(stage.events(), wire.Trouble)
        assert (await first(stage.events(), wire.Played)).data == (0x81, 60, 64)
    assert trouble == wire.Trouble(
        f'"{stage.ready.inputs[0]}" has gone: what you held on it is let go; '
        "it is taken up again when it is back."
    )


@pytest.mark.asyncio
async def test_port_that_is_not_there_is_told_of_and_taken_up_when_it_appears() -> None:
    async with StageLink(StageConfig(api="jack", sound="off", virtual=False, input="organ OUT")) as stage:
        assert stage.ready == wire.Ready(
            (),
            (),
            None,
            ('There is no MIDI input called "organ OUT" (there are: none); it is taken up when it appears.',),
        )
        async with StageLink(StageConfig(api="jack", sound="off", name="Organ")) as organ:
            changed = await first(stage.events(), wire.PortsChanged)
            assert [name.partition(":")[2] for name in changed.inputs] == ["Organ out"]
            now_s = time.monotonic() + 0.1  # JACK does not say when a connection carries its first message
            organ.send(wire.PlayNote(1, 0, 60, 80, now_s, now_s + 0.05))
            assert (await first(stage.events(), wire.Played)).data == (0x91, 60, 80)


@pytest.mark.asyncio
async def test_end_of_the_link_leaves_nothing_sounding(jack_peer: JackPeer) -> None:
    async with StageLink(CONFIG) as stage:
        jack_peer.listen("improv out")
        now_s = time.monotonic()
        stage.send(wire.MovePedal(1, 127, now_s))
        stage.send(wire.PlayNote(1, 0, 60, 80, now_s, now_s + 60.0))
        jack_peer.hear_until(lambda heard: len(heard) == 2)
    heard = jack_peer.hear_until(lambda heard: len(heard) >= 2)
    assert [message.data for message in heard] == [(0x81, 60, 64), (0xB1, 64, 0)]


@pytest.mark.asyncio
async def test_stage_ignores_ctrl_c_and_obeys_sigterm(jack_peer: JackPeer) -> None:
    with pytest.raises(StageLost, match="has ended"):  # noqa: PT012 - the link is lost inside
        async with StageLink(CONFIG) as stage:
            jack_peer.listen("improv out")
            now_s = time.monotonic()
            stage.send(wire.PlayNote(1, 0, 60, 80, now_s, now_s + 60.0))
            assert jack_peer.hear().data == (0x91, 60, 80)
            events = stage.events()
            await first(events, wire.Sounded)
            os.kill(stage.pid, signal.SIGINT)
            os.kill(stage.pid, signal.SIGHUP)
            stage.send(wire.PressKey((0x90, 61, 80), now_s))
            await first(events, wire.Played)
            os.kill(stage.pid, signal.SIGTERM)
            await first(events, wire.Trouble)
    assert jack_peer.hear().data == (0x81, 60, 64)


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM])
def test_death_of_the_mind_releases_notes_and_pedal_within_200_ms(
    jack_peer: JackPeer, death: signal.Signals
) -> None:
    mind = subprocess.Popen(
        [sys.executable, "-c", MIND], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with mind:
        assert mind.stdout is not None
        assert mind.stdout.readline() == "ready\n"
        jack_peer.listen("improv out")
        print(file=mind.stdin, flush=True)
        sounding = jack_peer.hear_until(lambda heard: len(heard) == 4)
        mind.send_signal(death)
        killed_s = time.monotonic()
        released = jack_peer.hear_until(lambda heard: len(of(heard, 0x81)) == 3 and len(of(heard, 0xB1)) >= 1)
    assert [m.data for m in sounding] == [(0xB1, 64, 127), *((0x91, p, 80) for p in (60, 64, 67))]
    assert sorted(of(released, 0x81)) == [(0x81, 60, 64), (0x81, 64, 64), (0x81, 67, 64)]
    assert of(released, 0xB1)[0] == (0xB1, 64, 0)
    assert max(message.at_s for message in released) - killed_s < 0.2
