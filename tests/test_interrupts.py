"""Ctrl-C while improv is still loading."""

from __future__ import annotations

import signal
import subprocess
import sys

from improv_daemon.interrupts import INTERRUPTED, leaving_at_once

_LOADING = """
import signal
from improv_daemon.interrupts import leaving_at_once
with leaving_at_once():
    signal.raise_signal(signal.SIGINT)
    print("still here")
"""


def test_ctrl_c_while_loading_ends_the_process_without_a_word() -> None:
    ran = subprocess.run([sys.executable, "-c", _LOADING], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (INTERRUPTED, "", "")


def test_afterwards_ctrl_c_is_what_it_was() -> None:
    before = signal.getsignal(signal.SIGINT)
    with leaving_at_once():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
