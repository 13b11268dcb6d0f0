"""Sittings as a whole, on stages in memory: every way in and out of them."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import pytest
from playing import model_of, model_trained_on
from pythonosc.osc_message_builder import OscMessageBuilder
from window_models import PITCH_ALONE

from improv_core.errors import ConfigError, MidiFileError, PortError, StorageError
from improv_core.midi_files import Track, write_midi
from improv_core.notes import Note, Performance
from improv_core.representation import Events
from improv_daemon import app, shown, signalling, sitting
from improv_daemon.building import sitting_partner
from improv_daemon.journal import read_journal
from improv_daemon.partner import Partner
from improv_daemon.sessions import SessionFolder, new_session_folder
from improv_daemon.settings import Answer, Controls, Ports, Record, Sampling, Settings, Solo, Sound, Time
from improv_daemon.showing import Showing
from improv_daemon.stage.config import StageConfig
from improv_daemon.stage.virtual import VirtualStage
from improv_daemon.view import View
from improv_daemon.wire import Command, KeepTime, MovePedal, Played, PlayNote

SILENT = Settings(record=Record(audio="off"))
PLAIN = Showing(plain=True)


def run_play(settings: Settings, showing: Showing = PLAIN) -> int:
    return app.run_play(settings, showing)


def run_record(settings: Settings, folder: Path, showing: Showing = PLAIN) -> int:
    return app.run_record(settings, folder, showing)


def run_demo(settings: Settings, folder: Path, showing: Showing = PLAIN) -> int:
    return app.run_demo(settings, folder, showing)


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


class AskedStage(SlowStage):
    """A stage during which things are asked for by OSC, over and over until improv has said something."""

    port: ClassVar[int]
    datagrams: ClassVar[list[bytes]]
    out: ClassVar[io.StringIO]
    last: ClassVar[str]

    async def __aenter__(self) -> SlowStage:
        self._tries = 0
        asyncio.get_running_loop().call_soon(self._ask)
        return self

    def _ask(self) -> None:
        self._tries += 1
        if self.last in self.out.getvalue() or self._tries > 500:
            os.kill(os.getpid(), signal.SIGINT)
            return
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            for datagram in self.datagrams:
                other.sendto(datagram, ("127.0.0.1", self.port))
        asyncio.get_running_loop().call_later(0.02, self._ask)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is planned: nothing to let go of."""


class KnobStage(AskedStage):
    """The same, and meanwhile a knob is turned."""

    def _ask(self) -> None:
        self.play(0xB0, 20, 5 * self._tries % 128)
        super()._ask()


class KeptStage(AskedStage):
    """The same, once a key is pressed."""

    def _ask(self) -> None:
        if self._tries == 0:
            self.play(0x90, 60, 64)
            self.play(0x80, 60, 0)
        super()._ask()


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


class TickingStage(SuspendedStage):
    """The same with a metronome."""

    kept: ClassVar[list[KeepTime]] = []

    async def __aenter__(self) -> SlowStage:
        TickingStage.kept.clear()
        return await super().__aenter__()

    def send(self, command: Command) -> None:
        if isinstance(command, KeepTime):
            self.kept.append(command)
        super().send(command)


@pytest.fixture(autouse=True)
def _own_runtime_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))


@pytest.fixture
def nohup() -> Iterator[None]:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


def use(stage: type[SlowStage], patch: pytest.MonkeyPatch) -> None:
    stage.left = False
    patch.setattr(sitting, "StageLink", stage)


def test_ctrl_c_while_the_stage_is_coming_up_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    use(SlowStage, monkeypatch)
    assert run_play(Settings()) == 0
    assert SlowStage.left


def test_a_sitting_that_is_refused_leaves_no_journal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(RefusingStage, monkeypatch)
    with pytest.raises(PortError, match="There is no such port"):
        run_record(SILENT, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_sitting_is_kept_with_what_was_played(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use(PlayedStage, monkeypatch)
    assert run_record(SILENT, tmp_path) == 0
    (folder,) = tmp_path.iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["journal.jsonl", "session.mid", "summary.json"]
    kept = [entry.message for entry in read_journal(folder / "journal.jsonl").entries]
    assert [one.data for one in kept if isinstance(one, Played)] == [(0x90, 60, 64)]
    assert capsys.readouterr().out.splitlines()[-1] == f"Kept {folder}: session.mid."


def test_a_sitting_whose_midi_file_cannot_be_written_is_safe_and_it_says_how_to_make_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(PlayedStage, monkeypatch)

    def obstructed(root: Path, started_at: datetime) -> SessionFolder:
        folder = new_session_folder(root, started_at)
        (folder.path / ".session.mid.part").mkdir()
        return folder

    monkeypatch.setattr(app, "new_session_folder", obstructed)
    with pytest.raises(StorageError) as refused:
        run_record(SILENT, tmp_path)
    (folder,) = tmp_path.iterdir()
    assert str(refused.value) == (
        f"{folder / 'session.mid'} cannot be written (Is a directory). What was kept of the sitting is in "
        f'{folder / "journal.jsonl"}; when that can be mended, "improv sessions recover {folder}" makes the '
        "rest."
    )


def test_what_improv_takes_from_the_player_is_said_at_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(PlayedStage, monkeypatch)
    assert run_play(Settings()) == 0
    assert "knows nothing of" not in capsys.readouterr().out
    monkeypatch.setattr(sitting, "load_model", lambda name: model_of(PITCH_ALONE, preset="pitch-onehot"))
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
    monkeypatch.setattr(sitting, "load_model", lambda name: model_of(Events(), preset="performance-rnn"))
    assert run_play(settings) == 0
    assert capsys.readouterr().out.splitlines()[3] == (
        "The model 'default' (preset performance-rnn) has not learned to heed style and density: it plays as "
        "it would without."
    )


def test_a_style_that_the_model_was_not_trained_on_is_said_to_be_in_vain(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(PlayedStage, monkeypatch)
    monkeypatch.setattr(sitting, "load_model", lambda name: model_trained_on("pop"))
    assert run_play(Settings(answer=Answer(style="roll era"))) == 0
    assert capsys.readouterr().out.splitlines()[3] == (
        "The model 'default' (preset piano) has not learned to heed the style roll era: it plays as it would "
        "without."
    )


def osc(address: str, *arguments: str | float) -> bytes:
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build().dgram


def asked_for(
    patch: pytest.MonkeyPatch,
    *datagrams: bytes,
    last: str,
    taken: bool = False,
    stage: type[AskedStage] = AskedStage,
    **settings: Any,
) -> list[str]:
    """What improv says in a sitting in which these are asked for at its OSC port."""
    use(stage, patch)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.bind(("127.0.0.1", 0))
        AskedStage.port = port.getsockname()[1]
        if not taken:
            port.close()
        AskedStage.datagrams, AskedStage.out, AskedStage.last = [*datagrams], io.StringIO(), last
        patch.setattr(shown, "View", lambda: View(AskedStage.out))
        controls = Controls(osc_port=AskedStage.port)
        assert run_play(Settings(controls=controls, sound=Sound(enabled="off"), **settings)) == 0
    return AskedStage.out.getvalue().replace(str(AskedStage.port), "PORT").splitlines()


def test_modes_and_settings_are_changed_by_osc_and_refusals_are_said_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = asked_for(
        monkeypatch,
        b"nothing of the kind",
        osc("/improv/sampling/temperature", 9.0),
        osc("/improv/set", "mode", "listen"),
        last="Mode listen",
    )
    assert lines[2:] == [
        "Model default, mode answer. Ctrl-C stops.",
        "OSC messages are taken at UDP port PORT.",
        "Note: Something came in at the OSC port that is no OSC message; improv left it out.",
        "Note: While playing: sampling.temperature = 9.0 is not allowed: it must be a number from 0.05 to 3.",
        "Mode listen: improv only listens.",
    ]


def test_a_style_that_is_asked_for_while_playing_and_means_nothing_is_said_to_be_in_vain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sitting, "load_model", lambda name: model_trained_on("pop"))
    lines = asked_for(monkeypatch, osc("/improv/answer/style", "roll era"), last="heed")
    assert lines[4:] == [
        "Note: The model 'default' (preset piano) has not learned to heed the style roll era: it plays as it "
        "would without.",
    ]


def test_of_a_style_that_is_refused_nothing_else_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitting, "load_model", lambda name: model_trained_on("pop"))
    answer = Answer(style="roll era")
    lines = asked_for(monkeypatch, osc("/improv/answer/style", "polka"), last="polka", answer=answer)
    assert lines[5:] == [
        'Note: While playing: answer.style = polka is not allowed: it must be "free", "classical", "roll '
        'era", "pop" or "jazz line".',
    ]


def test_a_controller_that_is_learned_is_kept_and_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    lines = asked_for(monkeypatch, osc("/improv/learn", "memory.follow"), last="from now on", stage=KnobStage)
    (file,) = tmp_path.rglob("config.toml")
    kept = f"Controller 20 on channel 1 is for memory.follow from now on, and is kept in {file}."
    assert kept in lines
    assert 'knobs = "cc 20 ch 1 memory.follow"' in file.read_text(encoding="utf-8")


def test_what_was_played_is_kept_after_the_fact_with_all_its_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record = Record(folder=str(tmp_path / "kept"), audio="off", last_minutes=1)
    lines = asked_for(
        monkeypatch, osc("/improv/keep", 1.0), last="Kept the last", stage=KeptStage, record=record
    )
    folders = sorted((tmp_path / "kept").iterdir())
    for folder in folders:
        assert f"Kept the last second in {folder}." in lines
        assert f"Kept {folder}: session.mid." in lines
        assert sorted(path.name for path in folder.iterdir()) == [
            *("journal.jsonl", "session.mid", "summary.json")
        ]
    kept = [entry.message for entry in read_journal(folders[0] / "journal.jsonl").entries]
    assert [one.data for one in kept if isinstance(one, Played)] == [(0x90, 60, 64), (0x80, 60, 0)]


@pytest.mark.parametrize(
    ("minutes", "sentence"),
    [
        (10, "Nothing was played yet: there is nothing to keep."),
        (0, "improv remembers nothing that it could keep: record.last_minutes is 0."),
    ],
)
def test_where_there_is_nothing_to_keep_it_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, minutes: int, sentence: str
) -> None:
    record = Record(folder=str(tmp_path / "kept"), audio="off", last_minutes=minutes)
    lines = asked_for(monkeypatch, osc("/improv/keep", 1.0), last=sentence, record=record)
    assert sentence in lines
    assert not (tmp_path / "kept").exists()


def test_what_cannot_be_kept_is_said_in_a_sentence_and_improv_plays_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    record = Record(folder=str(tmp_path / "file"), audio="off")
    lines = asked_for(
        monkeypatch, osc("/improv/keep", 1.0), last="is not a folder", stage=KeptStage, record=record
    )
    assert f"Note: {tmp_path / 'file'} is not a folder; name a folder to keep sessions in." in lines


def test_where_all_is_kept_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def recording(settings: Settings) -> int:
        return run_record(settings, tmp_path / "kept")

    monkeypatch.setitem(globals(), "run_play", recording)
    lines = asked_for(monkeypatch, osc("/improv/keep", 1.0), last="All of this", record=Record(audio="off"))
    (folder,) = (tmp_path / "kept").iterdir()
    assert f"All of this sitting is being kept in {folder}." in lines


def test_quiet_it_says_nothing_where_nothing_goes_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use(PlayedStage, monkeypatch)
    silent = Settings(sound=Sound(enabled="off"))
    log = tmp_path / "log.txt"
    assert run_play(silent, Showing(quiet=True, log=log)) == 0
    assert capsys.readouterr().out == ""
    assert "Model default, mode answer. Ctrl-C stops." in log.read_text(encoding="utf-8")


def test_an_osc_port_in_use_is_said_and_improv_plays_without(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = asked_for(monkeypatch, last="Note: improv takes no OSC messages", taken=True)
    assert lines[3:] == [
        "Note: improv takes no OSC messages: UDP port PORT cannot be opened (address already in use); choose "
        "another one with controls.osc_port."
    ]


def test_a_mode_that_the_model_cannot_play_is_refused_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(SlowStage, monkeypatch)
    monkeypatch.setattr(sitting, "load_model", lambda name: model_of(PITCH_ALONE, preset="pitch-onehot"))
    with pytest.raises(ConfigError, match=r"^Mode duet needs a model that hears you while it plays"):
        run_record(replace(SILENT, mode="duet"), tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not SlowStage.left


def test_the_opening_names_the_mode_and_what_it_is_about(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(PlayedStage, monkeypatch)
    assert run_play(Settings(mode="duet", sampling=Sampling(scale="D minor", temperature=1.2))) == 0
    opening = "Model default, mode duet, role support, scale D minor, temperature 1.2. Ctrl-C stops."
    assert capsys.readouterr().out.splitlines()[2] == opening


def test_solo_begins_from_the_file_that_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use(PlayedStage, monkeypatch)
    write_midi(tmp_path / "prelude.mid", [Track("piano", Performance.of([Note(96, 64, 0.0, 0.5)]))])
    partners: list[Partner] = []

    def make(*given: Any) -> Partner:
        partners.append(sitting_partner(*given))
        return partners[0]

    monkeypatch.setattr(sitting, "sitting_partner", make)
    solo = Solo(prime=str(tmp_path / "prelude.mid"))
    for mode, first in (("solo", 96), ("listen", 60)):
        partners.clear()
        assert run_play(Settings(mode=mode, solo=solo, sound=Sound(enabled="off"))) == 0
        assert partners[0].improviser.heard[0].pitch == first
    assert "mode solo, from prelude.mid. Ctrl-C" in capsys.readouterr().out


def test_a_file_to_begin_from_that_cannot_be_used_is_refused_and_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(PlayedStage, monkeypatch)
    (tmp_path / "prelude.mid").write_bytes(b"no MIDI file")
    kept = tmp_path / "kept"
    with pytest.raises(MidiFileError, match=r"prelude\.mid"):
        run_record(replace(SILENT, mode="solo", solo=Solo(prime=str(tmp_path / "prelude.mid"))), kept)
    assert [*kept.iterdir()] == []


def test_the_demo_is_in_mode_answer_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use(PlayedStage, monkeypatch)
    assert run_demo(replace(SILENT, mode="duet"), tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (lines[0], lines[3]) == (
        "The demo is in mode answer; improv play has the others.",
        "Model default, mode answer. Ctrl-C stops.",
    )


def test_a_sitting_is_kept_though_its_soundfont_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use(PlayedStage, monkeypatch)
    settings = replace(Settings(), sound=Sound(soundfont=str(tmp_path / "grand.sf2")))
    assert run_record(settings, tmp_path) == 0
    (folder,) = tmp_path.iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["journal.jsonl", "session.mid", "summary.json"]
    assert "Note: No sound was made: " in (said := capsys.readouterr().out)
    assert "grand.sf2: there is no such soundfont" in said


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
    monkeypatch.setattr(signalling, "suspend_this_process", SuspendedStage.suspend)
    assert run_play(Settings()) == 0
    assert SuspendedStage.silent_while_suspended == [False, True]


def test_ctrl_z_stops_the_metronome_and_it_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    use(TickingStage, monkeypatch)
    monkeypatch.setattr(signalling, "suspend_this_process", TickingStage.suspend)
    assert run_play(replace(Settings(), time=Time(metronome=True, tempo_bpm=100.0))) == 0
    before, stopped, after = TickingStage.kept
    assert before.click_until_s > before.click_from_s
    assert (stopped.beat_s, stopped.click_until_s) == (0.0, 0.0)
    assert after == before


def test_a_named_port_without_a_server_is_refused_by_a_real_stage_before_anything_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "improv-nobody")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    settings = replace(SILENT, ports=Ports(api="jack", input="keystation"))
    with pytest.raises(PortError, match="JACK"):
        run_record(settings, tmp_path)
    assert list(tmp_path.iterdir()) == []
