"""Sittings as a whole, on stages in memory: every way in and out of them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import pytest
from playing import model_of, model_trained_on
from window_models import PITCH_ALONE

from improv_core.errors import PortError
from improv_core.improvising import Improvising
from improv_core.representation import Events
from improv_daemon import app
from improv_daemon.app import run_play, run_record
from improv_daemon.building import improviser_of
from improv_daemon.journal import read_journal
from improv_daemon.settings import Answer, Ports, Record, Settings, Sound
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage.virtual import VirtualStage
from improv_daemon.wire import MovePedal, PlayNote

NO_MP3 = Settings(record=Record(mp3=False))


class SlowStage(VirtualStage):
    """A stage that never comes up; Ctrl-C is pressed meanwhile."""

    left = False

    def __init__(self, config: StageConfig) -> None:
        super().__init__()

    async def __aenter__(self) -> SlowStage:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            SlowStage.left = True
        return self


class RefusingStage(SlowStage):
    """A stage that cannot open a port."""

    async def __aenter__(self) -> SlowStage:
        raise PortError("There is no such port.")


class PlayedStage(SlowStage):
    """A stage at which one key is pressed, and then Ctrl-C."""

    async def __aenter__(self) -> SlowStage:
        self.play(0x90, 60, 64)
        asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGINT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is planned: nothing to let go of."""


class HangingUpStage(SlowStage):
    """A stage whose terminal is closed, and a little later Ctrl-C is pressed."""

    async def __aenter__(self) -> SlowStage:
        os.kill(os.getpid(), signal.SIGHUP)
        asyncio.get_running_loop().call_later(0.05, self._press)
        return self

    def _press(self) -> None:
        HangingUpStage.left = True
        os.kill(os.getpid(), signal.SIGINT)


class SuspendedStage(SlowStage):
    """A stage where improv plays a long note with the pedal down when Ctrl-Z is pressed, and then Ctrl-C."""

    silent_while_suspended: ClassVar[list[bool]] = []
    current: SuspendedStage

    async def __aenter__(self) -> SlowStage:
        SuspendedStage.silent_while_suspended.clear()
        SuspendedStage.current = self
        now_s = asyncio.get_running_loop().time()
        self.send(MovePedal(1, 127, now_s))
        self.send(PlayNote(1, 0, 60, 64, now_s, now_s + 60.0))
        asyncio.get_running_loop().call_later(0.05, self._press)
        return self

    def _press(self) -> None:
        self.silent_while_suspended.append(self.silent)
        os.kill(os.getpid(), signal.SIGTSTP)

    @classmethod
    def suspend(cls) -> None:
        cls.silent_while_suspended.append(cls.current.silent)
        os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def nohup() -> Iterator[None]:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


def use(stage: type[SlowStage], patch: pytest.MonkeyPatch) -> None:
    stage.left = False
    patch.setattr(app, "StageLink", stage)


def test_ctrl_c_while_the_stage_is_coming_up_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    use(SlowStage, monkeypatch)
    assert run_play(Settings()) == 0
    assert SlowStage.left


def test_a_sitting_that_is_refused_leaves_no_journal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(RefusingStage, monkeypatch)
    with pytest.raises(PortError, match="There is no such port"):
        run_record(NO_MP3, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_sitting_is_kept_with_what_was_played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(PlayedStage, monkeypatch)
    assert run_record(NO_MP3, tmp_path) == 0
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".jsonl", ".mid"]
    (journal,) = tmp_path.glob("*.jsonl")
    assert [entry.message.data for entry in read_journal(journal).entries] == [(0x90, 60, 64)]


def test_what_improv_takes_from_the_player_is_said_at_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(PlayedStage, monkeypatch)
    assert run_play(Settings()) == 0
    assert "knows nothing of" not in capsys.readouterr().out
    monkeypatch.setattr(app, "load_model", lambda name: model_of(PITCH_ALONE, preset="pitch-onehot"))
    assert run_play(Settings()) == 0
    assert capsys.readouterr().out.splitlines()[2:4] == [
        "Model default, mode answer. Ctrl-C stops.",
        "The model 'default' (preset pitch-onehot) knows nothing of timing, note lengths, loudness and "
        "pedal: improv takes them from what was played last.",
    ]


def test_what_is_asked_of_the_music_is_said_at_the_start_and_whether_it_is_in_vain(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(PlayedStage, monkeypatch)
    settings = Settings(answer=Answer(style="pop", density_ratio=2.0))
    assert run_play(settings) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == "Model default, mode answer, style pop, density 2. Ctrl-C stops."
    assert not any("heed" in line for line in lines)
    monkeypatch.setattr(app, "load_model", lambda name: model_of(Events(), preset="performance-rnn"))
    assert run_play(settings) == 0
    assert capsys.readouterr().out.splitlines()[3] == (
        "The model 'default' (preset performance-rnn) has not learned to heed style and density: it plays as "
        "it would without."
    )


def test_a_style_that_the_model_was_not_trained_on_is_said_to_be_in_vain_and_left_free(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(PlayedStage, monkeypatch)
    followed: list[Settings] = []

    def make(settings: Settings, *rest: Any) -> Improvising:
        followed.append(settings)
        return improviser_of(settings, *rest)

    monkeypatch.setattr(app, "improviser_of", make)
    monkeypatch.setattr(app, "load_model", lambda name: model_trained_on("pop"))
    assert run_play(Settings(answer=Answer(style="roll era"))) == 0
    assert followed == [Settings()]
    assert capsys.readouterr().out.splitlines()[3] == (
        "The model 'default' (preset piano) has not learned to heed the style roll era: it plays as it would "
        "without."
    )


def test_a_sitting_is_kept_though_its_soundfont_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use(PlayedStage, monkeypatch)
    settings = replace(Settings(), sound=Sound(soundfont=str(tmp_path / "grand.sf2")))
    assert run_record(settings, tmp_path) == 0
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".jsonl", ".mid"]
    assert "grand.sf2: there is no such soundfont" in capsys.readouterr().out


@pytest.mark.usefixtures("nohup")
def test_started_with_nohup_it_outlives_its_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    use(HangingUpStage, monkeypatch)
    assert run_play(Settings()) == 0
    assert HangingUpStage.left


def test_a_closed_terminal_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    use(HangingUpStage, monkeypatch)
    assert run_play(Settings()) == 0
    assert not HangingUpStage.left


def test_ctrl_z_leaves_nothing_sounding_and_the_conversation_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    use(SuspendedStage, monkeypatch)
    monkeypatch.setattr(app, "_suspend_this_process", SuspendedStage.suspend)
    assert run_play(Settings()) == 0
    assert SuspendedStage.silent_while_suspended == [False, True]


def test_an_unknown_port_is_refused_by_a_real_stage_before_anything_is_kept(tmp_path: Path) -> None:
    settings = replace(NO_MP3, ports=Ports(api="jack", input="nothing of this name"))
    with pytest.raises(PortError):
        run_record(settings, tmp_path)
    assert list(tmp_path.iterdir()) == []
