"""UDP ports of this computer."""

from __future__ import annotations

import socket

from improv_daemon.osc import HOST


def free_port() -> int:
    """One that nobody uses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
