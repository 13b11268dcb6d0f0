"""OSC messages as wishes, and the port where they come in: nothing that comes disturbs anything."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playing import partner_of
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from udp_ports import free_port

from improv_daemon.controls import CUES
from improv_daemon.conversation import Conversation
from improv_daemon.osc import (
    HOST,
    LONGEST,
    NO_MESSAGE,
    PACE_S,
    SAID_AGAIN_S,
    TOO_MUCH,
    WAITING,
    OscInbox,
    osc_messages,
    read,
)
from improv_daemon.partner import ModeChanged, Notice, Said
from improv_daemon.stage.virtual import VirtualStage
from improv_daemon.wire import Change, Cue, Learn, Wish


def message(address: str, *arguments: Any) -> bytes:
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build().dgram


def bundle(*contents: bytes, at_s: float = IMMEDIATELY) -> bytes:
    head = OscBundleBuilder(at_s).build().dgram
    return head + b"".join(len(content).to_bytes(4, "big") + content for content in contents)


# --- what a message means ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "arguments", "wish"),
    [
        ("/improv/mode", ("duet",), Change("mode", "duet")),
        ("/improv/hand_over", (), Cue("hand_over")),
        ("/improv/hand_over", (1,), Cue("hand_over")),
        ("/improv/next_mode", (1.0,), Cue("next_mode")),
        ("/improv/tap", (True,), Cue("tap")),
        ("/improv/tap", ("now",), Cue("tap")),
        ("/improv/set", ("sampling.temperature", 1.25), Change("sampling.temperature", 1.25)),
        ("/improv/set", ("sampling.scale", "D minor"), Change("sampling.scale", "D minor")),
        ("/improv/set", ("sampling.temprature", "1"), Change("sampling.temprature", "1")),
        ("/improv/set", ("mode", "listen"), Change("mode", "listen")),
        ("/improv/sampling/temperature", (1.2,), Change("sampling.temperature", 1.2)),
        ("/improv/sampling/temperature", (2,), Change("sampling.temperature", 2)),
        ("/improv/sampling/temperature", ("0.9",), Change("sampling.temperature", "0.9")),
        ("/improv/answer/candidates", (3.0,), Change("answer.candidates", 3)),
        ("/improv/answer/candidates", (3.4,), Change("answer.candidates", 3)),
        ("/improv/memory/initiative", (1.0,), Change("memory.initiative", True)),
        ("/improv/memory/initiative", (0,), Change("memory.initiative", False)),
        ("/improv/memory/initiative", (False,), Change("memory.initiative", False)),
        ("/improv/controls/hand_over", ("",), Change("controls.hand_over", "")),
        *((f"/improv/{cue}", (1,), Cue(cue)) for cue in CUES),
        ("/improv/preset", ("late night",), Change("preset", "late night")),
        ("/improv/learn", ("sampling.temperature",), Learn("sampling.temperature")),
        ("/improv/learn", ("hand_over",), Learn("hand_over")),
        ("/improv/learn", ("",), Learn("")),
        ("/improv/learn", (), Learn("")),
    ],
)
def test_a_message_is_a_wish(address: str, arguments: tuple[Any, ...], wish: Wish) -> None:
    (meant,) = read(message(address, *arguments))
    assert meant == wish
    assert not isinstance(wish, Change) or type(meant.value) is type(wish.value)


@pytest.mark.parametrize("released", [0, 0.0, False])
def test_a_button_that_comes_up_is_no_wish(released: Any) -> None:
    assert read(message("/improv/tap", released)) == []


LEARN_WHAT = "/improv/learn needs a setting or a cue, as in /improv/learn sampling.temperature."
ADDRESSES = (
    "it takes settings such as /improv/mode or /improv/sampling/temperature, /improv/set, /improv/learn, and "
    "/improv/ with hand_over, next_mode, next_preset, tap, count_in, panic, mute, again, another, loop, "
    "undo, keep."
)


@pytest.mark.parametrize(
    ("address", "arguments", "sentence"),
    [
        ("/improv/foo", (), f"improv takes no OSC message /improv/foo; {ADDRESSES}"),
        ("/1/fader1", (0.5,), f"improv takes no OSC message /1/fader1; {ADDRESSES}"),
        ("/improv/*", (), f"improv takes no OSC message /improv/*; {ADDRESSES}"),
        ("/improv/sampling", (1,), f"improv takes no OSC message /improv/sampling; {ADDRESSES}"),
        ("/" + "x" * 99, (), f"improv takes no OSC message /{'x' * 59}...; {ADDRESSES}"),
        ("/\x1b[2J", (), f"improv takes no OSC message of that name; {ADDRESSES}"),
        ("/improv/mode", (), "/improv/mode needs one value."),
        ("/improv/sampling/min_p", (1, 2), "/improv/sampling/min_p needs one value."),
        (
            "/improv/set",
            ("sampling.min_p",),
            "/improv/set needs a setting and a value, as in /improv/set sampling.temperature 1.2.",
        ),
        (
            "/improv/set",
            (3, 4),
            "/improv/set needs a setting and a value, as in /improv/set sampling.temperature 1.2.",
        ),
        (
            "/improv/sampling/min_p",
            (float("nan"),),
            "What came with the OSC message /improv/sampling/min_p is neither a number nor a text.",
        ),
        (
            "/improv/sampling/polyphony",
            (float("inf"),),
            "What came with the OSC message /improv/sampling/polyphony is neither a number nor a text.",
        ),
        (
            "/improv/mode",
            (b"blob",),
            "What came with the OSC message /improv/mode is neither a number nor a text.",
        ),
        (
            "/improv/mode",
            ("\x1b[2J",),
            "What came with the OSC message /improv/mode is neither a number nor a text.",
        ),
        ("/improv/set", ("\x1b", 1), NO_MESSAGE.text),
        ("/improv/learn", (3,), LEARN_WHAT),
        ("/improv/learn", ("mode", "seed"), LEARN_WHAT),
        ("/improv/learn", ("\x1b",), LEARN_WHAT),
    ],
)
def test_what_cannot_be_is_a_sentence(address: str, arguments: tuple[Any, ...], sentence: str) -> None:
    assert read(message(address, *arguments)) == [Said(sentence)]


def test_a_bundle_is_its_messages_at_once_whatever_its_time() -> None:
    inner = bundle(message("/improv/mode", "listen"), message("/nothing"))
    asked = read(bundle(message("/improv/tap"), inner, at_s=2e9))
    assert asked[:2] == [Cue("tap"), Change("mode", "listen")]
    assert isinstance(asked[2], Said)


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\0",
        b"/",
        b"/improv/mode",
        b"/improv/mode\0\0\0\0,s\0\0",
        b"/improv/tap\0,[[[[[[\0",
        b"/\xff\xfe\0,\0\0\0",
        b"#bundle\0",
        b"#bundle\0" + bytes(8) + b"\xff\xff\xff\xfc" + bytes(8),
        b"#bundle\0" + bytes(8) + bytes(4) + bytes(4),
        b"#bundle\0" + bytes(8) + b"\0\0\0\x63/improv/tap\0",
        b"\x90\x3c\x40",
        b"GET / HTTP/1.1\r\n\r\n",
        message("/improv/mode", "x" * LONGEST),
    ],
)
def test_garbage_is_at_most_a_sentence(garbage: bytes) -> None:
    assert read(garbage) in ([NO_MESSAGE], [], [Said("/improv/mode needs one value.")])


def test_bundles_in_bundles_to_the_end_of_the_datagram_are_read() -> None:
    datagram = message("/improv/tap")
    while len(datagram) <= LONGEST - 20:
        datagram = bundle(datagram)
    assert read(datagram) == [Cue("tap")]


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda rest: b"#bundle\0" + bytes(8) + rest))
def test_whatever_bytes_come_are_wishes_or_sentences(datagram: bytes) -> None:
    assert all(isinstance(meant, Wish | Said) for meant in read(datagram))


@given(st.text(alphabet="improv/set*?{}\0 é", max_size=40), st.binary(max_size=60))
def test_whatever_follows_an_address_is_wishes_or_sentences(address: str, rest: bytes) -> None:
    assert all(isinstance(meant, Wish | Said) for meant in read(f"/{address}\0,".encode() + rest))


# --- what waits -------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def carrying(inbox: OscInbox, wishes: list[tuple[float, Wish]]) -> Any:
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(inbox.carry_out(lambda wish: wishes.append((loop.time(), wish))))
    yield
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.virtual_time
async def test_a_wish_is_carried_out_at_once_and_the_next_in_order_a_moment_later() -> None:
    wishes: list[tuple[float, Wish]] = []
    inbox = OscInbox(pytest.fail)
    async with carrying(inbox, wishes):
        inbox.datagram_received(message("/improv/tap"), None)
        inbox.datagram_received(bundle(message("/improv/mode", "listen"), message("/improv/tap")), None)
        await asyncio.sleep(1.0)
        inbox.datagram_received(message("/improv/hand_over"), None)
        await asyncio.sleep(1.0)
    assert wishes == [
        (0.0, Cue("tap")),
        (pytest.approx(PACE_S), Change("mode", "listen")),
        (pytest.approx(2 * PACE_S), Cue("tap")),
        (1.0, Cue("hand_over")),
    ]


@pytest.mark.virtual_time
async def test_of_a_fader_that_moves_faster_than_it_can_be_followed_the_last_value_counts() -> None:
    wishes: list[tuple[float, Wish]] = []
    inbox = OscInbox(pytest.fail)
    for hundredth in range(1000):
        inbox.datagram_received(message("/improv/sampling/temperature", hundredth / 100), None)
    async with carrying(inbox, wishes):
        await asyncio.sleep(10.0)
    assert wishes == [(0.0, Change("sampling.temperature", 9.99))]
    assert inbox.dropped == 0


@pytest.mark.virtual_time
async def test_of_a_flood_no_more_waits_than_is_soon_carried_out_and_the_rest_is_counted() -> None:
    said: list[Said] = []
    wishes: list[tuple[float, Wish]] = []
    inbox = OscInbox(said.append)
    for _ in range(10_000):
        inbox.datagram_received(message("/improv/tap"), None)
    async with carrying(inbox, wishes):
        await asyncio.sleep(10.0)
        inbox.datagram_received(message("/improv/hand_over"), None)
        await asyncio.sleep(0.0)
    assert [wish for _, wish in wishes] == [*[Cue("tap")] * WAITING, Cue("hand_over")]
    assert wishes[WAITING - 1][0] == pytest.approx((WAITING - 1) * PACE_S)
    assert inbox.dropped == 10_000 - WAITING
    assert said == [TOO_MUCH]


@pytest.mark.virtual_time
async def test_what_cannot_be_is_said_once_and_after_a_while_again() -> None:
    said: list[Said] = []
    inbox = OscInbox(said.append)
    nothing, unknown = b"nothing", message("/improv/nothing")
    for datagram in (nothing, nothing, unknown, unknown, nothing):
        inbox.datagram_received(datagram, None)
    assert [one == NO_MESSAGE for one in said] == [True, False, True]
    await asyncio.sleep(SAID_AGAIN_S)
    inbox.datagram_received(nothing, None)
    assert len(said) == 4


# --- the port ---------------------------------------------------------------------------------------


class Peer:
    """Another program; what it asks for is waited for."""

    def __init__(self, port: int) -> None:
        self._address = (HOST, port)
        self.wishes: asyncio.Queue[Wish] = asyncio.Queue()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def send(self, datagram: bytes) -> None:
        self._socket.sendto(datagram, self._address)

    async def wish(self) -> Wish:
        async with asyncio.timeout(10):
            return await self.wishes.get()

    def close(self) -> None:
        self._socket.close()


@pytest.mark.asyncio
async def test_what_comes_in_at_the_port_is_wished_though_garbage_comes_too() -> None:
    port, said = free_port(), list[Said]()
    peer = Peer(port)
    async with osc_messages(port, peer.wishes.put_nowait, said.append) as inbox:
        assert inbox is not None
        peer.send(b"#bundle\0" + bytes(8) + b"\xff\xff\xff\xfc" + bytes(8))
        peer.send(b"\xff" * 2000)
        peer.send(message("/improv/mode", "duet"))
        assert await peer.wish() == Change("mode", "duet")
        peer.send(b"/improv/tap\0,xyz\0\0\0\0")
        assert await peer.wish() == Cue("tap")
    assert said == [NO_MESSAGE]
    peer.close()


@pytest.mark.asyncio
async def test_only_this_computer_is_listened_to_and_the_port_is_free_afterwards() -> None:
    port = free_port()
    for _ in range(2):
        async with osc_messages(port, print, pytest.fail) as inbox:
            assert inbox is not None
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
                elsewhere.bind(("127.0.0.2", port))  # taken, were it every address of this computer


@pytest.mark.asyncio
async def test_a_port_in_use_is_one_sentence_and_all_goes_on_without() -> None:
    port, said = free_port(), list[Said]()
    async with (
        osc_messages(port, print, pytest.fail),
        osc_messages(port, print, said.append) as inbox,
    ):
        assert inbox is None
    assert said == [
        Said(
            f"improv takes no OSC messages: UDP port {port} cannot be opened (address already in use); "
            "choose another one with controls.osc_port."
        )
    ]


@pytest.mark.virtual_time
async def test_port_0_is_none() -> None:
    async with osc_messages(0, print, pytest.fail) as inbox:
        assert inbox is None


@pytest.mark.asyncio
async def test_an_error_of_the_conversation_ends_it_as_elsewhere() -> None:
    port = free_port()
    peer = Peer(port)

    def broken(wish: Wish) -> None:
        raise ZeroDivisionError

    async def sitting() -> None:
        async with osc_messages(port, broken, pytest.fail), asyncio.timeout(10):
            peer.send(message("/improv/tap"))
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as caught:
        await sitting()
    peer.close()
    assert caught.group_contains(ZeroDivisionError)


@pytest.mark.asyncio
async def test_remarks_of_the_library_are_not_written_across_the_conversation(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    peer = Peer(port)
    handlers = [*logging.getLogger().handlers]
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    async with osc_messages(port, peer.wishes.put_nowait, pytest.fail):
        peer.send(b"/improv/tap\0,xyz\0\0\0\0")
        assert await peer.wish() == Cue("tap")
    assert logging.getLogger().handlers == []
    monkeypatch.undo()
    assert logging.getLogger().handlers == handlers
    assert capfd.readouterr().err == ""
    peer.close()


# --- to the partner ---------------------------------------------------------------------------------


@pytest.mark.virtual_time
async def test_wishes_reach_the_partner_and_what_it_refuses_is_said() -> None:
    notices: list[Notice] = []
    partner = partner_of(notices=notices)
    async with VirtualStage() as stage:
        conversation = Conversation(stage, partner)
        inbox = OscInbox(notices.append)
        task = asyncio.create_task(inbox.carry_out(conversation.wish))
        for datagram in (
            message("/improv/mode", "listen"),
            message("/improv/set", "sampling.temperature", 1.2),
            message("/improv/sampling/temprature", 3.0),
            message("/improv/set", "sampling.temprature", 3.0),
            message("/improv/sampling/top_p", 7.0),
            message("/improv/ports/channel", 3),
        ):
            inbox.datagram_received(datagram, None)
        await asyncio.sleep(1.0)
        task.cancel()
    assert (partner.mode, partner.settings.sampling.temperature) == ("listen", 1.2)
    assert notices == [
        Said(f"improv takes no OSC message /improv/sampling/temprature; {ADDRESSES}"),
        ModeChanged("listen"),
        Said(
            "While playing: there is no setting sampling.temprature (set to 3.0); did you mean "
            "'sampling.temperature'?"
        ),
        Said("While playing: sampling.top_p = 7.0 is not allowed: it must be a number from 0.05 to 1."),
        Said(
            "ports.channel cannot change while improv plays: ports are opened at the start; set it and start "
            "improv again."
        ),
    ]
