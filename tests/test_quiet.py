"""What C libraries write to standard error stays away from the terminal."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from improv_daemon.quiet import quiet_stderr


def test_c_libraries_are_quiet_for_a_while(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_stderr():
        os.write(2, b"ALSA lib: noise")
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_a_process_without_standard_error_needs_no_quiet() -> None:
    program = (
        "import os; os.close(2)\nfrom improv_daemon.quiet import quiet_stderr\nwith quiet_stderr(): print(1)"
    )
    ran = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "1\n")
