"""What the stage asks of the operating system, and that it does without."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from improv_daemon.stage.realtime import claim_priority


def test_refused_priority_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("not allowed")

    monkeypatch.setattr(os, "sched_setscheduler", refuse, raising=False)
    assert not claim_priority()


def test_system_without_real_time_scheduling_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_setscheduler", raising=False)
    assert not claim_priority()


def test_who_wants_no_real_time_priority_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(os, "sched_setscheduler", lambda *request: asked.append(request), raising=False)
    monkeypatch.setenv("IMPROV_NO_REALTIME", "1")
    assert not claim_priority()
    assert asked == []


def run_python(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)


def test_c_libraries_are_silenced_for_good_and_python_is_not() -> None:
    program = """
import os, sys
from improv_daemon.stage.realtime import keep_stderr_quiet
keep_stderr_quiet()
os.write(2, b"ALSA lib: noise")
print("improv's own", file=sys.stderr)
"""
    assert run_python(program).stderr == "improv's own\n"


def test_nothing_is_collected_any_more() -> None:
    program = """
import gc
from improv_daemon.stage.realtime import stop_collecting
stop_collecting()
print(gc.isenabled(), gc.get_freeze_count() > 0)
"""
    assert run_python(program).stdout == "False True\n"
