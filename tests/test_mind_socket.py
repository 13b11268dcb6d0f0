"""The stage's end of the socket never waits for the mind."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from improv_daemon.stage.mind_socket import MindSocket
from improv_daemon.wire import Trouble, encode


@pytest.fixture
def ends() -> Iterator[tuple[MindSocket, socket.socket]]:
    mind, stage = socket.socketpair()
    made = MindSocket(stage)
    yield made, mind
    made.close(0)
    mind.close()


def test_nothing_said_is_nothing_read(ends: tuple[MindSocket, socket.socket]) -> None:
    stage, _ = ends
    assert stage.read() == []
    assert not stage.gone


def test_line_is_read_once_it_is_whole(ends: tuple[MindSocket, socket.socket]) -> None:
    stage, mind = ends
    mind.sendall(b"one\ntw")
    assert stage.read() == [b"one"]
    mind.sendall(b"o\nthree\n")
    assert stage.read() == [b"two", b"three"]


def test_end_of_file_means_that_the_mind_has_gone(ends: tuple[MindSocket, socket.socket]) -> None:
    stage, mind = ends
    mind.sendall(b"last words\n")
    mind.close()
    assert stage.read() == [b"last words"]
    assert not stage.gone
    assert stage.read() == []
    assert stage.gone


def test_event_goes_out_at_once(ends: tuple[MindSocket, socket.socket]) -> None:
    stage, mind = ends
    stage.say(Trouble("hello"))
    assert mind.recv(100) == encode(Trouble("hello"))
    assert not stage.has_unsent


def test_events_wait_for_a_mind_that_does_not_read_and_beyond_1_mib_are_counted(
    ends: tuple[MindSocket, socket.socket],
) -> None:
    stage, mind = ends
    line = encode(Trouble("x" * 1000))
    while not stage.events_unsent:
        stage.say(Trouble("x" * 1000))
    assert stage.has_unsent
    assert stage.events_unsent == 1
    received = b""
    while stage.has_unsent:
        received += mind.recv(1 << 16)
        stage.flush()
    stage.close(0)
    while chunk := mind.recv(1 << 16):
        received += chunk
    assert set(received.splitlines(keepends=True)) == {line}


def test_saying_something_to_a_mind_that_has_gone_is_no_error(
    ends: tuple[MindSocket, socket.socket],
) -> None:
    stage, mind = ends
    mind.close()
    stage.say(Trouble("hello"))
    assert not stage.has_unsent
    stage.read()
    stage.say(Trouble("hello"))
    assert stage.events_unsent == 1
