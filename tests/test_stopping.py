from __future__ import annotations

import contextlib
import signal
from pathlib import Path

import pytest
from tiny_corpora import require_training_extra

with contextlib.suppress(ImportError):
    from improv_training.engine.keeping import Keep
    from improv_training.engine.processes import Process
    from improv_training.engine.stopping import StopOnSignal


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def test_alone_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    said: list[str] = []
    with StopOnSignal(Keep(tmp_path, 300.0), Process(), said.append):
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert said == ["Stopping; Ctrl-C again stops at once and loses what came after the last checkpoint."]


def test_under_torchrun_which_passes_signals_on_a_second_one_changes_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    with StopOnSignal(Keep(tmp_path, 300.0), Process(rank=0, world=2, here=2), said.append):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    assert said == ["Stopping."]


def test_afterwards_signals_are_what_they_were(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with StopOnSignal(Keep(tmp_path, 300.0), Process(), lambda sentence: None):
        assert signal.getsignal(signal.SIGTERM) is not before[1]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
