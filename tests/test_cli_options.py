from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer
from typer.testing import CliRunner

from improv_core.errors import ConfigError, MidiFileError, SoundError, StorageError
from improv_core.representation import STYLES
from improv_daemon import cli_options as options
from improv_daemon.modes import IN_WORDS
from improv_daemon.settings import MODES
from improv_daemon.showing import Showing

if TYPE_CHECKING:
    from improv_daemon.settings import Settings


class Stage:
    """A command that keeps what it was called with."""

    def __init__(self, status: int = 0) -> None:
        self.settings: Settings | None = None
        self.showing: Showing | None = None
        self.place: str | None = None
        self.app = typer.Typer(pretty_exceptions_enable=False)

        def act(settings: Settings, showing: Showing, place: str = "home") -> int:
            """Act."""
            self.settings, self.showing, self.place = settings, showing, place
            return status

        act.__annotations__["place"] = str
        self.app.command()(options.playing_options(act))

    def run(self, *arguments: str) -> int:
        result = CliRunner().invoke(self.app, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.chdir(tmp_path)


def test_options_become_settings() -> None:
    stage = Stage()
    assert stage.run("--in", "Keys", "--out", "Synth", "--seed", "5", "--no-sound", "--mode", "answer") == 0
    assert stage.settings is not None
    assert stage.settings.ports.input == "Keys"
    assert stage.settings.ports.output == "Synth"
    assert stage.settings.seed == 5
    assert stage.settings.sound.enabled == "off"


def test_style_and_density_are_settings_of_the_answer() -> None:
    stage = Stage()
    stage.run("--style", "roll era", "--density", "2")
    assert stage.settings is not None
    assert (stage.settings.answer.style, stage.settings.answer.density_ratio) == ("roll era", 2.0)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        (
            "--style",
            "polka",
            '--style: answer.style = polka is not allowed: it must be "free", "classical", "roll era", "pop" '
            'or "jazz line".',
        ),
        (
            "--density",
            "9",
            "--density: answer.density_ratio = 9.0 is not allowed: it must be a number from 0.25 to 4, or 0 "
            "to leave it to improv.",
        ),
    ],
)
def test_a_style_or_density_that_cannot_be_is_refused_with_those_that_can(
    option: str, value: str, message: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        Stage().run(option, value)
    assert str(refused.value) == message


def test_the_help_names_every_style() -> None:
    help_text = options.Style.__metadata__[0].help
    assert help_text == f'{", ".join(f"{style!r}" for style in STYLES)}, or "free" for any.'.replace("'", '"')


def test_both_spellings_of_an_assignment_are_taken_and_repeat() -> None:
    stage = Stage()
    stage.run("-o", "seed=1", "-o", "sampling.min_p=0.1", "--set", "ports.channel=3")
    assert stage.settings is not None
    assert (stage.settings.seed, stage.settings.sampling.min_p, stage.settings.ports.channel) == (1, 0.1, 3)


def test_an_option_wins_over_an_assignment() -> None:
    stage = Stage()
    stage.run("--seed", "2", "-o", "seed=1")
    assert stage.settings is not None
    assert stage.settings.seed == 2


def test_a_config_file_is_read() -> None:
    Path("mine.toml").write_text("[improv]\nseed = 9\n", encoding="utf-8")
    stage = Stage()
    stage.run("--config", "mine.toml")
    assert stage.settings is not None
    assert stage.settings.seed == 9


def test_a_preset_is_chosen_by_name_and_single_settings_count_for_more() -> None:
    stage = Stage()
    stage.run("--preset", "Calm", "--temperature", "1.2", "-o", "memory.follow=0")
    assert stage.settings is not None
    assert stage.settings.preset == "calm"
    assert stage.settings.answer.density_ratio == 0.5
    assert (stage.settings.sampling.temperature, stage.settings.memory.follow) == (1.2, 0.0)
    with pytest.raises(ConfigError) as refused:
        stage.run("--preset", "calmer")
    assert str(refused.value) == (
        '--preset: there is no preset "calmer"; there are calm, bold, mirror and fours.'
    )


def test_a_commands_own_argument_and_exit_status_are_its_own() -> None:
    stage = Stage(status=3)
    assert stage.run("--place", "away") == 3
    assert stage.place == "away"


def test_a_refused_option_is_named() -> None:
    with pytest.raises(
        ConfigError, match=r'^--mode: mode = echo is not allowed: it must be "answer", "trade", '
    ):
        Stage().run("--mode", "echo")


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_taken_and_the_help_says_what_it_is(mode: str) -> None:
    stage = Stage()
    stage.run("--mode", mode)
    assert stage.settings is not None
    assert stage.settings.mode == mode
    assert f"{mode}: {IN_WORDS[mode]}" in options._Mode.__metadata__[0].help


@pytest.mark.parametrize(
    ("arguments", "mode"),
    [
        ((), "solo"),
        (("--mode", "duet"), "duet"),
        (("-o", "mode=trade"), "trade"),
        (("-o", "mode = trade"), "trade"),
        (("-o", "model=mine.onnx"), "solo"),
    ],
)
def test_a_file_to_go_on_from_means_to_go_on_alone_unless_a_mode_is_named(
    arguments: tuple[str, ...], mode: str
) -> None:
    Path("prelude.mid").write_bytes(b"")
    stage = Stage()
    stage.run("--prime", "prelude.mid", *arguments)
    assert stage.settings is not None
    assert (stage.settings.solo.prime, stage.settings.mode) == ("prelude.mid", mode)


def test_a_file_to_go_on_from_that_is_not_there_is_refused_before_anything_starts() -> None:
    stage = Stage()
    with pytest.raises(MidiFileError, match=r"^There is no MIDI file nowhere\.mid\.$"):
        stage.run("--prime", "nowhere.mid")
    assert stage.settings is None


def test_scale_and_temperature_are_settings_of_sampling() -> None:
    stage = Stage()
    stage.run("--scale", "d minor", "--temperature", "1.2")
    assert stage.settings is not None
    assert (stage.settings.sampling.scale, stage.settings.sampling.temperature) == ("D minor", 1.2)


def test_a_soundfont_that_is_not_there_is_refused_before_anything_starts() -> None:
    stage = Stage()
    with pytest.raises(SoundError, match=r"^nowhere\.sf2: "):
        stage.run("--soundfont", "nowhere.sf2")
    assert stage.settings is None


def test_how_it_is_shown_is_told_apart_from_the_settings(tmp_path: Path) -> None:
    stage = Stage()
    assert stage.run() == 0
    assert stage.showing == Showing()
    log, trace = tmp_path / "log.txt", tmp_path / "trace.json"
    assert stage.run("--quiet", "--plain", "--log", str(log), "--trace", str(trace)) == 0
    assert stage.showing == Showing(quiet=True, plain=True, log=log, trace=trace)


def test_a_log_that_cannot_be_written_is_no_reason_not_to_play(tmp_path: Path) -> None:
    stage = Stage()
    assert stage.run("--log", str(tmp_path / "no folder" / "log.txt")) == 0
    with pytest.raises(StorageError, match="no folder"):
        stage.run("--trace", str(tmp_path / "no folder" / "trace.json"))
