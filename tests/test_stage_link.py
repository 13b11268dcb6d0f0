"""The mind and the stage process: starting, talking, parting, and losing each other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from improv_core.errors import SoundError
from improv_daemon import stage_link, wire
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage_link import StageLink, StageLost

CONFIG = StageConfig(api="none", sound="off")
MAY_NOT_IMPORT = ("asyncio", "fluidsynth", "numpy", "onnxruntime", "rtmidi", "typer", "rich", "torch", "mido")


@pytest.mark.asyncio
async def test_stage_runs_without_ports_and_without_sound() -> None:
    async with StageLink(CONFIG) as stage:
        assert stage.ready == wire.Ready((), (), None, ())
    assert stage.counts == wire.Counts(0, 0, 0)


@pytest.mark.asyncio
async def test_stage_starts_in_a_folder_that_holds_files_named_like_pythons_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(9)\n")
    monkeypatch.chdir(tmp_path)
    async with StageLink(CONFIG) as stage:
        assert stage.ready == wire.Ready((), (), None, ())


@pytest.mark.asyncio
async def test_planned_note_is_acknowledged() -> None:
    async with StageLink(CONFIG) as stage:
        now_s = time.monotonic()
        stage.send(wire.PlayNote(1, 0, 60, 90, now_s, now_s + 0.01))
        events = stage.events()
        sounded, released = await anext(events), await anext(events)
    assert isinstance(sounded, wire.Sounded)
    assert isinstance(released, wire.Released)
    assert sounded.at_s == now_s + sounded.late_s
    assert released.at_s >= now_s + 0.01


@pytest.mark.asyncio
async def test_many_commands_arrive_in_order() -> None:
    async with StageLink(CONFIG) as stage:
        for number in range(5000):
            stage.send(wire.CancelTurn(number))
        events = stage.events()
        assert [(await anext(events)).turn for _ in range(5000)] == list(range(5000))


@pytest.mark.asyncio
async def test_events_before_the_end_are_given_and_the_loss_is_a_plain_sentence() -> None:
    async with StageLink(CONFIG) as stage:
        stage.send(wire.CancelTurn(1))
        events = stage.events()
        assert (await anext(events)).turn == 1
        os.kill(stage.pid, signal.SIGKILL)
        with pytest.raises(StageLost, match="The stage process, which holds the MIDI ports, has ended"):
            await anext(events)
        with pytest.raises(StageLost):
            stage.send(wire.Panic())


@pytest.mark.asyncio
async def test_stage_that_hangs_is_ended_all_the_same() -> None:
    async with StageLink(CONFIG) as stage:
        os.kill(stage.pid, signal.SIGSTOP)
        before_s = time.monotonic()
    assert time.monotonic() - before_s < 2.0
    assert stage.counts is None


@pytest.mark.asyncio
async def test_stage_that_does_not_read_is_an_error_and_not_a_growing_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stage_link, "_LARGEST_UNSENT", 10_000)
    async with StageLink(CONFIG) as stage:
        os.kill(stage.pid, signal.SIGSTOP)
        with pytest.raises(StageLost, match="does not listen any more"):  # noqa: PT012 - sooner or later
            for number in range(100_000):
                stage.send(wire.CancelTurn(number))


@pytest.mark.asyncio
async def test_stage_that_does_not_come_up_is_a_plain_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_link, "_READY_WITHIN_S", 0.0)
    with pytest.raises(StageLost, match="was not ready within"):
        async with StageLink(CONFIG):
            pass


@pytest.mark.asyncio
async def test_required_sound_that_cannot_be_had_is_refused(tmp_path: Path) -> None:
    missing = tmp_path / "grand.sf2"
    with pytest.raises(SoundError, match=r"grand\.sf2: there is no such soundfont"):
        async with StageLink(StageConfig(api="none", sound="on", soundfont=str(missing))):
            pass


@pytest.mark.asyncio
async def test_wished_for_sound_that_cannot_be_had_is_a_problem(tmp_path: Path) -> None:
    missing = tmp_path / "grand.sf2"
    async with StageLink(StageConfig(api="none", soundfont=str(missing))) as stage:
        assert stage.ready.sound is None
        assert [problem.partition(":")[0] for problem in stage.ready.problems] == [str(missing)]


def test_stage_imports_nothing_heavy() -> None:
    program = "import sys, improv_daemon.stage.__main__; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()).isdisjoint(MAY_NOT_IMPORT)
