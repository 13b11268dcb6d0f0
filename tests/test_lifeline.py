"""The death of the server behind a library is noticed."""

from __future__ import annotations

import socket

from improv_daemon.stage.lifeline import Lifeline


def test_lifeline_is_cut_when_the_server_hangs_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        lifeline = Lifeline()
        with lifeline:
            library = socket.create_connection(server.getsockname())
        with library:
            accepted, _ = server.accept()
            assert not lifeline.cut
            library.shutdown(socket.SHUT_WR)
            accepted.close()
            library.recv(1)
            assert lifeline.cut


def test_sockets_opened_before_are_not_watched() -> None:
    library, server = socket.socketpair()
    lifeline = Lifeline()
    with lifeline:
        pass
    server.close()
    with library:
        assert not lifeline.cut
